"""A form is read into typed fields and one picture, in memory alone; anything else is one sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

import httpx
import pytest
from starlette.requests import Request

from streamer.api.v1 import uploads
from streamer.api.v1.faults import Fault
from tests.support.images_server import picture

FILE = ("a.png", b"\x89PNG", "image/png")


def request_of(**content: object) -> Request:
    """Make the request that httpx would send."""
    sent = httpx.Request("POST", "http://here/v1/images/edits", **content)  # type: ignore[arg-type]
    pieces: AsyncIterator[dict[str, object]] = aiter_of(sent.read())

    async def receive() -> dict[str, object]:
        return await anext(pieces)

    headers = [(name.lower(), value) for name, value in sent.headers.raw]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def aiter_of(body: bytes) -> AsyncIterator[dict[str, object]]:
    middle = len(body) // 2
    yield {"type": "http.request", "body": body[:middle], "more_body": True}
    yield {"type": "http.request", "body": body[middle:], "more_body": False}


async def test_fields_have_the_types_that_json_would_give_them() -> None:
    data = {"prompt": "7", "n": "2", "stream": "true", "seed": "x", "size": "512x512"}
    fields, found = await uploads.read_form(request_of(data=data, files={"image": FILE}))
    assert fields == {"prompt": "7", "n": 2, "stream": True, "seed": "x", "size": "512x512"}
    assert found == b"\x89PNG"


async def test_a_list_of_one_picture_is_taken() -> None:
    _, found = await uploads.read_form(request_of(files=[("image[]", FILE)]))
    assert found == b"\x89PNG"


async def test_nothing_of_an_upload_touches_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[object] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rolled.append)
    _, found = await uploads.read_form(request_of(files={"image": ("a", bytes(3 * 2**20), "image/png")}))
    assert (len(found), rolled) == (3 * 2**20, [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"json": {}}, "send the request as multipart/form-data"),
        ({"data": {"prompt": "x"}, "files": {"other": FILE}}, "send one picture, as a file"),
        ({"files": {"mask": FILE}}, "masks are not supported"),
        ({"files": [("image", FILE), ("image", FILE)]}, "send one picture, as a file"),
        ({"data": {"image": "https://x"}, "files": {"image[]": FILE}}, "send one picture, as a file"),
        ({"files": [("image", FILE)] * 3}, "the form: Too many files"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "the form: Missing boundary"),
        ({"files": {"image": ("a", b"", "image/png")}}, "missing required parameter: 'image'"),
    ],
)
async def test_anything_but_one_picture_is_refused(content: dict[str, object], sentence: str) -> None:
    with pytest.raises(Fault, match=sentence):
        await uploads.read_form(request_of(**content))


async def test_a_body_that_is_too_long_is_not_read() -> None:
    for read in (uploads.read_json, uploads.read_form):
        with pytest.raises(Fault) as caught:
            await read(request_of(content=b"", headers={"content-length": "99999999"}))
        assert caught.value.status_code == 413


def test_a_picture_is_looked_at_before_it_is_queued() -> None:
    uploads.check_reference(picture())
    with pytest.raises(Fault, match="is no picture that can be read") as caught:
        uploads.check_reference(b"x")
    assert caught.value.param == "image"
