"""Each of our rewards runs its command; rewards of others run none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.types import Actor, Redemption, Role, Trigger

TYPED = Trigger("t", "twitch", "castle at night", Actor("1", "Ann", Role.VIEWER), 1.0)
REDEEMED = replace(TYPED, redemption=Redemption("t", "reward-1"))


@pytest.fixture
def commands() -> RewardCommands:
    return RewardCommands({"reward-1": "!bg {text}", "reward-2": "!bg surprise"})


def test_a_redemption_runs_the_command_of_its_reward_and_counts_as_paid(commands: RewardCommands) -> None:
    resolved = commands.resolve(REDEEMED)
    assert resolved == replace(REDEEMED, text="!bg castle at night", paid=True)


def test_a_command_without_a_place_for_text_ignores_what_was_typed(commands: RewardCommands) -> None:
    resolved = commands.resolve(replace(REDEEMED, redemption=Redemption("t", "reward-2")))
    assert resolved is not None
    assert resolved.text == "!bg surprise"


def test_a_reward_of_the_streamers_own_runs_nothing_whatever_was_typed(commands: RewardCommands) -> None:
    theirs = Redemption("t", "hydrate")
    assert commands.resolve(replace(REDEEMED, text="!bg castle", redemption=theirs)) is None


def test_what_was_typed_in_chat_passes_as_it_is(commands: RewardCommands) -> None:
    assert commands.resolve(TYPED) is TYPED


@pytest.mark.parametrize("text", ["!bg castle", "!BG  castle ", " castle"])
def test_the_command_may_be_typed_or_left_out(commands: RewardCommands, text: str) -> None:
    resolved = commands.resolve(replace(REDEEMED, text=text))
    assert resolved is not None
    assert resolved.text == "!bg castle"


def test_a_new_table_replaces_the_whole_old_one(commands: RewardCommands) -> None:
    commands.replace({"reward-3": "!meme {text}"})
    assert commands.resolve(REDEEMED) is None
    assert ("reward-1" in commands, "reward-3" in commands) == (False, True)


@pytest.mark.parametrize("typed", ["!bg castle", "!BG  castle", "！ｂｇ\u3000castle", " castle "])
def test_a_command_that_was_typed_into_the_reward_counts_once(commands: RewardCommands, typed: str) -> None:
    resolved = commands.resolve(replace(REDEEMED, text=typed))
    assert resolved is not None
    assert resolved.text == "!bg castle"
