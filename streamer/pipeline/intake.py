"""Whether requests are taken: open, paused, or closed by panic; kept over a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress

from streamer.interfaces import Health
from streamer.storage.store import Store
from streamer.types import Availability, ImageRequest, Lane, Refusal

SETTING = "intake"
OPEN, PAUSED, PANIC = "open", "paused", "panic"


def availability(intake_open: bool, generator: Health, fallback: str | None) -> Availability:
    """Say whether somebody who pays would get what they pay for."""
    if not intake_open:
        return Availability(False, "requests are paused")
    if fallback:
        return Availability(False, f"the generator is degraded: {fallback}")
    if not generator.draws:
        return Availability(False, f"the generator is {generator.state}")
    return Availability(True)


class Intake:
    """The gate before the rules. A pause holds viewers and lets the streamer through; a panic holds everybody."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # A full disk takes no row any more, and still a name: it may be the disk for which the program is restarted.
        self._mark = store.home / PANIC
        self._state = OPEN
        self._shielded = False

    @property
    def open(self) -> bool:
        """Tell whether viewers may ask."""
        return self._state == OPEN and not self._shielded

    @property
    def panicked(self) -> bool:
        """Tell whether everything is switched off."""
        return self._state == PANIC

    @property
    def paused(self) -> bool:
        """Tell whether the streamer pressed pause; after a panic it takes more than a second press to open."""
        return self._state == PAUSED

    async def restore(self) -> None:
        """Take up the state that the last run left."""
        marked = await asyncio.to_thread(self._mark.exists)
        self._state = PANIC if marked else await self._store.settings.get(SETTING) or OPEN

    def shield(self, on: bool) -> None:
        """Hold viewers while the platform's Shield Mode is on; its end opens nothing that somebody else had closed."""
        self._shielded = on

    def set(self, state: str) -> asyncio.Future[None]:
        """Change at once; the result is there when it is written down. Opening by hand overrules Shield Mode."""
        self._shielded = self._shielded and state != OPEN
        self._state = state
        return self._store.database.run(lambda db: self._write(db, state))

    def _write(self, db: sqlite3.Connection, state: str) -> None:
        if state == PANIC:
            with suppress(OSError):
                self._mark.touch()
        with db:
            self._store.settings.put(db, SETTING, state)
        if state != PANIC:
            self._mark.unlink(missing_ok=True)

    async def pause(self) -> None:
        """Hold viewers; a panic stays a panic."""
        if self._state == OPEN:
            await self.set(PAUSED)

    def objection(self, request: ImageRequest) -> Refusal | None:
        """Refuse a request that is not taken now."""
        if self._state == PANIC:
            return Refusal(request.id, "panic", "pictures are switched off for now")
        if self._state == PAUSED and request.priority is not Lane.BROADCASTER:
            return Refusal(request.id, "paused", "requests are paused for now")
        if self._shielded and request.priority is not Lane.BROADCASTER:
            return Refusal(request.id, "paused", "requests are paused while Shield Mode is on")
        return None
