"""OBS as a trigger source: scene changes, going live, recording, and hotkeys that are bound in OBS."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from streamer.errors import ObsAway, ObsRefused, in_words
from streamer.integrations.obs.connection import ObsEvent, ObsStatus
from streamer.integrations.obs.connection_events import (
    ConnectionEvent,
    ConnectionEventQueue,
    ObsConnected,
    ObsDisconnected,
)
from streamer.integrations.obs.events import SOURCE, apply_notice, notice_from_event
from streamer.integrations.obs.hotkeys import HotkeyPress, press_from_event, release
from streamer.integrations.obs.session import UNEXPECTED, ObsSession
from streamer.integrations.obs.setup import ObsSetup
from streamer.interfaces import Health, HealthState, SourceEvent
from streamer.types import KeyPress, Notice

log = logging.getLogger(__name__)

MAX_EVENTS = 200
NOT_READY_RETRIES, NOT_READY_DELAY_S = 5, 0.5


class ObsSource:
    """Listen to OBS and keep it set up, for as long as somebody listens."""

    def __init__(self, session: ObsSession, setup: ObsSetup, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._setup, self._clock = session, setup, clock
        self._events: asyncio.Queue[SourceEvent | None] = asyncio.Queue(MAX_EVENTS)
        self._version = ""

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield notices and key presses; reconnects by itself."""
        running = asyncio.create_task(self._run(), name="obs")
        try:
            while (event := await self._events.get()) is not None:
                yield event
            await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def names(self) -> tuple[str, ...]:
        """Return the named triggers or lines that the hotkeys bound in OBS stand for."""
        return tuple(self._session.options.hotkeys.keys.values())

    def health(self) -> Health:
        """Return how OBS is: a closed OBS is no fault, a missing overlay page while live is an alarm."""
        client = self._session.client
        if client.state.failed:
            return Health(SOURCE, HealthState.FAILED, client.reason)
        if not client.ready:
            return Health(SOURCE, HealthState(client.state), "OBS is not running, or its WebSocket server is off")
        if self._setup.alarm:
            return Health(SOURCE, HealthState.ALARM, self._setup.alarm)
        if self._setup.problem:
            return Health(SOURCE, HealthState.LIMITED, self._setup.problem)
        return Health(SOURCE, HealthState.READY, self._activity())

    def _activity(self) -> str:
        state = self._session.state
        parts = [f"OBS {self._version}", f"scene '{state.scene}'"]
        parts += [word for word, on in (("live", state.streaming), ("recording", state.recording)) if on]
        return ", ".join(parts)

    async def _run(self) -> None:
        try:
            async with self._session.client.running() as events, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._handle_all(events), name="obs-events")
                tasks.create_task(self._setup.run_watchdog(), name="obs-pages")
        finally:
            self._emit(None)

    async def _handle_all(self, events: ConnectionEventQueue) -> None:
        """Handle every event of the client; what goes wrong is reported and ends nothing."""
        while True:
            event = await events.next()
            try:
                await self._handle_when_ready(event)
            except ObsAway:
                continue  # the client reports that itself
            except UNEXPECTED as error:
                self._setup.problem = f"not set up: {in_words(error)}"
                log.warning("OBS: %s", self._setup.problem)

    async def _handle_when_ready(self, event: ConnectionEvent) -> None:
        """Retry while OBS answers that it is not ready, as it does while it loads scenes."""
        for _ in range(NOT_READY_RETRIES):
            try:
                return await self._handle(event)
            except ObsRefused as error:
                if error.code != ObsStatus.NOT_READY:
                    raise
                await asyncio.sleep(NOT_READY_DELAY_S)
        await self._handle(event)

    async def _handle(self, event: ConnectionEvent) -> None:
        match event:
            case ObsConnected():
                self._version = str(event.version.get("obsVersion", ""))
                await self._set_up()
            case ObsDisconnected():
                self._setup.forget()
            case ObsEvent(name="CurrentSceneCollectionChanging"):
                # Until it has changed, a request may reach sources that are being destroyed.
                self._setup.forget()
                self._session.collection_changing = True
            case ObsEvent(name="CurrentSceneCollectionChanged" | "CurrentProfileChanged"):
                await self._set_up()
            case ObsEvent(name="InputNameChanged" | "InputRemoved"):
                await self._setup.follow_source(event)
            case ObsEvent(name="SceneNameChanged") if self._setup.follow_scene(event):
                pass
            case ObsEvent():
                await self._report(event)

    async def _set_up(self) -> None:
        for notice in await self._setup.read_state():
            self._emit(notice)
        await self._setup.set_up()

    async def _report(self, event: ObsEvent) -> None:
        """Report a notice or a key press; the item of a pressed key is hidden again."""
        hotkeys = self._setup.hotkeys
        if (notice := notice_from_event(event, self._clock())) is not None:
            self._report_notice(notice)
        elif hotkeys is not None and (press := press_from_event(event, hotkeys)) is not None:
            self._report_press(press)
            await release(self._session.client.call, hotkeys, press)

    def _report_notice(self, notice: Notice) -> None:
        changed = apply_notice(self._session.state, notice)
        if changed != self._session.state:
            self._session.state = changed
            self._emit(notice)

    def _report_press(self, press: HotkeyPress) -> None:
        name = self._session.options.hotkeys.keys.get(press.name)
        if name is None:
            log.warning("OBS: the hotkey '%s' is no longer listed in obs.hotkeys", press.name)
        else:
            self._emit(KeyPress(f"{SOURCE}-{uuid.uuid4()}", SOURCE, name, self._clock()))

    def _emit(self, event: SourceEvent | None) -> None:
        if self._events.full():
            log.warning("OBS: dropped an event, there are too many at once: %s", self._events.get_nowait())
        self._events.put_nowait(event)
