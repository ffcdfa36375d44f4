"""Keeps requests, pictures, tokens and settings in SQLite, and picture files beside it."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import StoreError
from streamer.storage import redemptions
from streamer.storage.pictures import StoredPicture
from streamer.storage.requests import StoredRequest
from streamer.storage.schema import MIGRATIONS
from streamer.storage.tokens import StoredToken
from streamer.types import Frame, ImageRequest, RequestState

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SUFFIXES = {"image/jpeg": ".jpg", "image/webp": ".webp", "image/png": ".png"}
OPEN_WITHIN_S = 30.0
OPEN_STATES = (RequestState.QUEUED, RequestState.DRAWING, RequestState.HELD)


class StoreOptions(BaseModel):
    """How much of the past is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pictures_kept: Annotated[int, Field(ge=1, description="newest pictures kept on disk")] = 500
    requests_kept: Annotated[int, Field(ge=100, description="newest requests kept in the database")] = 20_000


class Store:
    """The state directory. One named thread owns the connection; calls run in the order in which they were made."""

    def __init__(self, home: Path, options: StoreOptions) -> None:
        self._home, self._options = home, options
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None

    @property
    def home(self) -> Path:
        """Return the state directory."""
        return self._home

    async def open(self) -> None:
        """Create what is missing and bring the schema up to date; the program itself may be running beside us."""
        await self._run(self._open)

    async def recover(self) -> None:
        """End what a crash left open; only the program that admits and draws may say that nothing is open."""
        await self._run(self._recover)

    async def close(self) -> None:
        """Finish what was asked for and let go of the files."""
        await self._run(self._close)
        self._thread.shutdown(wait=False)

    def accept(self, request: ImageRequest) -> asyncio.Future[None]:
        """Record an accepted request; await the result before telling anybody."""
        return self._run(lambda: self._accept(request, time.time()))

    def mark(self, request_id: str, state: RequestState) -> asyncio.Future[None]:
        """Note where an open request stands: being drawn, or held."""
        statement = "UPDATE requests SET state = ? WHERE id = ? AND ended_at IS NULL"
        return self._run(lambda: self._write(statement, (state, request_id)))

    def run(self, work: Callable[[sqlite3.Connection], Result]) -> asyncio.Future[Result]:
        """Do work in the store's thread, after everything asked for before: all of it is written, or nothing."""
        return self._run(lambda: self._whole(work))

    def end(
        self, ids: Iterable[str], state: RequestState, *, rule: str = "", reason: str = "",
        draw_ms: float | None = None, total_ms: float | None = None,
    ) -> asyncio.Future[None]:  # fmt: skip
        """Put requests into their one terminal state; a request that has one already keeps it."""
        rows = [(state, rule, reason, time.time(), draw_ms, total_ms, request_id) for request_id in ids]
        return self._run(lambda: self._end(rows))

    def keep(self, request: ImageRequest, frame: Frame, verdict_id: str) -> asyncio.Future[None]:
        """Write a picture that went on air to disk, note it as its layer's current one, forget the oldest."""
        return self._run(lambda: self._keep(request, frame, verdict_id, time.time()))

    def off_air(self, layer: str) -> asyncio.Future[None]:
        """Note that a layer shows nothing."""
        return self._run(lambda: self._write("DELETE FROM on_air WHERE layer = ?", (layer,)))

    def put_on_air(self, layer: str, picture_id: str) -> asyncio.Future[None]:
        """Note which kept picture a layer shows."""
        statement = "INSERT OR REPLACE INTO on_air SELECT ?, id FROM pictures WHERE id = ?"
        return self._run(lambda: self._write(statement, (layer, picture_id)))

    def forget_picture(self, picture_id: str) -> asyncio.Future[None]:
        """Remove a picture from disk and history: a moderator took it back."""
        return self._run(lambda: self._forget([picture_id]))

    def on_air(self) -> asyncio.Future[list[Frame]]:
        """Load what each layer showed last, for a restart."""
        return self._run(self._on_air)

    def request(self, request_id: str) -> asyncio.Future[StoredRequest | None]:
        """Find one request."""
        return self._run(lambda: next(iter(self._requests("WHERE id = ?", (request_id,))), None))

    def requests(self, limit: int, state: str | None = None) -> asyncio.Future[list[StoredRequest]]:
        """List the newest requests, newest first."""
        where, values = ("WHERE state = ?", (state,)) if state else ("", ())
        return self._run(lambda: self._requests(f"{where} ORDER BY asked_at DESC LIMIT ?", (*values, limit)))

    def pictures(self, limit: int) -> asyncio.Future[list[StoredPicture]]:
        """List the newest pictures, newest first."""
        return self._run(lambda: self._pictures("ORDER BY shown_at DESC LIMIT ?", (limit,)))

    def picture(self, picture_id: str) -> asyncio.Future[StoredPicture | None]:
        """Find one picture."""
        return self._run(lambda: next(iter(self._pictures("WHERE pictures.id = ?", (picture_id,))), None))

    def frame(self, picture_id: str) -> asyncio.Future[Frame | None]:
        """Load one picture with its bytes."""
        return self._run(lambda: self._frame(picture_id))

    def setting(self, key: str) -> asyncio.Future[str | None]:
        """Read one setting."""
        return self._run(lambda: self._setting(key))

    def set(self, key: str, value: str) -> asyncio.Future[None]:
        """Write one setting."""
        return self._run(lambda: self._write("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value)))

    def tokens(self) -> asyncio.Future[list[StoredToken]]:
        """List the issued tokens."""
        return self._run(self._tokens)

    def add_token(self, digest: str, role: str, name: str) -> asyncio.Future[None]:
        """Keep the digest of a new token."""
        values = (digest, role, name, time.time())
        return self._run(lambda: self._write("INSERT INTO tokens VALUES (?, ?, ?, ?)", values))

    def remove_token(self, name: str) -> asyncio.Future[int]:
        """Revoke the tokens of that name; return how many there were."""
        return self.run(lambda db: db.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount)

    # Below: the store's own thread.

    def _run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._named, work)
        done.add_done_callback(_log_fault)
        return done

    def _named(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(str(self._home), f"{error}; free some space, or set STREAMER_HOME elsewhere") from error

    def _open(self) -> None:
        (self._home / "pictures").mkdir(parents=True, exist_ok=True)
        os.chmod(self._home, 0o700)
        # The program and a command beside it may be the first at the same moment.
        with FileLock(self._home / "streamer.db.lock", timeout=OPEN_WITHIN_S):
            db = sqlite3.connect(self._home / "streamer.db", check_same_thread=False)
            for setting in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
                db.execute(f"PRAGMA {setting}")
            _migrate(db)
        self._db = db

    def _recover(self) -> None:
        rows = [
            (RequestState.EXPIRED, "restart", "the program was restarted", time.time(), None, None, row[0])
            for row in self._rows("SELECT id FROM requests WHERE state IN (?, ?, ?)", OPEN_STATES)
        ]
        self._end(rows)
        self._write("UPDATE airings SET to_at = ? WHERE to_at IS NULL", (time.time(),))

    def _close(self) -> None:
        if self._db:
            self._db.close()
            self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(str(self._home), "is not open")
        return self._db

    def _whole(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        with self._connection() as db:
            return work(db)

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return self._connection().execute(statement, values).fetchall()

    def _write(self, statement: str, values: Sequence[object]) -> None:
        self._whole(lambda db: db.execute(statement, values))

    def _accept(self, request: ImageRequest, now: float) -> None:
        params, actor = request.params, request.actor
        values = (
            request.id, request.command, request.kind, request.layer, request.text, request.prompt, params.width,
            params.height, params.seed, actor.id, actor.name, int(actor.role), int(request.priority), now,
            RequestState.QUEUED, "", "", None, None, None,
        )  # fmt: skip
        # A recording that is played again brings its ids again; the row is then that of the newest time.
        columns = [field.name for field in fields(StoredRequest)]
        again = ", ".join(f"{column} = excluded.{column}" for column in columns)
        marks = ", ".join("?" * len(values))
        with self._connection() as db:
            db.execute(f"INSERT INTO requests VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {again}", values)  # nosec B608
            redemptions.open_for(db, request, now)

    def _end(self, rows: Sequence[tuple[object, ...]]) -> None:
        with self._connection() as db:
            db.executemany(
                "UPDATE requests SET state = ?, rule = ?, reason = ?, ended_at = ?, draw_ms = ?, total_ms = ?"
                " WHERE id = ? AND ended_at IS NULL",
                rows,
            )
            redemptions.end(db, [(str(row[0]), str(row[2]), str(row[6])) for row in rows])

    def _keep(self, request: ImageRequest, frame: Frame, verdict_id: str, now: float) -> None:
        name = f"{int(now * 1000)}-{secrets.token_hex(4)}{SUFFIXES[frame.media_type]}"
        (self._home / "pictures" / name).write_bytes(frame.data)
        row = (request.id, frame.layer, frame.media_type, frame.width, frame.height, name, now, verdict_id)
        with self._connection() as db:
            db.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            if request.seconds is None:
                db.execute("INSERT OR REPLACE INTO on_air VALUES (?, ?)", (frame.layer, request.id))
        self._forget(
            str(row[0])
            for row in self._rows(
                "SELECT id FROM pictures WHERE id NOT IN (SELECT picture_id FROM on_air)"
                " ORDER BY shown_at DESC LIMIT -1 OFFSET ?",
                (self._options.pictures_kept,),
            )
        )
        self._forget_requests()

    def _forget(self, ids: Iterable[str]) -> None:
        for picture_id in ids:
            for (name,) in self._rows("SELECT file FROM pictures WHERE id = ?", (picture_id,)):
                (self._home / "pictures" / str(name)).unlink(missing_ok=True)
            with self._connection() as db:
                db.execute("DELETE FROM on_air WHERE picture_id = ?", (picture_id,))
                db.execute("DELETE FROM pictures WHERE id = ?", (picture_id,))

    def _forget_requests(self) -> None:
        self._write(
            "DELETE FROM requests WHERE ended_at IS NOT NULL AND id NOT IN (SELECT id FROM pictures)"
            " AND asked_at < (SELECT asked_at FROM requests ORDER BY asked_at DESC LIMIT 1 OFFSET ?)",
            (self._options.requests_kept,),
        )

    def _requests(self, tail: str, values: Sequence[object]) -> list[StoredRequest]:
        rows = self._rows(f"SELECT * FROM requests {tail}", values)  # nosec B608 - tail is ours, values are bound
        return [StoredRequest(*row) for row in rows]  # type: ignore[arg-type]

    def _pictures(self, tail: str, values: Sequence[object]) -> list[StoredPicture]:
        statement = (
            "SELECT pictures.id, pictures.layer, media_type, pictures.width, pictures.height, file, shown_at, text,"
            f" actor_name FROM pictures JOIN requests ON requests.id = pictures.id {tail}"  # nosec B608 - as above
        )
        return [StoredPicture(*row) for row in self._rows(statement, values)]  # type: ignore[arg-type]

    def _frame(self, picture_id: str) -> Frame | None:
        for picture in self._pictures("WHERE pictures.id = ?", (picture_id,)):
            path = self._home / "pictures" / picture.file
            if path.is_file():
                return Frame(
                    picture.id, picture.layer, picture.media_type, path.read_bytes(), picture.width, picture.height
                )
        return None

    def _on_air(self) -> list[Frame]:
        frames = (self._frame(str(row[0])) for row in self._rows("SELECT picture_id FROM on_air"))
        return [frame for frame in frames if frame]

    def _tokens(self) -> list[StoredToken]:
        rows = self._rows("SELECT * FROM tokens ORDER BY created_at")
        return [StoredToken(*row) for row in rows]  # type: ignore[arg-type]

    def _setting(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None


def _log_fault(done: asyncio.Future[Any]) -> None:
    """Nobody may be waiting for a note that could not be written; the show goes on without it, but not silently."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("not written: %s", error)


def _migrate(db: sqlite3.Connection) -> None:
    (done,) = db.execute("PRAGMA user_version").fetchone()
    if done > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"the database is of a newer version ({done}) than this program")
    for version, script in enumerate(MIGRATIONS[done:], start=done + 1):
        db.executescript(f"BEGIN; {script} PRAGMA user_version = {version}; COMMIT;")
