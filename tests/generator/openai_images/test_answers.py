"""Whatever a picture server answers becomes a picture or one sentence, in which its key never stands."""

from __future__ import annotations

import base64
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from streamer.errors import BackendError, ContentRefused
from streamer.generator.openai_images import answers
from streamer.generator.openai_images.answers import EventReader, PictureData
from tests.support.images_server import picture

KEY = "sk-very-secret"
SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))


def test_a_picture_is_found_by_its_bytes_or_its_address() -> None:
    encoded = base64.b64encode(b"picture").decode()
    assert answers.picture_in({"data": [{"b64_json": encoded, "url": "x"}]}) == PictureData(b"picture")
    assert answers.picture_in({"data": [{"b64_json": None, "url": "https://x/1"}]}) == PictureData(url="https://x/1")


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"data": None}, {"data": []}, {"data": ["x"]}, {"data": [{}]}, {"data": [{"url": 7}]}]
)
def test_an_answer_without_a_picture_is_one_sentence(answer: object) -> None:
    with pytest.raises(BackendError, match="has no picture in it"):
        answers.picture_in(answer)


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, {"message": f"Incorrect API key provided: {KEY}"}, "does not accept the key; check the file that key_fi"),
        (403, {}, "does not accept the key"),
        (404, {"message": "no model x"}, "no such model or address: no model x; check url and model"),
        (429, {"message": "slow down"}, "is busy: slow down"),
        (429, {"code": "insufficient_quota"}, "the account at the picture server is used up"),
        (500, {"message": f"oh\nno {KEY}" + "x" * 500}, r"failed \(500\): oh no \.\.\.x{190}"),
        (502, None, r"failed \(502\)$"),
        (400, "text", r"failed \(400\): text"),
    ],
)
def test_an_error_is_one_sentence_without_the_key(status: int, error: object, sentence: str) -> None:
    found = answers.error_of(status, json.dumps({"error": error}).encode(), KEY)
    assert type(found) is BackendError
    with pytest.raises(BackendError, match=sentence):
        raise found
    assert KEY not in str(found)
    assert "\n" not in str(found)
    assert len(str(found)) < 300


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"error": null}', b"[" * 100_000])
def test_an_error_that_is_no_json_is_one_sentence(body: bytes) -> None:
    assert str(answers.error_of(503, body, KEY)) == "the picture server failed (503)"


@pytest.mark.parametrize(
    "error", [{"code": "moderation_blocked"}, {"code": "content_policy_violation"}, {"type": answers.REFUSAL_TYPE}]
)
def test_refused_content_is_a_refusal(error: dict[str, str]) -> None:
    assert isinstance(answers.error_of(400, json.dumps({"error": error}).encode(), KEY), ContentRefused)


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [((1280, 720), (1536, 1024)), ((1024, 1024), (1024, 1024)), ((512, 512), (1024, 1024)), ((600, 1000), SIZES[2])],
)
def test_the_size_is_the_one_of_which_the_least_is_cut_off(wanted: tuple[int, int], nearest: tuple[int, int]) -> None:
    assert answers.nearest_size(*wanted, SIZES) == nearest
    assert answers.nearest_size(*wanted, ()) == wanted


def test_a_picture_is_cut_and_scaled_to_the_size_of_the_command() -> None:
    assert answers.pixels_of(picture(96, 64), 128, 72, alpha=False).shape == (72, 128, 3)
    assert answers.pixels_of(picture(96, 64, "WEBP", "RGBA"), 96, 64, alpha=True).shape == (64, 96, 4)


@pytest.mark.parametrize("data", [b"", b"no picture", picture()[:100], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_picture_is_one_sentence(data: bytes) -> None:
    with pytest.raises(BackendError, match="sent something that is no picture"):
        answers.pixels_of(data, 8, 8, alpha=False)


def test_a_huge_picture_is_not_decoded() -> None:
    file = io.BytesIO()
    Image.new("1", (5000, 5000)).save(file, "PNG")
    with pytest.raises(BackendError, match="5000x5000 pixels"):
        answers.pixels_of(file.getvalue(), 8, 8, alpha=False)


@given(st.lists(st.text(alphabet='dat:{}[] "1e,', max_size=20), max_size=30))
def test_any_lines_of_a_stream_are_events_or_one_sentence(lines: list[str]) -> None:
    reader = EventReader()
    for line in lines:
        with suppress(BackendError):
            event = reader.feed(line)
            assert event is None or isinstance(event, dict)


def test_events_are_read_line_by_line() -> None:
    reader = EventReader()
    lines = [": comment", "event: x", 'data: {"a":', "data: 1}", "", "", "data: [DONE]", ""]
    assert [found for line in lines if (found := reader.feed(line)) is not None] == [{"a": 1}]
