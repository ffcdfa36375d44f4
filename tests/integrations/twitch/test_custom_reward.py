"""The fields of a reward in the config, those at Twitch, and the difference between the two."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.integrations.twitch.custom_reward import CustomReward, changed_fields, desired_fields, explain_rejection
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
def test_a_reward_that_was_just_made_has_no_changed_fields(reward: CustomReward) -> None:
    api = TwitchApi()
    actual = api.rewards.written(api.rewards.add(client_id="ours", **desired_fields(reward, True)))  # type: ignore[arg-type]
    assert changed_fields(desired_fields(reward, True), actual) == {}
    assert changed_fields(desired_fields(reward, False), actual) == {"is_paused": False}


def test_only_changed_fields_are_sent() -> None:
    api = TwitchApi()
    actual = api.rewards.written(api.rewards.add(client_id="ours", **desired_fields(FULL, False)))  # type: ignore[arg-type]
    changed = FULL.model_copy(update={"title": "Paint", "per_viewer": None, "wait_s": 90})
    assert changed_fields(desired_fields(changed, False), actual) == {
        "title": "Paint", "is_max_per_user_per_stream_enabled": False, "global_cooldown_seconds": 90,
    }  # fmt: skip


def test_a_command_with_a_place_for_text_asks_the_viewer_for_it() -> None:
    assert desired_fields(FULL, False)["is_user_input_required"] is True
    assert desired_fields(PLAIN, False)["is_user_input_required"] is False


def test_no_reward_ever_skips_the_queue_since_points_could_not_be_refunded() -> None:
    assert desired_fields(FULL, False)["should_redemptions_skip_request_queue"] is False


@pytest.mark.parametrize("wrong", [{"title": "x" * 46}, {"cost": 0}, {"colour": "red"}, {"prompt": "x" * 201}])
def test_what_twitch_would_refuse_is_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CustomReward.model_validate({**PLAIN.model_dump(), **wrong})


def test_rejections_by_twitch_are_explained_with_what_to_do() -> None:
    assert "choose another title" in explain_rejection("Draw", "CREATE_CUSTOM_REWARD_DUPLICATE_REWARD")
    assert "50" in explain_rejection("Draw", "CREATE_CUSTOM_REWARD_TOO_MANY_REWARDS")
    assert explain_rejection("Draw", "no") == "'Draw': no"
