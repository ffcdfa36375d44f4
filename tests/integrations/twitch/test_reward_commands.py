"""Rewards stand for lines; rewards of others, and those of nobody, for none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.types import Actor, Redemption, Role, Trigger

TYPED = Trigger("t", "twitch", "castle at night", Actor("1", "Ann", Role.VIEWER), 1.0)
REDEEMED = replace(TYPED, redemption=Redemption("t", "reward-1"))


@pytest.fixture
def offers() -> RewardCommands:
    offers = RewardCommands()
    offers.put({"reward-1": "!bg {text}", "reward-2": "!bg surprise"})
    return offers


def test_a_redemption_types_the_line_of_its_reward_and_counts_as_paid(offers: RewardCommands) -> None:
    worded = offers.worded(REDEEMED)
    assert worded == replace(REDEEMED, text="!bg castle at night", paid=True)


def test_a_line_without_a_place_for_text_ignores_what_was_typed(offers: RewardCommands) -> None:
    worded = offers.worded(replace(REDEEMED, redemption=Redemption("t", "reward-2")))
    assert worded is not None
    assert worded.text == "!bg surprise"


def test_a_reward_of_the_streamers_own_means_nothing_whatever_was_typed(offers: RewardCommands) -> None:
    theirs = Redemption("t", "hydrate")
    assert offers.worded(replace(REDEEMED, text="!bg castle", redemption=theirs)) is None


def test_what_was_typed_in_chat_passes_as_it_is(offers: RewardCommands) -> None:
    assert offers.worded(TYPED) is TYPED


@pytest.mark.parametrize("text", ["!bg castle", "!BG  castle ", " castle"])
def test_the_command_may_be_typed_or_left_out(offers: RewardCommands, text: str) -> None:
    worded = offers.worded(replace(REDEEMED, text=text))
    assert worded is not None
    assert worded.text == "!bg castle"
