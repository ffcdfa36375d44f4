"""Channel points: keeps our rewards at Twitch in step with the config, and settles each redemption once."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import LoginError, MissingScope, StoreError, TwitchError, in_words
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.custom_reward import CustomReward, changed_fields, desired_fields, explain_rejection
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.tokens import LOGIN_HINT
from streamer.interfaces import Health, HealthState
from streamer.lru import LruDict
from streamer.storage.redemptions import UnsettledRedemption
from streamer.storage.store import Store
from streamer.types import Availability, Ended, Event, Notice, NoticeKind, Redemption, Refused, RequestState
from streamer.waiting import wait_for_event

log = logging.getLogger(__name__)

MANAGE = "channel:manage:redemptions"
PATH = "channel_points/custom_rewards"
REDEEMED = f"{PATH}/redemptions"
SETTING = "twitch rewards"
BEHIND_S, ORPHAN_S = 300.0, 30.0
LIST = "50"
"""How many redemptions a page holds, at most."""


class Options(BaseModel):
    """The rewards, by a name of your own that stays when the title changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rewards: Mapping[str, CustomReward] = Field({}, description="the rewards, each under a name of your own")
    while_offline: bool = Field(False, description="true: can be redeemed while the channel is not live")
    look_s: float = Field(60.0, gt=0, description="seconds between two looks at Twitch")
    orphan_s: float = Field(ORPHAN_S, gt=0, description="points go back for what was redeemed so long ago unheard")


