"""One channel-point reward: as the config wants it, and what differs from it at Twitch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Values = dict[str, str | int | bool]

# Twitch reports each of these as {"is_enabled": ..., "<name>": ...} in a field of its own, but takes two flat ones.
_LIMITS = {
    "max_per_stream": ("is_max_per_stream_enabled", "max_per_stream_setting"),
    "max_per_user_per_stream": ("is_max_per_user_per_stream_enabled", "max_per_user_per_stream_setting"),
    "global_cooldown_seconds": ("is_global_cooldown_enabled", "global_cooldown_setting"),
}


class CustomReward(BaseModel):
    """What viewers see in the channel's list of rewards, and the line that it types."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str = Field(min_length=1, max_length=45, description="its name; unique in the channel")
    cost: int = Field(ge=1, le=2**31 - 1, description="channel points")
    command: str = Field(min_length=1, description="line to type; {text} is what the viewer wrote")
    prompt: str = Field("", max_length=200, description="what viewers read before they write")
    colour: str = Field("#9146FF", pattern=r"^#[0-9A-Fa-f]{6}$", description="background of its button")
    per_stream: int | None = Field(None, ge=1, description="how often in one stream")
    per_viewer: int | None = Field(None, ge=1, description="how often one viewer in one stream")
    wait_s: int | None = Field(None, ge=1, le=604_800, description="seconds between two redemptions")


def desired_rewards(reward: CustomReward, paused: bool) -> Values:
    """Say what Twitch should hold, in its own field names."""
    values: Values = {
        "title": reward.title,
        "cost": reward.cost,
        "prompt": reward.prompt,
        "background_color": reward.colour.upper(),
        "is_enabled": True,
        "is_paused": paused,
        "is_user_input_required": "{text}" in reward.command,
        # Skipping the queue would fulfil it at once: nothing could be given back.
        "should_redemptions_skip_request_queue": False,
    }
    limits = (reward.per_stream, reward.per_viewer, reward.wait_s)
    for (name, (switch, _)), limit in zip(_LIMITS.items(), limits, strict=True):
        values[switch] = limit is not None
        if limit is not None:
            values[name] = limit
    return values


def differences(values: Values, theirs: Mapping[str, Any]) -> Values:
    """Return the fields in which Twitch holds something else."""
    return {name: value for name, value in values.items() if _held(name, theirs) != value}


def _held(name: str, theirs: Mapping[str, Any]) -> object:
    for limit, (switch, setting) in _LIMITS.items():
        if name in (limit, switch):
            return (theirs.get(setting) or {}).get("is_enabled" if name == switch else limit)
    held = theirs.get(name)
    return held.upper() if name == "background_color" and isinstance(held, str) else held


def explained(title: str, problem: str) -> str:
    """Say in a streamer's words why Twitch does not take a reward."""
    if "DUPLICATE_REWARD" in problem:
        return f"the channel already has a reward called '{title}' that is not ours: choose another title"
    if "TOO_MANY_REWARDS" in problem:
        return f"no room for '{title}': Twitch allows 50 rewards, remove some"
    return f"'{title}': {problem}"
