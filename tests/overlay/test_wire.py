"""The wire format: golden messages, round trips, and malformed messages that are returned as values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.overlay import wire
from streamer.overlay.layer_options import DEFAULT_LAYERS
from streamer.types import Frame, NoticeCard, Preview, Toast

GOLDEN = Path(__file__).parent / "golden"

FRAME = Frame("01J9ZC-гавань", "background", "image/jpeg", bytes(range(256)), 1280, 720)
PREVIEW = Preview("01J9ZC-гавань", "meme", 2, 4, "image/webp", b"\x00tiny\xff", 32, 18, "drawing for <b>Zoë</b>", 2.5)

MESSAGES: dict[str, bytes | str] = {
    "frame.bin": wire.encode_picture(FRAME, 7, 1_700_000_000_123.4567),
    "preview.bin": wire.encode_picture(PREVIEW, 8, 1_700_000_000_200.0),
    "hello.json": wire.encode_hello("0123456789abcdef", 5.0),
    "layers.json": wire.encode_layers(DEFAULT_LAYERS),
    "clear.json": wire.encode_clear("background", 9),
    "toast.json": wire.encode_toast(Toast("01J9ZC", "нарисовано для <b>Zoë</b> 🎨")),
    "card.json": wire.encode_card(NoticeCard("Скоро вернёмся", "Pictures are taking a <b>short</b> break")),
    "ping.json": wire.encode_ping(),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_written_is_what_the_golden_file_holds(name: str) -> None:
    """A golden file changes only together with the protocol's version or by an addition."""
    message = MESSAGES[name]
    assert (GOLDEN / name).read_bytes() == (message if isinstance(message, bytes) else message.encode())


def test_the_golden_frame_reads_back() -> None:
    header, data = wire.decode_picture((GOLDEN / "frame.bin").read_bytes())
    assert data == FRAME.data
    assert header == {
        "v": 1, "type": "frame", "layer": "background", "request_id": "01J9ZC-гавань", "seq": 7,
        "media_type": "image/jpeg", "width": 1280, "height": 720, "sent_at": 1_700_000_000_123.457,
    }  # fmt: skip


def test_a_preview_says_how_far_it_has_come() -> None:
    header, data = wire.decode_picture((GOLDEN / "preview.bin").read_bytes())
    assert (header["type"], header["step"], header["steps"], data) == ("preview", 2, 4, PREVIEW.data)
    assert (header["line"], header["due_s"]) == ("drawing for <b>Zoë</b>", 2.5)


def test_a_line_of_any_length_is_cut() -> None:
    header, _ = wire.decode_picture(wire.encode_picture(replace(PREVIEW, line="x" * 5000), 1, 0.0))
    assert header["line"] == "x" * 199 + "…"


@given(data=st.binary(max_size=200), request_id=st.text(max_size=40), layer=st.text(max_size=20))
def test_any_picture_comes_back_whole(data: bytes, request_id: str, layer: str) -> None:
    frame = Frame(request_id, layer, "image/jpeg", data, 1, 1)
    header, back = wire.decode_picture(wire.encode_picture(frame, 1, 0.0))
    assert (header["request_id"], header["layer"], back) == (request_id, layer, data)


@given(message=st.binary(max_size=60))
def test_a_broken_picture_is_a_value_error_and_nothing_else(message: bytes) -> None:
    try:
        header, _ = wire.decode_picture(message)
    except ValueError:
        return
    assert isinstance(header, dict)


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_a_picture_cut_short_in_its_header_is_refused(cut: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, the kind is the fact
        wire.decode_picture((GOLDEN / "frame.bin").read_bytes()[:cut])


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused_as_a_value(text: str) -> None:
    assert isinstance(
        wire.decode(text), wire.Hello | wire.Painted | wire.VisibilityMessage | wire.Pong | wire.Malformed
    )


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["v", "type", "token", "seq", "layer"]), s),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused_as_a_value(value: object) -> None:
    assert isinstance(
        wire.decode(json.dumps(value)), wire.Hello | wire.Painted | wire.VisibilityMessage | wire.Pong | wire.Malformed
    )


def test_a_malformed_message_says_what_is_wrong() -> None:
    refused = wire.decode('{"type":"painted","seq":"one","request_id":"a","layer":"b"}')
    assert isinstance(refused, wire.Malformed)
    assert "seq" in refused.problem
    assert wire.decode(b"bytes") == wire.Malformed("only text messages are understood")
    assert wire.decode("x" * 5000) == wire.Malformed("longer than 4096 characters")


def test_a_newer_page_may_say_more_than_the_server_understands() -> None:
    assert wire.decode('{"v":1,"type":"pong","mood":"fine"}') == wire.Pong()


def test_a_page_of_another_protocol_is_told_apart_from_a_malformed_message() -> None:
    refused = wire.decode('{"v":2,"type":"hello","token":"t"}')
    assert isinstance(refused, wire.Malformed)
    assert refused.wrong_protocol


def test_a_long_toast_is_cut() -> None:
    text = json.loads(wire.encode_toast(Toast("a", "я" * 5000)))["text"]
    assert len(text) == wire.LONGEST_TOAST
    assert text.endswith("…")


def test_a_lone_surrogate_in_a_name_does_not_break_the_socket() -> None:
    assert wire.encode_toast(Toast("a", "drawn for \ud83d")).encode()
