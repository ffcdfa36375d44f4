"""Who asks for what was just shown, held or refused shares its fate: nothing is drawn or judged twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import StoreError
from streamer.interfaces import Receipt
from streamer.pipeline.dedupe import REMEMBERED, RecentResults
from streamer.types import Ended, ImageRequest, Lane, Refusal, Role
from tests.support.queue_requests import request
from tests.support.show import Room, held, opened

FORBIDDEN = Refusal("r", "picture", "the picture is not for every age", "nudity")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path) as running:
        running.show.results = RecentResults(60.0)
        yield running


async def asked(room: Room, text: str, who: str, rank: Role = Role.VIEWER, **more: Any) -> Receipt:
    return await room.admit.submit(room.trigger(text, who, rank, **more))


async def shown(room: Room, text: str, who: str) -> str:
    request_id = await room.say(text, who)
    await room.draw_next()
    return request_id


def test_a_fate_is_known_for_its_time_and_by_what_was_asked() -> None:
    repeats, first = RecentResults(60.0), request("ann", "a cat")
    repeats.note(first, 100.0)
    repeats.note(request("bob", "a dog"), 100.0, FORBIDDEN)
    same = repeats.find(request("eve", "a cat"), 159.9)
    assert same is not None
    assert (same.request_id, same.refusal) == (first.id, None)
    assert repeats.find(request("eve", "a cat"), 160.0) is None
    assert repeats.find(request("eve", "a bird"), 100.0) is None
    refused = repeats.find(request("eve", "a dog"), 100.0)
    assert refused is not None
    assert refused.refusal is FORBIDDEN


@pytest.mark.parametrize(
    "other",
    [
        replace(request("eve", "a cat"), priority=Lane.PAID),
        replace(request("eve", "a cat"), priority=Lane.BROADCASTER),
        replace(request("eve", "a cat"), actor=replace(request().actor, role=Role.MODERATOR)),
        replace(request("eve", "a cat"), of_program=True),
        replace(request("eve", "a cat"), reference=b"the picture to change"),
    ],
)
def test_who_paid_who_moderates_and_what_sees_something_else_gets_a_picture_anew(other: ImageRequest) -> None:
    repeats = RecentResults(60.0)
    repeats.note(replace(other, reference=None, of_program=False), 0.0)
    assert repeats.find(other, 1.0) is None


def test_memory_is_bounded_and_can_be_switched_off() -> None:
    repeats, off = RecentResults(60.0), RecentResults(0.0)
    first = request("ann", "a cat")
    off.note(first, 0.0)
    assert off.find(first, 0.0) is None
    repeats.note(first, 0.0)
    for number in range(REMEMBERED):
        repeats.note(request(prompt=f"another {number}"), 0.0)
    assert repeats.find(first, 0.0) is None


async def test_the_picture_on_air_is_the_answer_to_the_same_wish(room: Room) -> None:
    first = await shown(room, "!bg harbour", "ann")
    receipt = await asked(room, "!bg harbour", "ben")
    assert (receipt.outcome, await room.state(receipt.trigger_id)) == ("joined", "shown")
    assert len(room.easel.drawn) == 1
    await room.until(lambda: [e for e in room.notes.events if isinstance(e, Ended) and e.request.actor.id == "ben"])
    current = room.stage.current("background")
    assert current is not None
    assert current.request_id == first


async def test_what_is_no_longer_on_air_is_drawn_again(room: Room) -> None:
    await shown(room, "!bg harbour", "ann")
    await shown(room, "!bg forest", "ben")
    assert (await asked(room, "!bg harbour", "eve")).outcome == "queued"


async def test_after_its_time_the_same_words_get_a_new_picture(room: Room) -> None:
    await shown(room, "!bg harbour", "ann")
    room.now += 61
    assert (await asked(room, "!bg harbour", "ben")).outcome == "queued"


async def test_what_a_judge_refused_is_not_drawn_until_a_judge_errs(room: Room) -> None:
    """The seed is another one each time, and so is the picture: trying again is an attack."""
    first = await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.show.policy, "look", lambda request, frame, now: replace(FORBIDDEN, request_id=first))
        await room.draw_next()
    assert await room.state(first) == "refused"
    for _ in range(2):
        again = await asked(room, "!bg harbour", "ann")
        assert (again.outcome, again.rule, again.reason) == ("refused", "picture", FORBIDDEN.reason)
    assert len(room.easel.drawn) == 1
    # With the third strike somebody is out for a while.
    assert (await asked(room, "!bg forest", "ann")).rule == "ban"


async def test_what_waits_for_a_moderator_is_joined_and_decided_once(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        first = await held(room)
        second = await asked(room, "!bg harbour", "ben")
        assert (second.outcome, await room.state(second.trigger_id)) == ("joined", "held")
        (one,) = room.status().held
        assert [request.id for request in one.requests] == [first, second.trigger_id]
        assert await room.moderator.approve(first, "mod", one.verdict.id)
        assert [await room.state(name) for name in (first, second.trigger_id)] == ["shown", "shown"]
        assert len(room.easel.drawn) == 1


async def test_what_a_moderator_denied_is_not_asked_of_moderators_again(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        room.show.results = RecentResults(60.0)
        first = await held(room)
        joined = await asked(room, "!bg harbour", "ben")
        assert await room.moderator.deny(first, "mod")
        assert await room.state(joined.trigger_id) == "refused"
        again = await asked(room, "!bg harbour", "eve")
        assert (again.outcome, again.rule) == ("refused", "approval")
        assert not room.status().held


async def test_what_is_being_drawn_is_joined(room: Room) -> None:
    first = await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    second = await asked(room, "!bg harbour", "ben")
    assert second.outcome == "joined"
    await room.draw_next()
    assert [await room.state(name) for name in (first, second.trigger_id)] == ["shown", "shown"]
    assert len(room.easel.drawn) == 1


async def test_who_joins_and_takes_it_back_is_not_served(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        first = await held(room)
        second = await asked(room, "!bg harbour", "ben")
        assert await room.controls.cancel(second.trigger_id)
        assert await room.moderator.approve(first, "mod")
        assert [await room.state(name) for name in (first, second.trigger_id)] == ["shown", "cancelled"]


async def test_what_cannot_be_written_down_is_not_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path, mode="on") as room:
        await held(room)

        async def full(request: ImageRequest) -> None:
            raise StoreError("disk", "full")

        monkeypatch.setattr(room.store.requests, "accept", full)
        monkeypatch.setattr(room.store.requests, "set_state", lambda *given: None)
        receipt = await asked(room, "!bg harbour", "ben")
        assert (receipt.outcome, receipt.rule) == ("refused", "store")
        (one,) = room.status().held
        assert one.followers == ()
