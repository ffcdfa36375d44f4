"""Settles channel-point redemptions at Twitch: fulfils those that were shown, refunds all others, retries for ever."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from streamer.errors import StoreError, TwitchError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.custom_reward import MANAGE_SCOPE, REWARDS_PATH
from streamer.integrations.waiting import wait_for_event
from streamer.lru import LruDict
from streamer.storage.redemptions import RedemptionRepository, UnsettledRedemption
from streamer.types import Redemption

log = logging.getLogger(__name__)

REDEMPTIONS_PATH = f"{REWARDS_PATH}/redemptions"
PAGE_SIZE = "50"
"""How many redemptions Twitch returns in a page, at most."""
ORPHAN_S = 30.0
MAX_ORPHANS = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often rewards are checked and how settlement retries, in seconds."""

    look_s: float
    # An open redemption that we do not know may still be on its way to us; after this long it is not.
    orphan_s: float = ORPHAN_S
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    closing_s: float = 3.0


class Settlement:
    """Settle what the database says is owed; each redemption is settled once, over crashes and restarts."""

    def __init__(self, account: Account, redemptions: RedemptionRepository, pace: Pace) -> None:
        self._account, self._redemptions, self._pace = account, redemptions, pace
        self._work = asyncio.Event()
        self._orphans: LruDict[str, float] = LruDict(MAX_ORPHANS)

    def wake(self) -> None:
        """Settle now what has become due."""
        self._work.set()

    async def refund(self, redemption: Redemption, reason: str) -> None:
        """Owe the points of a redemption that no request stands for, and settle it soon."""
        await self._redemptions.give_back(redemption, reason, time.time())
        self._work.set()

    async def refund_orphans(self, reward_ids: Collection[str]) -> None:
        """Refund open redemptions that no request stands for: they were made while the program was away."""
        access = await self._account.access_for(MANAGE_SCOPE)
        if access is None:
            return
        now = time.monotonic()
        for reward_id in reward_ids:
            for redemption_id in await self._unknown(access.user_id, reward_id):
                found_at = self._orphans.get(redemption_id)
                if found_at is None:
                    self._orphans.put(redemption_id, now)
                elif now - found_at >= self._pace.orphan_s:
                    await self.refund(
                        Redemption(redemption_id, reward_id), "redeemed while the program was not running"
                    )

    async def run(self) -> None:
        """Settle what the database says is owed; after a failure retry with growing pauses."""
        pause_s = self._pace.first_retry_s
        while True:
            self._work.clear()
            if await self._settle_all():
                pause_s = self._pace.first_retry_s
                await wait_for_event(self._work, self._pace.look_s)
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._pace.longest_retry_s)

    async def _unknown(self, user_id: str, reward_id: str) -> set[str]:
        """Return the ids of a reward's open redemptions that the database does not know."""
        params = {"broadcaster_id": user_id, "reward_id": reward_id, "status": "UNFULFILLED", "first": PAGE_SIZE}
        try:
            pages = self._account.helix.pages(REDEMPTIONS_PATH, params)
            open_ids = [str(redemption["id"]) async for redemption in pages]
        except TwitchError as error:
            if error.status != 404:
                raise
            return set()  # the reward was deleted by hand since the list was fetched
        return await self._redemptions.unknown(open_ids)

    async def _settle_all(self) -> bool:
        """Settle what is owed; True when nothing is left. A redemption that fails does not hold up the others."""
        settled = True
        try:
            for unsettled in await self._redemptions.unsettled():
                settled &= await self._try_to_settle(unsettled)
        except StoreError as error:
            log.warning("redemptions are not settled yet: %s", error)
            return False
        return settled

    async def _try_to_settle(self, unsettled: UnsettledRedemption) -> bool:
        try:
            return await self._settle(unsettled)
        except TwitchError as error:
            log.warning("redemption %s is not settled yet: %s", unsettled.redemption.id, error)
            return False

    async def _settle(self, unsettled: UnsettledRedemption) -> bool:
        access = await self._account.access_for(MANAGE_SCOPE)
        if access is None:
            return False
        redemption = unsettled.redemption
        params = {"broadcaster_id": access.user_id, "reward_id": redemption.reward_id, "id": redemption.id}
        status = "FULFILLED" if unsettled.earned else "CANCELED"
        try:
            await self._account.helix.patch(REDEMPTIONS_PATH, params, {"status": status})
        except TwitchError as error:
            # No longer open: an earlier attempt succeeded without its answer, or a moderator settled it by hand.
            if error.status != 404:
                raise
        await self._redemptions.settle(redemption.id, time.time())
        return True
