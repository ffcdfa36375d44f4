"""Rewards on a stand-in of Twitch, with the loops running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.integrations.twitch.custom_reward import CustomReward
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.settlement import Pace
from streamer.outputs.rewards import Options, Rewards
from streamer.storage.store import Store, StoreOptions
from streamer.types import (
    Actor,
    Availability,
    Ended,
    ImageRequest,
    Redemption,
    RequestState,
    Role,
    Trigger,
)
from tests.support.examples import REQUEST
from tests.support.twitch_api import MANAGE, TwitchApi
from tests.support.twitch_standin.rewards import Redemption as Redeemed
from tests.support.waiting import until

DRAW = CustomReward(title="Draw", cost=500, command="!bg {text}")
PACE = Pace(look_s=0.1, orphan_s=0.3, first_retry_s=0.05, longest_retry_s=0.2, closing_s=2)


class Shop:
    """The output with everything real around it, and what a pipeline would do to it."""

    def __init__(self, api: TwitchApi, home: Path, **options: object) -> None:
        self.api, self.home = api, home
        self.options = Options.model_validate({"rewards": {"draw": DRAW}, **options})
        self.reward_commands = RewardCommands()
        self.store = Store.at(home, StoreOptions())
        self.account = api.account(home, {MANAGE: "rewards"})
        self.output = Rewards(self.options, self.account, self.store, self.reward_commands, PACE)

    @property
    def reward(self) -> object:
        return self.api.rewards.titled("Draw")

    def redeem(self, name: str = "ann") -> Redeemed:
        return self.api.rewards.redeem(self.api.rewards.titled("Draw"), self.api.world.user(name), "castle")

    async def accept(self, redeemed: Redeemed) -> ImageRequest:
        paid = Redemption(redeemed.id, redeemed.reward.id)
        request = replace(REQUEST, id=redeemed.id, redemption=paid)
        await self.store.requests.accept(request)
        return request

    async def end(self, request: ImageRequest, state: RequestState) -> None:
        await self.store.requests.end([request.id], state, reason="because")
        await self.output.publish(Ended(request, state, "rule", "because"))


@asynccontextmanager
async def running(shop: Shop) -> AsyncIterator[Shop]:
    await shop.store.open()
    await shop.store.recover()
    task = asyncio.create_task(shop.output.run())
    await shop.output.publish(Availability(True))
    try:
        yield shop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await shop.account.close()
        await shop.store.close()


def trigger(redeemed: Redeemed) -> Trigger:
    actor = Actor(redeemed.user.id, redeemed.user.name, Role.VIEWER)
    paid = Redemption(redeemed.id, redeemed.reward.id)
    return Trigger(redeemed.id, "twitch", redeemed.user_input, actor, 1.0, True, redemption=paid)


@pytest.fixture
def live(api: TwitchApi) -> None:
    """Have the channel live, so that rewards can be redeemed."""
    api.world.live = True


@pytest.fixture
async def shop(api: TwitchApi, live: None, tmp_path: Path) -> AsyncIterator[Shop]:
    """Run the output, with its rewards made."""
    api.log_in(tmp_path, MANAGE)
    async with running(Shop(api, tmp_path)) as open_shop:
        await until(lambda: open_shop.output.health().state == "ready")
        yield open_shop
