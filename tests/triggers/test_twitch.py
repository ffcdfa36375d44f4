"""Both faces of Twitch at once, against the stand-in on real sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from streamer.types import Notice, NoticeKind, Retraction, Role
from tests.support.twitch_listening import CHAT, listening
from tests.support.twitch_standin.standin import Standin


async def test_a_line_is_heard_once_though_both_faces_tell_it(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as ear:
        await ear.reads_events()
        for number in range(20):
            await twitch.say(f"!bg castle {number}")
        await ear.says("!bg castle 19")
        await asyncio.sleep(0.7)
        assert Counter(ear.texts()) == Counter({f"!bg castle {number}": 1 for number in range(20)})


async def test_without_a_login_chat_is_read_and_the_panel_says_what_is_off(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path, login=False) as ear:
        await twitch.say("!bg castle")
        await ear.says("!bg castle")
        await ear.until(lambda: "nobody is logged in" in ear.source.health().detail)
        assert ear.source.health().state == "ready"
        assert twitch.eventsub.connections == 0


async def test_a_socket_that_goes_silent_costs_no_line_and_is_replaced(
    twitch: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "streamer.integrations.twitch.eventsub_protocol.SLACK_S", -9.5
    )  # announced are ten seconds at least
    twitch.eventsub.pace_s = 0.02
    async with listening(twitch, tmp_path) as ear:
        await ear.reads_events()
        twitch.eventsub.silent = True
        await twitch.say("meanwhile")
        await ear.says("meanwhile")
        await ear.until(lambda: "silent" in ear.source.health().detail or twitch.eventsub.connections >= 2)
        twitch.eventsub.silent = False
        await twitch.subscribed(CHAT)
        await ear.reads_events()
        await twitch.say("after", on="eventsub")
        await ear.says("after")
        assert Counter(ear.texts()) == {"meanwhile": 1, "after": 1}


async def test_every_kind_of_event_arrives_once(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as ear:
        await ear.reads_events()
        await ear.until(lambda: "automod.message.update" in twitch.subscriptions.created)
        await ear.until(lambda: twitch.faults.count("GET /helix/moderation/shield_mode"))
        twitch.eventsub.twice = True
        await twitch.raid("Lighthouse", 40)
        await twitch.follow("ann")
        await twitch.subscribe("bob")
        await twitch.resubscribe("cid", 7, "seven!")
        await twitch.gift("dan", 5)
        await twitch.go_live()
        await twitch.go_live(False)
        await twitch.shield(True)
        await twitch.share_chat("Lighthouse")
        await twitch.share_chat(None)
        await twitch.decide_hold("bad words", "eve", "held-1", "Denied")
        await ear.until(lambda: NoticeKind.SHARED_CHAT_OFF in ear.kinds() and isinstance(ear.heard[-1], Retraction))
        counts = Counter(ear.kinds())
        assert counts == dict.fromkeys(set(NoticeKind) & set(counts), 1) | {NoticeKind.SUBSCRIPTION: 2}
        assert len(counts) == 9
        assert {(one.kind, one.count) for one in ear.heard if isinstance(one, Notice)} >= {
            (NoticeKind.RAID, 40), (NoticeKind.GIFT, 5), (NoticeKind.SUBSCRIPTION, 7)
        }  # fmt: skip


async def test_shield_mode_that_was_on_before_we_came_is_noticed(twitch: Standin, tmp_path: Path) -> None:
    twitch.world.shield = True
    async with listening(twitch, tmp_path) as ear:
        await ear.until(lambda: NoticeKind.SHIELD_ON in ear.kinds())


async def test_lines_in_another_order_are_each_heard_once(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as ear:
        await ear.reads_events()
        twitch.eventsub.shuffle = 5
        for number in range(10):
            await twitch.say(f"line {number}", f"viewer{number}")
        await ear.until(lambda: len(ear.texts()) >= 10)
        await asyncio.sleep(0.7)
        assert sorted(ear.texts()) == sorted(f"line {number}" for number in range(10))


async def test_followers_are_looked_up_once_and_never_hold_chat_up(twitch: Standin, tmp_path: Path) -> None:
    twitch.world.followers.add(twitch.world.user("ann").id)
    async with listening(twitch, tmp_path, followers=True) as ear:
        await ear.reads_events()
        await ear.until(lambda: twitch.faults.count("GET /helix/moderation/shield_mode"))
        twitch.faults.inject("GET", "/channels/followers", 500, delay_s=5, only=twitch.world.user("slow").id)
        await twitch.say("!bg a", "slow", on="eventsub")
        await twitch.say("!bg b", "ann", on="eventsub")
        await twitch.say("!bg c", "bob", on="eventsub")
        assert (await ear.says("!bg b")).actor.role is Role.FOLLOWER
        assert (await ear.says("!bg c")).actor.role is Role.VIEWER
        assert "!bg a" not in ear.texts()
        assert (await ear.says("!bg a")).actor.role is Role.VIEWER
        await twitch.say("!bg d", "ann", on="eventsub")
        assert (await ear.says("!bg d")).actor.role is Role.FOLLOWER
        assert twitch.faults.count("GET /helix/channels/followers") == 3
