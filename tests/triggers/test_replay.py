"""A recording plays on time, twice the same, and a bad line is named before anything starts."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.triggers.replay import LOOP_PAUSE_S, Options, RecordedLine, Replay, create, read
from streamer.types import Role, Trigger

ANN = {"id": "1", "name": "ann", "role": "viewer"}
LINE = {"at": 1, "actor": ANN, "text": "hi"}


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def recording(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "night.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


def lines(*times: float) -> list[RecordedLine]:
    return [RecordedLine.model_validate({"at": at, "actor": ANN, "text": f"at {at:g}"}) for at in times]


async def played(replay: Replay, count: int) -> list[Trigger]:
    triggers: list[Trigger] = []
    async for trigger in replay.listen():
        assert isinstance(trigger, Trigger)
        triggers.append(trigger)
        if len(triggers) == count:
            break
    return triggers


@pytest.mark.parametrize(("speed", "times"), [(1.0, [1000, 1002.5, 1010]), (4.0, [1000, 1000.625, 1002.5])])
async def test_lines_come_at_their_times_divided_by_the_speed(speed: float, times: list[float]) -> None:
    clock = Clock()
    replay = Replay(lines(0, 2.5, 10), Options(speed=speed), clock.sleep, clock)
    assert [trigger.at for trigger in await played(replay, 9)] == times
    assert (replay.health().state, replay.health().detail) == ("ended", "demo: line 3 of 3")


async def test_a_slow_listener_delays_lines_but_not_the_beat() -> None:
    clock, at = Clock(), []
    async for trigger in Replay(lines(0, 1, 2, 9), Options(), clock.sleep, clock).listen():
        at.append(trigger.at)
        clock.now += 3
    assert at == [1000, 1003, 1006, 1009]


async def test_a_looping_recording_begins_again_under_new_ids() -> None:
    clock = Clock()
    replay = Replay(lines(0, 5), Options(loop=True), clock.sleep, clock)
    triggers = await played(replay, 5)
    assert [trigger.id for trigger in triggers] == [f"replay-demo-{ids}" for ids in ("1-1", "1-2", "2-1", "2-2", "3-1")]
    assert [trigger.at for trigger in triggers] == [
        1000,
        1005,
        1005 + LOOP_PAUSE_S,
        1010 + LOOP_PAUSE_S,
        1010 + 2 * LOOP_PAUSE_S,
    ]
    assert replay.health().detail == "demo: line 1 of 2, round 3"


async def test_a_second_run_gives_the_same_ids(tmp_path: Path) -> None:
    options = Options(path=recording(tmp_path, LINE, "", LINE), speed=1e9)
    first, second = [[trigger async for trigger in create(options).listen()] for _ in range(2)]
    ids = [[trigger.id for trigger in run if isinstance(trigger, Trigger)] for run in (first, second)]
    assert ids == [["replay-night-1-1", "replay-night-1-2"]] * 2


def test_who_what_and_payment_are_read(tmp_path: Path) -> None:
    actor = {"id": "7", "name": "Мария", "role": "moderator"}
    (line,) = read(recording(tmp_path, {"at": 0.5, "actor": actor, "text": "!bg a\u2028b", "paid": True}))
    assert (line.at, line.actor.name, line.actor.role, line.text, line.paid) == (
        0.5,
        "Мария",
        Role.MODERATOR,
        "!bg a\u2028b",
        True,
    )


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = recording(tmp_path, "\ufeff" + json.dumps(LINE))
    assert len(read(path)) == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"night\.jsonl:2: line: is not JSON"),
        ("[" * 5000, r"night\.jsonl:2: line: "),
        ("[]", r"night\.jsonl:2: line: "),
        (LINE | {"at": "soon"}, r"night\.jsonl:2: at: .* valid number.*; write lines like"),
        (LINE | {"at": -1}, r":2: at: .*greater than or equal to 0"),
        (LINE | {"at": 0.5}, r":2: at: 0\.5 is earlier than the line before; sort it"),
        ({"at": 2, "actor": ANN}, r":2: text: field required"),
        (LINE | {"actor": ANN | {"role": "king"}}, r":2: actor\.role: .*must be one of viewer, follower"),
        (LINE | {"actor": ANN | {"role": ["viewer"]}}, r":2: actor\.role: .*must be one of"),
        (LINE | {"actor": ANN | {"id": ""}}, r":2: actor\.id: "),
        (LINE | {"colour": "red"}, r":2: colour: extra inputs are not permitted"),
        ('{"at": 2, "actor": {"id": "1", "name": "\\ud800", "role": "viewer"}, "text": ""}', r":2: actor\.name: "),
        ('{"at": NaN, "actor": {}, "text": ""}', r":2: at: "),
    ],
)
def test_a_bad_line_is_named_with_file_line_field_and_fix(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create(Options(path=recording(tmp_path, LINE, row)))


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_played_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"path: .*x\.jsonl' (cannot be read|holds no lines)"):
        create(Options(path=str(path)))


@pytest.mark.parametrize("wrong", [{"speed": 0}, {"speed": "inf"}, {"path": ""}, {"pace": 2}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)
