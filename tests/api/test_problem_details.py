"""Errors are problem documents, and bodies that make no sense are counted."""

from __future__ import annotations

import json

import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from streamer.api.problem_details import MEDIA_TYPE, install, problem


class Body(BaseModel):
    number: int


async def answers(method: str, path: str, **more: object) -> tuple[httpx.Response, int]:
    app, counted = FastAPI(), []
    install(app, lambda: counted.append(1))

    @app.post("/number")
    async def number(body: Body) -> None: ...

    @app.get("/gone")
    async def gone() -> None:
        raise HTTPException(409, "it is not there any more", {"x-extra": "kept"})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as speaking:
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


async def test_an_unknown_path_is_a_problem_too() -> None:
    answer, _ = await answers("GET", "/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)


def test_a_problem_says_its_status_twice_as_the_standard_wants() -> None:
    answer = problem(403, "Forbidden", "no")
    assert answer.status_code == json.loads(bytes(answer.body))["status"] == 403
