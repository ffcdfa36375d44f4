"""Channel-point rewards over Helix: kept by the app that made them, redeemed by viewers, settled once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.twitch_standin.grants import CLIENT_ID
from tests.support.twitch_standin.helix import Call, Gate, Wrong
from tests.support.twitch_standin.people import User, World

MOST_REWARDS = 50
READ = ("channel:read:redemptions", "channel:manage:redemptions")
MANAGE = ("channel:manage:redemptions",)
TYPES: dict[str, type] = {
    "title": str, "cost": int, "prompt": str, "is_enabled": bool, "background_color": str, "is_paused": bool,
    "is_user_input_required": bool, "is_max_per_stream_enabled": bool, "max_per_stream": int,
    "is_max_per_user_per_stream_enabled": bool, "max_per_user_per_stream": int, "is_global_cooldown_enabled": bool,
    "global_cooldown_seconds": int, "should_redemptions_skip_request_queue": bool,
}  # fmt: skip


@dataclass
class Reward:
    """One reward; ``client_id`` is the app that made it, empty for the streamer's own."""

    id: str
    client_id: str
    values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name, False if TYPES[name] is bool else TYPES[name]())


@dataclass
class Redemption:
    """One time that somebody spent points."""

    id: str
    reward: Reward
    user: User
    user_input: str
    status: str = "UNFULFILLED"
    settled: int = 0
    at: str = ""


class Refused(Exception):
    """A viewer cannot redeem this now."""


