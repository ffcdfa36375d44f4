"""What is cut out of a chat message, what stays, and which role its badges give."""

import pytest

from streamer.integrations.twitch.chat_message import (
    RoleCache,
    role_of,
    without_cheermotes,
    without_emotes,
)
from streamer.types import Role


@pytest.mark.parametrize("emotes", ["x", "25:4", "25:9-4", "25:900-999", "25:0-1,0-1", "::--,,//"])
def test_emote_positions_that_make_no_sense_do_no_harm(emotes: str) -> None:
    assert set(without_emotes("abc", emotes)) <= set("abc")


@pytest.mark.parametrize(
    ("text", "bits", "left"),
    [
        ("Cheer1 Cheer1 hi", 2, "hi"),
        ("route66 Cheer100", 100, "route66"),
        ("R2D2 Cheer5", 5, "R2D2"),
        ("Cheer0 hi", 5, "Cheer0 hi"),
    ],
)
def test_only_as_many_bits_are_cut_out_as_were_cheered(text: str, bits: int, left: str) -> None:
    assert without_cheermotes(text, bits) == left


def test_the_highest_badge_counts_and_unknown_ones_count_for_nothing() -> None:
    assert role_of(["vip", "lead_moderator", "sparkle"]) is Role.MODERATOR
    assert role_of(["staff", "admin"]) is Role.VIEWER
    assert role_of([]) is Role.VIEWER


def test_somebody_unknown_is_a_viewer() -> None:
    roles = RoleCache()
    roles.put("7", Role.VIP)
    assert (roles.get("7"), roles.get("8")) == (Role.VIP, Role.VIEWER)
