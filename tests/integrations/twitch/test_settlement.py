"""Settlement against a stand-in for Twitch: each redemption is settled once, whatever fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streamer.types import Refusal, Refused, RequestState
from tests.support.reward_shop import Shop, running, trigger
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("live")


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


async def test_a_refused_redemption_is_refunded(shop: Shop) -> None:
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


async def test_what_was_redeemed_while_the_program_was_away_is_refunded(api: TwitchApi, tmp_path: Path) -> None:
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as shop:
        await until(lambda: shop.output.health().state == "ready")
    api.rewards.titled("Draw").values["is_paused"] = False
    missed = shop.redeem()
    async with running(Shop(api, tmp_path)):
        await until(lambda: missed.status == "CANCELED")
    assert missed.settled == 1


async def test_a_redemption_on_its_way_to_us_is_not_refunded(shop: Shop) -> None:
    redeemed = shop.redeem()
    await asyncio.sleep(0.15)
    request = await shop.accept(redeemed)
    await asyncio.sleep(0.6)
    assert redeemed.status == "UNFULFILLED"
    await shop.end(request, RequestState.SHOWN)
    await until(lambda: redeemed.status == "FULFILLED")


async def test_a_crash_while_drawing_is_refunded_at_the_next_start(api: TwitchApi, tmp_path: Path) -> None:
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
