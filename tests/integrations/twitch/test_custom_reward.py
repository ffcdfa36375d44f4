"""What the config wants of a reward, what Twitch holds, and the difference between the two."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.integrations.twitch.custom_reward import CustomReward, desired_rewards, differences, explained
from tests.support.twitch_api import TwitchApi

FULL = CustomReward(
    title="Draw",
    cost=500,
    command="!bg {text}",
    prompt="What?",
    colour="#00ff7f",
    per_stream=9,
    per_viewer=2,
    wait_s=60,
)
PLAIN = CustomReward(title="Draw", cost=500, command="!bg surprise")


@pytest.mark.parametrize("reward", [FULL, PLAIN])
def test_what_twitch_was_given_differs_in_nothing(reward: CustomReward) -> None:
    api = TwitchApi()
    theirs = api.rewards.written(api.rewards.add(client_id="ours", **desired_rewards(reward, True)))  # type: ignore[arg-type]
    assert differences(desired_rewards(reward, True), theirs) == {}
    assert differences(desired_rewards(reward, False), theirs) == {"is_paused": False}


def test_only_what_differs_is_sent() -> None:
    api = TwitchApi()
    theirs = api.rewards.written(api.rewards.add(client_id="ours", **desired_rewards(FULL, False)))  # type: ignore[arg-type]
    changed = FULL.model_copy(update={"title": "Paint", "per_viewer": None, "wait_s": 90})
    assert differences(desired_rewards(changed, False), theirs) == {
        "title": "Paint", "is_max_per_user_per_stream_enabled": False, "global_cooldown_seconds": 90,
    }  # fmt: skip


def test_a_line_with_a_place_for_words_asks_for_them() -> None:
    assert desired_rewards(FULL, False)["is_user_input_required"] is True
    assert desired_rewards(PLAIN, False)["is_user_input_required"] is False


def test_no_reward_ever_skips_the_queue_since_nothing_could_be_given_back() -> None:
    assert desired_rewards(FULL, False)["should_redemptions_skip_request_queue"] is False


@pytest.mark.parametrize("wrong", [{"title": "x" * 46}, {"cost": 0}, {"colour": "red"}, {"prompt": "x" * 201}])
def test_what_twitch_would_refuse_is_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CustomReward.model_validate({**PLAIN.model_dump(), **wrong})


def test_refusals_of_twitch_are_said_with_what_to_do() -> None:
    assert "choose another title" in explained("Draw", "CREATE_CUSTOM_REWARD_DUPLICATE_REWARD")
    assert "50" in explained("Draw", "CREATE_CUSTOM_REWARD_TOO_MANY_REWARDS")
    assert explained("Draw", "no") == "'Draw': no"
