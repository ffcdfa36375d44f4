"""The backend draws on a real server over a real socket: pictures, previews, refusals, and every way to go wrong."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from PIL import Image

from streamer.errors import BackendError, ContentRefused, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, StepCallback
from streamer.generator.backends import openai_images
from streamer.generator.openai_images.backend import OpenAiImages
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams
from tests.support.images_server import (
    Answering,
    Asked,
    ImagesServer,
    Said,
    drawn,
    events,
    failed,
    picture,
    said_json,
    serving,
)

NAME, IDENTITY = "Ann of the viewers", "viewer-4711"


@pytest.fixture
def server() -> Iterator[ImagesServer]:
    with serving() as running:
        yield running


def built(server: ImagesServer, **options: object) -> OpenAiImages:
    given = openai_images.Options.model_validate({"url": server.url, "key_file": None, "sizes": [], **options})
    backend = openai_images.create(given)
    assert isinstance(backend, OpenAiImages)
    backend.load(lambda doing, share: None)
    return backend


def asked_for(
    prompt: str = "a quiet lake", reference: bytes | None = None, kind: RequestKind = RequestKind.BACKGROUND
) -> ImageRequest:
    return ImageRequest(
        "r", "bg", kind, "background", prompt, prompt, SamplingParams(128, 96, 4, 1.0, 7),
        Actor(IDENTITY, NAME, Role.VIEWER), Lane.CHAT, 0.0, 30.0, reference=reference,
    )  # fmt: skip


def drawing(backend: OpenAiImages, request: ImageRequest | None = None) -> list[StepCallback | BackendPicture]:
    with closing(backend):
        return list(backend.draw(request or asked_for()))


def error_from(server: ImagesServer, answer: Answering, **options: object) -> BackendError:
    server.answer = answer
    with pytest.raises(BackendError) as caught:
        drawing(built(server, **options))
    return caught.value


def test_words_and_size_are_sent_and_nothing_about_who_asked(server: ImagesServer) -> None:
    backend = built(server, model="painter", parameters={"quality": "low"})
    (finished,) = [item for item in drawing(backend) if isinstance(item, HostPicture)]
    assert (finished.width, finished.height) == (128, 96)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/images/generations")
    assert asked.json == {"prompt": "a quiet lake", "n": 1, "size": "128x96", "model": "painter", "quality": "low"}
    everything = f"{asked.headers} {asked.body!r}"
    assert NAME not in everything
    assert IDENTITY not in everything


def test_the_key_comes_from_a_file_and_goes_to_the_server_alone(
    server: ImagesServer, tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    folder = tmp_path / "secrets"  # type: ignore[operator]
    folder.mkdir()
    (folder / "openai_images").touch(0o600)
    (folder / "openai_images").write_text("sk-secret\n")
    with serving() as elsewhere:
        elsewhere.answer = lambda asked: Said(200, (picture(),), "image/png")
        address = f"{elsewhere.url}/picture.png"
        server.answer = lambda asked: said_json({"data": [{"url": address}]})
        options = openai_images.Options.model_validate({"url": server.url, "sizes": []})
        backend = openai_images.create(options)
        assert isinstance(backend, OpenAiImages)
        backend.load(lambda doing, share: None)
        assert isinstance(drawing(backend)[-1], HostPicture)
        assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer sk-secret"]
        assert [asked.headers.get("authorization") for asked in elsewhere.asked] == [None]
    assert "sk-secret" not in repr(backend._client)


@pytest.mark.parametrize(
    "address", ["http://example.org/1.png", "https://127.0.0.2/x", "https://10.0.0.1/x", "file:///x"]
)
def test_an_address_that_leads_into_the_network_or_is_not_safe_is_not_fetched(
    server: ImagesServer, address: str
) -> None:
    found = error_from(server, lambda asked: said_json({"data": [{"url": address}]}))
    assert "not one to fetch from" in str(found)


def test_previews_come_from_the_stream(server: ImagesServer) -> None:
    partial, finished = (base64.b64encode(picture(64, 48, seed=seed)).decode() for seed in (1, 2))
    server.answer = lambda asked: Said(
        200,
        events(
            {"type": "image_generation.partial_image", "b64_json": partial, "partial_image_index": 0},
            {"type": "image_generation.completed", "b64_json": finished},
        ),
        "text/event-stream",
    )
    items = drawing(built(server, partial_images=1))
    assert {"stream": True, "partial_images": 1}.items() <= server.asked[0].json.items()
    previews = [item.pixels for item in items if isinstance(item, StepCallback) and item.pixels is not None]
    assert [preview.shape for preview in previews] == [(96, 128, 3)]
    assert isinstance(items[-1], HostPicture)


def test_an_edit_sends_the_picture_as_a_file(server: ImagesServer) -> None:
    server.answer = lambda asked: drawn(picture(128, 96))
    assert isinstance(drawing(built(server), asked_for("winter", picture(40, 30, "JPEG")))[-1], HostPicture)
    (asked,) = server.asked
    assert asked.path == "/v1/images/edits"
    assert asked.headers["content-type"].startswith("multipart/form-data")
    sent = asked.body[asked.body.index(b"\x89PNG") :]
    with Image.open(io.BytesIO(sent)) as image:
        assert image.size == (40, 30)


def test_a_server_that_cannot_edit_is_not_asked_to(server: ImagesServer) -> None:
    with pytest.raises(Unsupported):
        drawing(built(server, edits=False), asked_for("winter", picture()))
    assert server.asked == []


def test_a_sticker_may_come_without_a_background(server: ImagesServer) -> None:
    server.answer = lambda asked: drawn(picture(128, 96, "PNG", "RGBA"))
    items = drawing(built(server, transparent=True, seed=True), asked_for(kind=RequestKind.STICKER))
    finished = items[-1]
    assert isinstance(finished, HostPicture)
    assert finished.pixels().shape[2] == 4
    assert {"background": "transparent", "output_format": "png", "seed": 7}.items() <= server.asked[0].json.items()


def test_refused_content_is_a_refusal(server: ImagesServer) -> None:
    found = error_from(server, lambda asked: failed(400, "no", "moderation_blocked"))
    assert isinstance(found, ContentRefused)


def test_a_refusal_in_a_stream_is_one_too(server: ImagesServer) -> None:
    error = {"type": "error", "error": {"code": "moderation_blocked", "message": "no"}}
    found = error_from(server, lambda asked: Said(200, events(error), "text/event-stream"), partial_images=1)
    assert isinstance(found, ContentRefused)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda asked: said_json({"data": []}), "has no picture in it"),
        (lambda asked: Said(200, (b"not json",)), "is no JSON"),
        (lambda asked: Said(200, (b"",)), "is no JSON"),
        (lambda asked: said_json({"data": [{"b64_json": "%%%"}]}), "is no base64"),
        (lambda asked: drawn(b"no picture"), "something that is no picture"),
        (lambda asked: Said(200, (b"data: {}\n\n",), "text/event-stream"), "ended without a picture"),
        (lambda asked: Said(200, (b"data: nonsense\n\n",), "text/event-stream"), "is no JSON"),
        (lambda asked: Said(200, (b"{}",), headers={"content-length": "99999999"}), "is too long"),
        (lambda asked: Said(307, headers={"location": "/elsewhere"}), "failed \\(307\\)"),
        (lambda asked: failed(500, "out of memory"), "failed \\(500\\): out of memory"),
        (lambda asked: failed(401, "bad key"), "does not accept the key"),
    ],
)
def test_a_bad_answer_is_one_sentence(server: ImagesServer, answer: Answering, sentence: str) -> None:
    found = error_from(server, answer)
    assert type(found) is BackendError
    with pytest.raises(BackendError, match=sentence):
        raise found


def test_a_server_that_is_not_there_is_one_sentence(server: ImagesServer) -> None:
    backend = built(server, url="http://127.0.0.1:9/v1")
    with pytest.raises(BackendError, match=r"the picture server 127\.0\.0\.1 cannot be reached"):
        drawing(backend)


def test_a_server_that_is_silent_is_given_up_after_the_timeout(server: ImagesServer) -> None:
    never = threading.Event()
    found = error_from(server, lambda asked: Said(200, (b" ", b"{}"), waits=never), timeout_s=0.2)
    assert "did not answer within 0.2 s; raise timeout_s" in str(found)


def test_steps_are_reported_while_the_server_draws_and_closing_hangs_up(server: ImagesServer) -> None:
    never = threading.Event()
    server.answer = lambda asked: Said(200, (b": begin\n\n", b"data: {}\n\n"), "text/event-stream", waits=never)
    with closing(built(server, partial_images=1)) as backend:
        items = backend.draw(asked_for())
        assert next(items) == StepCallback(0, 1, None)
        items.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(10)
        server.answer = lambda asked: drawn(picture())
        assert isinstance(list(backend.draw(asked_for()))[-1], HostPicture)


def test_closing_the_backend_ends_a_picture_that_is_being_drawn(server: ImagesServer) -> None:
    never = threading.Event()
    server.answer = lambda asked: Said(200, (b": begin\n\n", b"data: {}\n\n"), "text/event-stream", waits=never)
    backend = built(server, partial_images=1)
    items = backend.draw(asked_for())
    next(items)
    backend.close()
    assert server.hung_up.wait(10)
    assert not backend._thread.is_alive()


def test_nothing_is_sent_before_there_is_something_to_draw(server: ImagesServer) -> None:
    with closing(built(server)) as backend:
        backend.warm_up([(128, 96)], lambda doing, share: None)
        assert backend.active()["device"] == "127.0.0.1"
    assert server.asked == []
    assert Asked("GET", "/", {}, b"{}").json == {}
