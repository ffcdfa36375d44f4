"""The whole state of one channel's show. Nothing in the program assumes that there is only one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from streamer.commands.parser import Commands
from streamer.interfaces import Generator, Health, Output, ProgramView, Reporting
from streamer.moderation.air_gate import AirGate
from streamer.moderation.approval import ApprovalOptions, ApprovalQueue, HeldPicture
from streamer.moderation.bans import Bans, StrikeOptions, Strikes
from streamer.moderation.first_time import FirstTimeChatters
from streamer.moderation.policy import LONGEST_NAME, Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.overlay.hub import Hub
from streamer.pipeline.active_draw import ActiveDraw
from streamer.pipeline.clock import Clock, SystemClock
from streamer.pipeline.dedupe import RecentResults
from streamer.pipeline.drafts import Drafts
from streamer.pipeline.game_mode import GameMode, GameModeOptions
from streamer.pipeline.intake import Intake
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.pacing import AirTime, LayerPacing
from streamer.pipeline.publisher import Publisher
from streamer.pipeline.retractions import Lineage, Retractions
from streamer.pipeline.scheduler import Ending, Scheduler
from streamer.pipeline.stage import Stage
from streamer.pipeline.wait_notices import WaitNotices
from streamer.storage.people import People, full_name
from streamer.storage.privacy import Privacy, PrivacyOptions
from streamer.storage.store import Store
from streamer.text import isolated, without_isolates
from streamer.types import Actor, Clear, ImageRequest, Lane, RequestState, Role, Update


@dataclass(frozen=True, slots=True)
class ShowConfig:
    """What config.yaml says about one channel's show, beside its commands and rules.

    ``air_times`` says how long a picture stays before a viewer's next one may replace it, by layer; ``air_time_s`` how
    long a picture that is brought back stays, by layer. ``patience_s`` is the longest wait until a picture is drawn.
    ``same_s`` is how long equal requests share one result.
    """

    approval: ApprovalOptions = field(default_factory=ApprovalOptions)
    strikes: StrikeOptions = field(default_factory=StrikeOptions)
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)
    raid_mode: RaidModeOptions = field(default_factory=RaidModeOptions)
    game_mode: GameModeOptions = field(default_factory=GameModeOptions)
    air_times: Mapping[str, AirTime] = field(default_factory=dict)
    air_time_s: Mapping[str, float | None] = field(default_factory=dict)
    patience_s: float = 30.0
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
    pacing: LayerPacing
    wait_notices: WaitNotices
    retractions: Retractions = field(default_factory=Retractions)
    first_time: FirstTimeChatters = field(default_factory=FirstTimeChatters)
    people: People = field(default_factory=People)
    lineage: Lineage = field(default_factory=Lineage)
    drafts: Drafts = field(default_factory=Drafts)
    name: str = ""
    """The channel's name; the only show has none."""
    live: bool = False
    """Whether a platform or OBS has said that the stream is on; nobody may be there to say so."""
    stopped: dict[str, Health] = field(default_factory=dict)
    """Sources and outputs that ended by an error, by name."""
    work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request may have become drawable."""

    def now(self) -> float:
        """Return monotonic seconds of this show's clock."""
        return self.clock.now()

    def queued(self) -> list[ImageRequest]:
        """Return the queued requests that are meant for the air, in the order of drawing, without followers."""
        return [request for request in self.scheduler.pending() if request.priority is not Lane.PRIVATE]

    def air(self, updates: Iterable[Update]) -> bool:
        """Publish what the stage decided; False when nothing changed."""
        updates = list(updates)
        self.publisher.show(updates)
        if updates:
            self.work.set()
        return bool(updates)

    def drop(self, matches: Callable[[ImageRequest], bool], rule: str, reason: str) -> int:
        """Cancel every queued and held request that matches; return how many."""
        dropped = [*self.scheduler.drop(matches), *self.approvals.drop(matches)]
        self.work.set()
        self.end(dropped, RequestState.CANCELLED, rule, reason)
        return len(dropped)

    def discard_drafts(self, matches: Callable[[ImageRequest], bool]) -> None:
        """Cancel private pictures that wait or are being drawn, and forget them."""

        def meant(request: ImageRequest) -> bool:
            return request.priority is Lane.PRIVATE and matches(request)

        if self.active.request is not None and meant(self.active.request):
            self.active.cancel(self.active.request.id)
        self.drop(meant, "removed", "its asker cancelled it")
        self.drafts.forget(matches)

    def end(self, requests: Iterable[ImageRequest], state: RequestState, rule: str, reason: str) -> None:
        """End requests without a picture; only whoever asked for a private one learns of its end."""
        public = []
        for request in requests:
            if request.priority is Lane.PRIVATE:
                self.drafts.end(request.id, state, rule, reason)
            else:
                public.append(request)
        self.publisher.end(public, state, rule, reason)

    def note_drawing(self, request: ImageRequest) -> None:
        """Note that a request is being drawn."""
        if request.priority is Lane.PRIVATE:
            self.drafts.start(request.id, self.now())
        else:
            self.store.requests.set_state(request.id, RequestState.DRAWING)
            self.publisher.mark_dirty()

    def note_preempted(self, request: ImageRequest) -> None:
        """Queue a request again whose drawing was stopped for another, as if it had never begun."""
        self.scheduler.requeue(request.id)
        if request.priority is Lane.PRIVATE:
            self.drafts.queue(request.id)
        else:
            self.hub.withdraw(request.id)
            self.store.requests.set_state(request.id, RequestState.QUEUED)

    def end_queued(self, endings: Iterable[Ending]) -> None:
        """Report requests that the scheduler has given up."""
        endings = tuple(endings)
        self.wait_notices.note(ending for ending in endings if ending.request.priority is not Lane.PRIVATE)
        for ending in endings:
            self.end([ending.request], ending.state, ending.refusal.rule, ending.refusal.reason)

    def end_held(self, held_pictures: Iterable[HeldPicture]) -> None:
        """Expire held pictures that no moderator decided on."""
        self.work.set()
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
        shown = self.policy.shown_name(name)
        return isolated(shown) if shown else fallback

    def shown_actor(self, actor: Actor) -> Actor:
        """Return somebody under the name and login that may be shown: the panel may be on stream as well."""
        name, login = self.policy.shown_name(actor.name), self.policy.shown_name(actor.login)
        return replace(actor, name=name or "a viewer", login=login)

    def display_names(self, actors: Iterable[Actor]) -> list[str]:
        """Return several names that are shown side by side: together they must not make another word either."""
        names = [self.display_name(actor.name) for actor in actors]
        return names if self.policy.name_ok(" ".join(map(without_isolates, names))) else ["a viewer"] * len(names)

    def display_person(self, actor: Actor) -> str:
        """Return how somebody is called, as it may be shown on air: the login too, where it differs."""
        name = self.display_name(actor.name, actor.login or "a viewer")
        shown = self.policy.shown_name(full_name(replace(actor, name=name)), 2 * LONGEST_NAME)
        return isolated(shown) if shown else "a viewer"


