"""What the faces and the moderators ask of the running show: panic, pause, clear, undo, show again, take back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from streamer.commands.event_triggers import EventTriggers
from streamer.commands.named_triggers import NamedTriggers
from streamer.commands.parser import Commands
from streamer.interfaces import Generator, Output, ProgramView, Receipt, ReceiptOutcome, Reporting, Source
from streamer.lru import LruDict
from streamer.moderation.air_gate import AirGate, ClearedFrame
from streamer.moderation.approval import ApprovalOptions, ApprovalQueue
from streamer.moderation.bans import StrikeOptions
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidModeOptions
from streamer.overlay.hub import Hub
from streamer.pipeline.active_draw import ActiveDraw
from streamer.pipeline.dedupe import RecentResults
from streamer.pipeline.game_mode import NO_CARD, GameMode, GameModeOptions
from streamer.pipeline.intake import OPEN, PANIC, Intake
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.publisher import Publisher
from streamer.pipeline.retractions import Retractions
from streamer.pipeline.scheduler import Scheduler
from streamer.pipeline.stage import Stage
from streamer.pipeline.status import ShowStatus
from streamer.storage.privacy import PrivacyOptions
from streamer.storage.store import Store
from streamer.text import clean
from streamer.types import (
    Actor,
    Answer,
    Clear,
    Frame,
    ImageRequest,
    Lane,
    RequestState,
    Retraction,
    Role,
    StageAction,
    StageCommand,
    Toast,
    Update,
)

REMEMBERED = 20_000
GENERATIONS = 100


@dataclass(slots=True)
class ShowParts:
    """Every stage by name; app.py builds them."""

    commands: Commands
    policy: Policy
    scheduler: Scheduler
    stage: Stage
    store: Store
    generator: Generator
    hub: Hub
    metrics: Metrics
    sources: Sequence[Source] = ()
    links: Sequence[Reporting] = ()
    occasions: EventTriggers = field(default_factory=lambda: EventTriggers(()))
    outputs: Sequence[Output] = ()
    at_least_s: Mapping[str, float] = field(default_factory=dict)
    same_s: float = 0.0
    seconds: Mapping[str, float | None] = field(default_factory=dict)
    parked: GameModeOptions = field(default_factory=GameModeOptions)
    when: Mapping[str, str] = field(default_factory=dict)
    named: NamedTriggers = field(default_factory=lambda: NamedTriggers({}))
    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    strikes: StrikeOptions = field(default_factory=StrikeOptions)
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)
    raid: RaidModeOptions = field(default_factory=RaidModeOptions)
    eye: ProgramView | None = None


class Controls:
    """The state of the show and the verbs that change it at once; the loops of the pipeline run on the same state."""

    def __init__(self, parts: ShowParts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._clock = parts, clock
        self._commands = parts.commands
        self._door = AirGate(parts.store, parts.hub.take_seal())
        self._holds = ApprovalQueue(parts.approval)
        self._repeats = RecentResults(parts.same_s)
        self._air = Publisher(parts.hub, parts.stage, parts.store, parts.metrics, parts.outputs)
        self._recalled = Retractions()
        self._work = asyncio.Event()
        self._actors: LruDict[str, str] = LruDict(REMEMBERED)
        # An edit shows what the picture showed that it was made from, and goes with it.
        self._changed_from: LruDict[str, str] = LruDict(REMEMBERED)
        self._free_at: dict[str, float] = {}
        self._drawing = ActiveDraw(parts.generator, parts.stage, parts.hub)
        self._intake = Intake(parts.store)
        self._parking = GameMode(parts.parked, parts.generator, parts.scheduler)

    @property
    def version(self) -> int:
        """Count the changes that a panel would show."""
        return self._air.version

    async def _obey(self, command: StageCommand) -> Receipt:
        """Do what a stage command says; the answer is a toast, never a call back to chat."""
        action, layer = command.action, command.layer
        if action is StageAction.PANIC:
            await self.panic()
        elif action is StageAction.PAUSE:
            await self.pause()
        elif action is StageAction.RESUME:
            await self.resume()
        elif action is StageAction.CLEAR:
            await self.clear(layer)
        elif action is StageAction.NEXT:
            self.skip()
        elif action in (StageAction.FREE, StageAction.WARM):
            await (self.free if action is StageAction.FREE else self.warm)()
        elif action in (StageAction.UNDO, StageAction.REDO):
            await (self.undo if action is StageAction.UNDO else self.redo)(layer or self._newest_layer())
        elif action is StageAction.STYLE:
            self._commands = self._commands.with_style(command.text)
            self._air.touch()
        elif action is StageAction.QUEUE:
            self._answer(command, Toast(command.trigger_id, self._queue_line(command.actor)))
        elif action is StageAction.HELP:
            self._answer(command, Toast(command.trigger_id, self._help(command.actor.role), seconds=8.0))
        return Receipt(command.trigger_id, ReceiptOutcome.DONE)

    def _answer(self, command: StageCommand, toast: Toast) -> None:
        self._air.publish(toast)
        self._air.tell(Answer(command.trigger_id, command.source, command.actor, toast.text))

    def _queue_line(self, actor: Actor) -> str:
        waiting = self._parts.scheduler.pending()
        mine = self._parts.scheduler.place_of(actor.id)
        line = "nobody is waiting" if not waiting else f"{len(waiting)} waiting"
        return f"{line}, yours is number {mine}" if mine else line

    def _help(self, role: Role) -> str:
        eye = self._parts.eye
        return self._commands.help(role, edits=self._parts.generator.edits, program=eye is not None and eye.open)

    def _newest_layer(self) -> str:
        shown = self._parts.stage.snapshot()
        return max(shown, key=lambda layer: layer.since or 0.0).layer

    async def panic(self) -> None:
        """Blank every layer, empty the queue, close the intake; all in one step, and it stays so over a restart."""
        closed = self._intake.set(PANIC)
        self._show(self._parts.stage.panic(self._clock()))
        self._drawing.call_off()
        self._air.publish(NO_CARD)
        self._drop(lambda request: True, "panic", "pictures were switched off")
        await closed

    async def pause(self) -> None:
        """Take nothing new from viewers and start no picture of theirs; what is on air stays."""
        await self._intake.pause()
        self._air.touch()

    async def resume(self) -> None:
        """Open the intake again."""
        await self._intake.set(OPEN)
        self._air.touch()
        self._work.set()

    async def free(self) -> None:
        """Give the GPU away (game mode): the generator ends, what is asked for waits, a card says so."""
        self._air.publish(self._parking.free(self._clock()))

    async def warm(self) -> None:
        """Take the GPU back; the card goes as soon as pictures can be drawn."""
        self._parking.warm()
        self._air.touch()
        self._work.set()

    def skip(self) -> None:
        """Let the next picture come at once, however short the one on air has been seen."""
        self._free_at.clear()
        self._work.set()

    async def clear(self, layer: str | None) -> None:
        """Take a layer (None: every layer) off the air and drop what was asked for it before."""
        self._show(self._parts.stage.clear(layer, self._clock()))
        drawing = self._drawing.request
        if drawing is not None and layer in (None, drawing.layer):
            self._drawing.call_off()
        self._drop(lambda request: layer in (None, request.layer), "cleared", "a moderator cleared the screen")

    async def undo(self, layer: str) -> bool:
        """Go back to the picture before."""
        return self._step(self._parts.stage.undo(layer, self._clock()))

    async def redo(self, layer: str) -> bool:
        """Take the last undo back."""
        return self._step(self._parts.stage.redo(layer, self._clock()))

    async def show(self, picture_id: str) -> bool:
        """Show a picture of the history again, unless it is cleared or taken back while it is being read."""
        asked = self._clock()
        row, frame = await self._parts.store.requests.get(picture_id), await self._door.again(picture_id)
        if row is None or frame is None or frame.layer not in self._parts.hub.layers:
            return False
        if self._recalled.since(row.id, row.actor_id, asked):
            return False
        self._actors.put(row.id, row.actor_id)
        seconds = self._parts.seconds.get(frame.layer)
        return self._step(self._parts.stage.show(frame, seconds, asked, self._clock()))

    def _presentable(self, name: str, otherwise: str = "a viewer") -> str:
        """Return a name as it may be shown on air: moderators deal with bad ones, and viewers read along."""
        name = clean(name)
        return name if name and self._parts.policy.name_ok(name) else otherwise

    def _put_on_air(
        self, request: ImageRequest, followers: Sequence[ImageRequest], cleared: ClearedFrame, draw_s: float, now: float
    ) -> None:
        """Show a cleared picture, say for whom it was drawn, and end everybody who asked for it."""
        self._show(self._parts.stage.show(cleared, request.seconds, request.at, now))
        if request.actor.role is not Role.BROADCASTER:
            self._air.publish(Toast(request.id, f"drawn for {self._presentable(request.actor.name)}"))
        self._repeats.note(request, now)
        self._free_at[cleared.layer] = now + self._parts.at_least_s.get(cleared.layer, 0.0)
        self._parts.store.pictures.keep(request, cleared, cleared.verdict_id)
        self._air.shown(request, followers, draw_s * 1000, (now - request.at) * 1000)

    async def cancel(self, request_id: str) -> bool:
        """End a request that waits or is being drawn."""
        drawing = self._drawing.request
        if drawing is not None and drawing.id == request_id:
            self._drawing.call_off()
            return True
        return self._drop(lambda request: request.id == request_id, "removed", "a moderator removed it") > 0

    async def retract(self, retraction: Retraction) -> None:
        """Take back what a platform took back: waiting requests, the one being drawn, and what is on air.

        A cleared chat drops what waits but leaves the air alone: moderators clear chats to tidy up.
        """
        self._recalled.note(retraction)
        self._air.tell(retraction)
        if retraction.message_id is None and retraction.actor_id is None:
            self._drop(lambda request: request.priority is Lane.CHAT, "retracted", "the chat was cleared")
            return

        def meant(request_id: str) -> bool:
            return any(
                one == retraction.message_id
                or (retraction.actor_id is not None and self._actors.get(one) == retraction.actor_id)
                for one in self._lineage(request_id)
            )

        drawing = self._drawing.request
        if drawing is not None and meant(drawing.id):
            self._drawing.call_off()
        self._drop(lambda request: meant(request.id), "retracted", "the message was taken back")
        self._show(self._parts.stage.retract(meant, self._clock()))
        if retraction.message_id is not None:
            self._parts.store.pictures.delete(retraction.message_id)

    def _lineage(self, request_id: str) -> Iterator[str]:
        """Yield a request, and those whose pictures it was changed from."""
        one: str | None = request_id
        for _ in range(GENERATIONS):
            if one is None:
                return
            yield one
            one = self._changed_from.get(one)

    def state(self) -> ShowStatus:
        """Gather what a panel shows."""
        parts = self._parts
        return ShowStatus(
            paused=not self._intake.open,
            panicked=self._intake.panicked,
            style=self._commands.style,
            generator=parts.generator.health(),
            active=parts.generator.active,
            sources=tuple(part.health() for part in (*parts.sources, *parts.links)),
            pages=parts.hub.overlays,
            drawing=self._drawing.request,
            pending=tuple(parts.scheduler.pending()),
            on_air={layer: frame.request_id if frame else None for layer, frame in self._on_air().items()},
            timings={step.value: times for step, times in parts.metrics.timings.summary().items()},
        )

    def exposition(self) -> bytes:
        """Bring the gauges up to date and return all metrics in Prometheus' text format."""
        metrics, now = self._parts.metrics, self._clock()
        metrics.queue_length(len(self._parts.scheduler))
        metrics.overlay_pages(self._parts.hub.overlays)
        for shown in self._parts.stage.snapshot():
            metrics.on_air_age(shown.layer, None if shown.since is None else now - shown.since)
        for cause, count in self._parts.generator.restarts.items():
            metrics.restarts(cause, count)
        return metrics.exposition()

    def _on_air(self) -> dict[str, Frame | None]:
        return {layer: self._parts.stage.current(layer) for layer in self._parts.hub.layers}

    def _drop(self, matches: Callable[[ImageRequest], bool], rule: str, reason: str) -> int:
        dropped = [*self._parts.scheduler.drop(matches), *self._holds.drop(matches)]
        self._air.end(dropped, RequestState.CANCELLED, rule, reason)
        return len(dropped)

    def _step(self, updates: Sequence[Update]) -> bool:
        self._show(updates)
        return bool(updates)

    def _show(self, updates: Iterable[Update]) -> None:
        """Put updates on air; a layer that was cleared is free for the next picture."""
        updates = list(updates)
        self._air.show(updates)
        for update in updates:
            if isinstance(update, Clear):
                self._free_at.pop(update.layer, None)
        if updates:
            self._work.set()
