"""Bans: one a person, and they outlive a restart."""

from __future__ import annotations

from streamer.storage.bans import Ban
from streamer.storage.store import Store, StoreOptions


async def test_a_newer_ban_replaces_the_older_and_both_outlive_a_restart(store: Store) -> None:
    await store.bans.put(Ban("7", "ann", 50.0, "first", "mod", 1.0))
    await store.bans.put(Ban("7", "ann", None, "second", "mod", 2.0))
    await store.bans.put(Ban("ben", "ben", None, "", "mod", 3.0))
    await store.bans.put(Ban("8", "Лисица", None, "", "mod", 4.0, "foxy", seen=True))
    await store.bans.delete("ben")
    again = Store.at(store.home, StoreOptions())
    await again.open()
    assert await again.bans.all() == [
        Ban("7", "ann", None, "second", "mod", 2.0),
        Ban("8", "Лисица", None, "", "mod", 4.0, "foxy", seen=True),
    ]
    await again.close()
