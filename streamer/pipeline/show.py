"""The whole state of one channel's show. Nothing in the program assumes that there is only one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streamer.commands.parser import Commands
from streamer.interfaces import Generator, Output, ProgramView, Reporting
from streamer.moderation.air_gate import AirGate
from streamer.moderation.approval import ApprovalOptions, ApprovalQueue, HeldPicture
from streamer.moderation.bans import Bans, StrikeOptions, Strikes
from streamer.moderation.first_time import FirstTimeChatters
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.overlay.hub import Hub
from streamer.pipeline.active_draw import ActiveDraw
from streamer.pipeline.clock import Clock, SystemClock
from streamer.pipeline.dedupe import RecentResults
from streamer.pipeline.game_mode import GameMode, GameModeOptions
from streamer.pipeline.intake import Intake
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.people import People
from streamer.pipeline.publisher import Publisher
from streamer.pipeline.retractions import Lineage, Retractions
from streamer.pipeline.scheduler import Ending, Scheduler
from streamer.pipeline.stage import LayerPacing, Stage
from streamer.storage.privacy import Privacy, PrivacyOptions
from streamer.storage.store import Store
from streamer.text import clean
from streamer.types import Actor, Clear, ImageRequest, RequestState, Role, Update


@dataclass(frozen=True, slots=True)
class ShowConfig:
    """What config.yaml says about one channel's show, beside its commands and rules.

    ``min_air_s`` is how long a picture stays before a viewer's next one may replace it, by layer; ``air_time_s`` how
    long a picture that is brought back stays, by layer. ``same_s`` is how long equal requests share one result.
    """

    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    strikes: StrikeOptions = field(default_factory=StrikeOptions)
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)
    raid_mode: RaidModeOptions = field(default_factory=RaidModeOptions)
    game_mode: GameModeOptions = field(default_factory=GameModeOptions)
    min_air_s: Mapping[str, float] = field(default_factory=dict)
    air_time_s: Mapping[str, float | None] = field(default_factory=dict)
    same_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ShowParts:
    """What a show is built from. The generator and the store may serve several shows; the rest is this show's own."""

    commands: Commands
    policy: Policy
    scheduler: Scheduler
    stage: Stage
    hub: Hub
    metrics: Metrics
    generator: Generator
    store: Store
    outputs: Sequence[Output] = ()
    program_view: ProgramView | None = None
    reporting: Sequence[Reporting] = ()
    name: str = ""
    """The channel's name; it keeps what several shows write into one store apart. The only show has none."""


@dataclass(slots=True)
class Show:
    """State that several parts of the pipeline share; owned by the event loop.

    Its methods change more than one part at once, in one step that nothing can come between.
    """

    config: ShowConfig
    clock: Clock
    commands: Commands
    policy: Policy
    scheduler: Scheduler
    stage: Stage
    hub: Hub
    metrics: Metrics
    generator: Generator
    store: Store
    program_view: ProgramView | None
    reporting: Sequence[Reporting]
    publisher: Publisher
    air_gate: AirGate
    approvals: ApprovalQueue
    active: ActiveDraw
    intake: Intake
    game_mode: GameMode
    raid_mode: RaidMode
    bans: Bans
    strikes: Strikes
    privacy: Privacy
    results: RecentResults
    retractions: Retractions = field(default_factory=Retractions)
    first_time: FirstTimeChatters = field(default_factory=FirstTimeChatters)
    people: People = field(default_factory=People)
    lineage: Lineage = field(default_factory=Lineage)
    pacing: LayerPacing = field(default_factory=LayerPacing)
    work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request may have become drawable."""

    def now(self) -> float:
        """Return monotonic seconds of this show's clock."""
        return self.clock.now()

    def air(self, updates: Iterable[Update]) -> bool:
        """Publish what the stage decided; a cleared layer is free for the next picture. False when nothing changed."""
        updates = list(updates)
        self.publisher.show(updates)
        for update in updates:
            if isinstance(update, Clear):
                self.pacing.free(update.layer)
        if updates:
            self.work.set()
        return bool(updates)

    def drop(self, matches: Callable[[ImageRequest], bool], rule: str, reason: str) -> int:
        """Cancel every queued and held request that matches; return how many."""
        dropped = [*self.scheduler.drop(matches), *self.approvals.drop(matches)]
        self.publisher.end(dropped, RequestState.CANCELLED, rule, reason)
        return len(dropped)

    def end_queued(self, endings: Iterable[Ending]) -> None:
        """Report requests that the scheduler has given up."""
        for ending in endings:
            self.publisher.end([ending.request], ending.state, ending.refusal.rule, ending.refusal.reason)

    def end_held(self, held_pictures: Iterable[HeldPicture]) -> None:
        """Expire held pictures that no moderator decided on."""
        for held in held_pictures:
            self.publisher.end(held.requests, RequestState.EXPIRED, "approval", "no moderator decided in time")

    def strike(self, actor: Actor, now: float) -> None:
        """Count a text or a picture that was refused for its content against whoever asked for it."""
        if actor.role < Role.MODERATOR:
            self.raid_mode.note_blocked(now)
        if self.strikes.add(actor, now):
            self.publisher.mark_dirty()

    def display_name(self, name: str, fallback: str = "a viewer") -> str:
        """Return a name as it may be shown on air: moderators type bad ones, and viewers read along."""
        name = clean(name)
        return name if name and self.policy.name_ok(name) else fallback


def new_show(parts: ShowParts, config: ShowConfig, clock: Clock | None = None) -> Show:
    """Build the state of a show; ``restore`` takes up what the last run left."""
    clock = clock or SystemClock()
    store = parts.store.of_channel(parts.name) if parts.name else parts.store
    bans = Bans(store.bans, clock.wall)
    return Show(
        config=config,
        clock=clock,
        commands=parts.commands,
        policy=parts.policy,
        scheduler=parts.scheduler,
        stage=parts.stage,
        hub=parts.hub,
        metrics=parts.metrics,
        generator=parts.generator,
        store=store,
        program_view=parts.program_view,
        reporting=parts.reporting,
        publisher=Publisher(parts.hub, parts.stage, store, parts.metrics, parts.outputs),
        air_gate=AirGate(store, parts.hub.take_capability(), clock.wall),
        approvals=ApprovalQueue(config.approval),
        active=ActiveDraw(parts.generator, parts.stage, parts.hub),
        intake=Intake(store),
        game_mode=GameMode(config.game_mode, parts.generator, parts.scheduler),
        raid_mode=RaidMode(config.raid_mode),
        bans=bans,
        strikes=Strikes(config.strikes, bans),
        privacy=Privacy(store, config.privacy),
        results=RecentResults(config.same_s),
    )


async def restore(show: Show) -> None:
    """Show the last background again, and stay blank and closed after a panic; await it before anybody can ask."""
    await show.intake.restore()
    await show.bans.restore()
    await show.privacy.restore()
    if show.intake.panicked:
        # Written down already, unless the disk was full.
        for layer in show.hub.layers:
            show.store.pictures.clear_on_air(layer)
    found = [await show.air_gate.clear_again(frame.request_id) for frame in await show.store.pictures.on_air()]
    kept = {frame.layer: frame for frame in found if frame is not None}
    for frame in kept.values():
        if (row := await show.store.requests.get(frame.request_id)) is not None:
            show.lineage.note(row.id, row.actor_id)
    for layer in show.hub.layers:
        shown = show.stage.restore(kept[layer], show.now()) if layer in kept else [Clear(layer)]
        for update in shown:
            # A page that kept its picture over our restart must hear of an empty layer, too.
            show.hub.publish(update)
