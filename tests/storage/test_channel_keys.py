"""Several channels in one store: each key belongs to exactly one of them."""

from __future__ import annotations

import pytest

from streamer.storage.database import ChannelKeys


@pytest.mark.parametrize("channel", ["", "a", "b"])
def test_a_key_is_read_by_its_own_channel_alone(channel: str) -> None:
    key = ChannelKeys(channel).key("background")
    read = {name: ChannelKeys(name).text(key) for name in ("", "a", "b")}
    assert read == {name: "background" if name == channel else None for name in ("", "a", "b")}


def test_the_only_channel_has_plain_keys() -> None:
    assert ChannelKeys().key("background") == "background"
