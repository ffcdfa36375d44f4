"""Rewards against a stand-in for Twitch: made as configured, kept in step, paused when nobody should pay."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.outputs.rewards import Options, Rewards, scopes
from streamer.types import (
    Availability,
    Notice,
    NoticeKind,
)
from tests.support.reward_shop import DRAW, PACE, Shop, running, trigger
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.twitch_standin.rewards import Refused as GreyedOut
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("live")


def titles(api: TwitchApi) -> list[str]:
    return [reward["title"] for reward in api.rewards.rewards.values()]


async def test_a_reward_is_made_once_and_found_again_after_a_restart(
    api: TwitchApi, shop: Shop, tmp_path: Path
) -> None:
    assert titles(api) == ["Draw"]
    made = api.faults.count("POST /helix/channel_points")
    await asyncio.sleep(0.3)
    assert api.faults.count("POST /helix/channel_points") == made == 1
    assert api.rewards.titled("Draw")["is_user_input_required"] is True


async def test_a_program_that_ended_between_making_and_writing_down_makes_no_second_reward(
    api: TwitchApi, tmp_path: Path
) -> None:
    api.log_in(tmp_path, MANAGE)
    api.faults.inject("POST", "/custom_rewards", 500, done=True)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        assert titles(api) == ["Draw"]
        assert shop.redeem().status == "UNFULFILLED"


async def test_a_reward_renamed_or_repriced_by_hand_is_put_right(api: TwitchApi, shop: Shop) -> None:
    reward = api.rewards.titled("Draw")
    reward.values |= {"title": "Renamed", "cost": 1}
    await until(lambda: reward["title"] == "Draw" and reward["cost"] == 500)
    assert len(api.rewards.rewards) == 1


async def test_a_reward_deleted_by_hand_is_made_again(api: TwitchApi, shop: Shop) -> None:
    (old,) = api.rewards.rewards
    del api.rewards.rewards[old]
    await until(lambda: titles(api) == ["Draw"])
    redeemed = shop.redeem()
    await until(lambda: shop.reward_commands.resolve(trigger(redeemed)) is not None)


async def test_rewards_of_the_streamers_own_are_never_touched(api: TwitchApi, tmp_path: Path) -> None:
    own = api.rewards.add("Hydrate", 50)
    same = api.rewards.add("Draw", 50)
    before = [dict(own.values), dict(same.values)]
    api.log_in(tmp_path, MANAGE)
    more = DRAW.model_copy(update={"title": "Paint"})
    async with running(Shop(api, tmp_path, rewards={"draw": DRAW, "paint": more})) as shop:
        await until(lambda: shop.output.health().state == "limited")
        assert "choose another title" in shop.output.health().detail
        assert "Paint" in titles(api)
    assert [dict(own.values), dict(same.values)] == before


async def test_a_reward_taken_out_of_the_config_is_switched_off_and_still_settled(
    api: TwitchApi, tmp_path: Path
) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        redeemed = shop.redeem()
        await shop.accept(redeemed)
    async with running(Shop(api, tmp_path, rewards={})):
        await until(lambda: redeemed.status == "CANCELED")
        await until(lambda: not api.rewards.titled("Draw")["is_enabled"])


async def test_a_twitch_too_slow_for_the_end_of_the_program_is_named_in_the_log(
    api: TwitchApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api.log_in(tmp_path, MANAGE)
    shop = Shop(api, tmp_path)
    shop.output = Rewards(shop.options, shop.account, shop.store, shop.reward_commands, replace(PACE, closing_s=0.0))
    async with running(shop):
        await until(lambda: shop.output.health().state == "ready")
    assert "could not be paused at shutdown: TimeoutError" in caplog.text


async def test_closed_doors_pause_the_rewards_at_once_and_open_ones_resume_them(api: TwitchApi, shop: Shop) -> None:
    await shop.output.publish(Availability(False, "requests are paused"))
    await until(lambda: api.rewards.titled("Draw")["is_paused"])
    with pytest.raises(GreyedOut):
        shop.redeem()
    await until(lambda: "requests are paused" in shop.output.health().detail)
    await shop.output.publish(Availability(True))
    await until(lambda: not api.rewards.titled("Draw")["is_paused"])


async def test_a_channel_that_is_not_live_sells_nothing_unless_wanted(api: TwitchApi, shop: Shop) -> None:
    api.world.live = False
    await shop.output.publish(Notice("twitch", NoticeKind.OFFLINE, 1.0))
    await until(lambda: api.rewards.titled("Draw")["is_paused"])
    await until(lambda: "not live" in shop.output.health().detail)
    await shop.output.publish(Notice("twitch", NoticeKind.ONLINE, 2.0))
    await until(lambda: shop.output.health().state == "ready")
    await asyncio.sleep(0.3)
    assert shop.output.health().state == "ready", "the list of streams is minutes behind what Twitch has just told"


async def test_rewards_may_be_sold_offline(api: TwitchApi, tmp_path: Path) -> None:
    api.world.live = False
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path, while_offline=True)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        assert not api.rewards.titled("Draw")["is_paused"]


async def test_a_program_that_ends_pauses_its_rewards(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
    assert api.rewards.titled("Draw")["is_paused"]


async def test_without_the_scope_or_the_status_it_says_so_and_does_no_harm(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, "user:read:chat")
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "off")
        assert MANAGE in shop.output.health().detail
        api.world.broadcaster_type = ""
        api.log_in(tmp_path, MANAGE)
        again = Shop(api, tmp_path)
        await again.account.close()
    shop2 = Shop(api, tmp_path)
    async with running(shop2):
        await until(lambda: "partner or affiliate" in shop2.output.health().detail)


def test_the_scope_is_asked_for_only_when_there_are_rewards() -> None:
    assert scopes(Options()) == {}
    assert scopes(Options(rewards={"draw": DRAW})) == {MANAGE: "channel-point rewards"}
