"""A login is asked for what the events need and for nothing else."""

from __future__ import annotations

from streamer.integrations.twitch.subscriptions import of_events


def test_events_ask_for_their_scopes_and_raids_for_none() -> None:
    assert of_events(["raid"]) == {}
    assert of_events(["cheer", "follow", "cheer"]) == {
        "bits:read": "cheer events",
        "moderator:read:followers": "follow events",
    }
