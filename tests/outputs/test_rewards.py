"""Channel points against a Twitch of our own: rewards as configured, each redemption settled once, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.outputs.rewards import MANAGE, Options, Rewards, scopes
from streamer.types import (
    Availability,
    Notice,
    NoticeKind,
    Refusal,
    Refused,
    RequestState,
)
from tests.support.reward_shop import DRAW, PACE, Shop, running, trigger, until
from tests.support.twitch_api import TwitchApi
from tests.support.twitch_standin.rewards import Refused as GreyedOut


@pytest.fixture(autouse=True)
def live(api: TwitchApi) -> None:
    api.world.live = True


@pytest.fixture
async def shop(api: TwitchApi, tmp_path: Path) -> AsyncIterator[Shop]:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        yield shop


def titles(api: TwitchApi) -> list[str]:
    return [one["title"] for one in api.rewards.rewards.values()]


# The rewards themselves.


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
    assert "could not be paused at the end: TimeoutError" in caplog.text


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


# Settling.


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RequestState.SHOWN, "FULFILLED"),
        (RequestState.SUPERSEDED, "CANCELED"),
        (RequestState.REFUSED, "CANCELED"),
        (RequestState.EXPIRED, "CANCELED"),
        (RequestState.CANCELLED, "CANCELED"),
        (RequestState.FAILED, "CANCELED"),
    ],
)
async def test_every_end_settles_the_redemption_once(shop: Shop, state: RequestState, status: str) -> None:
    redeemed = shop.redeem()
    await shop.end(await shop.accept(redeemed), state)
    await until(lambda: redeemed.status == status)
    await asyncio.sleep(0.3)
    assert redeemed.settled == 1


async def test_what_did_not_get_in_is_given_back(shop: Shop) -> None:
    redeemed = shop.redeem()
    await shop.output.publish(Refused(trigger(redeemed), Refusal(redeemed.id, "words", "no")))
    await until(lambda: redeemed.status == "CANCELED")


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_refund_is_tried_until_twitch_says_yes(api: TwitchApi, shop: Shop, status: int) -> None:
    redeemed = shop.redeem()
    headers = {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "1"}
    api.faults.inject("PATCH", "/redemptions", status, times=6, headers=headers)
    shop.account.helix._pauses_s = (0.01,)
    await shop.end(await shop.accept(redeemed), RequestState.FAILED)
    await until(lambda: redeemed.status == "CANCELED")
    assert redeemed.settled == 1


async def test_a_refund_whose_answer_was_lost_is_not_made_twice(api: TwitchApi, shop: Shop) -> None:
    redeemed = shop.redeem()
    api.faults.inject("PATCH", "/redemptions", 500, done=True)
    await shop.end(await shop.accept(redeemed), RequestState.EXPIRED)
    await until(lambda: api.faults.count("PATCH /helix/channel_points/custom_rewards/redemptions") >= 2)
    await asyncio.sleep(0.3)
    assert (redeemed.status, redeemed.settled) == ("CANCELED", 1)


async def test_refunds_that_twitch_did_not_take_survive_a_restart(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        redeemed = shop.redeem()
        shop.account.helix._pauses_s = ()
        api.faults.inject("PATCH", "/redemptions", 500, times=1000)
        await shop.end(await shop.accept(redeemed), RequestState.FAILED)
        await until(lambda: api.faults.count("PATCH /helix/channel_points/custom_rewards/redemptions") >= 2)
    assert redeemed.status == "UNFULFILLED"
    api.faults.clear()
    async with running(Shop(api, tmp_path)):
        await until(lambda: redeemed.status == "CANCELED")
    assert redeemed.settled == 1


async def test_a_redemption_that_a_moderator_settled_by_hand_is_left_alone(shop: Shop) -> None:
    redeemed = shop.redeem()
    request = await shop.accept(redeemed)
    redeemed.status, redeemed.settled = "FULFILLED", 1
    await shop.end(request, RequestState.FAILED)
    await asyncio.sleep(0.4)
    assert (redeemed.status, redeemed.settled) == ("FULFILLED", 1)
    assert await shop.store.database.run(lambda db: db.execute("SELECT settled_at FROM redemptions").fetchone()[0])


async def test_a_redemption_that_cannot_be_settled_does_not_hold_up_the_others(api: TwitchApi, shop: Shop) -> None:
    stuck, other = shop.redeem("ann"), shop.redeem("bob")
    api.faults.inject("PATCH", "/redemptions", 403, times=1000, only=stuck.id)
    for redeemed in (stuck, other):
        await shop.end(await shop.accept(redeemed), RequestState.SHOWN)
    await until(lambda: other.status == "FULFILLED")
    api.faults.clear()
    await until(lambda: stuck.status == "FULFILLED")


# Away and back.


async def test_what_was_redeemed_while_we_were_away_is_given_back(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
    api.rewards.titled("Draw").values["is_paused"] = False
    missed = shop.redeem()
    async with running(Shop(api, tmp_path)):
        await until(lambda: missed.status == "CANCELED")
    assert missed.settled == 1


async def test_a_redemption_on_its_way_to_us_is_not_given_back(shop: Shop) -> None:
    redeemed = shop.redeem()
    await asyncio.sleep(0.15)
    request = await shop.accept(redeemed)
    await asyncio.sleep(0.6)
    assert redeemed.status == "UNFULFILLED"
    await shop.end(request, RequestState.SHOWN)
    await until(lambda: redeemed.status == "FULFILLED")


async def test_a_crash_while_drawing_is_paid_back_at_the_next_start(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
        redeemed = shop.redeem()
        await shop.accept(redeemed)
    async with running(Shop(api, tmp_path)):
        await until(lambda: redeemed.status == "CANCELED")


async def test_a_revoked_login_is_said_and_a_new_one_settles_what_waited(
    api: TwitchApi, shop: Shop, tmp_path: Path
) -> None:
    redeemed = shop.redeem()
    request = await shop.accept(redeemed)
    api.grants.revoke()
    await shop.end(request, RequestState.FAILED)
    await until(lambda: shop.output.health().state in ("failed", "off"))
    assert redeemed.status == "UNFULFILLED"
    api.log_in(tmp_path, MANAGE)
    await until(lambda: redeemed.status == "CANCELED")
    await until(lambda: shop.output.health().state == "ready")


async def test_an_expired_token_is_renewed_on_the_way(api: TwitchApi, shop: Shop) -> None:
    api.grants.expire_access()
    redeemed = shop.redeem()
    await shop.end(await shop.accept(redeemed), RequestState.SHOWN)
    await until(lambda: redeemed.status == "FULFILLED")


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
