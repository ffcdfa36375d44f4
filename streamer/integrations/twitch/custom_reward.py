"""One channel-point reward: its options in the config, its fields at Twitch, and where the two differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MANAGE_SCOPE = "channel:manage:redemptions"
REWARDS_PATH = "channel_points/custom_rewards"

RewardFields = dict[str, str | int | bool]

# Twitch reports each limit as an object {"is_enabled": ..., "<name>": ...}, but accepts it as two flat fields.
_LIMITS = {
    "max_per_stream": ("is_max_per_stream_enabled", "max_per_stream_setting"),
    "max_per_user_per_stream": ("is_max_per_user_per_stream_enabled", "max_per_user_per_stream_setting"),
    "global_cooldown_seconds": ("is_global_cooldown_enabled", "global_cooldown_setting"),
}


class CustomReward(BaseModel):
    """What viewers see in the channel's list of rewards, and the command that a redemption runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str = Field(
        min_length=1, max_length=45, description="what viewers see; at most 45 characters, unique in the channel"
    )
    cost: int = Field(ge=1, le=2**31 - 1, description="channel points; they are refunded when nothing is shown")
    command: str = Field(min_length=1, description="line to type; {text} is what the viewer wrote")
    prompt: str = Field("", max_length=200, description="what viewers read before they write")
    colour: str = Field("#9146FF", pattern=r"^#[0-9A-Fa-f]{6}$", description="colour of the reward's button")
    per_stream: int | None = Field(None, ge=1, description="most redemptions in one stream; null: no limit")
    per_viewer: int | None = Field(
        None, ge=1, description="most redemptions by one viewer in one stream; null: no limit"
    )
    wait_s: int | None = Field(None, ge=1, le=604_800, description="seconds between two redemptions; null: none")


def desired_fields(reward: CustomReward, paused: bool) -> RewardFields:
    """Return the fields that the reward should have at Twitch, by Twitch's names."""
    fields: RewardFields = {
        "title": reward.title,
        "cost": reward.cost,
        "prompt": reward.prompt,
        "background_color": reward.colour.upper(),
        "is_enabled": True,
        "is_paused": paused,
        "is_user_input_required": "{text}" in reward.command,
        # Skipping the queue would fulfil a redemption at once: the points could not be refunded.
        "should_redemptions_skip_request_queue": False,
    }
    limits = (reward.per_stream, reward.per_viewer, reward.wait_s)
    for (name, (switch, _)), limit in zip(_LIMITS.items(), limits, strict=True):
        fields[switch] = limit is not None
        if limit is not None:
            fields[name] = limit
    return fields


def changed_fields(desired: RewardFields, actual: Mapping[str, Any]) -> RewardFields:
    """Return the desired fields that differ at Twitch."""
    return {name: value for name, value in desired.items() if _actual_value(name, actual) != value}


def _actual_value(name: str, actual: Mapping[str, Any]) -> object:
    for limit, (switch, setting) in _LIMITS.items():
        if name in (limit, switch):
            return (actual.get(setting) or {}).get("is_enabled" if name == switch else limit)
    value = actual.get(name)
    return value.upper() if name == "background_color" and isinstance(value, str) else value


def explain_rejection(title: str, problem: str) -> str:
    """Explain to the streamer why Twitch rejects a reward."""
    if "DUPLICATE_REWARD" in problem:
        return (
            f"the channel already has a reward called '{title}' that this program did not create: choose another title"
        )
    if "TOO_MANY_REWARDS" in problem:
        return f"no room for '{title}': Twitch allows 50 rewards, remove some"
    return f"'{title}': {problem}"
