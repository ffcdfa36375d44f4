"""The id service over HTTP: device, token, validate, revoke."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.twitch_standin.faults import Faults, answer_of
from tests.support.twitch_standin.grants import DEVICE_S, Denied, Grants, Pair

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class IdService:
    """Speak for ``grants``."""

    def __init__(self, grants: Grants, faults: Faults) -> None:
        self._grants, self._faults = grants, faults

    def routes(self) -> list[Route]:
        """Return the routes, below /oauth2."""
        return [
            Route("/oauth2/device", self._device, methods=["POST"]),
            Route("/oauth2/token", self._token, methods=["POST"]),
            Route("/oauth2/validate", self._validate, methods=["GET"]),
            Route("/oauth2/revoke", self._revoke, methods=["POST"]),
        ]

    async def _device(self, request: Request) -> Response:
        if (fault := await self._faults.before(request)) is not None:
            return answer_of(fault)
        given = await _given(request)
        try:
            scopes = tuple(unquote_plus(given.get("scopes", "")).split())
            code, device = self._grants.device(given.get("client_id", ""), scopes)
        except Denied as denied:
            return _denied(denied)
        return JSONResponse(
            {
                "device_code": code,
                "expires_in": DEVICE_S,
                "interval": self._grants.interval_s,
                "user_code": device.user_code,
                "verification_uri": f"https://www.twitch.tv/activate?device-code={device.user_code}",
            }
        )

    async def _token(self, request: Request) -> Response:
        fault = await self._faults.before(request)
        if fault is not None and not fault.done:
            return answer_of(fault)
        given = await _given(request)
        client_id, kind = given.get("client_id", ""), given.get("grant_type", "")
        try:
            if kind == DEVICE_GRANT:
                pair = self._grants.redeem_device(client_id, given.get("device_code", ""))
            elif kind == "refresh_token":
                pair = self._grants.refresh(client_id, given.get("refresh_token", ""))
            else:
                raise Denied(400, "invalid grant type")
        except Denied as denied:
            return _denied(denied)
        return answer_of(fault) if fault is not None else JSONResponse(_written(pair))

    async def _validate(self, request: Request) -> Response:
        if (fault := await self._faults.before(request)) is not None:
            return answer_of(fault)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self._grants.holder(token) if kind in ("OAuth", "Bearer") else None
        if grant is None:
            return JSONResponse({"status": 401, "message": "invalid access token"}, 401)
        return JSONResponse(
            {
                "client_id": grant.client_id,
                "login": grant.user.login,
                "scopes": list(grant.scopes),
                "user_id": grant.user.id,
                "expires_in": self._grants.expires_in(grant),
            }
        )

    async def _revoke(self, request: Request) -> Response:
        if (fault := await self._faults.before(request)) is not None:
            return answer_of(fault)
        self._grants.drop((await _given(request)).get("token", ""))
        return Response()


async def _given(request: Request) -> Mapping[str, str]:
    # Twitch takes the parameters in the body and, as TwitchIO counts on, in the query.
    return {**request.query_params, **dict(parse_qsl((await request.body()).decode()))}


def _written(pair: Pair) -> dict[str, object]:
    return {
        "access_token": pair.access,
        "expires_in": pair.expires_in,
        "refresh_token": pair.refresh,
        "scope": list(pair.scopes),
        "token_type": "bearer",
    }


def _denied(denied: Denied) -> JSONResponse:
    return JSONResponse({"status": denied.status, "message": denied.message}, denied.status)
