"""An open store in an empty folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.storage.store import Store, StoreOptions


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.at(tmp_path / "home", StoreOptions())
    await opened.open()
    yield opened
    await opened.close()
