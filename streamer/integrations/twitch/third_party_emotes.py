"""Removes the names of 7TV, BetterTTV and FrankerFaceZ emotes: plain words in chat, noise in a prompt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx

from streamer.errors import TwitchError, in_words
from streamer.integrations.twitch.config import SOURCE, EmoteOptions
from streamer.integrations.twitch.http import call
from streamer.types import Trigger

log = logging.getLogger(__name__)

RELOAD_S = 3600.0
RETRY_S = 300.0
MAX_NAMES = 20_000
"""No channel has more emotes than this; the limit bounds memory if a service misbehaves."""

EmoteParser = Callable[[Any], Iterator[str]]
"""Yields the emote names in the JSON of one service."""


class ThirdPartyEmotes:
    """The names that mean an emote in one channel; empty until the lists have been loaded."""

    def __init__(self, options: EmoteOptions, http: httpx.AsyncClient, channel: str) -> None:
        self._options, self._http, self._channel = options, http, channel
        self.names: frozenset[str] = frozenset()

    @property
    def enabled(self) -> bool:
        """Tell whether there are lists to load."""
        return self._options.strip and bool(self._channel)

    def clean(self, trigger: Trigger) -> Trigger:
        """Remove the names from a trigger typed on Twitch; names match exactly, capitals included."""
        if trigger.source != SOURCE or not self.names:
            return trigger
        words = trigger.text.split(" ")
        if self.names.isdisjoint(words):
            return trigger
        return replace(trigger, text=" ".join(word for word in words if word not in self.names))

    async def run(self) -> None:
        """Load the lists now and every hour, sooner after a failure; return at once when disabled."""
        while self.enabled:
            complete = await self.load()
            await asyncio.sleep(RELOAD_S if complete else RETRY_S)

    async def load(self) -> bool:
        """Load every list; True when all could be loaded. A list that fails keeps its previous names."""
        options, names = self._options, set(self.names)
        room = await self._fetch(f"{options.ffz_url}/room/{self._channel}", _ffz, names)
        answers = [
            room,
            await self._fetch(f"{options.ffz_url}/set/global", _ffz, names),
            await self._fetch(f"{options.seventv_url}/emote-sets/global", _seventv_set, names),
            await self._fetch(f"{options.bttv_url}/cached/emotes/global", _bttv_list, names),
        ]
        if channel_id := _channel_id_in(room):
            answers += [
                await self._fetch(f"{options.seventv_url}/users/twitch/{channel_id}", _seventv_user, names),
                await self._fetch(f"{options.bttv_url}/cached/users/twitch/{channel_id}", _bttv_user, names),
            ]
        self.names = frozenset([name for name in names if _is_emote(name)][:MAX_NAMES])
        log.info("emotes: %d names are removed from prompts", len(self.names))
        return None not in answers

    async def _fetch(self, url: str, names_in: EmoteParser, names: set[str]) -> Any:
        """Add one list to ``names``; return its JSON, None when it cannot be had or is malformed."""
        try:
            response = await call(self._http, "GET", url)
            if response.status_code == 404:
                return {}  # the channel has no account there
            body = response.raise_for_status().json()
            names |= set(names_in(body))
        except (TwitchError, httpx.HTTPStatusError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("emotes: %s: %s", url, in_words(error))
            return None
        return body


def _channel_id_in(room: Any) -> str:
    """Return a channel's Twitch id from FrankerFaceZ's answer, which needs no login, unlike Twitch's own API."""
    body = room.get("room") if isinstance(room, dict) else None
    return str(body["twitch_id"]) if isinstance(body, dict) and body.get("twitch_id") else ""


def _is_emote(name: object) -> bool:
    """Reject everyday words: people name emotes "dog" and "cat", and others ask for pictures of them."""
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
