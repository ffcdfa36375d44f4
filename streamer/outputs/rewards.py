"""Channel points: keeps our rewards at Twitch as configured, and settles each redemption once."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import LoginError, MissingScope, StoreError, TwitchError, in_words
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.custom_reward import (
    MANAGE_SCOPE,
    REWARDS_PATH,
    CustomReward,
    changed_fields,
    desired_fields,
    explain_rejection,
)
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.settlement import ORPHAN_S, Pace, Settlement
from streamer.integrations.twitch.tokens import LOGIN_HINT
from streamer.integrations.waiting import wait_for_event
from streamer.interfaces import Health, HealthState
from streamer.storage.store import Store
from streamer.types import Availability, Ended, Event, Notice, NoticeKind, Refused, RequestState

log = logging.getLogger(__name__)

IDS_SETTING = "twitch rewards"
STREAM_LIST_DELAY_S = 300.0
"""How long Twitch's list of live streams may contradict the event that the stream has started or ended."""

TwitchRewards = Mapping[str, Mapping[str, Any]]
"""Our rewards as Twitch reports them, by id."""


class Options(BaseModel):
    """The rewards, each under a name of your own that stays when the title changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rewards: Mapping[str, CustomReward] = Field(
        {},
        description="the rewards, each under a name of your choice, which must stay the same when you change the title",
    )
    while_offline: bool = Field(False, description="true: viewers can redeem while the channel is not live")
    look_s: float = Field(
        60.0, gt=0, description="seconds between two checks of the rewards on Twitch, which correct any difference"
    )
    orphan_s: float = Field(
        ORPHAN_S,
        gt=0,
        description="seconds after which points are refunded for a redemption that never reached the program",
    )


def scopes(options: Options) -> Mapping[str, str]:
    """Map each scope that a login must cover for these options to its feature."""
    return {MANAGE_SCOPE: "channel-point rewards"} if options.rewards else {}


def create(options: Options, twitch: Account, store: Store, reward_commands: RewardCommands) -> Rewards:
    """Build the output."""
    return Rewards(options, twitch, store, reward_commands)


class Rewards:
    """Keep the rewards at Twitch in step with config, availability and stream; a Settlement settles redemptions."""

    def __init__(
        self, options: Options, twitch: Account, store: Store, reward_commands: RewardCommands, pace: Pace | None = None
    ) -> None:
        self._options, self._account, self._store, self._reward_commands = options, twitch, store, reward_commands
        self._pace = pace or Pace(look_s=options.look_s, orphan_s=options.orphan_s)
        self._settlement = Settlement(twitch, store.redemptions, self._pace)
        # Twitch's reward ids by the names in config.yaml.
        self._ids: dict[str, str] = {}
        self._availability, self._live = Availability(False, "starting"), False
        self._live_changed_at: float | None = None
        self._changed = asyncio.Event()
        self._health = Health("channel points", HealthState.CONNECTING)

    def lines(self) -> Mapping[tuple[str, ...], str]:
        """Return the commands that are sold, by their place in the options, for the start to check."""
        return {("rewards", name, "command"): reward.command for name, reward in self._options.rewards.items()}

    def health(self) -> Health:
        """Say whether viewers can redeem, and if not, why."""
        return self._health

    async def publish(self, event: Event) -> None:
        """Handle what makes a redemption due, and what opens or pauses the rewards."""
        if isinstance(event, Availability):
            self._availability = event
            self._changed.set()
        elif isinstance(event, Notice) and event.kind in (NoticeKind.ONLINE, NoticeKind.OFFLINE):
            self._live, self._live_changed_at = event.kind is NoticeKind.ONLINE, time.monotonic()
            self._changed.set()
        elif isinstance(event, Refused) and event.trigger.redemption:
            await self._settlement.refund(event.trigger.redemption, event.refusal.reason)
        elif isinstance(event, Ended) and event.request.redemption:
            # The transaction that ended the request has stored what is owed, unless the request was never stored.
            if event.state is not RequestState.SHOWN:
                await self._settlement.refund(event.request.redemption, event.reason)
            self._settlement.wake()

    async def run(self) -> None:
        """Run both loops; at the end pause the rewards, since nothing redeemed then would be drawn."""
        if not self._options.rewards:
            self._health = Health("channel points", HealthState.OFF, "no rewards are configured")
        await self._load_ids()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_in_step(), name="rewards")
                tasks.create_task(self._settlement.run(), name="settle")
        finally:
            self._availability = Availability(False, "the program is stopping")
            try:
                async with asyncio.timeout(self._pace.closing_s):
                    await self._sync()
            except (TwitchError, TimeoutError) as error:
                log.warning("the rewards could not be paused at shutdown: %s", in_words(error))

    async def _keep_in_step(self) -> None:
        """Sync the rewards after every change and every ``look_s`` seconds, and refund orphaned redemptions."""
        while True:
            self._changed.clear()
            try:
                await self._sync()
                await self._settlement.refund_orphans(list(self._ids.values()))
            except (LoginError, MissingScope) as error:
                self._health = Health("channel points", HealthState.FAILED, str(error))
            except (TwitchError, StoreError) as error:
                self._health = Health("channel points", HealthState.RECONNECTING, str(error))
            await wait_for_event(self._changed, self._pace.look_s)

    async def _sync(self) -> None:
        if not self._options.rewards and not self._ids:
            return
        access = await self._account.access_for(MANAGE_SCOPE)
        if access is None:
            self._health = Health("channel points", HealthState.OFF, f"needs a login with {MANAGE_SCOPE}; {LOGIN_HINT}")
            return
        params = {"broadcaster_id": access.user_id}
        body = await self._account.helix.get(REWARDS_PATH, {**params, "only_manageable_rewards": "true"})
        existing = {str(reward["id"]): reward for reward in body.get("data", ())}
        why_paused = await self._why_paused(access.user_id)
        problems = []
        for name, reward in self._options.rewards.items():
            try:
                await self._sync_reward(name, existing, params, paused=bool(why_paused))
            except TwitchError as error:
                if error.status not in (400, 403):
                    raise
                problems.append(explain_rejection(reward.title, error.problem))
        await self._disable_removed(existing, params)
        self._update_health(why_paused, problems)

    async def _why_paused(self, user_id: str) -> str:
        """Say why nobody should redeem now; empty when viewers may."""
        if not self._availability.open:
            return self._availability.why
        if self._options.while_offline:
            return ""
        # For some minutes the list of streams lags behind the event.
        if self._live_changed_at is None or time.monotonic() - self._live_changed_at > STREAM_LIST_DELAY_S:
            body = await self._account.helix.get("streams", {"user_id": user_id})
            self._live = bool(body.get("data"))
        return "" if self._live else "the channel is not live"

    async def _sync_reward(self, name: str, existing: TwitchRewards, params: dict[str, str], *, paused: bool) -> None:
        reward = self._options.rewards[name]
        fields = desired_fields(reward, paused)
        reward_id = self._find(name, reward.title, existing)
        if not reward_id:
            created = await self._account.helix.post(REWARDS_PATH, params, fields)
            reward_id = next((str(item["id"]) for item in created.get("data", ())), "")
            if not reward_id:
                raise TwitchError(0, "the answer to a new reward is malformed")
        elif changes := changed_fields(fields, existing[reward_id]):
            await self._account.helix.patch(REWARDS_PATH, {**params, "id": reward_id}, changes)
        if self._ids.get(name) != reward_id:
            self._ids[name] = reward_id
            await self._store.settings.set(IDS_SETTING, json.dumps(self._ids))
        self._update_commands()

    def _find(self, name: str, title: str, existing: TwitchRewards) -> str:
        """Return the id of a reward at Twitch; empty when it must be created."""
        reward_id = self._ids.get(name, "")
        if reward_id in existing:
            return reward_id
        # Created by us but not stored: the program ended between the two.
        taken = set(self._ids.values())
        same_title = (key for key, item in existing.items() if item.get("title") == title and key not in taken)
        return next(same_title, "")

    async def _disable_removed(self, existing: TwitchRewards, params: dict[str, str]) -> None:
        # Disabled and not deleted: deleting would fulfil the open redemptions, which then get no picture.
        for name, reward_id in self._ids.items():
            if name not in self._options.rewards and existing.get(reward_id, {}).get("is_enabled"):
                await self._account.helix.patch(REWARDS_PATH, {**params, "id": reward_id}, {"is_enabled": False})

    async def _load_ids(self) -> None:
        stored = await self._store.settings.get(IDS_SETTING)
        self._ids = json.loads(stored) if stored else {}
        self._update_commands()

    def _update_commands(self) -> None:
        rewards = self._options.rewards
        commands = {self._ids[name]: reward.command for name, reward in rewards.items() if name in self._ids}
        self._reward_commands.replace(commands)

    def _update_health(self, why_paused: str, problems: list[str]) -> None:
        count = f"{len(self._options.rewards) - len(problems)} rewards"
        detail = "; ".join([count, *([f"paused: {why_paused}"] if why_paused else []), *problems])
        state = HealthState.LIMITED if problems else HealthState.PAUSED if why_paused else HealthState.READY
        if problems and detail != self._health.detail:
            log.warning("channel points: %s", detail)
        self._health = Health("channel points", state, detail)
