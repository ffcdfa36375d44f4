"""Messages as bytes: they arrive as they were sent, without anybody's name, and no bytes do harm."""

from __future__ import annotations

import json
import math
import pickle
import struct
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.generator.ipc import Cancel, DrawCommand, Failed, Heartbeat, JudgeUse, Produced, Standing, Start, Stopped
from streamer.generator.worker_wire import (
    HEAD,
    LONGEST_LINE,
    MAX_BYTES,
    VERSION,
    HomeMessage,
    WireError,
    WorkerMessage,
    decode_for_home,
    decode_for_worker,
    encode,
)
from streamer.interfaces import Abilities
from streamer.types import (
    Actor,
    Caption,
    Frame,
    Hold,
    ImageRequest,
    Judgement,
    Lane,
    Lora,
    Outcome,
    Preview,
    Redemption,
    RequestKind,
    Role,
    SamplingParams,
)

SECRET = "spy7"
"""Stands in every field that says who asked, when, where or why."""
REQUEST = ImageRequest(
    id=f"message-{SECRET}", command=f"bg-{SECRET}", kind=RequestKind.EDIT, layer=f"layer-{SECRET}", text="a harbour",
    prompt="a harbour, wide", params=SamplingParams(1280, 720, 4, 1.0, 7),
    actor=Actor(f"id-{SECRET}", f"name-{SECRET}", Role.MODERATOR, f"login-{SECRET}"), priority=Lane.PAID,
    at=987654.25, expires_at=987684.25, caption=Caption("top", "bottom", "classic"), reference=b"\x00picture",
    preview_px=256, source=f"source-{SECRET}", redemption=Redemption(f"points-{SECRET}", f"reward-{SECRET}"),
    first_time=True, hold=Hold("x", f"rule-{SECRET}", "why", "code"), words="harbour", template="{text}, wide",
    gated=False, loras=(Lora("someone/ink", 0.8, "styles.ink.lora"),),
    removed=(f"a link by {SECRET}",),
)  # fmt: skip
DRAWN = ("kind", "text", "prompt", "params", "caption", "reference", "preview_px", "words", "template", "loras")
"""The fields of a request that leave this computer; whoever adds a field decides on which side it stands."""
KEPT = (
    "id", "command", "layer", "actor", "priority", "at", "expires_at", "role_needed", "seconds", "cooldown_s",
    "of_program", "source", "redemption", "first_time", "hold", "removed", "gated",
)  # fmt: skip
JUDGES = (JudgeUse("nudenet", {"hold": {"A": 0.5}, "tiles": [2, 3]}), JudgeUse("clip", {}, always=False))
FOUND = Judgement(Outcome.HOLD, "nudity", "nudenet", "3.4", {"A": 0.25, "B": 1.0}, 12.5)
TO_WORKER: list[WorkerMessage] = [
    Start("0123456789abcdef", ((64, 48), (1280, 720)), 88, JUDGES, {"red": "about: Röd"}, (Lora("someone/ink"),)),
    Start("0123456789abcdef", (), 88, (), {}),
    Cancel(7),
]
TO_HOME: list[HomeMessage] = [
    Standing(True, "drawing with klein", {"backend": "klein", "gpu": "H200"}, Abilities(edits=False, most_steps=8)),
    Heartbeat(),
    Produced(3, Preview("", "", 1, 4, "image/jpeg", b"small", 32, 18)),
    Produced(3, Preview("", "", 2, 4, "", b"", 0, 0)),
    Produced(3, Frame("", "", "image/webp", bytes(range(256)), 1280, 720, (FOUND,), 0.25, 0.125, True)),
    Stopped(3),
    Failed(3, "Unsupported", "cannot edit", "ask for a new one"),
]


@pytest.mark.parametrize("message", TO_WORKER, ids=lambda message: type(message).__name__)
def test_what_a_worker_is_sent_arrives_as_it_was(message: WorkerMessage) -> None:
    assert decode_for_worker(encode(message)) == message


@pytest.mark.parametrize("message", TO_HOME, ids=lambda message: type(message).__name__)
def test_what_a_worker_answers_arrives_as_it_was(message: HomeMessage) -> None:
    assert decode_for_home(encode(message)) == message


def test_a_request_arrives_with_all_that_is_drawn_and_nothing_else() -> None:
    sent = encode(DrawCommand(5, REQUEST))
    assert SECRET.encode() not in sent
    assert b"987654" not in sent
    arrived = decode_for_worker(sent)
    assert isinstance(arrived, DrawCommand)
    assert arrived.job == 5
    for name in DRAWN:
        assert getattr(arrived.request, name) == getattr(REQUEST, name), name
    assert (arrived.request.id, arrived.request.actor) == ("job-5", Actor("", "", Role.VIEWER))


def test_every_field_of_a_request_is_known_to_leave_or_to_stay() -> None:
    assert {field.name for field in fields(ImageRequest)} == {*DRAWN, *KEPT}


def test_a_picture_without_caption_and_reference_has_none_on_the_other_side() -> None:
    plain = replace(REQUEST, caption=None, reference=None, kind=RequestKind.BACKGROUND)
    arrived = decode_for_worker(encode(DrawCommand(1, plain)))
    assert isinstance(arrived, DrawCommand)
    assert (arrived.request.caption, arrived.request.reference) == (None, None)


