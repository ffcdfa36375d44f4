"""How long the connections to Twitch wait for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for what, in seconds.

    Twitch sends a PING about every five minutes, so a longer silence asks for a look (``quiet_s``). A connection that
    held for ``healthy_s`` forgets the failures before it.
    """

    quiet_s: float = 360.0
    pong_s: float = 10.0
    join_s: float = 10.0
    open_s: float = 10.0
    first_retry_s: float = 0.25
    longest_retry_s: float = 30.0
    healthy_s: float = 60.0
    first_subscribe_s: float = 2.0
    longest_subscribe_s: float = 120.0

    def retry_s(self, attempt: int, share: float) -> float:
        """Return the pause before retry ``attempt`` (from 0): doubling, capped, between half and all of it."""
        return min(self.longest_retry_s, self.first_retry_s * 2.0 ** min(attempt, 30)) * (0.5 + share / 2)

    def subscribe_s(self, attempt: int) -> float:
        """Return the pause before what was refused is asked for again, for the ``attempt``-th time (from 0)."""
        return min(self.longest_subscribe_s, self.first_subscribe_s * 2.0 ** min(attempt, 30))