def new_show(parts: ShowParts, config: ShowConfig, clock: Clock | None = None) -> Show:
    """Build the state of a show; ``restore`` takes up what the last run left."""
    clock = clock or SystemClock()
    store = parts.store.of_channel(parts.name) if parts.name else parts.store
    publisher = Publisher(parts.hub, parts.stage, store, parts.metrics, parts.outputs, parts.name)
    bans, approvals = Bans(store.bans, clock.wall), ApprovalQueue(config.approval)
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
        name=parts.name,
        reporting=parts.reporting,
        publisher=publisher,
        air_gate=AirGate(store, parts.hub.take_capability(), clock.wall),
        approvals=approvals,
        active=ActiveDraw(parts.generator, parts.stage, parts.hub, clock.now),
        intake=Intake(store),
        game_mode=GameMode(config.game_mode, parts.generator),
        raid_mode=RaidMode(config.raid_mode),
        bans=bans,
        strikes=Strikes(config.strikes, bans),
        privacy=Privacy(store, config.privacy),
        results=RecentResults(config.same_s),
        pacing=LayerPacing(parts.stage, approvals, config.air_times),
        wait_notices=WaitNotices(publisher),
    )


async def restore(show: Show) -> None:
    """Show the last background again, and stay blank and closed after a panic; await it before anybody can ask."""
    await show.intake.restore()
    await show.bans.restore()
    await show.privacy.restore()
    for actor in await show.store.requests.people():
        show.people.remember(actor)
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
