"""The Twitch source: its options, and both connections at once against the stand-in on real sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.integrations.twitch.config import EmoteOptions
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.subscriptions import REWARDS, Feature
from streamer.integrations.twitch.third_party_emotes import ThirdPartyEmotes
from streamer.triggers.twitch import NoChannel, Options, TwitchSource, create, login_of, scopes
from streamer.types import Notice, NoticeKind, Retraction, Role
from tests.support.twitch_listener import CHAT, listening
from tests.support.twitch_standin.standin import Standin


@pytest.mark.parametrize(
    "channel",
    [
        "my_channel",
        "My_Channel",
        "#my_channel",
        "@My_Channel",
        " my_channel ",
        "https://twitch.tv/My_Channel",
        "www.twitch.tv/my_channel?x=1",
        "https://m.twitch.tv/my_channel/videos",
        "https://www.twitch.tv/popout/my_channel/chat?popout=",
        "twitch.tv/popout/My_Channel/chat",
        "//twitch.tv/my_channel",
        "http:twitch.tv/my_channel",
        "https://TWITCH.tv.:443/my_channel#chat",
        "https://www.twitch.tv/moderator/my_channel",
        "https://www.twitch.tv/embed/my_channel/chat?parent=streams.example",
        "https://player.twitch.tv/?parent=streams.example&channel=my_channel&muted=true",
        "https://dashboard.twitch.tv/u/my_channel/stream-manager",
        "https://dashboard.twitch.tv/popout/u/my_channel/stream-manager/chat",
        "https://go.twitch.tv/my_channel",
        "https://www.twitch.tv/my%5Fchannel",
    ],
)
def test_a_channel_may_be_written_in_every_usual_way(channel: str) -> None:
    assert Options(channel=channel).channel == "my_channel"


@pytest.mark.parametrize(
    "channel",
    ["https://www.twitch.tv/", "twitch.tv", "https://www.twitch.tv/popout", "twitch.tv/videos/123456",
     "twitch.tv/directory", "https://clips.twitch.tv/FunnyName", "https://player.twitch.tv/?video=v123",
     "twitch.tv/moderator", "https://www.twitch.tv/popout/x/chat"],
)  # fmt: skip
def test_an_address_at_twitch_that_is_no_channel_joins_none(channel: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a Twitch channel; write the name"):
        login_of(channel)


@pytest.mark.parametrize(
    "channel",
    ["https://www.youtube.com/@my_channel/live", "https://youtu.be/abc", "https://www.youtube.com/watch?v=abc",
     "https://studio.youtube.com/channel/UC1/livestreaming", "kick.com/my_channel", "https://kick.com/popout/abc/chat"],
)  # fmt: skip
def test_an_address_of_another_platform_is_called_that(channel: str) -> None:
    with pytest.raises(ConfigError, match=r"is an address of another platform; write the name"):
        login_of(channel)


@pytest.mark.parametrize(
    "channel", ["no", "a b c", "канал", "x" * 26, "https://example.org/abc", "a;b", "abc\r\nJOIN #x"]
)
def test_a_name_that_cannot_be_a_channel_is_refused_with_the_fix(channel: str) -> None:
    with pytest.raises(ConfigError, match=r"channel: .* is not a Twitch channel; write the name"):
        create(Options(channel=channel))


@pytest.mark.parametrize("channel", [None, "", " ", "#"])
async def test_without_a_channel_the_source_is_silent_and_says_what_to_do(channel: str | None) -> None:
    source = create(Options(channel=channel))
    assert isinstance(source, NoChannel)
    assert [event async for event in source.listen()] == []
    assert source.health().state == "off"
    assert "config.yaml" in source.health().detail
    assert login_of(channel) == ""


def test_with_a_channel_the_source_reads_twitch() -> None:
    source = create(Options(channel="harbour"))
    assert isinstance(source, TwitchSource)
    assert (source.health().state, source.health().detail) == ("connecting", "#harbour")
    assert str(Options().irc_url).startswith("wss://irc-ws.chat.twitch.tv")


@pytest.mark.parametrize("wrong", [{"chanel": "x"}, {"irc_url": "https://x.org"}, {"shared_chat": "perhaps"}])
def test_options_that_mean_nothing_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_a_login_is_asked_for_no_more_than_the_options_use() -> None:
    assert scopes(Options()) == {}
    assert set(scopes(Options(channel="harbour"))) == {"user:read:chat", "moderator:read:shield_mode"}
    chosen = Options(channel="harbour", events=(Feature.BITS,), followers=True)
    assert set(scopes(chosen)) == {"user:read:chat", "bits:read", "moderator:read:followers"}


async def test_a_message_counts_once_though_both_connections_report_it(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        for number in range(20):
            await twitch.say(f"!bg castle {number}")
        await listener.wait_for("!bg castle 19")
        await asyncio.sleep(0.7)
        assert Counter(listener.texts()) == Counter({f"!bg castle {number}": 1 for number in range(20)})


async def test_without_a_login_chat_is_read_and_the_panel_says_what_is_off(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path, login=False) as listener:
        await twitch.say("!bg castle")
        await listener.wait_for("!bg castle")
        await listener.until(lambda: "nobody is logged in" in listener.source.health().detail)
        assert listener.source.health().state == "ready"
        assert twitch.eventsub.connections == 0


async def test_a_socket_that_goes_silent_costs_no_line_and_is_replaced(
    twitch: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "streamer.integrations.twitch.eventsub_protocol.SLACK_S", -9.5
    )  # announced are ten seconds at least
    twitch.eventsub.pace_s = 0.02
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        twitch.eventsub.silent = True
        await twitch.say("meanwhile")
        await listener.wait_for("meanwhile")
        await listener.until(lambda: "silent" in listener.source.health().detail or twitch.eventsub.connections >= 2)
        twitch.eventsub.silent = False
        await twitch.subscribed(CHAT)
        await listener.wait_for_eventsub()
        await twitch.say("after", on="eventsub")
        await listener.wait_for("after")
        assert Counter(listener.texts()) == {"meanwhile": 1, "after": 1}


async def test_every_kind_of_event_arrives_once(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        await listener.until(lambda: "automod.message.update" in twitch.subscriptions.created)
        await listener.until(lambda: twitch.faults.count("GET /helix/moderation/shield_mode"))
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
        await listener.until(
            lambda: NoticeKind.SHARED_CHAT_OFF in listener.kinds() and isinstance(listener.events[-1], Retraction)
        )
        counts = Counter(listener.kinds())
        assert counts == dict.fromkeys(set(NoticeKind) & set(counts), 1) | {NoticeKind.SUBSCRIPTION: 2}
        assert len(counts) == 9
        assert {(event.kind, event.count) for event in listener.events if isinstance(event, Notice)} >= {
            (NoticeKind.RAID, 40), (NoticeKind.GIFT, 5), (NoticeKind.SUBSCRIPTION, 7)
        }  # fmt: skip


async def test_shield_mode_that_was_on_before_we_came_is_noticed(twitch: Standin, tmp_path: Path) -> None:
    twitch.world.shield = True
    async with listening(twitch, tmp_path) as listener:
        await listener.until(lambda: NoticeKind.SHIELD_ON in listener.kinds())


async def test_messages_in_another_order_each_count_once(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path) as listener:
        await listener.wait_for_eventsub()
        twitch.eventsub.shuffle = 5
        for number in range(10):
            await twitch.say(f"line {number}", f"viewer{number}")
        await listener.until(lambda: len(listener.texts()) >= 10)
        await asyncio.sleep(0.7)
        assert sorted(listener.texts()) == sorted(f"line {number}" for number in range(10))


async def test_followers_are_looked_up_once_and_never_hold_chat_up(twitch: Standin, tmp_path: Path) -> None:
    twitch.world.followers.add(twitch.world.user("ann").id)
    async with listening(twitch, tmp_path, followers=True) as listener:
        await listener.wait_for_eventsub()
        await listener.until(lambda: twitch.faults.count("GET /helix/moderation/shield_mode"))
        twitch.faults.inject("GET", "/channels/followers", 500, delay_s=5, only=twitch.world.user("slow").id)
        await twitch.say("!bg a", "slow", on="eventsub")
        await twitch.say("!bg b", "ann", on="eventsub")
        await twitch.say("!bg c", "bob", on="eventsub")
        assert (await listener.wait_for("!bg b")).actor.role is Role.FOLLOWER
        assert (await listener.wait_for("!bg c")).actor.role is Role.VIEWER
        assert "!bg a" not in listener.texts()
        assert (await listener.wait_for("!bg a")).actor.role is Role.VIEWER
        await twitch.say("!bg d", "ann", on="eventsub")
        assert (await listener.wait_for("!bg d")).actor.role is Role.FOLLOWER
        assert twitch.faults.count("GET /helix/channels/followers") == 3


async def test_a_redemption_of_our_reward_runs_its_command_and_others_run_nothing(
    twitch: Standin, tmp_path: Path
) -> None:
    ours, hydrate = twitch.rewards.add("Picture"), twitch.rewards.add("Hydrate")
    commands = RewardCommands({ours.id: "!bg {text}"})
    async with listening(twitch, tmp_path, reward_commands=commands) as listener:
        await listener.wait_for_eventsub()
        await twitch.subscribed(REWARDS.kind)
        await twitch.redeem(hydrate, "ann", "!bg castle")
        await twitch.redeem(ours, "bob", "harbour")
        redeemed = await listener.wait_for("!bg harbour")
        assert redeemed.paid
        assert redeemed.redemption is not None
        assert listener.texts() == ["!bg harbour"]


async def test_emote_names_are_removed_before_a_trigger_leaves(twitch: Standin, tmp_path: Path) -> None:
    async with listening(twitch, tmp_path, login=False) as listener:
        emotes = ThirdPartyEmotes(EmoteOptions(strip=False), listener.account.http, "harbour")
        emotes.names = frozenset({"monkaS"})
        listener.source._emotes = emotes
        await twitch.say("!bg monkaS castle")
        await listener.wait_for("!bg castle")
