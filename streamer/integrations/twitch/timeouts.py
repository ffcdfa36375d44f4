"""The timeouts and retry pauses of the connections to Twitch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts and pauses in seconds.

    A connection can die without a word: after a silence of ``quiet_s`` the client sends a PING, and after ``pong_s``
    without any answer it opens another. A connection that lasted ``healthy_s`` resets the count of failures.
    """

    quiet_s: float = 25.0
    pong_s: float = 10.0
    join_s: float = 10.0
    open_s: float = 10.0
    first_retry_s: float = 0.25
    longest_retry_s: float = 30.0
    healthy_s: float = 60.0
    first_subscribe_s: float = 2.0
    longest_subscribe_s: float = 120.0

    def retry_s(self, attempt: int, jitter: float) -> float:
        """Return the pause before retry ``attempt`` (from 0): doubles up to a cap; ``jitter`` 0 halves it."""
        return min(self.longest_retry_s, self.first_retry_s * 2.0 ** min(attempt, 30)) * (0.5 + jitter / 2)

    def subscribe_s(self, attempt: int) -> float:
        """Return the pause before failed subscriptions are tried again; ``attempt`` counts from 0."""
        return min(self.longest_subscribe_s, self.first_subscribe_s * 2.0 ** min(attempt, 30))
