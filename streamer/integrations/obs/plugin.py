"""OBS as the rest of the program meets it: a source of triggers and notices, an output, and a picture to look at."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import BackendError, ObsAway, ObsError, ObsRefused, StoreError, Unsupported, in_words
from streamer.integrations.obs import actions, hotkeys
from streamer.integrations.obs.client import (
    Connected,
    ConnectionEvent,
    Disconnected,
    ObsClient,
    ObsConnectionState,
    SettingReader,
)
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.connection import ObsAnswer, ObsEvent
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.obs.events import SOURCE, ObsState, after, changes, notice_of, state_of
from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.installer import Installer, InstallReport
from streamer.integrations.obs.page_watchdog import PageWatch
from streamer.interfaces import Health, HealthState, SourceEvent
from streamer.types import Clear, Ended, Forgotten, Frame, KeyPress, RequestState
from streamer.types import Event as Told

log = logging.getLogger(__name__)

HAPPENINGS = 200
ERRANDS = 100
TICK_S = 1.0
SIGHT_WITHIN_S = 1.5
SIGHT_WIDTH = 1280

_UNANSWERED = (ObsError, LookupError, TypeError, ValueError, OSError, StoreError)
"""OBS refuses, goes, or answers something that no OBS we know answers; or a file for it cannot be written."""

_NOT_READY, _TRIES, _PATIENCE_S = 207, 5, 0.5


@dataclass(slots=True)
class ObsParts:
    """What OBS is given: ``pages`` tells the OBS version of every overlay page, ``shown`` what a layer shows."""

    options: ObsOptions
    link: ObsClient
    installer: Installer
    files: PictureFiles
    pages: Callable[[], Sequence[str]]
    shown: Callable[[str], Frame | None]
    clock: Callable[[], float] = time.monotonic


class Obs:
    """Listen to OBS and act in it, for as long as somebody listens."""

    def __init__(self, parts: ObsParts) -> None:
        self._parts, self._options, self._link = parts, parts.options, parts.link
        self._happenings: asyncio.Queue[SourceEvent | None] = asyncio.Queue(HAPPENINGS)
        self._errands: asyncio.Queue[Told | actions.UndoAction] = asyncio.Queue(ERRANDS)
        self._timers: dict[tuple[str, ...], asyncio.TimerHandle] = {}
        self._air = ObsState()
        self._report: InstallReport | None = None
        self._helper: hotkeys.HotkeyScene | None = None
        self._watch = PageWatch(parts.clock())
        self._alarm = self._version = self._problem = ""
        self._changing = False

    # As a source.

    async def listen(self) -> AsyncIterator[SourceEvent]:
        """Yield scenes, going live and hotkeys of OBS; reconnects by itself."""
        running = asyncio.create_task(self._run(), name="obs")
        try:
            while (happening := await self._happenings.get()) is not None:
                yield happening
            await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def names(self) -> tuple[str, ...]:
        """Return what the hotkeys bound in OBS stand for."""
        return tuple(self._options.hotkeys.keys.values())

    def health(self) -> Health:
        """Say how OBS is: closed is nothing wrong, a missing page while live is."""
        state = self._link.state
        if state in (ObsConnectionState.WRONG_PASSWORD, ObsConnectionState.SENT_AWAY):
            return Health(SOURCE, HealthState.FAILED, self._link.why)
        if state is not ObsConnectionState.READY:
            return Health(SOURCE, HealthState(state), "OBS is not running, or its WebSocket server is off")
        if self._alarm:
            return Health(SOURCE, HealthState.ALARM, self._alarm)
        doing = [f"OBS {self._version}", f"scene '{self._air.scene}'"]
        doing += [word for word, on in (("live", self._air.streaming), ("recording", self._air.recording)) if on]
        if self._problem:
            return Health(SOURCE, HealthState.LIMITED, self._problem)
        return Health(SOURCE, HealthState.READY, ", ".join(doing))

    async def _run(self) -> None:
        try:
            async with self._link.opened() as reader, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(reader), name="obs-news")
                tasks.create_task(self._act(), name="obs-errands")
                tasks.create_task(self._tick(), name="obs-pages")
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._tell(None)

    async def _hear(self, reader: SettingReader) -> None:
        """In: the news of the link. Out: happenings."""
        while True:
            news = await reader.next()
            try:
                await self._take_patiently(news)
            except ObsAway:
                continue  # the link tells of that itself
            except _UNANSWERED as error:
                self._problem = f"not set up: {in_words(error)}"
                log.warning("OBS: %s", self._problem)

    async def _take_patiently(self, news: ConnectionEvent) -> None:
        """Take news again while OBS says that it is not ready, as it does while it loads scenes."""
        for _ in range(_TRIES):
            try:
                return await self._take(news)
            except ObsRefused as error:
                if error.code != _NOT_READY:
                    raise
                await asyncio.sleep(_PATIENCE_S)
        await self._take(news)

    async def _take(self, news: ConnectionEvent) -> None:
        if isinstance(news, Connected):
            self._version = str(news.version.get("obsVersion", ""))
            await self._set_up()
        elif isinstance(news, Disconnected):
            self._let_go()
        elif news.name == "CurrentSceneCollectionChanging":
            # Until it has changed, a request may meet sources that are being destroyed.
            self._let_go()
            self._changing = True
        elif news.name in ("CurrentSceneCollectionChanged", "CurrentProfileChanged"):
            await self._set_up()
        elif news.name == "InputNameChanged" or news.name == "InputRemoved":
            await self._look_again(news)
        elif news.name == "SceneNameChanged" and self._helper and news.data.get("oldSceneName") == self._helper.scene:
            self._helper = hotkeys.HotkeyScene(str(news.data["sceneName"]), self._helper.items)
        else:
            await self._hear_event(news)

    def _let_go(self) -> None:
        self._report = self._helper = None
        self._alarm, self._changing = "", False

    async def _hear_event(self, event: ObsEvent) -> None:
        now = self._parts.clock()
        if (notice := notice_of(event, now)) is not None:
            if (changed := after(self._air, notice)) != self._air:
                self._air = changed
                self._tell(notice)
        elif self._helper is not None and (key := hotkeys.pressed(event, self._helper)) is not None:
            stands_for = self._options.hotkeys.keys.get(key.name)
            if stands_for is None:
                log.warning("OBS: the hotkey '%s' stands in no line of obs.hotkeys any more", key.name)
            else:
                self._tell(KeyPress(f"{SOURCE}-{uuid.uuid4()}", SOURCE, stands_for, now))
            await hotkeys.release(self._link.call, self._helper, key)

    async def _set_up(self) -> None:
        """Learn what OBS does, and bring it to what config.yaml asks for."""
        call, now = self._link.call, self._parts.clock()
        self._problem, self._changing = "", False
        self._watch = PageWatch(now)
        answers = [await call(name) for name in ("GetSceneList", "GetStreamStatus", "GetRecordStatus")]
        air = state_of(answers[0], answers[1], answers[2])
        for notice in changes(self._air, air, now):
            self._tell(notice)
        self._air = air
        await (self._install() if self._options.install else self._find())
        if keys := self._options.hotkeys.keys:
            self._helper = await hotkeys.set_up(call, self._options.hotkeys.scene, list(keys))
        await self._show_all()

    async def _install(self) -> None:
        self._report = await self._parts.installer.install(self._options.scenes)
        for line in self._report.done:
            log.info("OBS: %s", line)
        for line in self._report.problems:
            log.warning("OBS: %s", line)
        self._problem = "; ".join(self._report.problems)

    async def _find(self) -> None:
        with suppress(ObsError):  # nothing was asked to be there
            self._report = await self._parts.installer.find()

    async def _look_again(self, event: ObsEvent) -> None:
        """Follow a source of ours that was renamed; one that was removed stays away until OBS connects again."""
        names = self._report.names.values() if self._report is not None else ()
        name = event.data.get("oldInputName") or event.data.get("inputName")
        if name in names:
            await self._find()

    # As an output.

    async def publish(self, event: Told) -> None:
        """Take note of what is to be done in OBS; never waits for it."""
        fed = self._report is not None and self._report.kind is SourceKind.IMAGE
        if isinstance(event, Frame | Clear):
            wanted = fed
        elif isinstance(event, Forgotten):
            wanted = True  # files of an earlier time may lie there, however OBS is fed now
        else:
            wanted = isinstance(event, Ended) and event.state is RequestState.SHOWN and bool(self._options.after)
        if wanted:
            self._order(event)

    def _order(self, errand: Told | actions.UndoAction) -> None:
        if self._errands.full():
            self._errands.get_nowait()
            log.warning("OBS: an action was dropped, too many at once")
        self._errands.put_nowait(errand)

    async def _act(self) -> None:
        """In: what was published. Out: requests to OBS."""
        while True:
            errand = await self._errands.get()
            try:
                if isinstance(errand, actions.UndoAction):
                    await actions.undo(self._link.call, errand)
                elif isinstance(errand, Ended):
                    await self._after(errand)
                elif isinstance(errand, Forgotten):
                    await self._renew_files()
                elif isinstance(errand, (Frame, Clear)):
                    await self._show(errand.layer, errand if isinstance(errand, Frame) else None)
            except _UNANSWERED as error:
                log.warning("OBS: not done: %s", in_words(error))

    async def _after(self, ended: Ended) -> None:
        if self._link.state is not ObsConnectionState.READY or self._changing:
            return
        for action in actions.due(self._options.after, ended.request.command):
            try:
                later = await actions.perform(self._link.call, action)
            except ObsError as error:
                log.warning("%s", actions.said(action, error))
            else:
                self._later(later)

    def _later(self, undo: actions.UndoAction | None) -> None:
        if undo is None:
            return
        if (running := self._timers.pop(undo.key, None)) is not None:
            running.cancel()
        loop = asyncio.get_running_loop()
        self._timers[undo.key] = loop.call_later(undo.after_s, self._order, undo)

    async def _show_all(self) -> None:
        if self._report is not None and self._report.kind is SourceKind.IMAGE:
            for layer in self._report.layers:
                await self._show(layer, self._parts.shown(layer))

    async def _renew_files(self) -> None:
        """Leave no file but that of what is on air: the others may be of somebody who is to be forgotten."""
        seen = {layer: self._parts.shown(layer) for layer in self._parts.files.layers}
        shown = {layer: frame for layer, frame in seen.items() if frame is not None}
        for layer, path in (await asyncio.to_thread(self._parts.files.renew, shown)).items():
            await self._point(layer, path)

    async def _show(self, layer: str, frame: Frame | None) -> None:
        """Feed one image source; only an OBS without a browser has them."""
        if self._report is not None and layer in self._report.layers:
            await self._point(layer, await asyncio.to_thread(self._parts.files.put, layer, frame))

    async def _point(self, layer: str, path: Path) -> None:
        fed = self._report is not None and self._report.kind is SourceKind.IMAGE
        name = self._report.layers.get(layer) if fed and self._report is not None else None
        if name is not None:
            await self._link.call("SetInputSettings", {"inputName": name, "inputSettings": {"file": str(path)}})

    # The pages.

    async def _tick(self) -> None:
        """Out: an alarm, and pages loaded again."""
        while True:
            await asyncio.sleep(TICK_S)
            report = self._report
            if (
                self._link.state is not ObsConnectionState.READY
                or report is None
                or report.kind is not SourceKind.BROWSER
            ):
                continue
            now, pages = self._parts.clock(), self._parts.pages()
            if report.names and self._watch.refresh(pages, now):
                await self._refresh(report)
            alarm = self._watch.alarm(pages, self._air.live, now)
            if alarm and alarm != self._alarm:
                log.error("%s", alarm)
            self._alarm = alarm

    async def _refresh(self, report: InstallReport) -> None:
        for name in report.names.values():
            try:
                data = {"inputName": name, "propertyName": "refreshnocache"}
                await self._link.call("PressInputPropertiesButton", data)
                log.info("OBS: '%s' is loaded again", name)
            except ObsError as error:
                log.warning("OBS: '%s' could not be loaded again: %s", name, error)

    # As something to look at.

    @property
    def open(self) -> bool:
        """Tell whether what viewers see could be looked at now."""
        return self._options.program_picture and self._link.state is ObsConnectionState.READY

    async def picture(self) -> bytes:
        """Return what viewers see now, as JPEG; raises BackendError when it cannot be had."""
        if not self._options.program_picture:
            raise Unsupported("the streamer has not switched that on")
        try:
            async with asyncio.timeout(SIGHT_WITHIN_S):
                return await self._look()
        except (TimeoutError, ObsError):
            raise Unsupported("what is on air could not be looked at, OBS did not answer") from None
        except (LookupError, TypeError, binascii.Error) as error:
            raise BackendError(f"OBS sent no picture: {error!r}") from error

    async def _look(self) -> bytes:
        source = self._options.picture_of
        if source is None:
            source = (await self._link.call("GetSceneList"))["currentProgramSceneName"]
        data: ObsAnswer = {
            "sourceName": source, "imageFormat": "jpg", "imageWidth": SIGHT_WIDTH, "imageCompressionQuality": 95
        }  # fmt: skip
        answer = await self._link.call("GetSourceScreenshot", data)
        return base64.b64decode(str(answer["imageData"]).partition(",")[2], validate=True)

    def _tell(self, happening: SourceEvent | None) -> None:
        if self._happenings.full():
            log.warning("OBS: dropped, too much at once: %s", self._happenings.get_nowait())
        self._happenings.put_nowait(happening)
