"""The addresses of Twitch can be pointed elsewhere, and nonsense is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.integrations.twitch.config import KNOWN_BOTS, TwitchConfig


def test_the_defaults_are_twitch_itself_without_a_login() -> None:
    settings = TwitchConfig()
    assert (settings.client_id, settings.helix_url) == ("", "https://api.twitch.tv/helix")


def test_a_slash_at_the_end_does_not_matter() -> None:
    assert TwitchConfig(id_url="http://127.0.0.1:1/oauth2/").id_url == "http://127.0.0.1:1/oauth2"


@pytest.mark.parametrize(
    "wrong", [{"client_id": "Not an id"}, {"id_url": "id.twitch.tv"}, {"eventsub_url": "http://x"}]
)
def test_nonsense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TwitchConfig.model_validate(wrong)


def test_the_known_bots_are_logins_as_twitch_writes_them() -> None:
    assert all(name == name.casefold() and name.replace("_", "").isalnum() for name in KNOWN_BOTS)
    assert len(set(KNOWN_BOTS)) == len(KNOWN_BOTS)
