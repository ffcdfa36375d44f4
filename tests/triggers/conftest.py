"""The stand-in for Twitch."""

from tests.support.twitch_fixtures import twitch

__all__ = ["twitch"]
