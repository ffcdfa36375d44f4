"""The list of known bots holds logins, as Twitch writes them."""

from __future__ import annotations

from streamer.integrations.twitch.config import KNOWN_BOTS


def test_the_list_holds_logins() -> None:
    assert all(name == name.casefold() and name.replace("_", "").isalnum() for name in KNOWN_BOTS)
    assert len(set(KNOWN_BOTS)) == len(KNOWN_BOTS)
