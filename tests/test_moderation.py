"""The verbs about people; the whole way is tested with the pipeline."""

from __future__ import annotations

from pathlib import Path

from streamer.types import Answer, Role, Toast
from tests.test_pipeline import opened


async def test_a_ban_by_hand_needs_a_name_and_an_unban_somebody_who_is_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban")
        await room.order("!unban nobody")
        await room.until(lambda: any("say whom" in str(event) for event in room.notes.events))
        await room.until(lambda: any("nobody called nobody is banned" in str(event) for event in room.notes.events))
        assert room.pipeline.state().bans == ()


async def test_too_many_refused_texts_are_a_ban_and_raise_the_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for _ in range(3):
            room.pipeline._strike(room.trigger("", "ann").actor, room.now)
        assert [ban.name for ban in room.pipeline.state().bans] == ["ann"]
        assert room.pipeline.state().alarm == "3 refused texts within a minute"
        await room.say("!bg fine", "mod", Role.MODERATOR)


async def test_a_flood_of_refused_texts_writes_few_verdicts(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(200):
            await room.pipeline.submit(room.trigger("!bg forbiddenword", f"u{n}"))
        rows = await room.pipeline._records.audit(0.0)
        # The test's clock goes on by a millisecond a line.
        assert 1 <= len(rows) <= 5
        assert {row["outcome"] for row in rows} == {"block"}


async def test_what_the_overlay_says_about_people_has_passed_the_gate_for_names(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        await room.say("!bg harbour", "forbiddenword")
        room.easel.go.release()
        await room.until(lambda: room.pipeline.state().held)
        for line in ("!ok 99", "!ban forbiddenword 5", "!unban forbiddenword", "!unban forbiddenword"):
            await room.order(line)
        await room.until(lambda: any("nobody called that name is banned" in str(event) for event in room.notes.events))
        told = [event for event in room.notes.events if isinstance(event, Toast | Answer)]
        assert any("a viewer is banned for 5 min" in event.text for event in told)
        assert not any("forbiddenword" in event.text for event in told)


async def test_a_ban_of_more_minutes_than_there_are_is_one_for_good(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban ann " + "9" * 400)
        receipt = await room.pipeline.submit(room.trigger("!bg harbour", "ann"))
        assert (receipt.outcome, receipt.rule) == ("refused", "ban")
        assert [ban.until for ban in room.pipeline.state().bans] == [None]
