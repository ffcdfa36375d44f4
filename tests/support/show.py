"""A whole pipeline around a scripted generator, for tests of what a show does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamer.commands.event_triggers import EventTrigger, EventTriggers
from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.commands.styles import StyleOptions
from streamer.errors import BackendError, Unsupported
from streamer.interfaces import Abilities, Health, HealthState, Lease, Output, Rule, Source, SourceEvent
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.policy import Policy
from streamer.moderation.rules import role, scene, words
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.admit import TriggerTables
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.pacing import AirTime
from streamer.pipeline.pipeline import Pipeline, build_channel
from streamer.pipeline.queue_options import QueueOptions
from streamer.pipeline.scheduler import Scheduler
from streamer.pipeline.show import ShowConfig, ShowParts, new_show, restore
from streamer.pipeline.stage import Stage
from streamer.pipeline.status import ShowStatus, status
from streamer.storage.store import Store, StoreOptions
from streamer.types import (
    Actor,
    Event,
    Frame,
    ImageRequest,
    Lane,
    Preview,
    Role,
    Trigger,
)
from tests.support.clock import ManualClock

NUMBERS = itertools.count()
SCENES = scene.Options(scenes={"Break": scene.SceneOptions(quiet=True), "Cozy": scene.SceneOptions(style="noir")})
STYLES = {name: StyleOptions(prompt=f"{{prompt}}, {name}") for name in ("noir", "clay")}
WHEN = {"online": "warm", "offline": "clear", "scene Game": "free", "raid": "!bg fireworks"}


class Easel:
    """A generator that draws when the test says so: ``go`` lets one picture finish, ``fault`` makes it fail."""

    def __init__(self) -> None:
        self.drawn: list[ImageRequest] = []
        self.go = asyncio.Semaphore(0)
        self.fault: BackendError | None = None
        self.cancelled: list[str] = []
        self.active = {"backend": "easel"}
        self.restarts = {"crash": 2}
        self.slots = {"this computer": Health("generator", HealthState.READY)}
        self.drew_s, self.judged_s, self.waited_s = 0.1, 0.0, 0.0
        self.abilities = Abilities()
        self.paint: Callable[[ImageRequest], bytes] = lambda request: request.prompt.encode()
        self.here = asyncio.Event()
        self.here.set()

    @asynccontextmanager
    async def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AsyncIterator[Lease | None]:
        """Wait as long as the GPU is released, whatever happens meanwhile."""
        await self.here.wait()
        yield self

    def release_gpu(self) -> bool:
        self.here.clear()
        return True

    def reclaim_gpu(self) -> None:
        self.here.set()

    def health(self) -> Health:
        return Health("generator", HealthState.READY)

    def cancel(self, request_id: str) -> None:
        self.cancelled.append(request_id)
        self.fault = BackendError("the drawing was stopped")
        self.go.release()

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        self.drawn.append(request)
        yield Preview(request.id, request.layer, 1, 2, "image/jpeg", b"small", 32, 18)
        await self.go.acquire()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        yield Frame(
            request.id, request.layer, "image/jpeg", self.paint(request), 1280, 720,
            drew_s=self.drew_s, judged_s=self.judged_s,
        )  # fmt: skip


class Notebook:
    """An output that writes everything down."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, event: Event) -> None:
        self.events.append(event)


