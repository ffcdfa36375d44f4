"""The streamer's own request stops a viewer's picture between two steps; that one is drawn afterwards, the same.

The real pipeline and store, and a real generator process: the built-in painter, a tiny Klein, or a script.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from streamer.interfaces import Rule
from streamer.moderation.policy import Policy
from streamer.overlay import wire
from streamer.overlay.mailbox import Mailbox
from streamer.pipeline.clock import SystemClock
from streamer.pipeline.controls import Controls
from streamer.pipeline.show import restore
from streamer.pipeline.status import status
from streamer.storage.store import Store, StoreOptions
from streamer.types import (
    Actor,
    Ended,
    Event,
    Frame,
    ImageRequest,
    Judgement,
    Outcome,
    Preview,
    Redemption,
    Retraction,
    Role,
    SamplingParams,
    Trigger,
)
from tests.support.embedded import build, place
from tests.support.examples import REQUEST
from tests.support.generation import ready

CONFIG = """\
generator: {{use: {backend}{more}}}
commands:
  bg: {{kind: background, layer: background, width: {width}, height: {height}, num_inference_steps: {steps}}}
  meme: {{kind: meme, layer: meme, width: 256, height: 256, layout: top_bottom, seconds: 60}}
layers:
  background: {{use: background}}
  meme: {{use: popup, z: 10}}
approval: {{mode: "off"}}
queue: {{expires_s: {expires_s}}}
"""
Order = Callable[[], Coroutine[Any, Any, object]]
SCRIPTED = "tests.support.scripted_backend"


class Notebook:
    """A listener that writes down how requests ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def note(self, event: Event) -> None:
        if isinstance(event, Ended):
            self.ended.append((event.request.id, event.state))


class Program:
    """A running program without its faces."""

    def __init__(self, home: Path, config: str) -> None:
        built = build(place(home, config))
        channel = built.channel
        self.show, self.admit, self.controls = channel.show, channel.admit, channel.controls
        self.pipeline, self.store, self.generator = built.pipeline, built.store, built.generator
        self.notes = Notebook()
        self.show.publisher.subscribe(self.notes.note)
        self.page = self.show.hub.join()
        self.requests: dict[str, ImageRequest] = {}
        self._upon: dict[tuple[str, int], list[Order]] = {}
        self._orders: list[asyncio.Task[object]] = []
        (slot,) = self.generator.slots
        self._draw = slot.draw
        slot.draw = self._noted  # type: ignore[method-assign]

    def upon(self, name: str, *orders: Order, step: int = 1) -> None:
        """Give an order the first, second ... time that a step of a picture has been heard of; 0 is its beginning."""
        self._upon[name, step] = list(orders)

    async def _noted(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        self.requests[request.id] = request
        await self._order(request.id, 0)
        async with aclosing(self._draw(request)) as items:
            async for item in items:
                yield item
                if isinstance(item, Preview):
                    await self._order(request.id, item.step)

    async def _order(self, name: str, step: int) -> None:
        """Have an order begun before the next step is heard of, however slow this machine is."""
        if orders := self._upon.get((name, step)):
            self._orders.append(asyncio.create_task(orders.pop(0)()))
            await asyncio.sleep(0)

    async def say(self, name: str, text: str = "", role: Role = Role.VIEWER, redemption: str = "") -> None:
        points = Redemption(redemption, "reward") if redemption else None
        actor = Actor(f"actor of {name}", name, role)
        line = text or f"!bg {name} at night"
        trigger = Trigger(name, "test", line, actor, time.monotonic(), paid=points is not None, redemption=points)
        assert (await self.admit.submit(trigger)).outcome in ("queued", "joined")

    async def press(self, name: str = "key", text: str = "") -> None:
        await self.say(name, text, Role.BROADCASTER)

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(90):
            while not fact():
                await asyncio.sleep(0.005)

    async def drawn(self, *names: str) -> None:
        """Wait until these have ended, in this order and nothing else, and all on air."""
        await self.ended(len(names))
        assert self.notes.ended == [(name, "shown") for name in names]

    async def ended(self, count: int) -> None:
        await self.until(lambda: len(self.notes.ended) >= count and status(self.show).drawing is None)
        await asyncio.gather(*self._orders)

    async def state(self, name: str) -> str:
        row = await self.store.requests.get(name)
        assert row is not None
        return row.state

    async def same_picture(self, name: str) -> bool:
        """Tell whether the picture on record is what the generator draws of that request undisturbed."""
        *_, again = [item async for item in self._draw(self.requests[name])]
        kept = await self.store.pictures.frame(name)
        return kept is not None and kept.data == again.data


@asynccontextmanager
async def running(
    home: Path, backend: str = "procedural", size: tuple[int, int] = (640, 352), steps: int = 4, more: str = "",
    expires_s: float = 30,
) -> AsyncIterator[Program]:  # fmt: skip
    width, height = size
    config = CONFIG.format(backend=backend, width=width, height=height, steps=steps, more=more, expires_s=expires_s)
    program = Program(home, config)
    await program.store.open()
    await restore(program.show)
    tasks = [asyncio.create_task(part.run()) for part in (program.generator, program.pipeline)]
    try:
        await asyncio.wait_for(ready(program.generator), 90)
        yield program
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await program.store.close()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path) as started:
        yield started


