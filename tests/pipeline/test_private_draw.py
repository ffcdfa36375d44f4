"""A private picture: drawn by the show's own generator after everybody else's, and on air only on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.commands.draft_order import DraftOrder, draft_request
from streamer.moderation.policy import Policy
from streamer.moderation.rules import picture
from streamer.pipeline.drafts import MOST_WAITING, Draft, DraftState
from streamer.pipeline.exposition import exposition
from streamer.pipeline.private_draw import WAITS_S
from streamer.types import Ended, Frame, ImageRequest, Judgement, Outcome, Preview, RequestState, Role, Toast
from tests.support.show import Easel, Room, opened


class Judged(Easel):
    """A generator whose judge finds what ``finds`` says."""

    finds = Outcome.ALLOW

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        async for item in super().draw(request):
            if isinstance(item, Preview):
                yield replace(item, steps=4)
                continue
            found = Judgement(self.finds, "nudity", "eye", "1")
            yield Frame(item.request_id, item.layer, item.media_type, item.data, 1280, 720, (found,), drew_s=0.1)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path, generator=Judged()) as running:
        yield running


def request(room: Room, order: DraftOrder, rank: Role = Role.BROADCASTER) -> ImageRequest:
    made = draft_request(room.show.commands, room.easel.abilities, order, room.trigger("", "me", rank))
    assert isinstance(made, ImageRequest)
    return made


def ask(room: Room, text: str = "fox", **chosen: object) -> Draft:
    return room.channel.private.ask(request(room, DraftOrder(text, **chosen)))  # type: ignore[arg-type]


def now_of(room: Room, draft: Draft) -> Draft:
    found = room.show.drafts.get(draft.request.id)
    assert found is not None
    return found


async def drawn(room: Room, text: str = "fox", **chosen: object) -> tuple[Draft, Frame]:
    """Ask for a picture, let it be drawn, and return it."""
    asked = ask(room, text, **chosen)
    room.easel.go.release()
    draft = await ended(room, asked)
    assert draft.frame is not None, draft
    return draft, draft.frame


async def ended(room: Room, draft: Draft) -> Draft:
    found = await room.show.drafts.ended(draft.request.id)
    assert found is not None
    return found


async def begun(room: Room, draft: Draft) -> None:
    """Wait until a draft is being drawn and its first preview is there."""
    await room.until(lambda: now_of(room, draft).preview is not None)


async def test_a_private_picture_goes_to_its_asker_and_nowhere_else(room: Room) -> None:
    page = room.hub.join()
    while page.take(0.0) is not None:
        pass
    draft, frame = await drawn(room, "fox", seed=7)
    assert (draft.state, frame.data, draft.request.params.seed) == (DraftState.DRAWN, b"fox", 7)
    assert (room.on_air(), page.take(0.0)) == (None, None)
    assert not any(isinstance(event, Ended | Frame | Preview | Toast) for event in room.notes.events)
    assert await room.store.requests.newest(10) == []
    assert await room.store.pictures.newest(10) == []
    assert b'streamer_requests_total{state="shown"} 0.0' in exposition(room.show)


async def test_nobody_but_the_asker_learns_that_it_waits_or_is_drawn(room: Room) -> None:
    first, second = ask(room, "one"), ask(room, "two")
    await begun(room, first)
    assert (room.status().drawing, room.status().pending) == (None, ())
    assert now_of(room, second).state is DraftState.QUEUED


async def test_a_grid_of_seeds_is_drawn_picture_by_picture(room: Room) -> None:
    drafts = [ask(room, "fox", seed=seed) for seed in range(4)]
    for _ in drafts:
        room.easel.go.release()

    assert [(await ended(room, draft)).state for draft in drafts] == [DraftState.DRAWN] * 4
    assert [one.params.seed for one in room.easel.drawn] == [0, 1, 2, 3]


async def test_viewers_and_keys_are_drawn_before_private_pictures_that_asked_earlier(room: Room) -> None:
    await room.say("!bg first", "me", Role.BROADCASTER)
    await room.until(lambda: room.easel.drawn)
    later = ask(room, "later")
    await room.say("!bg harbour")
    await room.say("!bg my own", "me", Role.BROADCASTER)
    for _ in range(4):
        room.easel.go.release()
    await ended(room, later)
    order = [one.prompt for one in room.easel.drawn[1:]]
    assert order == ["my own", "harbour", "later"]


async def test_a_private_drawing_makes_way_for_a_viewers_and_is_drawn_afterwards(room: Room) -> None:
    draft = ask(room, seed=5)
    await begun(room, draft)
    viewers = await room.say("!bg harbour")
    assert room.easel.cancelled == [draft.request.id]
    await room.until(lambda: now_of(room, draft).state is DraftState.QUEUED)
    await room.draw_next()
    assert (room.on_air(), await room.state(viewers)) == (b"harbour", "shown")
    room.easel.go.release()
    assert (await ended(room, draft)).state is DraftState.DRAWN
    assert room.easel.drawn[0] == room.easel.drawn[-1], "drawn again, the same"


async def test_between_two_steps_it_makes_way_for_whose_layer_has_become_free(tmp_path: Path) -> None:
    async with opened(tmp_path, 10.0, generator=Judged()) as room:
        await room.say("!bg one", "ann")
        await room.draw_next()
        await room.say("!bg two", "ben")  # its turn comes when the first was seen for its ten seconds
        draft = ask(room)
        await begun(room, draft)
        room.now += 11
        preview = now_of(room, draft).preview
        assert preview is not None
        assert room.easel.cancelled == []
        room.channel.draw._show_privately(preview)
        assert room.easel.cancelled == [draft.request.id]
        await room.draw_next()
        assert room.on_air() == b"two"


async def test_viewers_expected_waits_do_not_count_what_waits_behind_them(room: Room) -> None:
    before = room.status().newcomer_waits
    for number in range(5):
        ask(room, f"fox {number}")
    assert room.status().newcomer_waits == before
    assert b"\nstreamer_queue_length 0.0" in exposition(room.show)


async def test_a_pause_stops_viewers_and_not_the_streamers_own_drafts(room: Room) -> None:
    await room.controls.pause()
    draft, _ = await drawn(room)
    assert draft.state is DraftState.DRAWN


async def test_a_clear_leaves_private_pictures_alone_and_a_panic_ends_them(room: Room) -> None:
    first, second = ask(room, "one"), ask(room, "two")
    await begun(room, first)
    await room.controls.clear(None)
    assert now_of(room, second).state is DraftState.QUEUED
    await room.controls.panic()
    for draft in (first, second):
        assert (await ended(room, draft)).state is DraftState.CANCELLED
    refused = ask(room, "three")
    assert (refused.state, refused.rule) == (DraftState.REFUSED, "panic")
    assert not any(isinstance(event, Ended) for event in room.notes.events)


async def test_the_text_filter_reads_it_as_it_reads_the_streamers_own_requests(room: Room) -> None:
    refused = ask(room, "a forbiddenword")
    assert (refused.state, refused.rule) == (DraftState.REFUSED, "words")
    assert room.easel.drawn == []
    rows = await room.store.audit.entries(0.0)
    assert [row["judge"] for row in rows if row["what"] == "verdict"] == ["words"]


async def test_a_picture_that_a_judge_blocks_is_not_given_to_its_asker(room: Room) -> None:
    assert isinstance(room.easel, Judged)
    room.easel.finds = Outcome.BLOCK
    asked = ask(room)
    room.easel.go.release()
    draft = await ended(room, asked)
    assert (draft.state, draft.frame) == (DraftState.REFUSED, None)
    rows = await room.store.audit.entries(0.0)
    assert ("eye", "block") in {(row["judge"], row["outcome"]) for row in rows if row["what"] == "verdict"}


async def test_too_many_are_refused_and_one_that_waits_too_long_expires(room: Room) -> None:
    drafts = [ask(room, f"fox {number}") for number in range(MOST_WAITING)]
    refused = ask(room, "one more")
    assert (refused.state, refused.rule) == (DraftState.REFUSED, "queue")
    await begun(room, drafts[0])
    room.now += WAITS_S + 1
    last = await ended(room, drafts[-1])
    assert last.state is DraftState.EXPIRED


async def test_a_discarded_draft_is_neither_drawn_nor_kept(room: Room) -> None:
    first, second = ask(room, "one"), ask(room, "two")
    await begun(room, first)
    waiting = asyncio.create_task(room.show.drafts.ended(second.request.id))
    await asyncio.sleep(0)
    assert room.channel.private.discard(second.request.id)
    assert room.channel.private.discard(first.request.id)
    assert not room.channel.private.discard(first.request.id)
    await room.until(lambda: room.show.active.request is None)
    assert [one.prompt for one in room.easel.drawn] == ["one"]
    assert await waiting is None


async def test_whoever_is_forgotten_leaves_no_private_picture_behind(room: Room) -> None:
    kept, _ = await drawn(room, "one")
    waiting = [room.channel.private.ask(request(room, DraftOrder(text), Role.VIEWER)) for text in ("two", "three")]
    await begun(room, waiting[0])
    await room.moderator.forget("me")
    assert [room.show.drafts.get(draft.request.id) for draft in (kept, *waiting)] == [None, None, None]
    await room.until(lambda: room.show.active.request is None)
    assert [one.prompt for one in room.easel.drawn] == ["one", "two"]


async def test_on_request_it_goes_on_air_as_the_streamers_own_picture(room: Room) -> None:
    draft, frame = await drawn(room, "fox", command="meme")
    assert room.on_air("meme") is None
    airing = await room.channel.private.put_on_air(draft, frame)
    assert (airing.state, room.on_air("meme")) == (RequestState.SHOWN, b"fox")
    assert now_of(room, draft).aired
    row = await room.store.requests.get(draft.request.id)
    assert row is not None
    assert (row.layer, row.state, row.seed) == ("meme", "shown", draft.request.params.seed)
    assert [row.id for row in await room.store.pictures.newest(5)] == [draft.request.id]
    rows = await room.store.audit.entries(0.0)
    assert ("eye", "allow") in {(row["judge"], row["outcome"]) for row in rows if row["what"] == "verdict"}
    assert [event.state for event in room.notes.events if isinstance(event, Ended)] == [RequestState.SHOWN]


async def test_what_was_on_air_already_is_shown_again(room: Room) -> None:
    draft, frame = await drawn(room)
    await room.channel.private.put_on_air(draft, frame)
    await room.controls.clear("background")
    room.now += 1
    airing = await room.channel.private.put_on_air(now_of(room, draft), frame)
    assert (airing.state, room.on_air()) == (RequestState.SHOWN, b"fox")


async def test_a_viewers_private_picture_that_a_judge_doubts_waits_for_a_moderator_on_its_way_on_air(
    room: Room,
) -> None:
    assert isinstance(room.easel, Judged)
    room.easel.finds = Outcome.HOLD
    room.show.policy = Policy([picture.create(picture.Options())])
    asked = room.channel.private.ask(request(room, DraftOrder("fox"), Role.VIEWER))
    room.easel.go.release()
    draft = await ended(room, asked)
    assert draft.frame is not None
    assert draft.rule == "picture"
    airing = await room.channel.private.put_on_air(draft, draft.frame)
    assert (airing.state, room.on_air()) == (RequestState.HELD, None)
    again = await room.channel.private.put_on_air(now_of(room, draft), draft.frame)
    assert again.state is RequestState.HELD
    assert await room.moderator.approve(draft.request.id, "mod")
    assert room.on_air() == b"fox"


async def test_nothing_goes_on_air_after_a_panic(room: Room) -> None:
    draft, frame = await drawn(room)
    await room.controls.panic()
    airing = await room.channel.private.put_on_air(draft, frame)
    assert (airing.state, airing.rule, room.on_air()) == (RequestState.REFUSED, "panic", None)
    assert not now_of(room, draft).aired


async def test_words_that_were_forbidden_meanwhile_do_not_go_on_air(room: Room) -> None:
    draft, frame = await drawn(room, "fox")
    room.show.policy.import_terms(["fox"])
    airing = await room.channel.private.put_on_air(draft, frame)
    assert (airing.state, airing.rule, room.on_air()) == (RequestState.REFUSED, "words", None)


async def test_an_edit_changes_the_picture_that_came_with_it_or_the_one_on_air(room: Room) -> None:
    _, frame = await drawn(room, "make it winter", reference=b"upload")
    assert (room.easel.drawn[-1].reference, frame.data) == (b"upload", b"make it winter")
    refused = ask(room, "make it winter", command="edit")
    assert (refused.state, refused.rule) == (DraftState.REFUSED, "edit")
    await room.say("!bg harbour")
    await room.draw_next()
    await drawn(room, "make it winter", command="edit")
    assert room.easel.drawn[-1].reference == b"harbour"


async def test_a_picture_can_be_waited_for_in_one_call(room: Room) -> None:
    room.easel.go.release()
    draft = await room.channel.private.draw(request(room, DraftOrder("fox")))
    assert draft is not None
    assert draft.state is DraftState.DRAWN
