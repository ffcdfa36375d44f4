"""How long pictures took lately, to tell how long the next ones will take."""

from __future__ import annotations

import statistics
from collections import deque

from streamer.types import ImageRequest, RequestKind

REMEMBERED = 5
ASSUMED_S = 1.0
"""What a picture is assumed to take before any was drawn."""

SOON_S = 1.0
"""A picture that is due sooner is not announced: nobody needs to be told of it, and every paint would delay it."""

_Work = tuple[int, int, int, bool]


class DrawTimes:
    """Remember the last times of each size and number of steps.

    Edits are told apart: a reference costs about as much as a picture.
    """

    def __init__(self) -> None:
        self.assumed_s = ASSUMED_S
        self._times: dict[_Work, deque[float]] = {}
        self._by_backend = {"": self._times}

    def drawn_by(self, backend: str) -> None:
        """Tell by the times of this backend from now on; in a pool, two may take turns."""
        self._times = self._by_backend.setdefault(backend, {})

    def note(self, request: ImageRequest, seconds: float) -> None:
        """Remember how long a picture occupied the generator."""
        self._times.setdefault(_work(request), deque(maxlen=REMEMBERED)).append(seconds)

    def usual_s(self, request: ImageRequest) -> float | None:
        """Return how long a picture like this one takes, as far as one was drawn; an odd one out does not count."""
        times = self._times.get(_work(request))
        return statistics.median(times) if times else None

    def expected_s(self, request: ImageRequest) -> float:
        """Return how long a picture will take: as others like it, else as the slowest others."""
        usual_s = self.usual_s(request)
        return self.slowest_s if usual_s is None else usual_s

    @property
    def slowest_s(self) -> float:
        """Return how long the slowest kind of picture takes."""
        return max(map(statistics.median, self._times.values()), default=self.assumed_s)


def _work(request: ImageRequest) -> _Work:
    params = request.params
    return params.width, params.height, params.num_inference_steps, request.kind is RequestKind.EDIT


def due_in_s(usual_s: float | None, elapsed_s: float, step: int, steps: int) -> float:
    """Estimate after how many seconds the picture comes that is being drawn.

    It comes when it usually does. If that is not known, or has passed already, each step that is left takes as long as
    the steps so far.
    """
    if usual_s is not None and elapsed_s < usual_s:
        return usual_s - elapsed_s
    return elapsed_s / max(step, 1) * max(steps - step, 0)
