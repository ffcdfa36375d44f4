"""The stand-in for Twitch, and rewards that are sold there."""

from tests.support.reward_shop import live, shop
from tests.support.twitch_fixtures import api

__all__ = ["api", "live", "shop"]
