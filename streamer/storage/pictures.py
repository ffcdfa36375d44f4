"""The tables of pictures and of what each layer shows, and the picture files."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamer.storage.database import ChannelKeys, Database, execute, placeholders
from streamer.storage.requests import RequestRepository
from streamer.types import Frame, ImageRequest

SUFFIXES = {"image/jpeg": ".jpg", "image/webp": ".webp", "image/png": ".png"}


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """One row of the picture history, with the text that asked for it."""

    id: str
    layer: str
    media_type: str
    width: int
    height: int
    file: str
    shown_at: float
    text: str
    actor_name: str


class PictureRepository:
    """Keeps the newest pictures that went on air, and which of them each layer shows.

    A picture has the id of its request. Files change in the database thread, like the rows.
    """

    def __init__(self, database: Database, requests: RequestRepository, kept: int, keys: ChannelKeys) -> None:
        self._database, self._requests, self._kept, self._keys = database, requests, kept, keys
        self._folder = database.home / "pictures"

    def keep(self, request: ImageRequest, frame: Frame, verdict_id: str) -> asyncio.Future[None]:
        """Keep a picture that went on air and delete the oldest; a picture without end is its layer's current one."""
        kept = self._database.run(lambda db: self._insert(db, request, frame, verdict_id))
        self._database.run(self._prune)
        self._requests.prune()
        return kept

    def delete(self, picture_id: str) -> asyncio.Future[None]:
        """Delete a picture and its file: a moderator took it back."""
        return self._database.run(lambda db: self.erase(db, [picture_id]))

    def get(self, picture_id: str) -> asyncio.Future[StoredPicture | None]:
        """Return one picture without its bytes."""
        return self._database.run(lambda db: _find(db, picture_id))

    def newest(self, limit: int) -> asyncio.Future[list[StoredPicture]]:
        """List the newest pictures, newest first."""
        return self._database.run(lambda db: _select(db, "ORDER BY shown_at DESC LIMIT ?", (limit,)))

    def frame(self, picture_id: str) -> asyncio.Future[Frame | None]:
        """Load one picture with its bytes; None when the row or the file is missing."""
        return self._database.run(lambda db: self._frame(db, picture_id))

    def set_on_air(self, layer: str, picture_id: str) -> asyncio.Future[None]:
        """Note which kept picture a layer shows."""
        statement = "INSERT OR REPLACE INTO on_air SELECT ?, id FROM pictures WHERE id = ?"
        return self._database.write(statement, (self._keys.key(layer), picture_id))

    def clear_on_air(self, layer: str) -> asyncio.Future[None]:
        """Note that a layer shows nothing."""
        return self._database.write("DELETE FROM on_air WHERE layer = ?", (self._keys.key(layer),))

    def on_air(self) -> asyncio.Future[list[Frame]]:
        """Load what each layer showed last, for a restart."""
        return self._database.run(self._on_air)

    def erase(self, db: sqlite3.Connection, ids: Iterable[str]) -> None:
        """Delete pictures and their files."""
        for picture_id in ids:
            files = db.execute("SELECT file FROM pictures WHERE id = ?", (picture_id,)).fetchall()
            execute(db, "DELETE FROM on_air WHERE picture_id = ?", (picture_id,))
            execute(db, "DELETE FROM pictures WHERE id = ?", (picture_id,))
            # Before the commit: after a crash a row without a file is harmless, a file without a row stays forever.
            for (name,) in files:
                (self._folder / str(name)).unlink(missing_ok=True)

    def _insert(self, db: sqlite3.Connection, request: ImageRequest, frame: Frame, verdict_id: str) -> None:
        now = time.time()
        name = f"{int(now * 1000)}-{secrets.token_hex(4)}{SUFFIXES[frame.media_type]}"
        self._folder.mkdir(exist_ok=True)
        (self._folder / name).write_bytes(frame.data)
        row = (request.id, frame.layer, frame.media_type, frame.width, frame.height, name, now, verdict_id)
        execute(db, f"INSERT OR REPLACE INTO pictures VALUES ({placeholders(row)})", row)  # nosec B608
        if request.seconds is None:
            execute(db, "INSERT OR REPLACE INTO on_air VALUES (?, ?)", (self._keys.key(frame.layer), request.id))

    def _prune(self, db: sqlite3.Connection) -> None:
        rows = db.execute(
            "SELECT id FROM pictures WHERE id NOT IN (SELECT picture_id FROM on_air)"
            " ORDER BY shown_at DESC LIMIT -1 OFFSET ?",
            (self._kept,),
        )
        self.erase(db, [str(row[0]) for row in rows.fetchall()])

    def _frame(self, db: sqlite3.Connection, picture_id: str) -> Frame | None:
        picture = _find(db, picture_id)
        if picture is None or not (path := self._folder / picture.file).is_file():
            return None
        return Frame(picture.id, picture.layer, picture.media_type, path.read_bytes(), picture.width, picture.height)

    def _on_air(self, db: sqlite3.Connection) -> list[Frame]:
        rows = db.execute("SELECT layer, picture_id FROM on_air").fetchall()
        frames = (self._frame(db, picture_id) for key, picture_id in rows if self._keys.text(key) is not None)
        return [frame for frame in frames if frame]


def _find(db: sqlite3.Connection, picture_id: str) -> StoredPicture | None:
    return next(iter(_select(db, "WHERE pictures.id = ?", (picture_id,))), None)


def _select(db: sqlite3.Connection, tail: str, values: Sequence[object]) -> list[StoredPicture]:
    rows = db.execute(
        "SELECT pictures.id, pictures.layer, media_type, pictures.width, pictures.height, file, shown_at, text,"
        f" actor_name FROM pictures JOIN requests ON requests.id = pictures.id {tail}",  # nosec B608 - the tail is ours
        values,
    )
    return [StoredPicture(*row) for row in rows]
