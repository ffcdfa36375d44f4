"""The connection to EventSub on real sockets: moves, losses and every way to be closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.support.twitch_listener import CHAT, listening
from tests.support.twitch_standin.standin import Standin


async def test_a_move_to_another_address_loses_nothing_and_subscribes_nothing_again(
    twitch: Standin, tmp_path: Path
) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        await listener.until(lambda: twitch.faults.count("GET /helix/moderation/shield_mode"))
        before = len(twitch.subscriptions.created)
        await twitch.eventsub.reconnect()
        for number in range(30):
            await twitch.say(f"line {number}", on="eventsub", message_id=f"x{number}")
            await asyncio.sleep(0.005)
        await listener.until(lambda: twitch.eventsub.connections == 2 and len(twitch.eventsub.sessions) == 1)
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")
        assert listener.texts() == [*(f"line {number}" for number in range(30)), "after"]
        assert len(twitch.subscriptions.created) == before
        assert not twitch.eventsub.closed_with


async def test_a_move_that_fails_ends_in_a_fresh_session(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        twitch.eventsub.refuses = 1
        await twitch.eventsub.reconnect()
        await listener.until(lambda: twitch.eventsub.connections >= 3)
        await listener.wait_for_eventsub()
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")


@pytest.mark.parametrize("code", [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 0])
async def test_after_every_close_it_comes_back_subscribed_and_irc_stands_in(
    twitch: Standin, tmp_path: Path, code: int
) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        await (twitch.eventsub.close(code) if code else twitch.eventsub.reset())
        await twitch.say("meanwhile")
        await listener.wait_for("meanwhile")
        await listener.until(lambda: twitch.eventsub.connections >= 2)
        await twitch.subscribed(CHAT)
        await listener.wait_for_eventsub()
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")
        assert Counter(listener.texts()) == {"meanwhile": 1, "after": 1}


async def test_it_never_tires_of_coming_back(twitch: Standin, tmp_path: Path) -> None:
    """No budget of attempts runs out: the sixth loss in a row is mended as the first was."""
    async with listening(twitch, tmp_path) as listener:
        for losses in range(1, 7):
            await listener.wait_for_eventsub()
            await twitch.eventsub.reset()
            await listener.until(lambda: twitch.eventsub.connections > losses)  # noqa: B023
        await twitch.subscribed(CHAT)
        await twitch.say("still here", on="eventsub")
        await listener.wait_for("still here")


async def test_the_token_of_the_moment_is_used_when_it_subscribes_again(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        twitch.grants.expire_access()
        await twitch.eventsub.reset()
        await listener.until(lambda: twitch.eventsub.connections >= 2)
        await twitch.subscribed(CHAT)
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")
        assert twitch.grants.refreshes == 1


@pytest.mark.parametrize("named", [True, False])
async def test_an_orphan_in_the_way_is_removed(twitch: Standin, tmp_path: Path, named: bool) -> None:
    twitch.eventsub.keeps_orphans, twitch.subscriptions.conflict_names_id = True, named
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        await twitch.eventsub.reset()
        await listener.until(lambda: twitch.eventsub.connections >= 2)
        await twitch.subscribed(CHAT, "channel.raid", "channel.shield_mode.end")
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")


async def test_a_revoked_login_falls_back_to_irc_and_says_so(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        twitch.grants.revoke()
        await twitch.eventsub.revoke(CHAT)
        await twitch.eventsub.close(4000)
        await listener.until(lambda: "no longer accepts the login" in listener.source.health().detail)
        await twitch.say("still here")
        await listener.wait_for("still here")
        assert listener.source.health().state == "ready"
