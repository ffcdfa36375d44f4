"""The database: private, migrated at opening, and refused when it belongs to a newer program."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage.schema import MIGRATIONS
from streamer.storage.store import Store, StoreOptions


async def test_the_state_directory_is_private(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "streamer.db") as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store.at(tmp_path, StoreOptions()).open()


async def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"):
        await Store.at(tmp_path / "file" / "home", StoreOptions()).open()
