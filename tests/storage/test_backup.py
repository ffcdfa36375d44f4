"""Copies of the database: whole by hand, without texts once a day, put back after damage."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage import backup
from streamer.storage.bans import Ban
from streamer.storage.database import FILE_NAME, OTHER_PROGRAM, explain
from streamer.storage.privacy import Privacy, PrivacyOptions
from streamer.storage.schema import MIGRATIONS
from streamer.storage.store import Store, StoreOptions
from tests.support.files_containing import files_containing
from tests.support.queue_requests import request

DAY = 86_400.0


def damage(path: Path) -> None:
    """Overwrite the middle of a file."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 if size > 8192 else 0)
        file.write(b"\xa5" * (size - 4096 if size > 8192 else size))


async def filled(home: Path) -> None:
    """Make a store with one request and one ban."""
    async with Store.at(home, StoreOptions()).opened() as store:
        await store.requests.accept(request(prompt="marmalade lighthouse", request_id="1"))
        await store.bans.put(Ban("7", "tom", None, "spam", "ann", 1.0))


async def bans_in(home: Path) -> list[str]:
    async with Store.at(home, StoreOptions()).opened() as store:
        return [ban.who for ban in await store.bans.all()]


def column(path: Path, statement: str) -> list[object]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute(statement)]


async def test_a_backup_beside_the_open_database_is_whole_private_and_comes_back(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy.db"
    await filled(home)
    async with Store.at(home, StoreOptions()).opened() as store:
        backup.copy_database(home / FILE_NAME, copy)
        await store.bans.delete("7")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert column(copy, "SELECT text FROM requests") == ["marmalade lighthouse"]
    assert await bans_in(home) == []
    kept = backup.put_back(copy, home / FILE_NAME)
    assert await bans_in(home) == ["7"]
    assert kept is not None
    assert column(kept, "SELECT count(*) FROM bans") == [0]


async def test_the_daily_copy_has_bans_but_no_texts_and_is_made_once_a_day_and_kept_three_times(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Store.at(tmp_path, StoreOptions()).opened() as store:
        privacy = Privacy(store, PrivacyOptions())
        for day in (0, 0.5, 1.1, 2.2, 3.3):
            await privacy.back_up_daily(now := 2e9 + day * DAY)
            newest = backup.daily_copies(tmp_path)[-1]
            if day != 0.5:
                os.utime(newest, (now, now))
    copies = backup.daily_copies(tmp_path)
    assert len(copies) == 3
    assert column(copies[-1], "SELECT text || prompt || actor_name FROM requests") == [""]
    assert column(copies[-1], "SELECT state FROM requests") == ["expired"]
    assert column(copies[-1], "SELECT who FROM bans") == ["7"]
    assert not [path for path in copies if files_containing(path.parent, "marmalade lighthouse")]


async def test_whoever_is_forgotten_is_in_no_copy_and_does_not_come_back_with_a_backup(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy.db"
    await filled(home)
    backup.copy_database(home / FILE_NAME, copy)
    asker = "ann"
    async with Store.at(home, StoreOptions()).opened() as store:
        privacy = Privacy(store, PrivacyOptions())
        await privacy.back_up_daily(2e9)
        await privacy.forget(asker)
    assert backup.daily_copies(home) == []
    backup.put_back(copy, home / FILE_NAME)
    assert column(home / FILE_NAME, "SELECT actor_id FROM requests") == [asker], "or the test proves nothing"
    async with Store.at(home, StoreOptions()).opened() as store:
        assert await Privacy(store, PrivacyOptions()).erase_returned() == 1
    assert column(home / FILE_NAME, "SELECT actor_id FROM requests") == []
    assert files_containing(home, "marmalade lighthouse") == []


async def test_whole_copies_in_the_state_folder_go_when_texts_go_and_daily_ones_stay(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Store.at(tmp_path, StoreOptions()).opened() as store:
        privacy = Privacy(store, PrivacyOptions(texts_hours=24))
        await privacy.back_up_daily(2e9)
        backup.copy_before_migration(tmp_path, tmp_path / FILE_NAME, 2)
        whole, (daily,) = tmp_path / "backups" / "before-version-3.db", backup.daily_copies(tmp_path)
        for path in (whole, daily):
            os.utime(path, (2e9, 2e9))
        await privacy.sweep(2e9 + DAY - 60)
        assert whole.exists()
        await privacy.sweep(2e9 + DAY + 60)
        assert not whole.exists()
        assert daily.exists()


async def test_a_database_of_an_older_version_is_kept_before_it_is_changed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.executescript(MIGRATIONS[0])
        db.execute("PRAGMA user_version = 1")
    async with Store.at(tmp_path, StoreOptions()).opened():
        pass
    kept = tmp_path / "backups" / "before-version-2.db"
    assert column(kept, "PRAGMA user_version") == [1]
    assert column(tmp_path / FILE_NAME, "PRAGMA user_version") == [len(MIGRATIONS)]


async def test_a_damaged_database_is_named_with_the_way_out(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with Store.at(tmp_path, StoreOptions()).opened() as store:
        await Privacy(store, PrivacyOptions()).back_up_daily(2e9)
    damage(tmp_path / FILE_NAME)
    with pytest.raises(StoreError, match=r"is damaged .*'streamer restore' puts back the copy of 20") as caught:
        await Store.at(tmp_path, StoreOptions()).open()
    assert caught.value.path == str(tmp_path / FILE_NAME)
    backup.put_back(backup.daily_copies(tmp_path)[-1], tmp_path / FILE_NAME)
    assert await bans_in(tmp_path) == ["7"]


async def test_without_a_copy_the_way_out_is_another_one(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, whatever its name says" * 200)
    with pytest.raises(StoreError, match=r"is damaged .*move the file away"):
        await Store.at(tmp_path, StoreOptions()).open()


@pytest.mark.parametrize("content", [b"", b"nothing" * 5000])
async def test_what_is_no_backup_replaces_nothing(tmp_path: Path, content: bytes) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    await filled(home)
    other.write_bytes(content)
    with pytest.raises(StoreError, match="backup"):
        backup.put_back(other, home / FILE_NAME)
    with pytest.raises(StoreError, match="is the database itself"):
        backup.put_back(home / FILE_NAME, home / FILE_NAME)
    assert await bans_in(home) == ["7"]


async def test_a_backup_of_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    await filled(tmp_path)
    backup.copy_database(tmp_path / FILE_NAME, copy := tmp_path / "copy.db")
    with closing(sqlite3.connect(copy)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError, match="update the program"):
        backup.put_back(copy, tmp_path / FILE_NAME)


async def test_a_locked_database_names_the_other_program_and_not_the_disk(tmp_path: Path) -> None:
    await filled(tmp_path)
    with (
        closing(sqlite3.connect(tmp_path / FILE_NAME)) as browser,
        closing(sqlite3.connect(tmp_path / FILE_NAME, timeout=0)) as other,
    ):
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
    assert OTHER_PROGRAM in explain(caught.value, tmp_path)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(28, "No space left on device"), "free some space"),
        (OSError(30, "Read-only file system"), "make it writable"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_each_fault_of_the_disk_has_its_own_advice(error: OSError, advice: str, tmp_path: Path) -> None:
    assert advice in explain(error, tmp_path)
