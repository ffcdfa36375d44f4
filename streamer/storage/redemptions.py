"""What was paid with channel points and what is owed for it: rows that change in the same transaction as the request.

A redemption has one row for its whole life. It is *open* while its request is drawn, *owed* once that has ended (the
points are earned or must go back), and *settled* when the platform has confirmed. Functions take the connection of
whoever runs the transaction (``Store``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from streamer.types import ImageRequest, Redemption, RequestState

Result = TypeVar("Result")

SCHEMA = """
    CREATE TABLE redemptions (
      id TEXT PRIMARY KEY, reward_id TEXT NOT NULL, request_id TEXT NOT NULL DEFAULT '', noted_at REAL NOT NULL,
      earned INTEGER, reason TEXT NOT NULL DEFAULT '', settled_at REAL
    );
    CREATE INDEX redemptions_by_request ON redemptions (request_id);
    CREATE INDEX redemptions_unsettled ON redemptions (noted_at) WHERE settled_at IS NULL;
    """
KEPT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class UnsettledRedemption:
    """A redemption to settle: ``earned`` keeps the points, otherwise they go back."""

    redemption: Redemption
    earned: bool
    reason: str


class Books(Protocol):
    """Whoever keeps the database: runs work on it, all of it or nothing, one after the other, and keeps settings."""

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> Awaitable[Result]: ...

    def setting(self, key: str) -> Awaitable[str | None]: ...

    def set(self, key: str, value: str) -> Awaitable[None]: ...


def open_for(db: sqlite3.Connection, request: ImageRequest, now: float) -> None:
    """Note what a request was paid with; IntegrityError when that redemption has a row already."""
    if (paid := request.redemption) is not None:
        row = (paid.id, paid.reward_id, request.id, now)
        db.execute("INSERT INTO redemptions (id, reward_id, request_id, noted_at) VALUES (?, ?, ?, ?)", row)


def end(db: sqlite3.Connection, endings: Iterable[tuple[str, str, str]]) -> None:
    """Note how requests ended (state, reason, id): only a picture that was on air has earned its points."""
    db.executemany(
        "UPDATE redemptions SET earned = ?, reason = ? WHERE request_id = ? AND earned IS NULL",
        [(state == RequestState.SHOWN, reason, request_id) for state, reason, request_id in endings],
    )


def give_back(db: sqlite3.Connection, paid: Redemption, reason: str, now: float) -> None:
    """Note that points go back for which no request stands; a redemption that has a row keeps it."""
    db.execute(
        "INSERT OR IGNORE INTO redemptions (id, reward_id, noted_at, earned, reason) VALUES (?, ?, ?, 0, ?)",
        (paid.id, paid.reward_id, now, reason),
    )


def unsettled(db: sqlite3.Connection) -> list[UnsettledRedemption]:
    """List what the platform has not confirmed yet, oldest first."""
    rows = db.execute(
        "SELECT id, reward_id, earned, reason FROM redemptions"
        " WHERE settled_at IS NULL AND earned IS NOT NULL ORDER BY noted_at"
    )
    return [UnsettledRedemption(Redemption(row[0], row[1]), bool(row[2]), row[3]) for row in rows.fetchall()]


def settle(db: sqlite3.Connection, redemption_id: str, now: float) -> None:
    """Note that the platform has confirmed, and forget what was settled long ago."""
    db.execute("UPDATE redemptions SET settled_at = ? WHERE id = ?", (now, redemption_id))
    db.execute("DELETE FROM redemptions WHERE settled_at < ?", (now - KEPT_S,))


def unknown(db: sqlite3.Connection, ids: Collection[str]) -> set[str]:
    """Return which redemptions have no row."""
    known = (db.execute("SELECT id FROM redemptions WHERE id = ?", (one,)).fetchone() for one in ids)
    return set(ids) - {row[0] for row in known if row}
