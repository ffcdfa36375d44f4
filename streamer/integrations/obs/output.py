"""OBS as an output: performs ``obs.after`` when a picture is on air, and feeds image sources."""

from __future__ import annotations

import asyncio
import logging

from streamer.errors import ObsError, in_words
from streamer.integrations.obs.actions import UndoAction, failure_message, matching_actions, perform, undo
from streamer.integrations.obs.image_feed import ImageFeed
from streamer.integrations.obs.session import UNEXPECTED, ObsSession
from streamer.types import Clear, Ended, Event, Forgotten, Frame, RequestState

log = logging.getLogger(__name__)

MAX_TASKS = 100


class ObsOutput:
    """Act in OBS on what the program publishes; ``publish`` only takes note, ``run`` talks to OBS."""

    def __init__(self, session: ObsSession, feed: ImageFeed) -> None:
        self._session, self._feed = session, feed
        self._tasks: asyncio.Queue[Event | UndoAction] = asyncio.Queue(MAX_TASKS)
        self._timers: dict[tuple[str, ...], asyncio.TimerHandle] = {}

    async def publish(self, event: Event) -> None:
        """Take note of an event that asks for something in OBS; never waits for OBS."""
        if self._concerns_obs(event):
            self._enqueue(event)

    async def run(self) -> None:
        """Perform what was published, until cancelled."""
        try:
            while True:
                task = await self._tasks.get()
                try:
                    await self._perform(task)
                except UNEXPECTED as error:
                    log.warning("OBS: an action failed: %s", in_words(error))
        finally:
            for timer in self._timers.values():
                timer.cancel()

    def _concerns_obs(self, event: Event) -> bool:
        match event:
            case Frame() | Clear():
                return self._session.fed_by_files
            case Forgotten():
                return True  # files of an earlier run may exist even if OBS shows pages now
            case Ended(state=RequestState.SHOWN):
                return bool(self._session.options.after)
        return False

    def _enqueue(self, task: Event | UndoAction) -> None:
        if self._tasks.full():
            self._tasks.get_nowait()
            log.warning("OBS: dropped an action, there are too many at once")
        self._tasks.put_nowait(task)

    async def _perform(self, task: Event | UndoAction) -> None:
        match task:
            case UndoAction():
                await undo(self._session.client.call, task)
            case Ended():
                await self._perform_after(task)
            case Forgotten():
                await self._feed.erase_old_files()
            case Frame():
                await self._feed.show(task.layer, task)
            case Clear():
                await self._feed.show(task.layer, None)

    async def _perform_after(self, ended: Ended) -> None:
        if not self._session.client.ready or self._session.collection_changing:
            return
        for action in matching_actions(self._session.options.after, ended.request.command):
            try:
                undo_action = await perform(self._session.client.call, action)
            except ObsError as error:
                log.warning("%s", failure_message(action, error))
            else:
                self._schedule(undo_action)

    def _schedule(self, undo_action: UndoAction | None) -> None:
        if undo_action is None:
            return
        if (running := self._timers.pop(undo_action.key, None)) is not None:
            running.cancel()
        loop = asyncio.get_running_loop()
        self._timers[undo_action.key] = loop.call_later(undo_action.after_s, self._enqueue, undo_action)
