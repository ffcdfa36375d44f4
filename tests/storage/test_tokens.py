"""Issued tokens are kept until they are revoked by name."""

from __future__ import annotations

from streamer.storage.store import Store


async def test_tokens_are_kept_until_they_are_revoked(store: Store) -> None:
    await store.tokens.add("digest", "trigger", "deck")
    assert [(token.name, token.role) for token in await store.tokens.all()] == [("deck", "trigger")]
    assert await store.tokens.delete("deck") == 1
    assert await store.tokens.all() == []
