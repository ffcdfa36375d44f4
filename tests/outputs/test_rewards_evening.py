"""An evening of channel points with everything going wrong at random: every redemption is settled once, and rightly."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from streamer.types import Refusal, Refused, RequestState
from tests.support.reward_shop import Shop, running, trigger
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.twitch_standin.rewards import Redemption as Redeemed
from tests.support.twitch_standin.rewards import Refused as GreyedOut
from tests.support.waiting import until

ENDS = (RequestState.SHOWN, RequestState.SHOWN, RequestState.FAILED, RequestState.EXPIRED, RequestState.SUPERSEDED)
SESSIONS, EACH = 4, 25


class Evening:
    """What happens to whom, and how each redemption should end."""

    def __init__(self, api: TwitchApi, home: Path, seed: int) -> None:
        self.api, self.home, self.chance = api, home, random.Random(seed)
        self.right: dict[str, str] = {}

    async def session(self) -> None:
        """Run the program once, with faults, and end it in the middle of things."""
        async with running(Shop(self.api, self.home)) as shop:
            shop.account.helix._pauses_s = (0.01,)
            await until(lambda: shop.reward_commands.resolve(trigger(self._example())) is not None)
            for number in range(EACH):
                self._go_wrong()
                try:
                    redeemed = shop.redeem(f"viewer{number}")
                except GreyedOut:
                    await asyncio.sleep(0.05)
                    continue
                self.right[redeemed.id] = "CANCELED"
                await self._happen(shop, redeemed)
                await asyncio.sleep(0.01)

    def _example(self) -> Redeemed:
        return Redeemed("x", self.api.rewards.titled("Draw"), self.api.world.user("x"), "castle")

    def _go_wrong(self) -> None:
        kind = self.chance.random()
        if kind < 0.25:
            self.api.faults.inject("PATCH", "/redemptions", self.chance.choice([500, 503]), self.chance.randint(1, 4))
        elif kind < 0.4:
            self.api.faults.inject("PATCH", "/redemptions", 500, done=True)
        elif kind < 0.5:
            self.api.faults.inject("GET", "/custom_rewards", 500, self.chance.randint(1, 3))
        elif kind < 0.6:
            self.api.grants.expire_access()
        elif kind < 0.65:
            self.api.faults.inject("POST", "/token", 503)

    async def _happen(self, shop: Shop, redeemed: Redeemed) -> None:
        kind = self.chance.random()
        if kind < 0.1:
            return  # the event never reaches us
        if kind < 0.25:
            await shop.output.publish(Refused(trigger(redeemed), Refusal(redeemed.id, "words", "no")))
            return
        request = await shop.accept(redeemed)
        if kind < 0.4:
            return  # still waiting when the program ends
        state = self.chance.choice(ENDS)
        if state is RequestState.SHOWN:
            self.right[redeemed.id] = "FULFILLED"
        if kind < 0.5:
            # Ended and written down, but the program ends before the output hears of it.
            await shop.store.requests.end([request.id], state, reason="because")
            return
        await shop.end(request, state)
        if kind < 0.6:
            await shop.output.publish(Refused(trigger(redeemed), Refusal(redeemed.id, "duplicate", "twice")))


@pytest.mark.parametrize("seed", [1])
async def test_whatever_fails_every_redemption_is_settled_once_and_rightly(tmp_path: Path, seed: int) -> None:
    async with TwitchApi() as api:
        api.world.live = True
        api.log_in(tmp_path, MANAGE)
        evening = Evening(api, tmp_path, seed)
        api.rewards.add("Hydrate")
        async with running(Shop(api, tmp_path)) as shop:
            await until(lambda: shop.output.health().state == "ready")
        for _ in range(SESSIONS):
            await evening.session()
        api.faults.clear()
        async with running(Shop(api, tmp_path)):
            await until(
                lambda: all(redemption.status != "UNFULFILLED" for redemption in api.rewards.redemptions.values())
            )
            await asyncio.sleep(0.5)
        assert len(evening.right) > SESSIONS * EACH / 2
        assert {key: redemption.status for key, redemption in api.rewards.redemptions.items()} == evening.right
        assert {redemption.settled for redemption in api.rewards.redemptions.values()} == {1}
        assert len([reward for reward in api.rewards.rewards.values() if reward["title"] == "Draw"]) == 1
