"""What the routes need of the running program, and the check of the caller's token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, params
from fastapi.requests import HTTPConnection

from streamer.api.auth import TokenRole, TokenTable, bearer
from streamer.api.v1.picture_api import PictureApi
from streamer.generator.gpus import GpuMonitor
from streamer.pipeline.pipeline import Channel
from streamer.storage.store import Store


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The running program, as the routes see it.

    ``url`` is the address under which clients reach the server, without a slash at its end; ``web`` is the folder of
    the pages; ``config_file`` is what people are told to edit. ``exposed`` says that other computers may reach it.
    """

    channel: Channel
    store: Store
    tokens: TokenTable
    url: str
    overlay_url: str
    web: Path
    home: Path
    config_file: str
    picture_api: PictureApi
    gpus: GpuMonitor
    exposed: bool


def context_of(connection: HTTPConnection) -> ApiContext:
    """Return the context that the composition root put into the application's state."""
    context: ApiContext = connection.app.state.context
    return context


Context = Annotated[ApiContext, Depends(context_of)]


def require(role: TokenRole, *, when_exposed: bool = False) -> params.Depends:
    """Build the dependency of a route that needs ``role``: it answers 401 or 403 to every other caller.

    With ``when_exposed`` the route is open as long as only this computer can reach it.
    """

    def check(connection: HTTPConnection, context: Context) -> None:
        if when_exposed and not context.exposed:
            return
        token = bearer(connection.headers)
        if context.tokens.role(token) is None:
            raise HTTPException(
                401, "send a valid token as 'Authorization: Bearer ...'", {"www-authenticate": "Bearer"}
            )
        if not context.tokens.opens(token, role):
            raise HTTPException(403, f"this token may not do that; use a token with the role '{role}'")

    dependency: params.Depends = Depends(check)
    return dependency


TRIGGER = require(TokenRole.TRIGGER)
MODERATOR = require(TokenRole.MODERATOR)
OPERATOR = require(TokenRole.OPERATOR)
METRICS = require(TokenRole.METRICS, when_exposed=True)
