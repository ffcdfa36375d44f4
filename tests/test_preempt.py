"""The streamer's own request stops a viewer's picture between two steps; that one is drawn afterwards, the same.

The real pipeline and store, and a real generator process: the built-in painter, a tiny Klein, or a script.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer import ledger
from streamer.overlay import wire
from streamer.overlay.mailbox import Mailbox
from streamer.pipeline import Pipeline
from streamer.types import Actor, Ended, Event, ImageRequest, Judgement, Outcome, Redemption, Retraction, Role, Trigger
from tests.test_app import build, place

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
SCRIPTED = "tests.backends_for_tests.scripted"


class Notebook:
    """An output that writes down how requests ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    async def publish(self, event: Event) -> None:
        if isinstance(event, Ended):
            self.ended.append((event.request.id, event.state))


class Program:
    """A running program without its faces."""

    def __init__(self, home: Path, config: str) -> None:
        built = build(place(home, config))
        self.pipeline, self.store, self.generator = built.pipeline, built.store, built.generator
        self.notes = Notebook()
        self.pipeline._air._outputs = [self.notes]
        self.page = self.pipeline._parts.hub.join()
        self.requests: dict[str, ImageRequest] = {}

    async def say(self, name: str, text: str = "", role: Role = Role.VIEWER, redemption: str = "") -> None:
        points = Redemption(redemption, "reward") if redemption else None
        actor = Actor(f"actor of {name}", name, role)
        line = text or f"!bg {name} at night"
        trigger = Trigger(name, "test", line, actor, time.monotonic(), paid=points is not None, redemption=points)
        assert (await self.pipeline.submit(trigger)).outcome in ("queued", "joined")

    async def press(self, name: str = "key", text: str = "") -> None:
        await self.say(name, text, Role.BROADCASTER)

    def drawing(self, name: str) -> bool:
        request = self.pipeline.state().drawing
        if request is not None:
            self.requests[request.id] = request
        return request is not None and request.id == name

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not fact():
                await asyncio.sleep(0.001)

    async def drawn(self, *names: str) -> None:
        """Wait until these have ended, in this order and nothing else, and all on air."""
        await self.until(lambda: len(self.notes.ended) >= len(names))
        assert self.notes.ended == [(name, "shown") for name in names]

    async def state(self, name: str) -> str:
        row = await self.store.request(name)
        assert row is not None
        return row.state

    async def same_picture(self, name: str) -> bool:
        """Tell whether the picture on record is what the generator draws of that request undisturbed."""
        *_, again = [item async for item in self.generator.draw(self.requests[name])]
        kept = await self.store.frame(name)
        return kept is not None and kept.data == again.data


@asynccontextmanager
async def running(
    home: Path, backend: str = "procedural", size: tuple[int, int] = (1280, 720), steps: int = 4, more: str = "",
    expires_s: float = 30,
) -> AsyncIterator[Program]:  # fmt: skip
    width, height = size
    config = CONFIG.format(backend=backend, width=width, height=height, steps=steps, more=more, expires_s=expires_s)
    program = Program(home, config)
    await program.store.open()
    await program.pipeline.restore()
    tasks = [asyncio.create_task(part.run()) for part in (program.generator, program.pipeline)]
    try:
        await asyncio.wait_for(program.generator.ready(), 60)
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


@pytest.fixture
async def script(tmp_path: Path) -> AsyncIterator[Program]:
    """A program whose pictures take a hundred steps, ten milliseconds at least when they are called endless."""
    async with running(tmp_path, SCRIPTED, (64, 64), 100) as started:
        yield started


async def put_off(program: Program) -> None:
    """Let a viewer's picture be begun, and a key be pressed."""
    await program.say("viewer")
    await program.until(lambda: program.drawing("viewer"))
    await program.press()


async def test_the_streamers_picture_comes_first_and_the_viewers_afterwards_the_same_as_ever(program: Program) -> None:
    await put_off(program)
    await program.until(lambda: program.drawing("key"))
    assert [one.id for one in program.pipeline.state().pending] == ["viewer"]
    assert await program.state("viewer") == "queued"
    await program.drawn("key", "viewer")
    assert await program.state("viewer") == "shown"
    assert await program.same_picture("viewer")
    timings = program.pipeline.state().timings
    assert (timings["draw"].count, timings["queue"].count) == (2, 2)


