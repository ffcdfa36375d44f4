"""The loops admit, draw and deliver: how one trigger becomes pixels on air. Read this file first.

    listen -> inbox -> admit (commands, rules, scheduler) -> draw (generator) -> deliver (stage) -> hub, outputs

One event loop owns all state. Whatever decides is a plain call that takes the time; this file does the waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from streamer.errors import StoreError
from streamer.interfaces import Health, HealthState, Lease, Output, Running, Source, SourceEvent
from streamer.pipeline.admit import Admit, TriggerTables
from streamer.pipeline.controls import Controls
from streamer.pipeline.deliver import Deliver
from streamer.pipeline.draw import Draw
from streamer.pipeline.game_mode import NO_CARD
from streamer.pipeline.intake import availability
from streamer.pipeline.moderator import ModeratorActions
from streamer.pipeline.private_draw import PrivateDraw
from streamer.pipeline.show import Show
from streamer.pipeline.stage_commands import StageCommands
from streamer.pipeline.status import parts_health
from streamer.pipeline.timekeeper import Timekeeper
from streamer.types import Availability, Retraction

log = logging.getLogger(__name__)

INBOX = 2000
AT_A_TIME = 32
LAG_EVERY_S = 0.5
HEALTH_EVERY_S = 0.2
AVAILABILITY_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: the state of its show, and everything that acts on it."""

    show: Show
    admit: Admit
    draw: Draw
    deliver: Deliver
    controls: Controls
    moderator: ModeratorActions
    timekeeper: Timekeeper
    private: PrivateDraw


def build_channel(show: Show, tables: TriggerTables) -> Channel:
    """Put together everything that acts on a show."""
    controls, deliver = Controls(show), Deliver(show)
    moderator = ModeratorActions(show, controls, deliver)
    admit = Admit(show, StageCommands(show, controls, moderator), tables)
    timekeeper = Timekeeper(show, moderator)
    private = PrivateDraw(show, admit, controls, deliver)
    return Channel(show, admit, Draw(show, deliver), deliver, controls, moderator, timekeeper, private)


