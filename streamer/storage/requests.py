"""The table of requests."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from streamer.storage.database import ONLY_CHANNEL, ChannelKeys, Database, execute, execute_each, placeholders
from streamer.storage.redemptions import RedemptionRepository
from streamer.types import Actor, ImageRequest, Redemption, RequestState, Role

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
    actor_login: str = ""
    source: str = ""
    first_time: bool = False
    hold: str = ""
    restarts: int = 0
    channel: str = ""


@dataclass(frozen=True, slots=True)
class InterruptedRequest:
    """A request that the end of the last run left open, ``age_s`` seconds old, with what it was paid with."""

    row: StoredRequest
    age_s: float
    redemption: Redemption | None


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

    def __init__(
        self, database: Database, redemptions: RedemptionRepository, kept: int, keys: ChannelKeys = ONLY_CHANNEL
    ) -> None:
        self._database, self._redemptions, self._kept, self._keys = database, redemptions, kept, keys

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

    def hold(self, ids: Iterable[str], reason: str) -> asyncio.Future[None]:
        """Note that open requests wait for a moderator, and why: after a restart they wait again."""
        rows = [(RequestState.HELD, reason, request_id) for request_id in ids]
        statement = "UPDATE requests SET state = ?, hold = ? WHERE id = ? AND ended_at IS NULL"
        return self._database.run(lambda db: execute_each(db, statement, rows))

    def recover(self, fresh_s: float = 0.0) -> asyncio.Future[list[InterruptedRequest]]:
        """Return the requests that the end of the last run left open, oldest first, and expire all others.

        A request is returned if it was asked for in the last ``fresh_s`` seconds by the wall clock, and once: whatever
        is open over a second restart expires. A clock that was set back a little makes nothing older than new.
        """
        return self._database.run(lambda db: self._recover(db, fresh_s, time.time()))

    def asked_since(self, moment: float) -> asyncio.Future[list[tuple[str, str]]]:
        """List the id and the source of every request of this channel since a moment, in seconds since the epoch."""
        statement = "SELECT id, source FROM requests WHERE asked_at >= ? AND channel = ?"
        return self._database.run(lambda db: db.execute(statement, (moment, self._keys.channel)).fetchall())

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

    def actor_ids(self, db: sqlite3.Connection) -> list[str]:
        """Return who has requests in the table: ids, or pseudonyms of those whose texts are gone."""
        return [str(row[0]) for row in db.execute("SELECT DISTINCT actor_id FROM requests")]

    def people(self) -> asyncio.Future[list[Actor]]:
        """List whoever asked for something, as far as their names are kept, in the order of their last request."""
        return self._database.run(_people)

    def asked_by(self, db: sqlite3.Connection, *actor_ids: str) -> dict[str, set[str]]:
        """Return the ids of somebody's requests, each with the names under which it was asked."""
        where = f"WHERE actor_id IN ({placeholders(actor_ids)})"
        rows = db.execute(f"SELECT id, actor_name, actor_login FROM requests {where}", actor_ids)  # nosec B608 - as above
        return {row[0]: {row[1], row[2]} - {""} for row in rows}

    def erase(self, db: sqlite3.Connection, ids: Iterable[str]) -> None:
        """Delete requests; their pictures are deleted before."""
        db.executemany("DELETE FROM requests WHERE id = ?", [(request_id,) for request_id in ids])

    def end_all(self, db: sqlite3.Connection, now: float) -> None:
        """End what is open in a copy of the database: it is not asked for again when the copy is put back."""
        execute(db, "UPDATE requests SET state = ?, ended_at = ? WHERE ended_at IS NULL", (RequestState.EXPIRED, now))

    def anonymize(self, db: sqlite3.Connection, before: float, pseudonym: Callable[[str], str]) -> None:
        """Empty the texts and names of requests from before a moment; a pseudonym replaces the actor's id."""
        db.create_function("pseudonym", 1, pseudonym, deterministic=True)
        db.execute(
            "UPDATE requests SET text = '', prompt = '', actor_name = '', actor_login = '',"
            " actor_id = pseudonym(actor_id)"
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
            RequestState.QUEUED, "", "", None, None, None, actor.login, request.source, request.first_time,
            request.hold.reason if request.hold else "", 0, self._keys.channel,
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

    def _recover(self, db: sqlite3.Connection, fresh_s: float, now: float) -> list[InterruptedRequest]:
        where = f"WHERE state IN ({placeholders(OPEN_STATES)}) ORDER BY asked_at, rowid"
        left = [(row, now - row.asked_at) for row in _select(db, where, OPEN_STATES)]
        fresh = [
            InterruptedRequest(row, max(0.0, age_s), self._redemptions.of(db, row.id))
            for row, age_s in left if abs(age_s) < fresh_s and row.restarts == 0
        ]  # fmt: skip
        ids = {one.row.id for one in fresh}
        execute_each(db, "UPDATE requests SET restarts = restarts + 1 WHERE id = ?", [(key,) for key in ids])
        old = [row.id for row, _ in left if row.id not in ids]
        self._end(db, old, _Outcome(RequestState.EXPIRED, "restart", "the program was restarted", now))
        return fresh


def _people(db: sqlite3.Connection) -> list[Actor]:
    # One row a person: SQLite takes the other columns from the row that has the maximum.
    rows = db.execute(
        "SELECT actor_id, actor_name, role, actor_login, max(asked_at) FROM requests WHERE actor_name != ''"
        " GROUP BY actor_id ORDER BY max(asked_at)"
    )
    return [Actor(row[0], row[1], Role(row[2]), row[3]) for row in rows]


def _select(db: sqlite3.Connection, tail: str, values: Sequence[object]) -> list[StoredRequest]:
    rows = db.execute(f"SELECT * FROM requests {tail}", values)  # nosec B608 - the tail is ours, the values are bound
    return [_stored(row) for row in rows]


def _stored(row: Sequence[Any]) -> StoredRequest:
    values = dict(zip(_COLUMNS, row, strict=True))
    known = {"state": RequestState(values["state"]), "first_time": bool(values["first_time"])}
    return StoredRequest(**{**values, **known})