@pytest.mark.torch
async def test_klein_makes_way_between_two_denoising_steps(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    from streamer.generator.klein.testing import make_checkpoint

    model = make_checkpoint(tmp_path / "tiny")
    options = f", backends: {{klein: {{model: '{model}', device: cpu, text_tokens: 64, optimize: 'off'}}}}"
    async with running(tmp_path, "klein", (96, 64), 16, options) as program:
        await program.say("viewer")
        await program.until(lambda: program.drawing("viewer") and program.pipeline._drawing.steps_left < 16)
        assert program.pipeline._drawing.steps_left > 1
        await program.press()
        await program.drawn("key", "viewer")
        assert await program.same_picture("viewer")


async def test_whoever_joined_waits_again_with_it_and_points_are_earned_once(program: Program) -> None:
    await program.say("first", "!meme first | a | b")
    await program.until(lambda: program.drawing("first"))
    await program.say("paid", "!bg the same harbour", redemption="points")
    await program.say("joined", "!bg the same harbour")
    await program.until(lambda: program.drawing("paid"))
    await program.press()
    await program.until(lambda: program.drawing("key"))
    assert await program.store.transaction(ledger.debts) == []
    await program.drawn("first", "key", "paid", "joined")
    debts = await program.store.transaction(ledger.debts)
    assert [(one.redemption.id, one.earned) for one in debts] == [("points", True)]


async def test_a_crash_while_it_waits_again_gives_the_points_back_as_for_anything_that_waits(tmp_path: Path) -> None:
    async with running(tmp_path, SCRIPTED, (64, 64), 100) as program:
        await program.say("viewer", "!bg endless", redemption="points")
        await program.until(lambda: program.drawing("viewer"))
        await program.press("key", "!bg hang")
        await program.until(lambda: program.drawing("key"))
        assert (await program.state("viewer"), program.notes.ended) == ("queued", [])
    async with running(tmp_path, SCRIPTED, (64, 64), 100) as program:
        assert await program.state("viewer") == "expired"
        debts = await program.store.transaction(ledger.debts)
        assert [(one.redemption.id, one.earned) for one in debts] == [("points", False)]


def sent(page: Mailbox) -> list[tuple[str, str]]:
    """Take what a page is sent and answer at once."""
    said = []
    while (message := page.take(0.0)) is not None:
        if isinstance(message, bytes):
            header, _ = wire.decode_picture(message)
            page.painted(str(header["layer"]), int(header["seq"]), 0.0)
            said.append((str(header["type"]), str(header["request_id"])))
        elif '"clear"' in message:
            said.append(("clear", ""))
    return said


async def test_no_preview_of_it_stays_on_the_page_and_it_begins_with_previews_again(script: Program) -> None:
    sent(script.page)
    seen: list[tuple[str, str]] = []
    await script.say("viewer", "!bg endless")
    await script.until(lambda: seen.extend(sent(script.page)) or ("preview", "viewer") in seen)
    await script.press("key", "!meme key | a | b")
    await script.until(lambda: seen.extend(sent(script.page)) or ("frame", "viewer") in seen)
    order = [one for one, before in zip(seen, [None, *seen], strict=False) if one != before]
    upon = order.index(("clear", ""))
    assert order[:upon] == [("preview", "viewer")]
    assert order.index(("frame", "key")) > upon
    assert order[-2:] == [("preview", "viewer"), ("frame", "viewer")]


async def test_a_hammered_key_puts_a_picture_off_twice_and_no_more(script: Program) -> None:
    await script.say("viewer", "!bg endless")
    for number in range(3):
        await script.until(lambda: script.drawing("viewer"))
        await script.press(f"key {number}")
        if number < 2:
            await script.until(lambda: script.drawing(f"key {number}"))  # noqa: B023
    await script.drawn("key 0", "key 1", "viewer", "key 2")


async def test_it_does_not_expire_because_the_streamer_came_between(tmp_path: Path) -> None:
    async with running(tmp_path, SCRIPTED, (64, 64), 100, expires_s=0.2) as program:
        await program.say("viewer", "!bg endless")
        await program.until(lambda: program.drawing("viewer"))
        await program.press("key", "!meme endless | a | b")
        await program.until(lambda: program.drawing("key"))
        program.pipeline._clock = lambda: time.monotonic() + 10
        await program.drawn("key", "viewer")


Stop = Callable[[Pipeline, str], Awaitable[object]]
STOPS: dict[str, Stop] = {
    "cleared": lambda pipeline, name: pipeline.clear("background"),
    "removed": lambda pipeline, name: pipeline.cancel(name),
    "deleted": lambda pipeline, name: pipeline.retract(Retraction("test", name, None, time.monotonic())),
    "banned": lambda pipeline, name: pipeline.retract(Retraction("test", None, f"actor of {name}", time.monotonic())),
    "panic": lambda pipeline, name: pipeline.panic(),
}


@pytest.mark.parametrize("later", [False, True])
async def test_what_is_taken_back_while_it_makes_way_or_waits_again_ends_once(script: Program, later: bool) -> None:
    for stop, take_back in STOPS.items():
        await script.say(stop, "!bg endless")
        await script.until(lambda: script.drawing(stop))  # noqa: B023
        pressing = asyncio.create_task(script.press(f"key {stop}", "!meme key | a | b"))
        await asyncio.sleep(0)
        assert script.drawing(stop), "it has been told to stop and has not stopped yet"
        if later:
            await script.until(lambda: not script.drawing(stop))  # noqa: B023
        await take_back(script.pipeline, stop)
        await pressing
        await script.until(lambda: len(script.notes.ended) == 2 and script.pipeline.state().drawing is None)
        assert dict(script.notes.ended) == {
            stop: "cancelled",
            f"key {stop}": "cancelled" if stop == "panic" else "shown",
        }
        script.notes.ended.clear()


async def test_what_was_called_off_already_does_not_come_back_when_a_key_is_pressed(script: Program) -> None:
    await script.say("viewer", "!bg endless")
    await script.until(lambda: script.drawing("viewer"))
    await script.pipeline.cancel("viewer")
    await script.press()
    await script.until(lambda: len(script.notes.ended) == 2)
    assert script.notes.ended == [("viewer", "cancelled"), ("key", "shown")]


class Slow:
    """A rule whose judge takes its time over texts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.answer = asyncio.Event()

    def check(self, request: ImageRequest, now: float) -> None:
        return None

    async def judge(self, request: ImageRequest) -> Judgement:
        self.asked.append(request.id)
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled.append(request.id)
            raise
        return Judgement(Outcome.ALLOW, "", "slow", "1")


async def test_the_judges_of_a_half_drawn_picture_are_sent_home_and_nothing_of_it_is_stored(script: Program) -> None:
    judge = Slow()
    script.pipeline._parts.rules = [judge]
    await script.say("viewer", "!bg endless")
    await script.until(lambda: judge.asked)
    await script.press()
    await script.until(lambda: judge.asked == ["viewer", "key"])
    assert judge.cancelled == ["viewer"]
    rows = await script.store.run(lambda db: db.execute("SELECT * FROM verdicts").fetchall())
    assert rows == []
    judge.answer.set()
    await script.drawn("key", "viewer")


async def test_a_picture_that_is_there_and_only_waits_for_its_judge_is_not_given_up(script: Program) -> None:
    judge = Slow()
    script.pipeline._parts.rules = [judge]
    await script.say("viewer")
    await script.until(lambda: judge.asked and script.pipeline._drawing.steps_left == 0)
    await script.press()
    judge.answer.set()
    await script.drawn("viewer", "key")


@pytest.mark.parametrize("steps", [1, 2])
async def test_a_picture_in_its_last_step_is_finished(tmp_path: Path, steps: int) -> None:
    async with running(tmp_path, SCRIPTED, (64, 64), steps) as program:
        await program.say("viewer", "!bg endless")
        await program.until(lambda: program.drawing("viewer") and program.pipeline._drawing.steps_left <= 1)
        await program.press()
        await program.drawn("viewer", "key")


async def test_the_streamers_own_picture_is_finished(script: Program) -> None:
    await script.press("mine", "!bg endless")
    await script.until(lambda: script.drawing("mine"))
    await script.press()
    await script.drawn("mine", "key")


async def test_nothing_makes_way_for_what_could_not_be_drawn_now(script: Program) -> None:
    await script.say("viewer", "!bg endless")
    await script.until(lambda: script.drawing("viewer"))
    await script.pipeline.free()
    await script.press()
    await script.drawn("viewer")
    await script.until(lambda: script.generator.health().state == "parked")
    await script.pipeline.warm()
    await script.drawn("viewer", "key")