class Pipeline:
    """The loops of one show."""

    def __init__(self, channel: Channel, sources: Sequence[Source], outputs: Sequence[Output]) -> None:
        self._channel, self._show, self._sources, self._outputs = channel, channel.show, sources, outputs
        self._inbox: asyncio.Queue[SourceEvent] = asyncio.Queue(INBOX)

    async def run(self) -> None:
        """Run every loop until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for source in self._sources:
                tasks.create_task(self.listen(source), name=f"listen-{source.health().name}")
            for output in self._outputs:
                if isinstance(output, Running):
                    tasks.create_task(self._run_output(output), name=f"output-{type(output).__name__}")
            tasks.create_task(self._admit_all(), name="admit")
            tasks.create_task(self._draw_all(), name="draw")
            tasks.create_task(self._keep_time(), name="time")
            tasks.create_task(self._watch_paints(), name="paints")
            tasks.create_task(self._show.publisher.run(), name="outputs")
            tasks.create_task(self._watch_availability(), name="availability")
            tasks.create_task(self._watch_lag(), name="lag")
            tasks.create_task(self._watch_health(), name="health")
            tasks.create_task(self._channel.moderator.sweep(), name="sweep")

    async def listen(self, source: Source) -> None:
        """Put the events of a source into the inbox; a full inbox makes the source wait."""
        try:
            async with aclosing(source.listen()) as events:  # type: ignore[type-var]
                async for event in events:
                    self._show.metrics.source_event(source.health().name, type(event).__name__.lower())
                    if isinstance(event, Retraction):
                        # Overtakes the inbox: what moderators take down must not wait behind a flood.
                        await self._channel.admit.take(event)
                    else:
                        await self._inbox.put(event)
        except Exception:
            # Third-party plug-in: isolate its failure.
            self._stopped(source.health().name, "trigger source")

    async def _run_output(self, output: Running) -> None:
        """Run the loop of an output."""
        try:
            await output.run()
        except Exception:
            # Third-party plug-in: isolate its failure.
            self._stopped(type(output).__module__.rpartition(".")[2], "output")

    def _stopped(self, name: str, what: str) -> None:
        """Log the error that ended a plug-in, and show it until the program is restarted."""
        log.exception("the %s '%s' stopped", what, name)
        detail = "stopped by an error; the log has the details; restart the program to start it again"
        self._show.stopped[name] = Health(name, HealthState.FAILED, detail)

    async def _admit_all(self) -> None:
        """Admit the events of the inbox."""
        while True:
            for _ in range(AT_A_TIME):
                event = await self._inbox.get()
                try:
                    await self._channel.admit.take(event)
                except StoreError as error:
                    log.error("done, but not saved: %s", error)
                except Exception:
                    # Anybody can type: a line that brings out a bug of ours must not end the show for all.
                    log.exception("one line was not admitted")
            # A full inbox is read without a single wait; everybody else wants the loop, too.
            await asyncio.sleep(0)

    async def _draw_all(self) -> None:
        """Draw what the scheduler hands out, one request at a time.

        Which one is decided when a GPU is free: whatever expired or was taken back until then is not drawn.
        """
        show, draw = self._show, self._channel.draw
        while True:
            show.work.clear()
            if (lane := draw.lane()) is None:
                await show.clock.wait(show.work, draw.wakeup())
                continue
            async with show.generator.lease(lane, show.work) as lease:
                if lease is not None:
                    await self._draw_next(lease)

    async def _draw_next(self, lease: Lease) -> None:
        self._note_gpu_returned()
        if (request := self._channel.draw.next()) is not None:
            self._show.metrics.waited_for_gpu(lease.waited_s)
            await self._channel.draw.draw(request, lease)

    def _note_gpu_returned(self) -> None:
        """Take the notice card away once the GPU is back from game mode."""
        if self._show.game_mode.gpu_returned():
            self._show.publisher.publish(NO_CARD)

    async def _keep_time(self) -> None:
        """Do what is due, then wait for the next moment or the next change."""
        show = self._show
        while True:
            now = show.now()
            await self._channel.timekeeper.tick(now)
            wakeup = self._channel.timekeeper.wakeup(now)
            show.publisher.changed.clear()
            await show.clock.wait(show.publisher.changed, wakeup)

    async def _watch_paints(self) -> None:
        """Measure when pages say that they have painted a picture."""
        async for paint in self._show.hub.pages.paints():
            self._channel.deliver.note_painted(paint.request_id, paint.at)

    async def _watch_availability(self) -> None:
        """Notify the outputs when viewers may ask, and when they may not any more."""
        show = self._show
        last: Availability | None = None
        while True:
            generator = show.generator
            current = availability(show.intake.open, generator.health(), generator.active.get("fallback"))
            if current != last:
                last = current
                show.publisher.notify(current)
            await asyncio.sleep(AVAILABILITY_EVERY_S)

    async def _watch_lag(self) -> None:
        """Measure how late the event loop runs, and how much waits for it."""
        while True:
            since = self._show.now()
            await asyncio.sleep(LAG_EVERY_S)
            self._show.metrics.loop_lag(max(0.0, self._show.now() - since - LAG_EVERY_S))
            self._show.metrics.inbox(self._inbox.qsize())

    async def _watch_health(self) -> None:
        """Show panels each change of a part's state: nobody else reports one."""
        generator, parts = self._show.generator.health(), self._part_states()
        while True:
            await asyncio.sleep(HEALTH_EVERY_S)
            if self._show.generator.health().draws:
                self._note_gpu_returned()
            last, generator, parts = (generator, parts), self._show.generator.health(), self._part_states()
            if (generator, parts) != last:
                self._show.publisher.mark_dirty()
            for name, state in set(parts) - set(last[1]):
                self._show.metrics.part_changed(name, state.value)

    def _part_states(self) -> list[tuple[str, HealthState]]:
        """Return the state of all parts but the generator; their details change all the time."""
        return [(part.name, part.state) for part in parts_health(self._show)]
