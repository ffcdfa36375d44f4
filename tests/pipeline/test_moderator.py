"""The verbs about people; the whole way is tested with the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.types import Answer, Ended, Retraction, Role, Toast
from tests.support.show import opened


async def test_a_ban_by_hand_needs_a_name_and_an_unban_somebody_who_is_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban")
        await room.order("!unban nobody")
        await room.until(lambda: any("usage: !ban NAME [minutes]" in str(event) for event in room.notes.events))
        await room.until(lambda: any("nobody is not banned" in str(event) for event in room.notes.events))
        assert room.status().bans == ()


async def test_too_many_refused_texts_are_a_ban_and_raise_the_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for _ in range(3):
            room.show.strike(room.trigger("", "ann").actor, room.now)
        assert [ban.name for ban in room.status().bans] == ["ann"]
        assert room.status().alarm == "3 refused texts within a minute"
        await room.say("!bg fine", "mod", Role.MODERATOR)


async def test_a_flood_of_refused_texts_writes_few_verdicts(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(200):
            await room.admit.submit(room.trigger("!bg forbiddenword", f"u{n}"))
        rows = await room.store.audit.entries(0.0)
        # The test's clock goes on by a millisecond a line.
        assert 1 <= len(rows) <= 5
        assert {row["outcome"] for row in rows} == {"block"}


async def test_what_the_overlay_says_about_people_has_passed_the_gate_for_names(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        await room.say("!bg harbour", "forbiddenword")
        room.easel.go.release()
        await room.until(lambda: room.status().held)
        for line in ("!ok 99", "!ban forbiddenword 5", "!unban forbiddenword", "!unban forbiddenword"):
            await room.order(line)
        await room.until(lambda: any("that name is not banned" in str(event) for event in room.notes.events))
        told = [event for event in room.notes.events if isinstance(event, Toast | Answer)]
        assert any("a viewer is banned for 5 min" in event.text for event in told)
        assert not any("forbiddenword" in event.text for event in told)


async def test_a_ban_of_more_minutes_than_there_are_is_one_for_good(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!ban ann " + "9" * 400)
        receipt = await room.admit.submit(room.trigger("!bg harbour", "ann"))
        assert (receipt.outcome, receipt.rule) == ("refused", "ban")
        assert [ban.until for ban in room.status().bans] == [None]


async def test_viewers_who_ask_again_and_again_get_few_toasts_on_the_overlay(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n in range(300):
            await room.admit.submit(room.trigger("!queue", f"u{n}"))
            await room.admit.submit(room.trigger("!help", "ann"))
        await room.until(lambda: any(isinstance(event, Toast) for event in room.notes.events))
        assert len([event for event in room.notes.events if isinstance(event, Toast)]) <= 4
        await room.order("!queue")


async def test_who_asks_to_be_forgotten_twice_at_once_is_forgotten_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        said = [await room.admit.submit(room.trigger("!forgetme", "ann")) for _ in range(3)]
        assert [receipt.outcome for receipt in said] == ["done", "refused", "refused"]
        assert (await room.admit.submit(room.trigger("!forgetme", "ben"))).outcome == "done"


async def test_a_ban_may_name_an_id_in_any_letters(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.submit(room.trigger("!bg harbour", "Ann", id_="UCabc"))
        assert await room.moderator.ban("UCabc", "panel") == "Ann"
        assert await room.moderator.ban("UCxyz", "panel") == "ucxyz"
        for key, name in (("UCabc", "Renamed"), ("UCxyz", "Ben")):
            receipt = await room.admit.submit(room.trigger("!bg harbour", name, id_=key))
            assert (receipt.outcome, receipt.rule) == ("refused", "ban")
        assert await room.moderator.unban("ucabc")


async def test_a_moderator_is_not_banned_by_id_either(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.admit.submit(room.trigger("!bg harbour", "mod", Role.MODERATOR, id_="77"))
        assert await room.moderator.ban("77", "panel") is None


async def test_a_decision_that_cannot_be_written_down_ends_each_request_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, mode="on") as room:
        first = await room.say("!bg harbour", "ann")
        second = await room.say("!bg harbour", "ben")
        await room.draw_next()
        await room.until(lambda: room.status().held)

        async def admit(*args: object) -> object:
            await room.controls.retract(Retraction("test", second, None, room.now))
            raise StoreError("disk", "full")

        monkeypatch.setattr(room.show.air_gate, "clear", admit)
        assert not await room.moderator.approve(first, "panel")
        assert room.status().held == ()
        await room.until(lambda: len([one for one in room.notes.events if isinstance(one, Ended)]) == 2)
        assert {one.request.id for one in room.notes.events if isinstance(one, Ended)} == {first, second}


async def test_a_name_on_air_holds_nothing_invisible(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        assert room.show.display_name("a\x00\x1b[31m\u202enn") == "a[31mnn"
        assert room.show.display_name("\u202e") == "a viewer"


async def test_what_moderators_and_the_streamer_type_raises_no_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        for n, rank in enumerate((Role.MODERATOR, Role.BROADCASTER, Role.MODERATOR, Role.BROADCASTER)):
            receipt = await room.admit.submit(room.trigger(f"!bg forbiddenword {n}", "boss", rank))
            assert receipt.rule == "words"
        assert room.status().alarm == ""
