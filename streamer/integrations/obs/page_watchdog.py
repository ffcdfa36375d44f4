"""Notices when no overlay page is connected: has OBS load its pages again, and raises an alarm while OBS is live."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.errors import ObsError
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.obs.installer import InstallReport
from streamer.integrations.obs.session import ObsSession

log = logging.getLogger(__name__)

CHECK_EVERY_S = 1.0
MISSING_AFTER_S = 5.0
"""A page that reloads or reconnects is away for a shorter time."""
RELOAD_EVERY_S = 60.0

NO_PAGE = "OBS is live and no overlay page is connected: viewers see no pictures; run: streamer obs install"
NO_PAGE_IN_OBS = "OBS is live and the overlay is open in a browser only, not in OBS; run: streamer obs install"


@dataclass(slots=True)
class PageWatch:
    """When a page was last connected, and when OBS was last told to reload; times are monotonic seconds.

    ``pages`` below holds the OBS version of each connected page, "" for a page in a plain browser.
    """

    seen_at: float
    reloaded_at: float = float("-inf")

    def should_reload(self, pages: Sequence[str], now: float) -> bool:
        """Decide whether OBS must load our browser sources again.

        OBS never retries a failed load, and every load fails while the server is not running.
        """
        if any(pages):
            self.seen_at = now
            return False
        if now - self.seen_at < MISSING_AFTER_S or now - self.reloaded_at < RELOAD_EVERY_S:
            return False
        self.reloaded_at = now
        return True

    def alarm(self, pages: Sequence[str], live: bool, now: float) -> str:
        """Return what is wrong while OBS is live, "" while all is well."""
        if not live or any(pages) or now - self.seen_at < MISSING_AFTER_S:
            return ""
        return NO_PAGE_IN_OBS if pages else NO_PAGE


class PageWatchdog:
    """Watch the pages of one OBS; ``pages`` returns the OBS version of each connected overlay page."""

    def __init__(
        self, session: ObsSession, pages: Callable[[], Sequence[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session, self._pages, self._clock = session, pages, clock
        self._watch = PageWatch(clock())
        self.alarm = ""

    def restart(self) -> None:
        """Begin anew for an OBS that has just been set up; an alarm stays until the next check."""
        self._watch = PageWatch(self._clock())

    def silence(self) -> None:
        """End the alarm: OBS is gone, or is changing its scene collection."""
        self.alarm = ""

    async def run(self) -> None:
        """Check the pages once a second, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            installed = self._session.installed
            if self._session.client.ready and installed is not None and installed.kind is SourceKind.BROWSER:
                await self._check(installed)

    async def _check(self, installed: InstallReport) -> None:
        now, pages = self._clock(), self._pages()
        if installed.names and self._watch.should_reload(pages, now):
            await self._reload(installed)
        alarm = self._watch.alarm(pages, self._session.state.live, now)
        if alarm and alarm != self.alarm:
            log.error("%s", alarm)
        self.alarm = alarm

    async def _reload(self, installed: InstallReport) -> None:
        for name in installed.names.values():
            try:
                button = {"inputName": name, "propertyName": "refreshnocache"}
                await self._session.client.call("PressInputPropertiesButton", button)
                log.info("OBS: reloaded '%s'", name)
            except ObsError as error:
                log.warning("OBS: '%s' could not be reloaded: %s", name, error)
