"""Whether requests are taken: open, paused, or closed by panic; kept over a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from enum import StrEnum

from streamer.interfaces import Health
from streamer.storage.store import Store
from streamer.types import Availability, ImageRequest, Refusal

SETTING = "intake"


def availability(intake_open: bool, generator: Health, fallback: str | None) -> Availability:
    """Tell the outputs whether a paid request would be drawn now."""
    if not intake_open:
        return Availability(False, "requests are paused")
    if fallback:
        return Availability(False, f"the generator is degraded: {fallback}")
    if not generator.draws:
        return Availability(False, f"the generator is {generator.state}")
    return Availability(True)


class IntakeState(StrEnum):
    """Whose requests are taken; the values are stored."""

    OPEN = "open"
    PAUSED = "paused"
    PANIC = "panic"


def _known_state(stored: str | None) -> IntakeState:
    """Return a stored state; one that only a newer version knows keeps viewers out."""
    if stored is None:
        return IntakeState.OPEN
    return IntakeState(stored) if stored in set(IntakeState) else IntakeState.PAUSED


class Intake:
    """Close requests before any rule is asked: a pause refuses viewers, a panic refuses everybody."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # A full disk takes no row any more, but still an empty file; and it may be why the program is restarted.
        self._mark = store.home / (
            f"{IntakeState.PANIC}-{store.keys.channel}" if store.keys.channel else IntakeState.PANIC
        )
        self._state = IntakeState.OPEN
        self._shielded = False

    @property
    def open(self) -> bool:
        """Tell whether viewers may ask."""
        return self._state is IntakeState.OPEN and not self._shielded

    @property
    def panicked(self) -> bool:
        """Tell whether everything is switched off."""
        return self._state is IntakeState.PANIC

    @property
    def paused(self) -> bool:
        """Tell whether requests are paused; a panic is no pause, and a second press of pause does not end it."""
        return self._state is IntakeState.PAUSED

    async def restore(self) -> None:
        """Load the state that the last run left."""
        marked = await asyncio.to_thread(self._mark.exists)
        stored = await self._store.settings.get(SETTING)
        self._state = IntakeState.PANIC if marked else _known_state(stored)

    def shield(self, on: bool) -> None:
        """Refuse viewers while Shield Mode is on; its end opens nothing that somebody else had closed."""
        self._shielded = on

    def set(self, state: IntakeState) -> asyncio.Future[None]:
        """Change at once; the future is done when it is written down. Opening by hand overrules Shield Mode."""
        self._shielded = self._shielded and state is not IntakeState.OPEN
        self._state = state
        return self._store.database.run(lambda db: self._write(db, state))

    def _write(self, db: sqlite3.Connection, state: IntakeState) -> None:
        if state is IntakeState.PANIC:
            with suppress(OSError):
                self._mark.touch()
        with db:  # the mark stays until the row is on disk
            self._store.settings.put(db, SETTING, state)
        if state is not IntakeState.PANIC:
            self._mark.unlink(missing_ok=True)

    async def pause(self) -> None:
        """Refuse viewers; a panic stays a panic."""
        if self._state is IntakeState.OPEN:
            await self.set(IntakeState.PAUSED)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a request that is not taken now."""
        if self._state is IntakeState.PANIC:
            return Refusal(request.id, "panic", "pictures are switched off for now")
        if self._state is IntakeState.PAUSED and not request.own:
            return Refusal(request.id, "paused", "requests are paused for now")
        if self._shielded and not request.own:
            return Refusal(request.id, "paused", "requests are paused while Shield Mode is on")
        return None