def scopes(options: Options) -> Mapping[str, str]:
    """Say what the login must cover."""
    return {MANAGE: "channel-point rewards"} if options.rewards else {}


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the output is, in seconds."""

    look_s: float
    # An open redemption that we know nothing of may be on its way to us; after this long it is not.
    orphan_s: float = ORPHAN_S
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    closing_s: float = 3.0


class Rewards:
    """Two loops: one keeps the rewards and finds orphans, the other pays what the ledger says is owed."""

    def __init__(
        self, options: Options, twitch: Account, store: Store, reward_commands: RewardCommands, pace: Pace | None = None
    ) -> None:
        self._options, self._twitch, self._store, self._reward_commands = options, twitch, store, reward_commands
        self._pace = pace or Pace(look_s=options.look_s, orphan_s=options.orphan_s)
        self._ids: dict[str, str] = {}
        self._doors, self._live = Availability(False, "starting"), False
        self._told_live_at: float | None = None
        self._look, self._pay = asyncio.Event(), asyncio.Event()
        self._orphans: LruDict[str, float] = LruDict(1000)
        self._health = Health("channel points", HealthState.CONNECTING)

    def lines(self) -> Mapping[tuple[str, ...], str]:
        """Name the lines that are sold, for the start to check."""
        return {("rewards", name, "command"): reward.command for name, reward in self._options.rewards.items()}

    def health(self) -> Health:
        """Say whether viewers can redeem, and if not, why."""
        return self._health

    async def publish(self, event: Event) -> None:
        """Note what makes a redemption due, and what opens or closes the rewards."""
        if isinstance(event, Availability):
            self._doors = event
            self._look.set()
        elif isinstance(event, Notice) and event.kind in (NoticeKind.ONLINE, NoticeKind.OFFLINE):
            self._live, self._told_live_at = event.kind is NoticeKind.ONLINE, time.monotonic()
            self._look.set()
        elif isinstance(event, Refused) and event.trigger.redemption:
            await self._give_back(event.trigger.redemption, event.refusal.reason)
        elif isinstance(event, Ended) and event.request.redemption:
            # The ledger knows already, by the transaction that ended the request, unless that was never written.
            if event.state is not RequestState.SHOWN:
                await self._give_back(event.request.redemption, event.reason)
            self._pay.set()

    async def run(self) -> None:
        """Keep both loops going; when the program ends, nobody can pay for what will not be drawn."""
        if not self._options.rewards:
            self._health = Health("channel points", HealthState.OFF, "no rewards are configured")
        await self._remember()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_rewards(), name="rewards")
                tasks.create_task(self._pay_debts(), name="settle")
        finally:
            self._doors = Availability(False, "the program ends")
            try:
                async with asyncio.timeout(self._pace.closing_s):
                    await self._keep()
            except (TwitchError, TimeoutError) as error:
                log.warning("the rewards could not be paused at the end: %s", in_words(error))

    async def _keep_rewards(self) -> None:
        """In: the config, doors and stream. Out: rewards at Twitch in step with them, orphans in the ledger."""
        while True:
            self._look.clear()
            try:
                await self._keep()
                await self._find_orphans()
            except (LoginError, MissingScope) as error:
                self._health = Health("channel points", HealthState.FAILED, str(error))
            except (TwitchError, StoreError) as error:
                self._health = Health("channel points", HealthState.RECONNECTING, str(error))
            await wait_for_event(self._look, self._pace.look_s)

    async def _keep(self) -> None:
        if not self._options.rewards and not self._ids:
            return
        access = await self._twitch.access_for(MANAGE)
        if access is None:
            self._health = Health("channel points", HealthState.OFF, f"needs a login with {MANAGE}; {LOGIN_HINT}")
            return
        mine = {"broadcaster_id": access.user_id}
        answer = await self._twitch.helix.get(PATH, {**mine, "only_manageable_rewards": "true"})
        theirs = {str(one["id"]): one for one in answer.get("data", ())}
        why_closed = await self._closed(access.user_id)
        problems = []
        for name, reward in self._options.rewards.items():
            try:
                await self._keep_one(name, reward, theirs, mine, paused=bool(why_closed))
            except TwitchError as error:
                if error.status not in (400, 403):
                    raise
                problems.append(explain_rejection(reward.title, error.problem))
        await self._retire(theirs, mine)
        self._note(why_closed, problems)

    async def _closed(self, user_id: str) -> str:
        """Say why nobody should pay now; empty when they may."""
        if not self._doors.open:
            return self._doors.why
        if self._options.while_offline:
            return ""
        # The list of streams is some minutes behind what an event has just told.
        if self._told_live_at is None or time.monotonic() - self._told_live_at > BEHIND_S:
            answer = await self._twitch.helix.get("streams", {"user_id": user_id})
            self._live = bool(answer.get("data"))
        return "" if self._live else "the channel is not live"

    async def _keep_one(
        self,
        name: str,
        reward: CustomReward,
        theirs: Mapping[str, Mapping[str, Any]],
        mine: dict[str, str],
        paused: bool,
    ) -> None:
        values = desired_fields(reward, paused)
        reward_id = self._ids.get(name, "")
        if reward_id not in theirs:
            # Made by us and not written down: the program ended between the two.
            taken = set(self._ids.values())
            same = (key for key, one in theirs.items() if one.get("title") == reward.title and key not in taken)
            reward_id = next(same, "")
        if not reward_id:
            made = await self._twitch.helix.post(PATH, mine, values)
            reward_id = next((str(one["id"]) for one in made.get("data", ())), "")
            if not reward_id:
                raise TwitchError(0, "the answer to a new reward makes no sense")
        elif changes := changed_fields(values, theirs[reward_id]):
            await self._twitch.helix.patch(PATH, {**mine, "id": reward_id}, changes)
        if self._ids.get(name) != reward_id:
            self._ids[name] = reward_id
            await self._write_down()
        self._offer()

    async def _retire(self, theirs: Mapping[str, Mapping[str, Any]], mine: dict[str, str]) -> None:
        # Switched off and not deleted: deleting would fulfil what is still open, and lose its picture.
        for name, reward_id in self._ids.items():
            if name not in self._options.rewards and theirs.get(reward_id, {}).get("is_enabled"):
                await self._twitch.helix.patch(PATH, {**mine, "id": reward_id}, {"is_enabled": False})

    async def _find_orphans(self) -> None:
        """Give points back for redemptions that no request stands for: made while we were away."""
        if (access := await self._twitch.access_for(MANAGE)) is None:
            return
        now = time.monotonic()
        for reward_id in list(self._ids.values()):
            params = {"broadcaster_id": access.user_id, "reward_id": reward_id, "status": "UNFULFILLED", "first": LIST}
            try:
                there = [str(one["id"]) async for one in self._twitch.helix.pages(REDEEMED, params)]
            except TwitchError as error:
                if error.status != 404:
                    raise
                continue  # deleted by hand since the list above
            for orphan in await self._unknown(there):
                since = self._orphans.get(orphan)
                if since is None:
                    self._orphans.put(orphan, now)
                elif now - since >= self._pace.orphan_s:
                    await self._give_back(Redemption(orphan, reward_id), "redeemed while the program was away")

    async def _unknown(self, ids: Collection[str]) -> set[str]:
        return await self._store.redemptions.unknown(ids)

    async def _pay_debts(self) -> None:
        """In: the ledger. Out: redemptions that Twitch has confirmed as fulfilled or cancelled; retried for ever."""
        pause_s = self._pace.first_retry_s
        while True:
            self._pay.clear()
            try:
                done = await self._settle_all()
            except StoreError as error:
                log.warning("redemptions are not settled yet: %s", error)
                done = False
            if done:
                pause_s = self._pace.first_retry_s
                await wait_for_event(self._pay, self._pace.look_s)
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._pace.longest_retry_s)

    async def _settle_all(self) -> bool:
        """Settle what is owed; tell whether nothing is left. One that Twitch refuses does not hold up the others."""
        left = False
        for debt in await self._store.redemptions.unsettled():
            try:
                done = await self._settle(debt)
            except TwitchError as error:
                log.warning("redemption %s is not settled yet: %s", debt.redemption.id, error)
                done = False
            left = left or not done
        return not left

    async def _settle(self, debt: UnsettledRedemption) -> bool:
        if (access := await self._twitch.access_for(MANAGE)) is None:
            return False
        paid = debt.redemption
        params = {"broadcaster_id": access.user_id, "reward_id": paid.reward_id, "id": paid.id}
        try:
            await self._twitch.helix.patch(REDEEMED, params, {"status": "FULFILLED" if debt.earned else "CANCELED"})
        except TwitchError as error:
            # Not unfulfilled any more: an earlier try got through without its answer, or a moderator was faster.
            if error.status != 404:
                raise
        await self._store.redemptions.settle(paid.id, time.time())
        return True

    async def _give_back(self, paid: Redemption, reason: str) -> None:
        await self._store.redemptions.give_back(paid, reason, time.time())
        self._pay.set()

    async def _remember(self) -> None:
        kept = await self._store.settings.get(SETTING)
        self._ids = json.loads(kept) if kept else {}
        self._offer()

    async def _write_down(self) -> None:
        await self._store.settings.set(SETTING, json.dumps(self._ids))

    def _offer(self) -> None:
        configured = self._options.rewards
        self._reward_commands.replace(
            {self._ids[name]: configured[name].command for name in configured if name in self._ids}
        )

    def _note(self, why_closed: str, problems: list[str]) -> None:
        count = f"{len(self._options.rewards) - len(problems)} rewards"
        detail = "; ".join([count, *([f"paused: {why_closed}"] if why_closed else []), *problems])
        state = HealthState.LIMITED if problems else HealthState.PAUSED if why_closed else HealthState.READY
        if problems and detail != self._health.detail:
            log.warning("channel points: %s", detail)
        self._health = Health("channel points", state, detail)


def create(options: Options, twitch: Account, store: Store, reward_commands: RewardCommands) -> Rewards:
    """Build the output."""
    return Rewards(options, twitch, store, reward_commands)
