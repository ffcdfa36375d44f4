"""Helix over HTTP: who may call what, the points a minute, and the routes that are not about rewards."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.twitch_standin.eventsub import EventSub, written
from tests.support.twitch_standin.faults import Faults, answer_of, problem
from tests.support.twitch_standin.grants import Grant, Grants
from tests.support.twitch_standin.people import User, World
from tests.support.twitch_standin.subscriptions import MOST_COST, Rejected, Subscriptions

POINTS = 800
Handler = Callable[["Call"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call: who makes it, the query, and the JSON body."""

    grant: Grant
    request: Request
    body: dict[str, Any]

    def required(self, name: str) -> str:
        """Return a query parameter that must be there."""
        values = self.request.query_params.getlist(name)
        if not values or not values[0]:
            raise Wrong(400, f'Missing required parameter "{name}"')
        return str(values[0])

    def all(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [str(value) for value in self.request.query_params.getlist(name)]

    def text(self, name: str) -> str:
        """Return a string of the body that must be there; in the query, as twitchAPI sends it, Twitch takes it too."""
        value = self.body.get(name) or self.request.query_params.get(name)
        if not isinstance(value, str) or not value:
            raise Wrong(400, f'Missing required parameter "{name}"')
        return value

    def need(self, *scopes: str) -> None:
        """Refuse a token that has none of these scopes."""
        if not set(scopes) & set(self.grant.scopes):
            raise Wrong(401, f"Missing scope: {' or '.join(scopes)}")


class Wrong(Exception):
    """A call is refused with a status and Twitch's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Gate:
    """What stands before every route: faults, the token, the client id, and the points of the minute."""

    def __init__(self, grants: Grants, faults: Faults) -> None:
        self._grants, self._faults = grants, faults
        self.points = POINTS
        self._left, self._since = float(POINTS), time.monotonic()

    def route(self, path: str, method: str, handler: Handler) -> Route:
        """Put the gate before a handler."""

        async def answer(request: Request) -> Response:
            fault = await self._faults.before(request)
            if fault is not None and not fault.done:
                return answer_of(fault)
            response = await self._answered(request, handler)
            return answer_of(fault) if fault is not None else response

        return Route(f"/helix/{path}", answer, methods=[method])

    async def _answered(self, request: Request, handler: Handler) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self._grants.holder(token) if kind == "Bearer" else None
        if grant is None:
            return problem(401, "Invalid OAuth token")
        if request.headers.get("client-id") != grant.client_id:
            return problem(401, "Client ID and OAuth token do not match")
        limits = self._take_point()
        if limits is None:
            return problem(429, "Too Many Requests", self._headers(0))
        try:
            response = await handler(Call(grant, request, await _body(request)))
        except Wrong as wrong:
            response = problem(wrong.status, wrong.message)
        response.headers.update(self._headers(limits))
        return response

    def _take_point(self) -> int | None:
        now = time.monotonic()
        self._left = min(self.points, self._left + (now - self._since) * self.points / 60)
        self._since = now
        if self._left < 1:
            return None
        self._left -= 1
        return int(self._left)

    def _headers(self, left: int) -> dict[str, str]:
        return {
            "Ratelimit-Limit": str(self.points),
            "Ratelimit-Remaining": str(left),
            "Ratelimit-Reset": str(int(time.time()) + 1),
        }


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw:
        return {}
    if "application/json" not in request.headers.get("content-type", ""):
        raise Wrong(400, "the body must be application/json")
    try:
        body = json.loads(raw)
    except ValueError:
        raise Wrong(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Wrong(400, "the body must be an object")
    return body


class Helix:
    """The routes for users, streams, followers, blocked terms, shield mode and EventSub subscriptions."""

    def __init__(self, gate: Gate, world: World, eventsub: EventSub, subscriptions: Subscriptions) -> None:
        self._gate, self._world, self._eventsub, self._subscriptions = gate, world, eventsub, subscriptions

    def routes(self) -> list[Route]:
        """Return the routes, below /helix."""
        gate = self._gate
        return [
            gate.route("users", "GET", self._users),
            gate.route("streams", "GET", self._streams),
            gate.route("channels/followers", "GET", self._followers),
            gate.route("moderation/blocked_terms", "GET", self._blocked_terms),
            gate.route("moderation/shield_mode", "GET", self._shield_mode),
            gate.route("shared_chat/session", "GET", self._shared_chat),
            gate.route("eventsub/subscriptions", "GET", self._list),
            gate.route("eventsub/subscriptions", "POST", self._subscribe),
            gate.route("eventsub/subscriptions", "DELETE", self._unsubscribe),
        ]

    async def _users(self, call: Call) -> Response:
        ids, logins = call.all("id"), call.all("login")
        named = [user for user in self._world.users.values() if user.id in ids or user.login in logins]
        return JSONResponse({"data": [self._user(user) for user in (named if ids or logins else [call.grant.user])]})

    def _user(self, user: User) -> dict[str, Any]:
        ours = user.id == self._world.broadcaster.id
        return {
            "id": user.id,
            "login": user.login,
            "display_name": user.name,
            "type": "",
            "broadcaster_type": self._world.broadcaster_type if ours else "",
            "description": "",
            "profile_image_url": "",
            "offline_image_url": "",
            "view_count": 0,
            "created_at": "2016-12-14T20:32:28Z",
        }

    async def _streams(self, call: Call) -> Response:
        asked = {*call.all("user_id"), *call.all("user_login")}
        channel = self._world.broadcaster
        data = []
        if self._world.live and (not asked or {channel.id, channel.login} & asked):
            data.append(
                {"id": "9", **channel.fields("user"), "game_id": "1", "game_name": "Art", "type": "live", "title": "",
                 "tags": [], "viewer_count": 3, "started_at": "2026-01-01T00:00:00Z", "language": "en",
                 "thumbnail_url": "", "tag_ids": [], "is_mature": False}
            )  # fmt: skip
        return JSONResponse({"data": data, "pagination": {}})

    async def _followers(self, call: Call) -> Response:
        call.required("broadcaster_id")
        allowed = "moderator:read:followers" in call.grant.scopes and self._world.moderates(call.grant.user.id)
        asked = call.all("user_id")
        followers = [user_id for user_id in sorted(self._world.followers) if not asked or user_id in asked]
        # Without the scope Twitch answers with the total only.
        data = [
            {**self._world.users[user_id].fields("user"), "followed_at": "2025-05-24T22:22:08Z"}
            for user_id in followers if allowed
        ]  # fmt: skip
        return JSONResponse({"total": len(self._world.followers), "data": data, "pagination": {}})

    async def _blocked_terms(self, call: Call) -> Response:
        call.need("moderator:read:blocked_terms", "moderator:manage:blocked_terms")
        self._check_moderator(call)
        first, after = int((call.all("first") or ["20"])[0]), int((call.all("after") or ["0"])[0])
        terms = self._world.blocked_terms[after : after + first]
        more = after + first < len(self._world.blocked_terms)
        data = [
            {"broadcaster_id": self._world.broadcaster.id, "moderator_id": call.grant.user.id, "id": f"term-{term}",
             "text": term, "created_at": "2021-09-29T19:45:37Z", "updated_at": "2021-09-29T19:45:37Z",
             "expires_at": None}
            for term in terms
        ]  # fmt: skip
        return JSONResponse({"data": data, "pagination": {"cursor": str(after + first)} if more else {}})

    async def _shield_mode(self, call: Call) -> Response:
        call.need("moderator:read:shield_mode", "moderator:manage:shield_mode")
        self._check_moderator(call)
        moderator = self._world.broadcaster.fields("moderator")
        data = {"is_active": self._world.shield, **moderator, "last_activated_at": ""}
        return JSONResponse({"data": [data]})

    async def _shared_chat(self, call: Call) -> Response:
        call.required("broadcaster_id")
        partner = self._world.shared_with
        members = [{"broadcaster_id": self._world.broadcaster.id}]
        data = []
        if partner is not None:
            members.append({"broadcaster_id": partner.id})
            data.append(
                {"session_id": "shared-1", "host_broadcaster_id": self._world.broadcaster.id, "participants": members,
                 "created_at": "2024-09-29T19:45:37Z", "updated_at": "2024-09-29T19:45:37Z"}
            )  # fmt: skip
        return JSONResponse({"data": data})

    def _check_moderator(self, call: Call) -> None:
        call.required("broadcaster_id")
        if call.required("moderator_id") != call.grant.user.id or not self._world.moderates(call.grant.user.id):
            raise Wrong(403, "the user in moderator_id is not one of the broadcaster's moderators")

    async def _subscribe(self, call: Call) -> Response:
        transport, condition = call.body.get("transport"), call.body.get("condition")
        if not isinstance(transport, dict) or not isinstance(condition, dict):
            raise Wrong(400, "transport and condition are needed")
        if transport.get("method") != "websocket":
            raise Wrong(400, "this stand-in supports the websocket transport only")
        sessions = {session.id: session.user_id for session in self._eventsub.sessions.values()}
        try:
            new = self._subscriptions.add(
                call.text("type"), call.text("version"), {key: str(value) for key, value in condition.items()},
                str(transport.get("session_id", "")), call.grant, sessions,
            )  # fmt: skip
        except Rejected as rejected:
            return problem(rejected.status, rejected.message, None, **rejected.more)
        self._eventsub.sessions[new.session_id].user_id = call.grant.user.id
        return JSONResponse({"data": [written(new)], **self._totals()}, 202)

    async def _list(self, call: Call) -> Response:
        own = [subscription for subscription in self._subscriptions if subscription.user_id == call.grant.user.id]
        for name in ("status", "type"):
            if wanted := call.all(name):
                own = [subscription for subscription in own if getattr(subscription, name) in wanted]
        return JSONResponse(
            {"data": [written(subscription) for subscription in own], **self._totals(), "pagination": {}}
        )

    def _totals(self) -> dict[str, int]:
        everything = list(self._subscriptions)
        return {"total": len(everything), "total_cost": self._subscriptions.total_cost, "max_total_cost": MOST_COST}

    async def _unsubscribe(self, call: Call) -> Response:
        if not self._subscriptions.remove(call.required("id")):
            raise Wrong(404, "subscription does not exist")
        return Response(status_code=204)
