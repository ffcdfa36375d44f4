"""Trigger source: one Twitch channel. Its chat needs no account; with a login its events come too."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WebsocketUrl

from streamer.contracts import Source
from streamer.errors import ConfigError
from streamer.triggers.twitch.chat import Chat
from streamer.triggers.twitch.followers import Followers
from streamer.triggers.twitch.source import Nowhere, TwitchSource
from streamer.triggers.twitch.wanted import Feature, wanted
from streamer.triggers.twitch.wanted import scopes as scopes_for
from streamer.twitch.account import Account
from streamer.twitch.bots import KNOWN_BOTS

_ADDRESS = re.compile(r"(?:https?://)?(?:(?:www|m)\.)?twitch\.tv/([^/?#]+).*", re.IGNORECASE)
_LOGIN = re.compile(r"[a-z0-9_]{3,25}")


def login_of(channel: str | None) -> str:
    """Return the login behind ``Name``, ``#name``, ``@name`` or the channel's address; empty when none is given."""
    given = (channel or "").strip()
    address = _ADDRESS.fullmatch(given)
    login = (address[1] if address else given.lstrip("#@")).lower()
    if login and not _LOGIN.fullmatch(login):
        fix = "write the name from the channel's address, like channel: my_channel (a-z, 0-9 and _, 3 to 25 long)"
        raise ConfigError("channel", f"{given!r} is not the name of a Twitch channel", fix=fix)
    return login


class Options(BaseModel):
    """Which channel to read, and whom not to listen to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[str | None, AfterValidator(login_of)] = Field(
        None, description="name or address; empty: not used"
    )
    irc_url: WebsocketUrl = Field(
        WebsocketUrl("wss://irc-ws.chat.twitch.tv:443"), description="Twitch's chat, or a stand-in for tests"
    )
    ignore: tuple[str, ...] = Field(
        KNOWN_BOTS,
        description="logins never listened to: bots that answer in chat",
    )
    shared_chat: bool = Field(False, description="listen to the partner channel's viewers during a shared chat")
    events: tuple[Feature, ...] = Field(
        (Feature.SHIELD_MODE,), description="what to hear of besides chat, once logged in"
    )
    followers: bool = Field(False, description="ask Twitch who follows, for commands with role: follower")


def scopes(options: Options) -> dict[str, str]:
    """Say what a login must cover for these options."""
    if not options.channel:
        return {}
    return scopes_for(options.events) | ({"moderator:read:followers": "followers"} if options.followers else {})


def create(options: Options, twitch: Account | None = None, offers: Container[str] = ()) -> Source:
    """Build the source; without a channel it says so and stays silent, without a login it reads chat alone."""
    if not options.channel:
        return Nowhere()
    if twitch is not None:
        twitch.emotes.of(options.channel)
    account = twitch if twitch is not None and twitch.settings.client_id else None
    ignore = frozenset(name.casefold() for name in options.ignore)
    chat = Chat(options.channel, ignore=ignore, shared_chat=options.shared_chat, ours=offers)
    return TwitchSource(
        str(options.irc_url), options.channel, chat, account=account, wants=wanted(account.wanted) if account else (),
        followers=Followers(account.helix) if account is not None and options.followers else None,
    )  # fmt: skip