async def test_the_streamers_picture_comes_first_and_the_viewers_afterwards_the_same_as_ever(program: Program) -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.extend([one.id for one in status(program.show).pending])
        seen.append(await program.state("viewer"))

    program.upon("viewer", program.press)
    program.upon("key", look)
    await program.say("viewer")
    await program.drawn("key", "viewer")
    assert seen == ["viewer", "queued"]
    assert await program.state("viewer") == "shown"
    assert await program.same_picture("viewer")
    timings = status(program.show).timings
    assert (timings["draw"].count, timings["queue"].count) == (2, 2)


@pytest.mark.torch
async def test_klein_makes_way_between_two_denoising_steps(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from streamer.generator.klein.testing import make_checkpoint

    model = make_checkpoint(tmp_path / "tiny")
    options = f", backends: {{klein: {{model: '{model}', device: cpu, text_tokens: 64, optimize: 'off'}}}}"
    async with running(tmp_path, "klein", (96, 64), 4, options) as program:
        program.upon("viewer", program.press, step=2)
        await program.say("viewer")
        await program.drawn("key", "viewer")
        assert await program.same_picture("viewer")


async def test_whoever_joined_waits_again_with_it_and_points_are_earned_once(program: Program) -> None:
    debts: list[object] = []

    async def crowd() -> None:
        await program.say("paid", "!bg the same harbour", redemption="points")
        await program.say("joined", "!bg the same harbour")

    async def look() -> None:
        debts.extend(await program.store.redemptions.unsettled())

    program.upon("first", crowd)
    program.upon("paid", program.press)
    program.upon("key", look)
    await program.say("first", "!meme first | a | b")
    await program.drawn("first", "key", "paid", "joined")
    assert debts == []
    owed = await program.store.redemptions.unsettled()
    assert [(one.redemption.id, one.earned) for one in owed] == [("points", True)]


async def test_a_crash_while_it_waits_again_gives_the_points_back_as_for_anything_that_waits(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def look() -> None:
        begun.set()

    async with running(tmp_path, SCRIPTED) as program:
        program.upon("viewer", lambda: program.press("key", "!bg hang"))
        program.upon("key", look)
        await program.say("viewer", redemption="points")
        await asyncio.wait_for(begun.wait(), 90)
        assert await program.state("viewer") == "queued"
    store = Store.at(program.store.home, StoreOptions())
    await store.open()
    await store.recover()
    row = await store.requests.get("viewer")
    owed = await store.redemptions.unsettled()
    await store.close()
    assert row is not None
    assert (row.state, [(one.redemption.id, one.earned) for one in owed]) == ("expired", [("points", False)])


def sent(page: Mailbox) -> list[tuple[str, str]]:
    """Take what a page is sent, answering at once."""
    said = []
    while (message := page.take(0.0)) is not None:
        if isinstance(message, bytes):
            header, _ = wire.decode_picture(message)
            page.painted(str(header["layer"]), int(header["seq"]), 0.0)
            said.append((str(header["type"]), str(header["request_id"])))
        elif '"clear"' in message:
            said.append(("clear", ""))
    return said


async def test_no_preview_of_it_stays_on_the_page_and_it_begins_with_previews_again(program: Program) -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(sent(program.page))

    async def press() -> None:
        seen.append(sent(program.page))
        await program.press("key", "!meme key | a | b")

    sent(program.page)
    slow = replace(REQUEST, params=SamplingParams(640, 352, 4, 1.0, 7))
    program.show.active.draw_times.drawn_by("procedural")
    program.show.active.draw_times.note(slow, 60.0)  # only a picture that takes its time is announced
    program.upon("viewer", press, look)
    program.upon("key", look, step=0)
    await program.say("viewer")
    await program.drawn("key", "viewer")
    seen.append(sent(program.page)[-1])
    before, meanwhile, again, last = seen
    assert (before, meanwhile, last) == ([("preview", "viewer")], [("clear", "")], ("frame", "viewer"))
    assert isinstance(again, list)
    assert again[-1] == ("preview", "viewer")


async def test_a_hammered_key_puts_a_picture_off_twice_and_no_more(program: Program) -> None:
    program.upon("viewer", *(partial(program.press, f"key {number}") for number in range(3)))
    await program.say("viewer")
    await program.drawn("key 0", "key 1", "viewer", "key 2")


async def test_it_does_not_expire_because_the_streamer_came_between(tmp_path: Path) -> None:
    async with running(tmp_path, expires_s=5) as program:

        async def wait() -> None:
            program.show.clock = Later()
            program.show.publisher.mark_dirty()

        program.upon("viewer", program.press)
        program.upon("key", wait)
        await program.say("viewer")
        await program.drawn("key", "viewer")


TAKE_BACK: dict[str, Callable[[Controls, str], Awaitable[object]]] = {
    "cleared": lambda controls, name: controls.clear("background"),
    "removed": lambda controls, name: controls.cancel(name),
    "deleted": lambda controls, name: controls.retract(Retraction("test", name, None, time.monotonic())),
    "banned": lambda controls, name: controls.retract(Retraction("test", None, f"actor of {name}", time.monotonic())),
    "panic": lambda controls, name: controls.panic(),
}


@pytest.mark.parametrize("later", [False, True])
async def test_what_is_taken_back_while_it_makes_way_or_waits_again_ends_once(program: Program, later: bool) -> None:
    for name, take_back in TAKE_BACK.items():
        key = f"key {name}"

        async def stop(name: str = name, take_back: Callable[..., Awaitable[object]] = take_back) -> None:
            drawing = status(program.show).drawing
            assert drawing is not None
            assert (drawing.id == name) is not later
            await take_back(program.controls, name)

        async def press(name: str = name, key: str = key) -> None:
            pressing = asyncio.create_task(program.press(key, "!meme key | a | b"))
            await asyncio.sleep(0)  # made way, and not stopped yet
            await (pressing if later else stop(name))
            await pressing

        program.upon(name, press)
        program.upon(key, *([stop] if later else []))
        await program.say(name)
        await program.ended(2)
        expected = {name: "cancelled", key: "cancelled" if name == "panic" else "shown"}
        assert (len(program.notes.ended), dict(program.notes.ended)) == (2, expected)
        program.notes.ended.clear()


async def test_what_was_called_off_already_does_not_come_back_when_a_key_is_pressed(program: Program) -> None:
    async def cancel() -> None:
        await program.controls.cancel("viewer")
        await program.press()

    program.upon("viewer", cancel)
    await program.say("viewer")
    await program.ended(2)
    assert program.notes.ended == [("viewer", "cancelled"), ("key", "shown")]


class Later(SystemClock):
    """An hour from now."""

    def now(self) -> float:
        return time.monotonic() + 3600


class Slow(Rule):
    """A rule whose judge takes its time over texts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.answer = asyncio.Event()

    async def judge_text(self, request: ImageRequest) -> Judgement:
        self.asked.append(request.id)
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled.append(request.id)
            raise
        return Judgement(Outcome.ALLOW, "", "slow", "1")


async def test_the_judges_of_a_half_drawn_picture_are_sent_home_and_nothing_of_it_is_stored(program: Program) -> None:
    program.show.policy = Policy([judge := Slow()])
    program.upon("viewer", program.press)
    await program.say("viewer")
    await program.until(lambda: judge.asked == ["viewer", "key"])
    assert judge.cancelled == ["viewer"]
    assert await program.store.database.run(lambda db: db.execute("SELECT * FROM verdicts").fetchall()) == []
    judge.answer.set()
    await program.drawn("key", "viewer")


async def test_a_picture_that_is_there_and_only_waits_for_its_judge_is_not_given_up(program: Program) -> None:
    program.show.policy = Policy([judge := Slow()])
    await program.say("viewer")
    await program.until(lambda: judge.asked and program.show.active.steps_left == 0)
    await program.press()
    judge.answer.set()
    await program.drawn("viewer", "key")


async def test_a_picture_in_its_last_step_is_finished_and_so_is_the_streamers_own(program: Program) -> None:
    program.upon("viewer", program.press, step=3)
    program.upon("key", partial(program.press, "another key"))
    await program.say("viewer")
    await program.drawn("viewer", "key", "another key")


async def test_nothing_makes_way_for_what_could_not_be_drawn_now(program: Program) -> None:
    async def free() -> None:
        await program.controls.release_gpu()
        await program.press()

    program.upon("viewer", free)
    await program.say("viewer")
    await program.drawn("viewer")
    await program.until(lambda: program.generator.health().state == "parked")
    await program.controls.reclaim_gpu()
    await program.drawn("viewer", "key")
