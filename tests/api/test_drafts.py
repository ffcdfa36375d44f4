"""Private pictures over HTTP: drawn by the running program, and on air only on request."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streamer.api.connection_guard import LONGEST_UPLOAD
from tests.support.encoded_pictures import encoded
from tests.support.real_program import OPERATOR, Remote, standing_token


async def ask(program: Remote, **body: object) -> dict[str, Any]:
    answer = await program.client.post("/api/v1/drafts", json=body)
    answer.raise_for_status()
    draft: dict[str, Any] = answer.json()
    return draft


async def finished(program: Remote, draft_id: str) -> dict[str, Any]:
    draft: dict[str, Any] = (await program.client.get(f"/api/v1/drafts/{draft_id}?wait_s=60")).json()
    return draft


async def fault(program: Remote, **body: object) -> str:
    answer = await program.client.post("/api/v1/drafts", json=body)
    assert answer.status_code == 422
    return str(answer.json()["detail"])


async def test_a_private_picture_is_drawn_as_chosen_and_goes_on_air_on_request_only(program: Remote) -> None:
    chosen = {"width": 256, "height": 192, "num_inference_steps": 3, "seed": 11, "style": "noir"}
    asked = await ask(program, text="stormy harbour", **chosen)
    draft = await finished(program, asked["id"])
    assert (draft["state"], draft["prompt"], draft["aired"]) == (
        "drawn",
        "stormy harbour, wide establishing shot, film noir",
        False,
    )
    assert {name: draft[name] for name in chosen if name != "style"} == {
        name: value for name, value in chosen.items() if name != "style"
    }
    assert draft["draw_ms"] >= draft["model_ms"] > 0
    image = await program.client.get(f"/api/v1/drafts/{asked['id']}/image")
    assert image.content[:2] == b"\xff\xd8"
    assert (await program.status())["on_air"]["background"] is None
    airing = (await program.client.post(f"/api/v1/drafts/{asked['id']}/air")).json()
    assert airing == {"state": "shown", "rule": "", "reason": ""}
    assert (await program.status())["on_air"]["background"] == asked["id"]
    shown = await program.client.get(f"/api/v1/pictures/{asked['id']}/image")
    assert shown.content == image.content


async def test_the_same_seed_draws_the_same_picture_and_another_another(program: Remote) -> None:
    pictures = []
    for seed in (3, 3, 4):
        asked = await ask(program, text="harbour", command="bg", width=128, height=128, seed=seed)
        await finished(program, asked["id"])
        pictures.append((await program.client.get(f"/api/v1/drafts/{asked['id']}/image")).content)
    assert pictures[0] == pictures[1] != pictures[2]


async def test_what_cannot_be_drawn_is_named_with_the_fix(program: Remote) -> None:
    assert "multiple of 16" in await fault(program, text="fox", width=250)
    assert "use at most 921,600 pixels, like 1280x720" in await fault(program, text="fox", width=2048, height=2048)
    assert await fault(program, text="fox", num_inference_steps=0) == (
        "num_inference_steps: input should be greater than or equal to 1"
    )
    assert (await fault(program, text="fox", seed=2**32)).startswith("seed: input should be less than")
    assert "plain, noir" in await fault(program, text="fox", style="oil")
    assert "use one of: bg, meme" in await fault(program, text="fox", command="undo")
    assert await fault(program, text="https://example.com") != ""


async def test_the_text_filter_refuses_a_private_picture_too(program: Remote) -> None:
    draft = await ask(program, text="a forbiddenword")
    assert (draft["state"], draft["rule"]) == ("refused", "words")
    for path in ("image", "preview"):
        assert (await program.client.get(f"/api/v1/drafts/{draft['id']}/{path}")).status_code == 409
    refused = await program.client.post(f"/api/v1/drafts/{draft['id']}/air")
    assert "it is refused" in refused.json()["detail"]


async def test_a_retry_with_the_same_id_draws_nothing_new_and_a_discarded_draft_is_gone(program: Remote) -> None:
    first = await ask(program, text="fox", id="once", width=64, height=64)
    again = await ask(program, text="another fox", id="once")
    assert (first["id"], again["text"]) == ("draft-once", "fox")
    assert (await program.client.delete("/api/v1/drafts/draft-once")).status_code == 204
    for method, path in (("GET", ""), ("GET", "/image"), ("POST", "/air"), ("DELETE", "")):
        answer = await program.client.request(method, f"/api/v1/drafts/draft-once{path}")
        assert (answer.status_code, "no draft 'draft-once'" in answer.text) == (404, True)


async def test_the_choices_are_the_programs_own(program: Remote) -> None:
    options = (await program.client.get("/api/v1/draft_options")).json()
    assert options["commands"]["bg"] == {"layer": "background", "width": 640, "height": 352, "edits": False}
    assert (options["styles"][:2], options["style"], options["edits"]) == (["plain", "noir"], None, False)
    assert options["most_pixels"] == 1280 * 720


@pytest.mark.parametrize("role", ["trigger", "overlay"])
async def test_only_an_operators_token_draws_privately(program: Remote, role: str) -> None:
    headers = {"authorization": f"Bearer {standing_token(program, role)}"}
    for method, path in (("POST", "/drafts"), ("GET", "/draft_options"), ("POST", "/drafts/x/air")):
        answer = await program.client.request(method, f"/api/v1{path}", headers=headers, json={"text": "fox"})
        assert answer.status_code == 403


@asynccontextmanager
async def listening(program: Remote, token: str = OPERATOR) -> AsyncIterator[ClientConnection]:
    async with connect(program.url.replace("http", "ws") + "/ws/drafts") as socket:
        await socket.send(json.dumps({"token": token}))
        yield socket


async def received(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return message


async def test_the_socket_sends_each_step_with_its_preview_until_the_picture_is_there(program: Remote) -> None:
    async with listening(program) as socket:
        assert await received(socket) == {"type": "hello"}
        asked = await ask(program, text="stormy harbour", num_inference_steps=4, width=640, height=352)
        messages = [await received(socket)]
        while messages[-1]["state"] in ("queued", "drawing"):
            messages.append(await received(socket))
    assert {message["id"] for message in messages} == {asked["id"]}
    assert messages[-1]["state"] == "drawn"
    previews = [base64.b64decode(message["preview"]) for message in messages if message["preview"]]
    assert previews
    assert all(preview.startswith(b"\xff\xd8") for preview in previews)


@pytest.mark.parametrize("role", ["wrong", "overlay", "trigger"])
async def test_the_socket_closes_without_an_operators_token(program: Remote, role: str) -> None:
    token = role if role == "wrong" else standing_token(program, role)
    async with listening(program, token) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await received(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def answer_to_length(program: Remote, path: str, length: int) -> int:
    """Announce a body of so many bytes, and return the status of the answer, which does not wait for it."""
    url = program.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST {path} HTTP/1.1", f"Host: {url.host}:{url.port}", f"Authorization: Bearer {OPERATOR}",
        "Content-Type: application/json", f"Content-Length: {length}", "", "",
    )  # fmt: skip
    writer.write("\r\n".join(head).encode())
    status = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(status.split()[1])


async def test_a_picture_to_change_is_read_whatever_its_size_up_to_the_limit(program: Remote) -> None:
    image = base64.b64encode(encoded()).decode()
    assert "cannot change pictures" in await fault(program, text="make it winter", image=image)
    large = base64.b64encode(encoded() + bytes(4 * 2**20)).decode()
    assert "cannot change pictures" in await fault(program, text="make it winter", image=large)
    assert "send a PNG, JPEG or WebP" in await fault(program, text="fox", image=base64.b64encode(b"no").decode())
    assert "is no base64" in await fault(program, text="fox", image="?")
    assert await answer_to_length(program, "/api/v1/drafts", LONGEST_UPLOAD + 1) == 413
    short = {"text": "A" * 70_000}
    assert (await program.client.post("/api/v1/triggers", json=short)).status_code == 413