class Rewards:
    """All rewards and redemptions; ``settled`` of a redemption counts how often it was."""

    def __init__(self, gate: Gate, world: World) -> None:
        self._gate, self._world = gate, world
        self._numbers = itertools.count(1)
        self.rewards: dict[str, Reward] = {}
        self.redemptions: dict[str, Redemption] = {}

    def routes(self) -> list[Route]:
        """Return the routes, below /helix."""
        path, gate = "channel_points/custom_rewards", self._gate
        return [
            gate.route(path, "GET", self._list),
            gate.route(path, "POST", self._create),
            gate.route(path, "PATCH", self._update),
            gate.route(path, "DELETE", self._delete),
            gate.route(f"{path}/redemptions", "GET", self._redeemed),
            gate.route(f"{path}/redemptions", "PATCH", self._settle),
        ]

    def add(self, title: str, cost: int = 100, client_id: str = "", **values: Any) -> Reward:
        """Have the streamer (or an app) make a reward."""
        reward = Reward(f"reward-{next(self._numbers)}", client_id, {"title": title, "cost": cost, "is_enabled": True})
        reward.values |= values
        self.rewards[reward.id] = reward
        return reward

    def titled(self, title: str) -> Reward:
        """Return the reward of a title."""
        return next(reward for reward in self.rewards.values() if reward["title"] == title)

    def redeem(self, reward: Reward, user: User, user_input: str = "") -> Redemption:
        """Have a viewer spend points; Refused where Twitch would grey the button out."""
        if not reward["is_enabled"] or reward["is_paused"]:
            raise Refused("paused or disabled")
        status = "FULFILLED" if reward["should_redemptions_skip_request_queue"] else "UNFULFILLED"
        redemption = Redemption(f"redemption-{next(self._numbers)}", reward, user, user_input, status, at=_now())
        self.redemptions[redemption.id] = redemption
        return redemption

    async def _list(self, call: Call) -> Response:
        self._check(call, READ)
        rewards = [reward for reward in self.rewards.values() if not _manageable(call) or reward.client_id == CLIENT_ID]
        if ids := call.all("id"):
            rewards = [reward for reward in rewards if reward.id in ids]
            if not rewards:
                raise Wrong(404, "The custom rewards specified in the id query parameter were not found.")
        return JSONResponse({"data": [self.written(reward) for reward in rewards]})

    async def _create(self, call: Call) -> Response:
        self._check(call, MANAGE)
        values = self._values(call.body)
        if "title" not in values or "cost" not in values:
            raise Wrong(400, "title and cost are required")
        self._check_title(values["title"], "")
        if len(self.rewards) >= MOST_REWARDS:
            raise Wrong(400, "CREATE_CUSTOM_REWARD_TOO_MANY_REWARDS")
        return JSONResponse({"data": [self.written(self.add(client_id=call.grant.client_id, **values))]})

    async def _update(self, call: Call) -> Response:
        self._check(call, MANAGE)
        reward, values = self._own(call, call.required("id")), self._values(call.body)
        if "title" in values:
            self._check_title(values["title"], reward.id)
        reward.values |= values
        return JSONResponse({"data": [self.written(reward)]})

    async def _delete(self, call: Call) -> Response:
        self._check(call, MANAGE)
        reward = self._own(call, call.required("id"))
        del self.rewards[reward.id]
        # Deleting a reward fulfils what was still open.
        for redemption in self.redemptions.values():
            if redemption.reward is reward and redemption.status == "UNFULFILLED":
                redemption.status = "FULFILLED"
        return Response(status_code=204)

    async def _redeemed(self, call: Call) -> Response:
        self._check(call, READ)
        reward, ids = self._own(call, call.required("reward_id")), call.all("id")
        status = call.all("status")
        if not ids and not status:
            raise Wrong(400, "Either id or status is required")
        first, after = int((call.all("first") or ["20"])[0]), int((call.all("after") or ["0"])[0])
        if not 1 <= first <= 50:
            raise Wrong(400, 'The parameter "first" was malformed: the value must be at most 50')
        redemptions = [
            redemption for redemption in self.redemptions.values()
            if redemption.reward is reward and (redemption.id in ids if ids else redemption.status == status[0])
        ]  # fmt: skip
        page, more = redemptions[after : after + first], after + first < len(redemptions)
        pagination = {"cursor": str(after + first)} if more else {}
        return JSONResponse({"data": [self.redeemed(redemption) for redemption in page], "pagination": pagination})

    async def _settle(self, call: Call) -> Response:
        self._check(call, MANAGE)
        reward, ids, status = self._own(call, call.required("reward_id")), call.all("id"), call.text("status")
        if status not in ("FULFILLED", "CANCELED"):
            raise Wrong(400, "The value in status is not valid")
        if not ids or len(ids) > 50:
            raise Wrong(400, "between 1 and 50 ids are needed")
        redemptions = [
            redemption
            for redemption in self.redemptions.values()
            if redemption.id in ids and redemption.reward is reward
        ]
        if len(redemptions) < len(ids) or any(redemption.status != "UNFULFILLED" for redemption in redemptions):
            raise Wrong(404, "The redemptions were not found, or are not UNFULFILLED")
        for redemption in redemptions:
            redemption.status, redemption.settled = status, redemption.settled + 1
        return JSONResponse({"data": [self.redeemed(redemption) for redemption in redemptions]})

    def _check(self, call: Call, scopes: tuple[str, ...]) -> None:
        call.need(*scopes)
        if call.required("broadcaster_id") != call.grant.user.id:
            raise Wrong(401, "The ID in broadcaster_id must match the user ID found in the request's OAuth token.")
        if self._world.broadcaster_type not in ("affiliate", "partner"):
            raise Wrong(403, "The broadcaster must have partner or affiliate status.")

    def _own(self, call: Call, reward_id: str) -> Reward:
        reward = self.rewards.get(reward_id)
        if reward is None:
            raise Wrong(404, "The custom reward specified in the id query parameter was not found.")
        if reward.client_id != call.grant.client_id:
            raise Wrong(403, "The custom reward was created by a different client id")
        return reward

    def _values(self, body: dict[str, Any]) -> dict[str, Any]:
        for name, value in body.items():
            if name not in TYPES or type(value) is not TYPES[name]:
                raise Wrong(400, f"The value in {name} is not valid")
        limits = {"cost": (1, 2**31), "global_cooldown_seconds": (1, 604_800), "max_per_stream": (1, 2**31)}
        for name, (least, most) in limits.items():
            if name in body and not least <= body[name] <= most:
                raise Wrong(400, f"The value in {name} is out of range")
        if len(body.get("prompt", "")) > 200:
            raise Wrong(400, "The prompt exceeds 200 characters")
        return dict(body)

    def _check_title(self, title: str, but: str) -> None:
        if not 1 <= len(title) <= 45:
            raise Wrong(400, "The title must contain a minimum of 1 character and a maximum of 45 characters")
        if any(reward["title"].casefold() == title.casefold() and reward.id != but for reward in self.rewards.values()):
            raise Wrong(400, "CREATE_CUSTOM_REWARD_DUPLICATE_REWARD")

    def written(self, reward: Reward) -> dict[str, Any]:
        """Write a reward as Helix does."""
        return {
            **self._world.broadcaster.fields("broadcaster"),
            "id": reward.id,
            "image": None,
            "background_color": reward["background_color"] or "#00E5CB",
            "is_enabled": reward["is_enabled"],
            "cost": reward["cost"],
            "title": reward["title"],
            "prompt": reward["prompt"],
            "is_user_input_required": reward["is_user_input_required"],
            "max_per_stream_setting": {
                "is_enabled": reward["is_max_per_stream_enabled"], "max_per_stream": reward["max_per_stream"]
            },
            "max_per_user_per_stream_setting": {
                "is_enabled": reward["is_max_per_user_per_stream_enabled"],
                "max_per_user_per_stream": reward["max_per_user_per_stream"],
            },
            "global_cooldown_setting": {
                "is_enabled": reward["is_global_cooldown_enabled"],
                "global_cooldown_seconds": reward["global_cooldown_seconds"],
            },
            "is_paused": reward["is_paused"],
            "is_in_stock": True,
            "default_image": {"url_1x": "", "url_2x": "", "url_4x": ""},
            "should_redemptions_skip_request_queue": reward["should_redemptions_skip_request_queue"],
            "redemptions_redeemed_current_stream": None,
            "cooldown_expires_at": None,
        }  # fmt: skip

    def redeemed(self, redemption: Redemption) -> dict[str, Any]:
        """Write a redemption as Helix does."""
        return {
            **self._world.broadcaster.fields("broadcaster"),
            **redemption.user.fields("user"),
            "id": redemption.id,
            "user_input": redemption.user_input,
            "status": redemption.status,
            "redeemed_at": redemption.at,
            "reward": {
                "id": redemption.reward.id, "title": redemption.reward["title"], "prompt": redemption.reward["prompt"],
                "cost": redemption.reward["cost"],
            },
        }  # fmt: skip


def _manageable(call: Call) -> bool:
    return call.all("only_manageable_rewards") == ["true"]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
