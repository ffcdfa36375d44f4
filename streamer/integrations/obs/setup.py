"""Sets OBS up whenever it connects or changes its scene collection: reads its state, our sources, the hotkeys."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from streamer.errors import ObsError
from streamer.integrations.obs.connection import ObsEvent
from streamer.integrations.obs.events import missed_notices, state_from_answers
from streamer.integrations.obs.hotkeys import HotkeyScene, set_up_hotkey_scene
from streamer.integrations.obs.image_feed import ImageFeed
from streamer.integrations.obs.installer import Installer
from streamer.integrations.obs.page_watchdog import PageWatchdog
from streamer.integrations.obs.session import ObsSession
from streamer.types import Notice

log = logging.getLogger(__name__)


class ObsSetup:
    """Bring OBS to what config.yaml asks for; ``problem`` says what is not as it should be."""

    def __init__(
        self,
        session: ObsSession,
        installer: Installer,
        feed: ImageFeed,
        watchdog: PageWatchdog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._installer, self._feed = session, installer, feed
        self._watchdog, self._clock = watchdog, clock
        self.hotkeys: HotkeyScene | None = None
        self.problem = ""

    @property
    def alarm(self) -> str:
        """Return what viewers miss while OBS is live, "" while all is well."""
        return self._watchdog.alarm

    async def run_watchdog(self) -> None:
        """Watch the overlay pages, until cancelled."""
        await self._watchdog.run()

    async def read_state(self) -> list[Notice]:
        """Read what OBS does now; return the notices for what changed while the program was not connected."""
        call, now = self._session.client.call, self._clock()
        self.problem, self._session.collection_changing = "", False
        self._watchdog.restart()
        answers = [await call(name) for name in ("GetSceneList", "GetStreamStatus", "GetRecordStatus")]
        state = state_from_answers(answers[0], answers[1], answers[2])
        notices = missed_notices(self._session.state, state, now)
        self._session.state = state
        return notices

    async def set_up(self) -> None:
        """Install or find our sources, create the hotkey scene, and show what is on air."""
        await (self._install() if self._session.options.install else self._find())
        options = self._session.options.hotkeys
        if options.keys:
            self.hotkeys = await set_up_hotkey_scene(self._session.client.call, options.scene, list(options.keys))
        await self._feed.show_all()

    def forget(self) -> None:
        """Drop what is known about sources and hotkeys: OBS is gone, or is changing its scene collection."""
        self._session.installed = self.hotkeys = None
        self._session.collection_changing = False
        self._watchdog.silence()

    async def follow_source(self, event: ObsEvent) -> None:
        """Find a renamed source of ours again; a removed one stays away until OBS connects again."""
        installed = self._session.installed
        names = installed.names.values() if installed is not None else ()
        name = event.data.get("oldInputName") or event.data.get("inputName")
        if name in names:
            await self._find()

    def follow_scene(self, event: ObsEvent) -> bool:
        """Follow the hotkey scene when the streamer renames it; return whether the event was about that."""
        if self.hotkeys is None or event.data.get("oldSceneName") != self.hotkeys.scene:
            return False
        self.hotkeys = HotkeyScene(str(event.data["sceneName"]), self.hotkeys.names)
        return True

    async def _install(self) -> None:
        report = await self._installer.install(self._session.options.scenes)
        self._session.installed = report
        for change in report.changes:
            log.info("OBS: %s", change)
        for problem in report.problems:
            log.warning("OBS: %s", problem)
        self.problem = "; ".join(report.problems)

    async def _find(self) -> None:
        with suppress(ObsError):  # config.yaml does not ask for our sources to be there
            self._session.installed = await self._installer.find()
