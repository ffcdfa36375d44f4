"""The stand-in for Twitch."""

from tests.support.twitch_fixtures import api

__all__ = ["api"]
