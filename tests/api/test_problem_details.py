"""Errors are problem documents, and bodies that make no sense are counted."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse

from streamer.api.problem_details import MEDIA_TYPE, install, problem

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int


async def answers(method: str, path: str, **more: object) -> tuple[httpx.Response, int]:
    app, counted = FastAPI(), []
    install(app, lambda: counted.append(1), {"/other/": lambda error: PlainTextResponse(str(error.detail), 418)})

    @app.post("/number")
    async def number(body: Body) -> None: ...

    @app.post("/show")
    async def show(picture: str) -> None: ...

    @app.get("/gone")
    async def gone() -> None:
        raise HTTPException(409, "it is not there any more", {"x-extra": "kept"})

    @app.get("/other/bug")
    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as speaking:
        return await speaking.request(method, path, **more), len(counted)  # type: ignore[arg-type]


async def test_a_raised_error_becomes_a_problem_with_its_headers() -> None:
    answer, counted = await answers("GET", "/gone")
    assert (answer.status_code, answer.headers["content-type"], counted) == (409, MEDIA_TYPE, 0)
    assert answer.json() == {
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "it is not there any more",
    }  # fmt: skip
    assert answer.headers["x-extra"] == "kept"


async def test_an_invalid_body_names_the_field_and_is_counted() -> None:
    answer, counted = await answers("POST", "/number", json={"number": "many"})
    assert (answer.status_code, counted) == (422, 1)
    assert answer.json()["detail"].startswith("number: ")


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"content": b'{"number": 1}', "headers": FORM}, "not marked as JSON"),
        ({"content": b'{"number": 1}', "headers": {"content-type": "text/plain"}}, "not marked as JSON"),
        ({"content": b'{"number": 1}'}, "not marked as JSON"),
        ({"data": {"number": "1"}}, "not marked as JSON"),
        ({"files": {"number": (None, "1")}}, "not marked as JSON"),
        ({}, "is empty; send a JSON object with"),
        ({"headers": JSON}, "is empty"),
        ({"params": {"number": "1"}}, "nothing is read from the address"),
    ],
)
async def test_a_body_that_is_not_marked_as_json_is_told_which_header_is_missing(
    sent: dict[str, object], says: str
) -> None:
    answer, counted = await answers("POST", "/number", **sent)
    assert (answer.status_code, counted) == (422, 1)
    detail = answer.json()["detail"]
    assert says in detail
    assert "send a JSON object" in detail
    assert detail.endswith("with the header Content-Type: application/json")


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (
            b"{number: 1}",
            422,
            "the body: is no JSON (expecting property name enclosed in double quotes, at position 1)",
        ),
        (b"[1]", 422, "the body: must be a JSON object"),
        (b"null", 422, "the body: must be a JSON object"),
        (b'{"nummer": 1}', 422, "number: field required; nummer: extra inputs are not permitted"),
        (
            '{"number": "сто"}'.encode("cp1251"),
            400,
            "the body: is not UTF-8; save it as UTF-8 in a file, and send that",
        ),
    ],
)
async def test_a_json_body_that_makes_no_sense_says_why(content: bytes, status: int, detail: str) -> None:
    answer, _ = await answers("POST", "/number", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"])
async def test_every_json_type_is_read(media_type: str) -> None:
    answer, counted = await answers("POST", "/number", content=b'{"number": 1}', headers={"content-type": media_type})
    assert (answer.status_code, counted) == (200, 0)


async def test_a_missing_parameter_says_where_it_goes() -> None:
    answer, _ = await answers("POST", "/show", json={"picture": "p"})
    assert answer.json()["detail"] == "picture: is missing; put it into the address, as ?picture=..."


async def test_an_unknown_path_is_a_problem_too() -> None:
    answer, _ = await answers("GET", "/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)


async def test_a_bug_is_a_problem_too() -> None:
    answer, _ = await answers("GET", "/bug")
    assert (answer.status_code, answer.headers["content-type"]) == (500, MEDIA_TYPE)


async def test_below_some_paths_errors_have_another_shape() -> None:
    for path, said in (
        ("/other/nowhere", "Not Found"),
        ("/other/bug", "a bug of the program; its log has the details"),
    ):
        answer, _ = await answers("GET", path)
        assert (answer.status_code, answer.text) == (418, said)


def test_a_problem_says_its_status_twice_as_the_standard_wants() -> None:
    answer = problem(403, "Forbidden", "no")
    assert answer.status_code == json.loads(bytes(answer.body))["status"] == 403
