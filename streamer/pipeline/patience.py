"""When the show could draw: only such time counts as waiting, whatever else keeps pictures from being drawn.

While requests are paused, Shield Mode is on, a quiet scene is on air, the generator is not ready or the GPU is
released, nothing ages. A panic empties the queue, so nothing is left to age. A held picture waits for a moderator, not
for the show, and its time counts always.
"""

from __future__ import annotations

from collections.abc import Callable

from streamer.pipeline.show import Show
from streamer.types import ImageRequest

LONGEST_STOP_S = 900.0
"""Nobody still expects a picture after a break longer than this."""

StopLimit = Callable[[ImageRequest], float | None]
"""Returns for how many seconds at most a stop may keep a request waiting, None while the request could be drawn."""


def stop_limit(show: Show) -> StopLimit:
    """Return what tells whether the show could draw a request now, if its turn had come."""
    if show.game_mode.away:
        return lambda request: show.game_mode.hold_s
    if not show.generator.health().draws:
        return lambda request: LONGEST_STOP_S
    now = show.now()

    def limit_s(request: ImageRequest) -> float | None:
        stopped = show.intake.objection(request, now) is not None or not show.policy.may_draw(request)
        return LONGEST_STOP_S if stopped else None

    return limit_s
