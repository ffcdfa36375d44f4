"""Names of 7TV, BetterTTV and FrankerFaceZ emotes: plain words in chat, and noise in a prompt. Kept for an hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import TwitchError, in_words
from streamer.integrations.twitch.http import HttpAddress, call
from streamer.types import Trigger

log = logging.getLogger(__name__)

SOURCE = "twitch"
KEPT_S = 3600.0
RETRY_S = 300.0
MOST = 20_000
"""More names than this are nobody's emotes."""


class EmoteOptions(BaseModel):
    """Whether names of emotes are taken out of what viewers type, and where the lists are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    strip: bool = Field(True, description="take the names out")
    seventv_url: HttpAddress = Field("https://7tv.io/v3", description="lists of 7TV")
    bttv_url: HttpAddress = Field("https://api.betterttv.net/3", description="lists of BetterTTV")
    ffz_url: HttpAddress = Field("https://api.frankerfacez.com/v1", description="lists of FrankerFaceZ")


class ThirdPartyEmotes:
    """The names that mean an emote in the channel that is read; empty until the lists have come, or for ever."""

    def __init__(self, options: EmoteOptions, http: httpx.AsyncClient) -> None:
        self._options, self._http = options, http
        self._channel = ""
        self.names: frozenset[str] = frozenset()

    def of(self, channel: str) -> None:
        """Say whose channel is read, by its login."""
        self._channel = channel

    def clean(self, trigger: Trigger) -> Trigger:
        """Take the names out of what was typed on Twitch; they are told from words by their capitals."""
        if trigger.source != SOURCE or not self.names:
            return trigger
        words = trigger.text.split(" ")
        if self.names.isdisjoint(words):
            return trigger
        return replace(trigger, text=" ".join(word for word in words if word not in self.names))

    async def run(self) -> None:
        """Load the lists now and every hour, sooner when one could not be had; without a channel there is no need."""
        while self._options.strip and self._channel:
            whole = await self.load()
            await asyncio.sleep(KEPT_S if whole else RETRY_S)

    async def load(self) -> bool:
        """Load every list; one that cannot be had keeps nobody from the others. Tell whether all could."""
        options, found = self._options, set(self.names)
        room = await self._get(f"{options.ffz_url}/room/{self._channel}", _ffz, found)
        channel_id = _id_in(room)
        answers = [
            room,
            await self._get(f"{options.ffz_url}/set/global", _ffz, found),
            await self._get(f"{options.seventv_url}/emote-sets/global", _seventv_set, found),
            await self._get(f"{options.bttv_url}/cached/emotes/global", _bttv_list, found),
        ]
        if channel_id:
            answers += [
                await self._get(f"{options.seventv_url}/users/twitch/{channel_id}", _seventv_user, found),
                await self._get(f"{options.bttv_url}/cached/users/twitch/{channel_id}", _bttv_user, found),
            ]
        self.names = frozenset([name for name in found if _is_emote(name)][:MOST])
        log.info("emotes: %d names are taken out of prompts", len(self.names))
        return None not in answers

    async def _get(self, url: str, names_in: Callable[[Any], Iterator[str]], found: set[str]) -> Any:
        """Add a list to what was found; return the answer, None when there was none that makes sense."""
        try:
            answer = await call(self._http, "GET", url)
            if answer.status_code == 404:
                return {}  # the channel has no account there
            body = answer.raise_for_status().json()
            found |= set(names_in(body))
        except (TwitchError, httpx.HTTPStatusError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("emotes: %s: %s", url, in_words(error))
            return None
        return body


def _id_in(room: Any) -> str:
    """Return the Twitch id of a channel from FrankerFaceZ's answer: it needs no login, unlike Twitch's own."""
    known = room.get("room") if isinstance(room, dict) else None
    return str(known["twitch_id"]) if isinstance(known, dict) and known.get("twitch_id") else ""


def _is_emote(name: object) -> bool:
    """Leave out what is an everyday word: people name emotes "dog" and "cat", and others draw them."""
    return isinstance(name, str) and 1 < len(name) <= 100 and not name.islower()


def _seventv_set(body: Any) -> Iterator[str]:
    return (emote["name"] for emote in body.get("emotes") or ())


def _seventv_user(body: Any) -> Iterator[str]:
    return _seventv_set(body.get("emote_set") or {})


def _bttv_list(body: Any) -> Iterator[str]:
    return (emote["code"] for emote in body)


def _bttv_user(body: Any) -> Iterator[str]:
    return (emote["code"] for kind in ("channelEmotes", "sharedEmotes") for emote in body.get(kind) or ())


def _ffz(body: Any) -> Iterator[str]:
    return (emote["name"] for group in (body.get("sets") or {}).values() for emote in group["emoticons"])