def test_half_a_letter_that_somebody_typed_costs_no_picture() -> None:
    arrived = decode_for_worker(encode(DrawCommand(1, replace(REQUEST, prompt="a \ud800 lake"))))
    assert isinstance(arrived, DrawCommand)
    assert arrived.request.prompt == "a ? lake"


def test_a_fault_is_one_printable_line_and_of_a_known_kind() -> None:
    arrived = decode_for_home(encode(Failed(1, "SystemExit", "line one\nline \x1b[31mtwo" + "x" * 999, "fix\r")))
    assert isinstance(arrived, Failed)
    assert (arrived.error, arrived.fix, len(arrived.problem)) == ("BackendError", "fix ", LONGEST_LINE)
    assert arrived.problem.startswith("line one line  [31mtwo")


def test_a_score_that_is_no_number_arrives_as_that() -> None:
    odd = replace(FOUND, scores={"A": math.nan})
    arrived = decode_for_home(encode(Produced(1, Frame("", "", "image/jpeg", b"x", 64, 48, (odd,)))))
    assert isinstance(arrived, Produced)
    assert isinstance(arrived.item, Frame)
    assert math.isnan(arrived.item.judgements[0].scores["A"])


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (DrawCommand(1, replace(REQUEST, params=SamplingParams(99_999, 720, 4, 1.0, 7))), "width"),
        (DrawCommand(1, replace(REQUEST, prompt="x" * 30_000)), "prompt"),
        (DrawCommand(1, replace(REQUEST, reference=b"x" * MAX_BYTES)), "too large"),
        (Produced(1, Frame("", "", "text/html", b"<script>", 64, 48)), "media_type"),
        (Start("short", (), 88, (), {}), "home"),
        (Start("0123456789abcdef", (), 88, (), {"../up": ""}), "layouts"),
    ],
)
def test_what_does_not_fit_is_not_sent_and_the_error_names_it(
    message: WorkerMessage | HomeMessage, problem: str
) -> None:
    with pytest.raises(WireError, match=problem):
        encode(message)


def header(text: bytes, version: int = VERSION, length: int | None = None) -> bytes:
    return struct.pack(">BI", version, len(text) if length is None else length) + text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "0 bytes"),
        (b"\x01\x00", "2 bytes"),
        (header(b"{}", version=2), "version 2, not 1"),
        (header(b"{}", length=3), "cut off"),
        (header(b"{}", length=2**32 - 1), "cut off"),
        (header(b"{}"), "type"),
        (header(b'{"type": "root"}'), "root"),
        (header(b'{"type": "cancel", "job": -1}'), "cancel"),
        (header(b"\xff\xfe"), "cannot be read"),
        (header(b"[" * 5000), "cannot be read"),
        (header(pickle.dumps(Cancel(1))), "cannot be read"),
        (bytes(MAX_BYTES + 1), "no message"),
    ],
)
def test_bytes_that_are_no_message_are_refused_with_the_reason(data: bytes, problem: str) -> None:
    for decode in (decode_for_worker, decode_for_home):
        with pytest.raises(WireError, match=problem):
            decode(data)


def test_neither_end_reads_what_only_the_other_may_say() -> None:
    for message in TO_WORKER:
        with pytest.raises(WireError):
            decode_for_home(encode(message))
    for answer in TO_HOME:
        with pytest.raises(WireError):
            decode_for_worker(encode(answer))


def test_a_key_of_a_later_release_is_read_over() -> None:
    assert decode_for_worker(header(json.dumps({"type": "cancel", "job": 3, "why": "new"}).encode())) == Cancel(3)


ENCODED = [encode(message) for message in [*TO_WORKER, *TO_HOME, DrawCommand(5, REQUEST)]]


def harmless(data: bytes) -> None:
    """Read bytes as both ends would; anything but a message or a WireError fails the test."""
    for decode in (decode_for_worker, decode_for_home):
        try:
            message = decode(data)
        except WireError:
            continue
        assert decode(encode(message)) == message or "nan" in repr(message)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_do_harm(data: bytes) -> None:
    harmless(data)
    harmless(header(data))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ENCODED), st.integers(0, 2000), st.binary(max_size=4), st.integers(0, 4))
def test_no_damage_to_a_message_does_harm(message: bytes, at: int, put: bytes, cut: int) -> None:
    at %= len(message) + 1
    harmless(message[:at] + put + message[at + cut :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ENCODED), st.data())
def test_no_value_in_the_place_of_another_does_harm(message: bytes, data: st.DataObject) -> None:
    _, length = HEAD.unpack_from(message)
    fields_ = json.loads(message[HEAD.size : HEAD.size + length])
    key = data.draw(st.sampled_from(sorted(fields_)))
    harmless(header(json.dumps({**fields_, key: data.draw(JSON)}).encode()) + b"picture")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.binary(max_size=200), st.integers(0, 2**63 - 1), st.integers(1, 1000))
def test_every_text_picture_and_seed_arrives(text: str, picture: bytes, seed: int, steps: int) -> None:
    wanted = replace(REQUEST, prompt=text, reference=picture, params=SamplingParams(64, 64, steps, 3.5, seed))
    arrived = decode_for_worker(encode(DrawCommand(1, wanted)))
    assert isinstance(arrived, DrawCommand)
    assert (arrived.request.prompt, arrived.request.reference) == (text, picture)
    assert arrived.request.params == wanted.params
