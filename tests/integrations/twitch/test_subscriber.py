"""Subscribing against what Twitch answers: conflicts, limits, refusals and missing scopes."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.types import NoticeKind
from tests.support.twitch_listener import CHAT, listening
from tests.support.twitch_standin.standin import Standin


async def test_limits_are_waited_out_while_irc_reads_on(twitch: Standin, tmp_path: Path) -> None:
    twitch.faults.inject("POST", "/eventsub/subscriptions", 429, times=12, only=CHAT, headers={"Ratelimit-Reset": "0"})
    async with listening(twitch, tmp_path) as listener:
        await twitch.say("meanwhile")
        await listener.wait_for("meanwhile")
        await twitch.subscribed(CHAT, "channel.raid")
        await listener.wait_for_eventsub()
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")


@pytest.mark.parametrize("status", [403, 410, 400])
async def test_one_refused_subscription_does_not_kill_the_others(twitch: Standin, tmp_path: Path, status: int) -> None:
    twitch.faults.inject("POST", "/eventsub/subscriptions", status, times=99, only="channel.raid")
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        await listener.until(lambda: "raids off: injected" in listener.source.health().detail)
        await twitch.subscribed("channel.follow")
        await twitch.follow("ann")
        await listener.until(lambda: NoticeKind.FOLLOW in listener.kinds())


async def test_a_missing_scope_switches_its_feature_off_and_says_so(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path, "user:read:chat") as listener:
        await listener.wait_for_eventsub()
        assert "follows off: needs moderator:read:followers" in listener.source.health().detail
        assert "rewards off: needs channel:manage:redemptions" in listener.source.health().detail
