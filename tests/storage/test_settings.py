"""Settings: what the program remembers, a text by a key."""

from __future__ import annotations

from streamer.storage.store import Store


async def test_settings_are_kept(store: Store) -> None:
    await store.settings.set("intake", "panic")
    assert await store.settings.get("intake") == "panic"
    await store.settings.set("intake", "open")
    assert (await store.settings.get("intake"), await store.settings.get("other")) == ("open", None)


async def test_settings_are_found_by_their_prefix_and_deleted_one_by_one(store: Store) -> None:
    for key in ("forgetting a", "forgetting b", "intake"):
        await store.settings.set(key, key[-1])
    assert await store.settings.starting_with("forgetting ") == {"forgetting a": "a", "forgetting b": "b"}
    await store.database.run(lambda db: store.settings.delete(db, "forgetting a"))
    assert await store.settings.starting_with("forgetting ") == {"forgetting b": "b"}
