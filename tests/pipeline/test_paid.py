"""Redemptions on their way through the pipeline: each is owed exactly one thing in the end, whatever happens to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.commands.event_triggers import EventTrigger
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.types import Actor, Availability, Ended, Lane, Notice, NoticeKind, Redemption, Refused, Role
from tests.support.show import Room, opened

REWARD_COMMANDS = RewardCommands({"ours": "!bg {text}"})


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path) as running:
        yield running


async def redeem(room: Room, text: str, number: int = 1, who: str = "ann", reward: str = "ours") -> None:
    trigger = room.trigger(text, who, redemption=Redemption(f"redemption-{number}", reward))
    # As the Twitch source does before it yields a redemption.
    if (resolved := REWARD_COMMANDS.resolve(trigger)) is not None:
        await room.script.lines.put(resolved)


async def owed(room: Room) -> list[tuple[str, bool]]:
    return [(debt.redemption.id, debt.earned) for debt in await room.store.redemptions.unsettled()]


def heard(room: Room, kind: type) -> list[object]:
    return [event for event in room.notes.events if isinstance(event, kind)]


async def test_a_redemption_is_drawn_in_the_paid_lane_and_earned_when_it_is_on_air(room: Room) -> None:
    await redeem(room, "castle")
    await room.until(lambda: room.easel.drawn)
    assert room.easel.drawn[0].priority is Lane.PAID
    assert await owed(room) == []
    await room.draw_next()
    assert room.on_air() == b"castle"
    assert await owed(room) == [("redemption-1", True)]


async def test_a_panic_gives_back_what_waits_and_what_is_being_drawn(room: Room) -> None:
    await redeem(room, "castle", 1)
    await room.until(lambda: room.easel.drawn)
    await redeem(room, "harbour", 2, "bob")
    await room.until(lambda: len(room.status().pending) == 1)
    await room.controls.panic()
    await room.until(lambda: len(heard(room, Ended)) == 2)
    assert sorted(await owed(room)) == [("redemption-1", False), ("redemption-2", False)]


async def test_a_refused_redemption_is_told_with_what_it_cost(room: Room) -> None:
    await redeem(room, "forbiddenword")
    await room.until(lambda: heard(room, Refused))
    (refused,) = heard(room, Refused)
    assert isinstance(refused, Refused)
    assert refused.trigger.redemption == Redemption("redemption-1", "ours")


async def test_a_reward_of_the_streamers_own_draws_nothing_even_if_a_command_was_typed(room: Room) -> None:
    await redeem(room, "!bg castle", reward="hydrate")
    await redeem(room, "harbour", 2)
    await room.until(lambda: room.easel.drawn)
    assert [one.text for one in room.easel.drawn] == ["harbour"]


async def test_one_redemption_that_comes_twice_under_two_ids_is_drawn_once(room: Room) -> None:
    await redeem(room, "castle")
    await redeem(room, "castle")
    await room.draw_next()
    await room.until(lambda: heard(room, Ended))
    assert room.status().drawing is None
    assert len(room.easel.drawn) == 1
    assert await owed(room) == [("redemption-1", True)]


async def test_points_that_went_back_while_we_were_away_draw_nothing_any_more(room: Room) -> None:
    paid = Redemption("redemption-1", "ours")
    await room.store.redemptions.give_back(paid, "away", 1.0)
    await redeem(room, "castle")
    await room.until(lambda: heard(room, Ended))
    assert room.on_air() is None
    assert await owed(room) == [("redemption-1", False)]


async def test_outputs_hear_when_the_doors_close_and_open(room: Room) -> None:
    await room.until(lambda: heard(room, Availability) == [Availability(True)])
    await room.controls.pause()
    await room.until(lambda: heard(room, Availability)[1:] == [Availability(False, "requests are paused")])
    await room.controls.resume()
    await room.until(lambda: heard(room, Availability)[2:] == [Availability(True)])


async def test_a_cheer_types_the_line_of_its_entry_in_the_paid_lane(tmp_path: Path) -> None:
    entry = EventTrigger(event="cheer", least=100, command="!bg {text}")
    async with opened(tmp_path, events=[entry]) as room:
        await _cheer(room)


async def _cheer(room: Room) -> None:
    ann = Actor("7", "Ann", Role.VIEWER)
    for bits in (50, 100):
        await room.script.lines.put(Notice("twitch", NoticeKind.CHEER, room.now, ann, bits, f"castle {bits}"))
    await room.until(lambda: room.easel.drawn)
    assert [(one.text, one.priority) for one in room.easel.drawn] == [("castle 100", Lane.PAID)]
    await room.until(lambda: len(heard(room, Notice)) == 2)
