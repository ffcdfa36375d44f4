"""Fetches the terms that the channel blocks in its chat, now and every hour, for the filter of this program."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from streamer.errors import StreamerError
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.subscriptions import BLOCKED_TERMS

log = logging.getLogger(__name__)

(SCOPE,) = BLOCKED_TERMS
FETCH_EVERY_S = 3600.0
RETRY_S = 60.0


class BlockedTerms:
    """The blocked terms of the account's own channel; a failed fetch leaves the previous list in force.

    ``import_terms`` takes each list and returns how many of its terms it uses.
    """

    def __init__(self, account: Account, import_terms: Callable[[Collection[str]], int]) -> None:
        self._account, self._import_terms = account, import_terms

    async def run(self) -> None:
        """Fetch the list for ever; return at once when no login with the scope is configured."""
        if not self._account.settings.client_id or SCOPE not in self._account.needed_scopes:
            return
        while True:
            fetched = await self.fetch()
            await asyncio.sleep(FETCH_EVERY_S if fetched else RETRY_S)

    async def fetch(self) -> bool:
        """Fetch the list once; True on success. The terms themselves are never logged."""
        try:
            access = await self._account.access_for(SCOPE)
            if access is None:
                return False
            params = {"broadcaster_id": access.user_id, "moderator_id": access.user_id, "first": "100"}
            terms = [str(term["text"]) async for term in self._account.helix.pages("moderation/blocked_terms", params)]
        except StreamerError as error:
            log.info("blocked terms: %s", error)
            return False
        log.info("blocked terms: %d of the channel's %d are in use", self._import_terms(terms), len(terms))
        return True
