"""The table of requests."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from streamer.storage.database import Database, execute, placeholders
from streamer.storage.redemptions import RedemptionRepository
from streamer.types import ImageRequest, RequestState

OPEN_STATES = (RequestState.QUEUED, RequestState.DRAWING, RequestState.HELD)
# A picture refers to its request: the request stays as long as the picture does.
_WITHOUT_PICTURE = "id NOT IN (SELECT id FROM pictures)"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One row of the request history; times are seconds since the epoch, durations milliseconds."""

    id: str
    command: str
    kind: str
    layer: str
    text: str
    prompt: str
    width: int
    height: int
    seed: int
    actor_id: str
    actor_name: str
    role: int
    lane: int
    asked_at: float
    state: RequestState
    rule: str
    reason: str
    ended_at: float | None
    draw_ms: float | None
    total_ms: float | None


class _Outcome(NamedTuple):
    """How a request ended, in the order of the columns that ``_end`` sets."""

    state: RequestState
    rule: str
    reason: str
    ended_at: float
    draw_ms: float | None = None
    total_ms: float | None = None


_COLUMNS = [field.name for field in fields(StoredRequest)]


class RequestRepository:
    """Records every accepted request and how it ends, together with the redemption that paid for it."""

    def __init__(self, database: Database, redemptions: RedemptionRepository, kept: int) -> None:
        self._database, self._redemptions, self._kept = database, redemptions, kept

    def accept(self, request: ImageRequest) -> asyncio.Future[None]:
        """Record an accepted request; await the result before telling anybody."""
        return self._database.run(lambda db: self._insert(db, request, time.time()))

    def set_state(self, request_id: str, state: RequestState) -> asyncio.Future[None]:
        """Note where an open request stands: queued, being drawn, or held."""
        statement = "UPDATE requests SET state = ? WHERE id = ? AND ended_at IS NULL"
        return self._database.write(statement, (state, request_id))

    def end(
        self, ids: Iterable[str], state: RequestState, *, rule: str = "", reason: str = "",
        draw_ms: float | None = None, total_ms: float | None = None,
    ) -> asyncio.Future[None]:  # fmt: skip
        """Put requests into their one terminal state; a request that has one already keeps it."""
        ended, outcome = tuple(ids), _Outcome(state, rule, reason, time.time(), draw_ms, total_ms)
        return self._database.run(lambda db: self._end(db, ended, outcome))

    def end_interrupted(self) -> asyncio.Future[None]:
        """Expire the requests that a crash left open."""
        return self._database.run(self._end_interrupted)

    def get(self, request_id: str) -> asyncio.Future[StoredRequest | None]:
        """Return one request."""
        return self._database.run(lambda db: next(iter(_select(db, "WHERE id = ?", (request_id,))), None))

    def newest(self, limit: int, state: str | None = None) -> asyncio.Future[list[StoredRequest]]:
        """List the newest requests, newest first, optionally those in one state."""
        where, values = ("WHERE state = ?", (state,)) if state else ("", ())
        return self._database.run(lambda db: _select(db, f"{where} ORDER BY asked_at DESC LIMIT ?", (*values, limit)))

    def prune(self) -> asyncio.Future[None]:
        """Delete the oldest ended requests beyond the number that is kept."""
        return self._database.write(
            f"DELETE FROM requests WHERE ended_at IS NOT NULL AND {_WITHOUT_PICTURE}"  # nosec B608 - our own names
            " AND asked_at < (SELECT asked_at FROM requests ORDER BY asked_at DESC LIMIT 1 OFFSET ?)",
            (self._kept,),
        )

    def asked_by(self, db: sqlite3.Connection, *actor_ids: str) -> dict[str, str]:
        """Return the ids of somebody's requests, each with the name under which it was asked."""
        where = f"WHERE actor_id IN ({placeholders(actor_ids)})"
        return dict(db.execute(f"SELECT id, actor_name FROM requests {where}", actor_ids))  # nosec B608 - as above

    def erase(self, db: sqlite3.Connection, ids: Iterable[str]) -> None:
        """Delete requests; their pictures are deleted before."""
        db.executemany("DELETE FROM requests WHERE id = ?", [(request_id,) for request_id in ids])

    def anonymize(self, db: sqlite3.Connection, before: float, pseudonym: Callable[[str], str]) -> None:
        """Empty the texts and names of requests from before a moment; a pseudonym replaces the actor's id."""
        db.create_function("pseudonym", 1, pseudonym, deterministic=True)
        db.execute(
            "UPDATE requests SET text = '', prompt = '', actor_name = '', actor_id = pseudonym(actor_id)"
            " WHERE asked_at < ? AND ended_at IS NOT NULL AND actor_id NOT LIKE '~%'",
            (before,),
        )

    def delete_before(self, db: sqlite3.Connection, before: float) -> None:
        """Delete ended requests from before a moment, unless a picture of theirs is kept."""
        statement = f"DELETE FROM requests WHERE asked_at < ? AND ended_at IS NOT NULL AND {_WITHOUT_PICTURE}"  # nosec B608
        execute(db, statement, (before,))

    def _insert(self, db: sqlite3.Connection, request: ImageRequest, now: float) -> None:
        params, actor = request.params, request.actor
        row = (
            request.id, request.command, request.kind, request.layer, request.text, request.prompt, params.width,
            params.height, params.seed, actor.id, actor.name, int(actor.role), int(request.priority), now,
            RequestState.QUEUED, "", "", None, None, None,
        )  # fmt: skip
        # A replayed recording brings its ids again; the row then belongs to the newest time.
        update = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
        statement = f"INSERT INTO requests VALUES ({placeholders(row)}) ON CONFLICT (id) DO UPDATE SET {update}"  # nosec B608
        execute(db, statement, row)
        self._redemptions.open(db, request, now)

    def _end(self, db: sqlite3.Connection, ids: Sequence[str], outcome: _Outcome) -> None:
        db.executemany(
            "UPDATE requests SET state = ?, rule = ?, reason = ?, ended_at = ?, draw_ms = ?, total_ms = ?"
            " WHERE id = ? AND ended_at IS NULL",
            [(*outcome, request_id) for request_id in ids],
        )
        self._redemptions.end(db, ids, outcome.state, outcome.reason)

    def _end_interrupted(self, db: sqlite3.Connection) -> None:
        rows = db.execute(f"SELECT id FROM requests WHERE state IN ({placeholders(OPEN_STATES)})", OPEN_STATES)  # nosec B608
        ids = [str(row[0]) for row in rows.fetchall()]
        self._end(db, ids, _Outcome(RequestState.EXPIRED, "restart", "the program was restarted", time.time()))


def _select(db: sqlite3.Connection, tail: str, values: Sequence[object]) -> list[StoredRequest]:
    rows = db.execute(f"SELECT * FROM requests {tail}", values)  # nosec B608 - the tail is ours, the values are bound
    return [_stored(row) for row in rows]


def _stored(row: Sequence[Any]) -> StoredRequest:
    values = dict(zip(_COLUMNS, row, strict=True))
    return StoredRequest(**{**values, "state": RequestState(values["state"])})
