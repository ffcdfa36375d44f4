"""Decides when a page is missing: what to say about it, and when to have OBS load it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GONE_S = 5.0
"""A page that reloads or reconnects is away for less."""
AGAIN_S = 60.0

MISSING = "OBS is live and no overlay page is connected: viewers see no pictures; run: streamer obs install"
ELSEWHERE = "OBS is live and the overlay is open in a browser only, not in OBS; run: streamer obs install"


@dataclass(slots=True)
class PageWatch:
    """Since when no page has been seen; one for each connection to OBS. Times are monotonic seconds."""

    seen_at: float
    pressed_at: float = float("-inf")

    def refresh(self, pages: Sequence[str], now: float) -> bool:
        """Tell whether our browser sources are to be loaded again; ``pages`` holds the OBS version of each page, or "".

        OBS never retries a load that failed, as every load does while the server is not running.
        """
        if any(pages):
            self.seen_at = now
            return False
        if now - self.seen_at < GONE_S or now - self.pressed_at < AGAIN_S:
            return False
        self.pressed_at = now
        return True

    def alarm(self, pages: Sequence[str], live: bool, now: float) -> str:
        """Say what is wrong while OBS is live, nothing while all is well."""
        if not live or any(pages) or now - self.seen_at < GONE_S:
            return ""
        return ELSEWHERE if pages else MISSING
