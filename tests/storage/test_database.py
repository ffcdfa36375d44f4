"""The database: private, migrated at opening, and refused when it belongs to a newer program."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import stat
from pathlib import Path
from shutil import disk_usage

import pytest

from streamer.errors import StoreError
from streamer.storage.database import Database, execute, read_only
from streamer.storage.schema import MIGRATIONS
from streamer.storage.store import Store, StoreOptions
from tests.support.files_containing import files_containing


async def test_the_state_directory_is_private(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


async def test_a_state_directory_whose_mode_cannot_be_changed_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    (tmp_path / "home").mkdir(mode=0o755)
    async with Store.at(tmp_path / "home", StoreOptions()).opened() as store:
        assert await store.tokens.all() == []


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "streamer.db") as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match="is newer than this program"):
        await Store.at(tmp_path, StoreOptions()).open()


async def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"):
        await Store.at(tmp_path / "file" / "home", StoreOptions()).open()


def test_reading_beside_the_program_asks_for_a_first_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="start the program once"), read_only(tmp_path):
        pass


def test_reading_an_old_database_asks_for_a_start_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "streamer.db"
    with sqlite3.connect(path) as db:
        db.executescript(MIGRATIONS[0])
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="brings the file up to date"), read_only(tmp_path) as db:
        db.execute("SELECT * FROM verdicts")
    with pytest.raises(StoreError, match="readonly"), read_only(tmp_path) as db:
        db.execute("DELETE FROM requests")
    assert path.read_bytes() == before


async def test_erased_rows_leave_no_byte_on_disk(tmp_path: Path) -> None:
    database = Database(tmp_path)
    await database.open()
    await database.write("INSERT INTO settings VALUES ('key', 'marmalade lighthouse')", ())
    assert files_containing(tmp_path, "marmalade lighthouse"), "or the search proves nothing"
    await database.erase(lambda db: execute(db, "DELETE FROM settings", ()))
    assert files_containing(tmp_path, "marmalade lighthouse") == []
    await database.close()


async def test_a_write_that_nobody_waits_for_is_logged_when_it_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(tmp_path)
    await database.open()
    failed = database.write("INSERT INTO nowhere VALUES (1)", ())
    await database.run(lambda db: None)
    assert failed.done()
    assert "not written: " in caplog.text
    assert "no such table" in caplog.text
    await database.close()


async def test_a_full_disk_is_known_at_once_and_its_end_without_anybody_writing(tmp_path: Path) -> None:
    database = Database(tmp_path)
    await database.open()
    await database.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages(db)}"))
    with pytest.raises(StoreError, match="full"):
        await database.write("INSERT INTO settings VALUES ('key', ?)", ("x" * 100_000,))
    assert "full; free some space" in database.disk.fault
    await database.run(lambda db: db.execute("SELECT * FROM settings").fetchall())
    assert database.disk.fault, "reading proves nothing"
    await database.run(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    watching = asyncio.create_task(database.watch_disk())
    while database.disk.fault:
        await asyncio.sleep(0.01)
    watching.cancel()
    assert database.disk.failures == 1
    assert database.disk.free_bytes == pytest.approx(disk_usage(tmp_path).free, rel=0.2)
    await database.close()


async def test_a_write_that_succeeds_ends_a_fault_and_a_row_that_exists_already_is_none(tmp_path: Path) -> None:
    database = Database(tmp_path)
    await database.open()
    database.disk.failed("full")
    await database.write("INSERT INTO settings VALUES ('key', 'one')", ())
    assert database.disk.fault == ""
    with pytest.raises(StoreError):
        await database.write("INSERT INTO settings VALUES ('key', 'two')", ())
    assert database.disk.fault == ""
    await database.close()


def pages(db: sqlite3.Connection) -> int:
    (count,) = db.execute("PRAGMA page_count").fetchone()
    return int(count)
