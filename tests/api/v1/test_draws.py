"""A tenant's picture waits behind everybody else's, is judged, goes to the tenant alone, and can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.api.v1.draws import TenantDraws, picture_of
from streamer.api.v1.faults import Fault, FaultKind
from streamer.api.v1.schemas import Ask, OutputFormat
from streamer.api.v1.tenants import Limits, Tenant
from streamer.commands.draft_order import DraftOrder, draft_request
from streamer.commands.options import Sampling
from streamer.errors import BackendError, ContentRefused
from streamer.interfaces import Abilities
from streamer.moderation.bans import StrikeOptions, Strikes
from streamer.pipeline.drafts import MOST_OF_TENANTS, Draft, DraftState
from streamer.types import Frame, ImageRequest, Judgement, Outcome, Preview, Role
from tests.support.examples import REQUEST
from tests.support.show import Easel, Room, opened

ASK = Ask("a fox", 1, 512, 256, None, False, OutputFormat.JPEG, None, False, 0)
GATED = Tenant("shop", Limits(10, 0, 2, 0.0, True))
UNGATED = Tenant("studio", Limits(10, 0, 2, 0.0, False))
Items = AsyncGenerator[Preview | Frame, None]


class Judged(Easel):
    """A generator whose judge finds what ``finds`` says."""

    finds = Outcome.ALLOW

    async def draw(self, request: ImageRequest) -> Items:
        async for item in super().draw(request):
            found = Judgement(self.finds, "nudity", "eye", "1")
            yield replace(item, judgements=(found,)) if isinstance(item, Frame) else replace(item, steps=4)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with opened(tmp_path, generator=Judged()) as running:
        yield running


def draws(room: Room, longest_wait_s: float = 60.0) -> TenantDraws:
    return TenantDraws(room.channel, Sampling(steps=4, guidance=1.0), longest_wait_s)


def asking(room: Room, ask: Ask = ASK, tenant: Tenant = GATED, seed: int | None = None) -> Items:
    return draws(room).draw(ask, tenant, seed)


async def drawn(room: Room, ask: Ask = ASK, tenant: Tenant = GATED, seed: int | None = None) -> Frame:
    room.easel.go.release()
    async with aclosing(asking(room, ask, tenant, seed)) as items:
        return [item async for item in items if isinstance(item, Frame)][-1]


async def fault(room: Room, ask: Ask = ASK, tenant: Tenant = GATED) -> Fault:
    with pytest.raises(Fault) as caught:
        await drawn(room, ask, tenant)
    return caught.value


@asynccontextmanager
async def waiting(items: Items) -> AsyncIterator[asyncio.Task[Preview | Frame]]:
    """Ask, and wait for the first item beside the test."""

    async def first() -> Preview | Frame:
        return await anext(items)

    task = asyncio.create_task(first())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await items.aclose()


async def test_the_words_are_the_prompt_and_the_size_is_the_one_asked_for(room: Room) -> None:
    await room.order("!style noir")
    frame = await drawn(room, seed=7)
    (request,) = room.easel.drawn
    assert (request.prompt, request.text, request.params.seed) == ("a fox", "a fox", 7)
    assert (request.params.width, request.params.height, request.params.num_inference_steps) == (512, 256, 4)
    assert frame.data == b"a fox"
    assert room.on_air() is None
    assert room.show.drafts.get(request.id) is None, "nothing is kept once the tenant has its picture"
    assert await room.store.requests.get(request.id) is None


async def test_a_tenants_picture_is_no_business_of_the_panels(room: Room) -> None:
    items = asking(room)
    assert isinstance(await anext(items), Preview)
    assert room.show.drafts.changed_since(0) == []
    assert room.status().pending == ()
    await items.aclose()


async def test_viewers_come_first_and_the_tenant_is_drawn_after_them(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    async with waiting(asking(room)) as first:
        await room.say("!bg forest", "tom")
        await room.until(lambda: len(room.show.scheduler) == 2)
        room.easel.go.release()
        room.easel.go.release()
        await first
    assert [request.prompt for request in room.easel.drawn] == ["harbour", "forest", "a fox"]


async def test_a_drawing_makes_way_for_a_viewer_and_is_drawn_again(room: Room) -> None:
    async with aclosing(asking(room)) as items:
        assert isinstance(await anext(items), Preview)
        await room.say("!bg harbour", "ann")
        room.easel.go.release()
        room.easel.go.release()
        rest = [item async for item in items]
    assert isinstance(rest[-1], Frame)
    assert [request.prompt for request in room.easel.drawn] == ["a fox", "harbour", "a fox"]


async def test_the_streamers_own_private_pictures_come_first_and_tenants_take_turns(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    async with AsyncExitStack() as asked:
        for tenant, prompt in ((GATED, "first"), (GATED, "second"), (UNGATED, "third")):
            await asked.enter_async_context(waiting(asking(room, replace(ASK, prompt=prompt), tenant)))
        await room.until(lambda: len(room.show.scheduler) == 3)
        order = draft_request(
            room.show.commands, room.easel.abilities, DraftOrder("own"), room.trigger("", "me", Role.BROADCASTER)
        )
        assert isinstance(order, ImageRequest)
        room.channel.private.ask(order)
        assert [request.prompt for request in room.show.scheduler.pending()] == ["own", "first", "third", "second"]


async def test_tenants_take_no_places_from_the_streamer(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.until(lambda: room.easel.drawn)
    async with AsyncExitStack() as asked:
        for _ in range(MOST_OF_TENANTS):
            await asked.enter_async_context(waiting(asking(room)))
        await room.until(lambda: len(room.show.scheduler) == MOST_OF_TENANTS)
        found = await fault(room)
        assert (found.status_code, found.code) == (503, "unavailable")
        order = draft_request(
            room.show.commands, room.easel.abilities, DraftOrder("own"), room.trigger("", "me", Role.BROADCASTER)
        )
        assert isinstance(order, ImageRequest)
        assert room.channel.private.ask(order).state is DraftState.QUEUED


async def test_a_client_that_leaves_cancels_its_picture(room: Room) -> None:
    items = asking(room)
    await anext(items)
    await items.aclose()
    (request,) = room.easel.drawn
    await room.until(lambda: room.easel.cancelled == [request.id])
    async with waiting(asking(room)):
        await room.until(lambda: len(room.easel.drawn) == 2)
    await room.until(lambda: len(room.easel.cancelled) == 2)


async def test_a_client_that_leaves_while_it_waits_takes_no_turn(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    async with waiting(asking(room)):
        await room.until(lambda: len(room.show.scheduler))
    assert len(room.show.scheduler) == 0


async def test_the_gate_refuses_words_and_pictures_and_what_a_judge_doubts(room: Room) -> None:
    refused = await fault(room, replace(ASK, prompt="forbiddenword"))
    assert (refused.kind, room.easel.drawn) == (FaultKind.REFUSED, [])
    assert isinstance(room.easel, Judged)
    for found in (Outcome.BLOCK, Outcome.HOLD):
        room.easel.finds = found
        assert (await fault(room)).kind is FaultKind.REFUSED


async def test_without_a_gate_a_tenant_gets_what_is_drawn(room: Room) -> None:
    assert isinstance(room.easel, Judged)
    room.easel.finds = Outcome.BLOCK
    assert (await drawn(room, replace(ASK, prompt="forbiddenword"), UNGATED)).data == b"forbiddenword"


async def test_what_a_tenant_asks_for_counts_against_nobody_in_chat(room: Room) -> None:
    room.show.strikes = Strikes(StrikeOptions(limit=1), room.show.bans)
    for _ in range(30):
        await fault(room, replace(ASK, prompt="forbiddenword"))
    assert not room.status().bans
    assert room.show.raid_mode.alarm(room.now) == ""


@pytest.mark.parametrize("word", ["pause", "panic"])
async def test_while_requests_are_closed_a_tenant_is_told_to_come_again(room: Room, word: str) -> None:
    await room.order(f"!{word}", Role.BROADCASTER)
    found = await fault(room)
    assert (found.status_code, found.headers) == (503, {"retry-after": "5"})


async def test_a_panic_ends_what_is_being_drawn(room: Room) -> None:
    items = asking(room)
    await anext(items)
    await room.controls.panic()
    with pytest.raises(Fault) as caught:
        await anext(items)
    assert caught.value.status_code == 503


async def test_who_waits_too_long_is_told_so(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    with pytest.raises(Fault) as caught:
        await anext(draws(room, longest_wait_s=0.0).draw(ASK, GATED, None))
    assert caught.value.code == "deadline_exceeded"
    assert len(room.show.scheduler) <= 1


async def test_an_edit_brings_its_picture_and_needs_a_model_that_edits(room: Room) -> None:
    await drawn(room, replace(ASK, reference=b"picture"))
    assert room.easel.drawn[0].reference == b"picture"
    room.easel.abilities = Abilities(edits=False)
    found = await fault(room, replace(ASK, reference=b"picture"))
    assert (found.status_code, found.code) == (400, "unsupported")


async def test_a_picture_that_fails_is_an_error_of_the_server_and_a_refusal_stays_one(room: Room) -> None:
    room.easel.fault = BackendError("out of paint")
    assert (await fault(room)).status_code == 500
    room.easel.fault = ContentRefused("the picture server refused to draw this")
    assert (await fault(room)).kind is FaultKind.REFUSED


async def test_words_that_nobody_can_see_are_none(room: Room) -> None:
    assert (await fault(room, replace(ASK, prompt="\u200b"))).param == "prompt"


@pytest.mark.parametrize(
    ("draft", "status"),
    [
        (Draft(REQUEST, DraftState.EXPIRED, rule="waited"), 503),
        (Draft(REQUEST, DraftState.CANCELLED, rule="removed"), 503),
        (Draft(REQUEST, DraftState.REFUSED, rule="queue"), 503),
        (Draft(REQUEST, DraftState.REFUSED, rule="length"), 400),
        (Draft(REQUEST, DraftState.FAILED), 500),
    ],
)
def test_every_end_without_a_picture_has_a_status(draft: Draft, status: int) -> None:
    with pytest.raises(Fault) as caught:
        picture_of(draft, GATED)
    assert caught.value.status_code == status
