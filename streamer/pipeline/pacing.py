"""How long a picture stays on its layer before a viewer's next one may replace it: the more wait, the shorter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from streamer.moderation.approval import ApprovalQueue
from streamer.pipeline.stage import Stage


@dataclass(frozen=True, slots=True)
class AirTime:
    """How many seconds a layer's picture is safe: ``least_s``, and at worst ``busy_s`` while many wait."""

    least_s: float = 0.0
    busy_s: float = 0.0

    def among(self, waiting: int) -> float:
        """Return the time on air while so many wait: all of it for one, half of it for three, and so on.

        It has to fall early: in a steady crowd the line is only as long as fits into the longest wait, so a time that
        falls with a long line alone would never fall.
        """
        return min(self.least_s, max(self.busy_s, self.least_s * 2 / (waiting + 1)))


class LayerPacing:
    """Know the picture of each layer that is to be seen for a while.

    It counts only while it is on air, or on its way there: whatever takes it down (a clear, an undo, a cut, a
    retraction, a panic) leaves the layer free, and no one has to say so.
    """

    def __init__(self, stage: Stage, approvals: ApprovalQueue, air_times: Mapping[str, AirTime]) -> None:
        self._stage, self._approvals, self._air_times = stage, approvals, air_times
        self._kept: dict[str, tuple[str, float]] = {}

    def keep(self, layer: str, request_id: str, since: float) -> None:
        """Let a picture be seen that is on air from ``since`` on (monotonic seconds)."""
        self._kept[layer] = request_id, since

    def free_all(self) -> None:
        """Let the next picture come to any layer at once."""
        self._kept.clear()

    def kept(self) -> dict[str, float]:
        """Return since when each layer shows a picture that is to be seen; a layer without one is left out."""
        return {layer: since for layer, (request_id, since) in self._kept.items() if self._counts(layer, request_id)}

    def air_s(self, layer: str, waiting: int) -> float:
        """Return how long a picture stays when so many wait for its layer."""
        return self._air_times.get(layer, AirTime()).among(waiting)

    def free_at(self, layer: str, waiting: int) -> float:
        """Return from when a viewer's picture may replace what the layer shows; long ago when it is free."""
        return self.kept().get(layer, -math.inf) + self.air_s(layer, waiting)

    def _counts(self, layer: str, request_id: str) -> bool:
        shown = self._stage.current(layer)
        held = self._approvals.get(request_id)
        return (shown is not None and shown.request_id == request_id) or (held is not None and held.auto_release)
