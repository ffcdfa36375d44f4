"""A rehearsal says what would have become of every line, in no time."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from streamer import app, cli
from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.commands.styles import StyleOptions
from streamer.config import load
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.policy import Policy
from streamer.moderation.rules import cooldown, words
from streamer.pipeline.dry_run import DryRun, DryRunConfig, LineOutcome, summary
from streamer.pipeline.pacing import AirTime
from streamer.pipeline.queue_options import QueueOptions
from streamer.pipeline.show import ShowConfig
from streamer.triggers.replay import RecordedLine, read

NOIR = StyleOptions(prompt="{prompt}, badword")
TABLE = {
    "bg": CommandOptions(kind="background", layer="background"),
    "edit": CommandOptions(kind="edit", layer="background"),
    **{
        word: CommandOptions(kind=word)
        for word in ("clear", "pause", "resume", "panic", "ban", "unban", "forgetme", "style", "next")
    },
}


def house(
    draw_s: float = 0.3,
    at_least_s: Mapping[str, float] | None = None,
    queue: QueueOptions | None = None,
    busy_s: float | None = None,
    **show: Any,
) -> DryRunConfig:
    queue = queue or QueueOptions()
    rules = [
        cooldown.create(cooldown.Options(user_s=30, everyone_s=0)),
        words.create(words.Options(extra=("badword",))),
    ]
    return DryRunConfig(
        commands=Commands(TABLE, styles={"noir": NOIR}, expires_after_s=queue.gives_up_s),
        policy=Policy(rules),
        queue=queue,
        show=ShowConfig(
            air_times={layer: AirTime(s, s if busy_s is None else busy_s) for layer, s in (at_least_s or {}).items()},
            patience_s=queue.expires_s,
            same_s=queue.same_s,
            **show,
        ),
        draw_s=draw_s,
    )


def line(at: float, text: str, who: str = "ann", role: str = "viewer", **more: Any) -> RecordedLine:
    return RecordedLine.model_validate(
        {"at": at, "text": text, "actor": {"id": who, "name": who, "role": role}, **more}
    )


def played(*lines: RecordedLine, **more: Any) -> list[LineOutcome]:
    return DryRun(house(**more)).run(lines)


def test_chat_is_ignored_a_picture_is_on_air_and_a_bad_word_is_refused() -> None:
    fates = played(line(0, "hello"), line(1, "!bg harbour"), line(2, "!bg badword", "ben"), draw_s=0.5)
    assert [(one.line, one.outcome, one.rule) for one in fates] == [
        (1, "ignored", ""), (2, "on_air", ""), (3, "refused", "words"),
    ]  # fmt: skip
    assert fates[1].wait_s == 0.5


def test_a_full_queue_gives_the_turn_back_here_too() -> None:
    one = house(draw_s=5.0, queue=QueueOptions(limit=1))
    lines = [
        line(at, f"!bg {who} {at}", who) for at, who in ((0, "ann"), (1, "ben"), (2, "cat"), (6, "cat"), (7, "cat"))
    ]
    fates = DryRun(one).run(lines)
    assert [(fate.outcome, fate.rule) for fate in fates] == [
        ("on_air", ""), ("on_air", ""), ("refused", "queue"), ("on_air", ""), ("refused", "cooldown"),
    ]  # fmt: skip


def test_limits_and_the_queue_run_on_the_recordings_own_time() -> None:
    fates = played(line(0, "!bg one"), line(10, "!bg two"), line(31, "!bg three"))
    assert [one.outcome for one in fates] == ["on_air", "refused", "on_air"]
    assert fates[1].reason == "try again in 20 s"


def test_people_wait_for_their_turn_and_who_would_wait_too_long_is_refused_at_once_with_the_wait() -> None:
    crowd = [line(0, f"!bg picture {n}", f"u{n}") for n in range(6)]
    fates = played(*crowd, draw_s=0.5, at_least_s={"background": 9.6})
    assert [(one.outcome, one.wait_s) for one in fates] == [
        ("on_air", 0.5), ("on_air", 10.6), ("on_air", 20.7), *[("refused", 0.0)] * 3,
    ]  # fmt: skip
    assert {one.reason for one in fates[3:]} == {
        "too many pictures wait, yours would come in about 31 s; try again in 1 s"
    }


def evening(words: Sequence[str], count: int = 60, within_s: float = 120.0) -> list[RecordedLine]:
    """A busy evening: everybody asks for one picture, at some moment of two minutes."""
    chance = random.Random(7)
    times = sorted(chance.uniform(0, within_s) for _ in range(count))
    return [line(at, f"{chance.choice(words)} picture {n}", f"u{n}") for n, at in enumerate(times)]


@pytest.mark.parametrize("draw_s", [0.3, 1.5, 6.0])
@pytest.mark.parametrize("paid", [0, 5])
def test_on_a_busy_evening_every_accepted_request_is_shown_and_the_others_are_refused_at_once(
    draw_s: float, paid: int
) -> None:
    lines = evening(["!bg"])
    lines = [one.model_copy(update={"paid": bool(paid) and number % paid == 0}) for number, one in enumerate(lines)]
    fates = played(*lines, draw_s=draw_s, at_least_s={"background": 6.0}, busy_s=2.0)
    shown = [one for one in fates if one.outcome == "on_air"]
    at_once = [one for one in fates if one.outcome == "refused" and one.wait_s == 0]
    late = [one for one in fates if one.outcome == "refused" and one.wait_s > 0]
    assert len(shown) + len(at_once) + len(late) == 60
    # Only what was paid for, and came later, makes somebody wait in vain who was accepted; they are told.
    assert late == [] or (paid and {one.rule for one in late} == {"waited"} and len(late) < 5)
    assert all("yours would come in about" in one.reason for one in at_once)
    assert max(one.wait_s for one in shown) <= (30 if not paid else 60) + draw_s


def test_the_busier_it_is_the_shorter_each_picture_stays_so_that_more_people_see_theirs() -> None:
    def shown(busy_s: float) -> int:
        fates = played(*evening(["!bg"]), at_least_s={"background": 6.0}, busy_s=busy_s)
        return sum(one.outcome == "on_air" for one in fates)

    assert shown(2.0) >= 2 * shown(6.0)


def test_who_asks_for_what_is_on_air_gets_that_and_nothing_is_drawn() -> None:
    fates = played(
        line(0, "!bg one"), line(0.1, "!bg one", "ben"), line(20, "!bg one", "eve"), line(20.1, "!bg two", "zoe"),
        line(21, "!bg one", "joe"), draw_s=0.5, at_least_s={"background": 10},
    )  # fmt: skip
    assert [(one.outcome, one.wait_s) for one in fates] == [
        ("on_air", 0.5), ("on_air", 0.4), ("on_air", 0.0), ("on_air", 0.5), ("on_air", 10.1),
    ]  # fmt: skip


def test_a_change_of_another_picture_is_another_change() -> None:
    fates = played(line(0, "!bg one"), line(1, "!edit winter", "ben"), line(2, "!edit winter", "eve"), draw_s=0.5)
    assert [(one.outcome, one.wait_s) for one in fates] == [("on_air", 0.5)] * 3


def test_who_writes_for_the_first_time_is_held() -> None:
    (fate,) = played(line(0, "!bg one", first_time=True))
    assert (fate.outcome, fate.rule) == ("held", "approval")


def test_a_pause_and_a_clear_of_the_recording_count() -> None:
    fates = played(
        line(0, "!bg zero", "zoe"), line(0.1, "!bg one"), line(0.2, "!clear", "mod", "moderator"),
        line(1, "!pause", "mod", "moderator"), line(2, "!bg two", "ben"), line(3, "!resume", "mod", "moderator"),
        line(4, "!bg three", "cat"), at_least_s={"background": 5},
    )  # fmt: skip
    # The picture that was being drawn is cleared as well, as in the show.
    assert [one.rule for one in fates] == ["cleared", "cleared", "", "", "paused", "", ""]
    assert fates[-1].outcome == "on_air"


def test_nothing_can_be_edited_before_something_is_on_air() -> None:
    fates = played(line(0, "!edit winter"), line(1, "!bg harbour", "ben"), line(9, "!edit winter", "cat"))
    assert [one.outcome for one in fates] == ["refused", "on_air", "on_air"]


def test_what_this_computer_cannot_draw_is_refused_at_once(tmp_path: Path) -> None:
    lines = [line(0, "!bg harbour", role="broadcaster"), line(9, "!edit make it winter", role="broadcaster")]
    shipped = Path(__file__).parents[2] / "config.yaml"
    config, document = load(shipped, {})
    fates = [DryRun(app.dry_run_config(config.model_copy(update={"generator": config.generator.model_copy(
        update={"use": backend}
    )}), document, 0.3)).run(lines) for backend in ("procedural", "klein")]  # fmt: skip
    assert [(one[1].outcome, one[1].rule) for one in fates] == [("refused", "unsupported"), ("on_air", "")]


def test_every_line_of_the_evening_that_ships_has_one_outcome() -> None:
    lines = read("demo")
    fates = DryRun(house()).run(lines)
    assert [one.line for one in fates] == list(range(1, len(lines) + 1))
    text = summary(fates)
    assert text.startswith(f"{len(lines)} lines: ")
    assert "wait for a picture: p50 " in text


def test_the_command_line_prints_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"STREAMER_HOME": str(tmp_path), "STREAMER_CONFIG": str(Path(__file__).parents[2] / "config.yaml")}
    chat = tmp_path / "chat.jsonl"
    chat.write_text(line(0, "!bg harbour").model_dump_json().replace('"role":0', '"role":"viewer"'), encoding="utf-8")
    assert cli.rehearse(environ, chat, 0.5, as_lines=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "line": 1, "outcome": "on_air", "rule": "", "reason": "", "wait_s": 0.5,
    }  # fmt: skip


def test_who_is_banned_or_forgotten_in_the_recording_is_out_from_then_on() -> None:
    def orders(at: float, *texts: str) -> list[RecordedLine]:
        return [line(at, text, "mod", "moderator") for text in texts]

    fates = played(
        line(0, "!bg one", "ann"), *orders(1, "!ban @Ann 5", "!ban mod"), line(40, "!bg two", "ann"),
        *orders(41, "!unban ann"), line(80, "!bg three", "ann"), line(81, "!forgetme", "ann"),
        line(120, "!bg four", "ann"), *orders(121, "!unban ann"), line(160, "!bg five", "ann"),
        line(200, "!bg six", "mod", "moderator"),
    )  # fmt: skip
    asked = [(one.outcome, one.rule) for one in fates if one.outcome != "ignored"]
    assert asked == [
        ("on_air", ""), ("refused", "ban"), ("on_air", ""), ("refused", "forgotten"), ("on_air", ""), ("on_air", ""),
    ]  # fmt: skip


def test_a_pause_does_not_weaken_a_panic_and_a_style_is_judged_with_the_words() -> None:
    def boss(at: float, text: str) -> RecordedLine:
        return line(at, text, "boss", "broadcaster")

    fates = played(
        boss(0, "!panic"), boss(1, "!pause"), boss(2, "!bg one"), boss(3, "!resume"), boss(4, "!bg two"),
        boss(5, "!style noir"), boss(6, "!bg three"),
    )  # fmt: skip
    assert [(one.outcome, one.rule) for one in fates if one.outcome != "ignored"] == [
        ("refused", "panic"), ("on_air", ""), ("refused", "words"),
    ]  # fmt: skip


def test_next_ends_the_time_that_a_picture_is_safe_and_a_delay_is_waited_for() -> None:
    fates = played(
        line(0, "!bg one"), line(1, "!bg two", "ben"), line(2, "!next", "mod", "moderator"),
        approval=ApprovalOptions(delay_s=3), at_least_s={"background": 20.0}, draw_s=0.5,
    )  # fmt: skip
    assert [(one.outcome, one.wait_s) for one in fates] == [("on_air", 3.5), ("on_air", 4.5), ("ignored", 0.0)]