class Script:
    """A source that says what the test puts in."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[SourceEvent] = asyncio.Queue(1000)

    def health(self) -> Health:
        return Health("script", HealthState.READY)

    async def listen(self) -> AsyncIterator[SourceEvent]:
        while True:
            yield await self.lines.get()


class Eye:
    """Something to look at; None for what cannot be seen."""

    def __init__(self) -> None:
        self.sees: bytes | None = None

    @property
    def open(self) -> bool:
        return self.sees is not None

    async def picture(self) -> bytes:
        if self.sees is None:
            raise Unsupported("OBS did not answer")
        return self.sees


class Room:
    """A running pipeline with the parts a test looks at."""

    def __init__(
        self, home: Path, at_least_s: float = 0.0, *, name: str = "", store: Store | None = None,
        generator: Easel | None = None, outputs: Sequence[Output] = (), sources: Sequence[Source] = (),
        events: Sequence[EventTrigger] = (), more_rules: Sequence[Rule] = (), same_s: float = 0.0, **approval: object,
    ) -> None:  # fmt: skip
        layers = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup", z=10)}
        table = {
            "bg": CommandOptions(kind="background", layer="background"),
            "meme": CommandOptions(kind="meme", layer="meme", layout="top_bottom", seconds=5, cooldown_s=0),
            "edit": CommandOptions(kind="edit", layer="background"),
            "restyle": CommandOptions(kind="restyle", layer="background", role=Role.VIEWER),
            "mods": CommandOptions(kind="background", layer="background", role=Role.MODERATOR),
            **{word: CommandOptions(kind=word) for word in ("undo", "redo", "clear", "pause", "resume", "panic")},
            **{
                word: CommandOptions(kind=word)
                for word in ("queue", "help", "style", "cut", "ban", "unban", "forgetme")
            },
            "ok": CommandOptions(kind="approve"),
            "no": CommandOptions(kind="deny"),
        }
        self.clock = ManualClock()
        self.easel, self.notes, self.script, self.eye = generator or Easel(), Notebook(), Script(), Eye()
        self.store = store or Store.at(home, StoreOptions())
        self.hub, self.stage = Hub(layers), Stage(tuple(layers))
        self.automations = dict(WHEN)
        outputs = [self.notes, *outputs]
        self.show = new_show(
            ShowParts(
                commands=Commands(table, styles=STYLES, expires_after_s=30),
                policy=Policy([
                    role.create(role.Options()), words.create(words.Options(extra=("forbiddenword",))),
                    scene.create(SCENES),
                    *more_rules,
                ]),
                scheduler=Scheduler(QueueOptions()), stage=self.stage, hub=self.hub, metrics=Metrics(),
                generator=self.easel, store=self.store, outputs=outputs, program_view=self.eye, name=name,
            ),
            ShowConfig(
                approval=ApprovalOptions.model_validate(approval),
                air_times={"background": AirTime(at_least_s, at_least_s)}, same_s=same_s,
            ),
            self.clock,
        )  # fmt: skip
        tables = TriggerTables(events=EventTriggers(events), automations=self.automations)
        self.channel = build_channel(self.show, tables)
        self.admit, self.controls = self.channel.admit, self.channel.controls
        self.moderator = self.channel.moderator
        self.pipeline = Pipeline(self.channel, [*sources, self.script], outputs)

    @property
    def now(self) -> float:
        return self.clock.now()

    @now.setter
    def now(self, moment: float) -> None:
        self.clock.set(moment)

    def status(self) -> ShowStatus:
        return status(self.show)

    def trigger(
        self, text: str, who: str = "ann", rank: Role = Role.VIEWER, id_: str | None = None, **more: object
    ) -> Trigger:
        self.now += 0.001
        actor = Actor(id_ or who, who, rank)
        return Trigger(f"t{next(NUMBERS)}", "test", text, actor, self.now, **more)  # type: ignore[arg-type]

    async def say(self, text: str, who: str = "ann", rank: Role = Role.VIEWER) -> str:
        """Submit a line that must be queued; return the request's id."""
        receipt = await self.admit.submit(self.trigger(text, who, rank))
        assert receipt.outcome in ("queued", "joined"), receipt
        return receipt.trigger_id

    async def order(self, text: str, rank: Role = Role.MODERATOR) -> None:
        assert (await self.admit.submit(self.trigger(text, "mod", rank))).outcome == "done"

    async def state(self, request_id: str) -> str:
        row = await self.store.requests.get(request_id)
        assert row is not None
        return row.state

    async def until(self, fact: Callable[[], object]) -> None:
        """Let the loops run until something holds."""
        async with asyncio.timeout(10):
            while not fact():
                await asyncio.sleep(0)

    async def draw_next(self) -> None:
        """Let one picture finish and wait until the easel is free."""
        await self.until(lambda: self.status().drawing is not None)
        await self.until(lambda: self.easel.drawn and self.easel.drawn[-1] is self.status().drawing)
        drawn = len(self.easel.drawn)
        self.easel.go.release()
        await self.until(lambda: self.status().drawing is None or len(self.easel.drawn) > drawn)

    def on_air(self, layer: str = "background") -> bytes | None:
        frame = self.stage.current(layer)
        return frame.data if frame else None


@asynccontextmanager
async def opened(home: Path, at_least_s: float = 0.0, **options: Any) -> AsyncIterator[Room]:
    """Run a show in a home of its own; ``options`` are those of ``Room``."""
    room = Room(home, at_least_s, **options)
    await room.store.open()
    try:
        async with running(room):
            yield room
    finally:
        await room.store.close()


@asynccontextmanager
async def running(room: Room) -> AsyncIterator[None]:
    """Run the loops of a show whose store is open."""
    await restore(room.show)
    loops = asyncio.create_task(room.pipeline.run())
    try:
        await asyncio.sleep(0)
        yield
        assert not loops.done() or loops.result() is None
    finally:
        loops.cancel()
        await asyncio.gather(loops, return_exceptions=True)


async def held(room: Room, text: str = "!bg harbour", who: str = "ann") -> str:
    """Ask for a picture and let it be drawn and held."""
    request_id = await room.say(text, who)
    await room.draw_next()
    await room.until(lambda: any(one.request.id == request_id for one in room.status().held))
    return request_id
