"""The table of channel-point redemptions, whose rows change in the same transaction as their requests.

A redemption keeps one row for its whole life. It is *open* while its request is open, *owed* once the request has
ended (the points are earned or go back), and *settled* when the platform has confirmed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from streamer.storage.database import Database, execute
from streamer.types import ImageRequest, Redemption, RequestState

KEPT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class UnsettledRedemption:
    """A redemption to settle: ``earned`` keeps the points, otherwise they go back."""

    redemption: Redemption
    earned: bool
    reason: str


class RedemptionRepository:
    """Reads and writes redemptions; times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give_back(self, redemption: Redemption, reason: str, now: float) -> asyncio.Future[None]:
        """Note that points go back although no request stands for them; a redemption that has a row keeps it."""
        return self._database.write(
            "INSERT OR IGNORE INTO redemptions (id, reward_id, noted_at, earned, reason) VALUES (?, ?, ?, 0, ?)",
            (redemption.id, redemption.reward_id, now, reason),
        )

    def unsettled(self) -> asyncio.Future[list[UnsettledRedemption]]:
        """List the redemptions that the platform has not confirmed yet, oldest first."""
        return self._database.run(_unsettled)

    def settle(self, redemption_id: str, now: float) -> asyncio.Future[None]:
        """Note that the platform has confirmed, and delete redemptions that were settled long ago."""
        return self._database.run(lambda db: _settle(db, redemption_id, now))

    def unknown(self, ids: Collection[str]) -> asyncio.Future[set[str]]:
        """Return the redemptions that have no row."""
        return self._database.run(lambda db: _unknown(db, ids))

    def open(self, db: sqlite3.Connection, request: ImageRequest, now: float) -> None:
        """Note what a request was paid with; IntegrityError when that redemption has a row already."""
        if (paid := request.redemption) is not None:
            row = (paid.id, paid.reward_id, request.id, now)
            execute(db, "INSERT INTO redemptions (id, reward_id, request_id, noted_at) VALUES (?, ?, ?, ?)", row)

    def of(self, db: sqlite3.Connection, request_id: str) -> Redemption | None:
        """Return what an open request was paid with."""
        row = db.execute("SELECT id, reward_id FROM redemptions WHERE request_id = ?", (request_id,)).fetchone()
        return None if row is None else Redemption(row[0], row[1])

    def end(self, db: sqlite3.Connection, ids: Iterable[str], state: RequestState, reason: str) -> None:
        """Note how requests ended: only a picture that was on air has earned its points."""
        db.executemany(
            "UPDATE redemptions SET earned = ?, reason = ? WHERE request_id = ? AND earned IS NULL",
            [(state is RequestState.SHOWN, reason, request_id) for request_id in ids],
        )


def _unsettled(db: sqlite3.Connection) -> list[UnsettledRedemption]:
    rows = db.execute(
        "SELECT id, reward_id, earned, reason FROM redemptions"
        " WHERE settled_at IS NULL AND earned IS NOT NULL ORDER BY noted_at"
    )
    return [UnsettledRedemption(Redemption(row[0], row[1]), bool(row[2]), row[3]) for row in rows]


def _settle(db: sqlite3.Connection, redemption_id: str, now: float) -> None:
    db.execute("UPDATE redemptions SET settled_at = ? WHERE id = ?", (now, redemption_id))
    db.execute("DELETE FROM redemptions WHERE settled_at < ?", (now - KEPT_S,))


def _unknown(db: sqlite3.Connection, ids: Collection[str]) -> set[str]:
    rows = (db.execute("SELECT id FROM redemptions WHERE id = ?", (key,)).fetchone() for key in ids)
    return set(ids) - {row[0] for row in rows if row}
