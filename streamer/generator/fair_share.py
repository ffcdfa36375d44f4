"""Decides which channel gets the GPU that is free: fair by GPU time and weight, with a streamer's keys before chat.

Start-time fair queueing: each channel has a clock that its pictures move on, the slower the more weight it has, and the
channel whose clock is furthest behind is next. A channel that had nothing to draw may save up CREDIT_S of it, so that
two pictures in a row do not wait behind a channel that floods. Time is an argument, in monotonic seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from streamer.types import Lane

KEY_EVERY_S = 2.0
"""A channel's keys come before other channels' chat once in this time; more often they would take the GPU for one."""
CREDIT_S = 0.5
"""GPU seconds that a modest channel may be ahead of a busy one; without it a channel pays at once for every burst."""
ASSUMED_S = 0.2
"""What a channel's first picture is assumed to take."""

_Candidate = TypeVar("_Candidate", bound="Turn")


@dataclass(slots=True, eq=False)
class Share:
    """What one channel has had: ``clock`` in GPU seconds divided by its weight."""

    weight: float = 1.0
    clock: float = 0.0
    picture_s: float = ASSUMED_S
    key_at: float = -math.inf
    keys_in_flight: int = 0

    def key_is_due(self, now: float) -> bool:
        """Tell whether a key of this channel comes before other channels' chat."""
        return self.keys_in_flight == 0 and now - self.key_at >= KEY_EVERY_S


@dataclass(slots=True, eq=False)
class Turn:
    """One picture that waits for a GPU or is drawn on it; ``again`` says that it had one, which was lost."""

    share: Share
    lane: Lane
    again: bool = False
    charged_s: float = field(default=0.0, init=False)
    is_key: bool = field(default=False, init=False)


class FairShare:
    """Choose among those that wait, and keep the accounts."""

    def __init__(self) -> None:
        self._clock = 0.0

    def choose(self, waiting: Iterable[_Candidate], now: float) -> _Candidate | None:
        """Return who is next; None if nobody waits.

        First come pictures that lost their GPU, then due keys, then whoever had least. What is only shown to its asker
        comes last.
        """

        def order(turn: _Candidate) -> tuple[bool, bool, bool, float]:
            private = turn.lane is Lane.PRIVATE
            return not turn.again, not self._is_due_key(turn, now), private, self._start(turn.share)

        return min(waiting, key=order, default=None)

    def begin(self, turn: Turn, now: float) -> None:
        """Charge a picture as long as the channel's last one took, since how long it takes shows at its end."""
        share = turn.share
        turn.is_key = self._is_due_key(turn, now)
        if turn.is_key:
            share.key_at, share.keys_in_flight = now, share.keys_in_flight + 1
        start = self._start(share)
        if not turn.is_key and not turn.again:
            # Nobody who waits is further behind; whoever went before others says nothing of them.
            self._clock = max(self._clock, start)
        turn.charged_s = share.picture_s
        share.clock = start + turn.charged_s / share.weight

    def end(self, turn: Turn, seconds: float) -> None:
        """Charge what the picture really took; 0 if nothing was drawn."""
        share = turn.share
        share.keys_in_flight -= turn.is_key
        share.clock += (seconds - turn.charged_s) / share.weight
        share.picture_s, turn.is_key = seconds or share.picture_s, False

    def _start(self, share: Share) -> float:
        return max(share.clock, self._clock - CREDIT_S)

    @staticmethod
    def _is_due_key(turn: Turn, now: float) -> bool:
        return turn.lane is Lane.BROADCASTER and turn.share.key_is_due(now)
