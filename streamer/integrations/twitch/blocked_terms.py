"""Hands the terms that the channel blocks in its chat to whoever judges words here, now and every hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from streamer.errors import StreamerError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.subscriptions import BLOCKED_TERMS

log = logging.getLogger(__name__)

(SCOPE,) = BLOCKED_TERMS
EVERY_S = 3600.0
SOON_S = 60.0


class BlockedTerms:
    """The list of the account's own channel; what was taken stays when Twitch cannot be asked."""

    def __init__(self, twitch: Account, take: Callable[[Collection[str]], int]) -> None:
        self._twitch, self._take = twitch, take

    async def run(self) -> None:
        """In: Twitch's list. Out: the same for the rules; without a login nobody is asked."""
        if not self._twitch.settings.client_id or SCOPE not in self._twitch.wanted:
            return
        while True:
            done = await self.fetch()
            await asyncio.sleep(EVERY_S if done else SOON_S)

    async def fetch(self) -> bool:
        """Fetch the list once; tell whether it came. The terms themselves are in no log."""
        try:
            access = await self._twitch.may(SCOPE)
            if access is None:
                return False
            params = {"broadcaster_id": access.user_id, "moderator_id": access.user_id, "first": "100"}
            terms = [str(one["text"]) async for one in self._twitch.helix.pages("moderation/blocked_terms", params)]
        except StreamerError as error:
            log.info("blocked terms: %s", error)
            return False
        log.info("blocked terms: %d of the channel's %d count here", self._take(terms), len(terms))
        return True
