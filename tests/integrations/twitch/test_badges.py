"""Badges give the role; what was seen is remembered by user id."""

from streamer.integrations.twitch.chat_message import RoleCache, role_of
from streamer.types import Role


def test_the_highest_badge_counts_and_unknown_ones_count_for_nothing() -> None:
    assert role_of(["vip", "lead_moderator", "sparkle"]) is Role.MODERATOR
    assert role_of(["staff", "admin"]) is Role.VIEWER
    assert role_of([]) is Role.VIEWER


def test_somebody_unknown_is_a_viewer() -> None:
    known = RoleCache()
    known.saw("7", Role.VIP)
    assert (known.role("7"), known.role("8")) == (Role.VIP, Role.VIEWER)
