"""How long a picture will wait: by the line before it, the measured drawing times, and each layer's time on air."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamer.pipeline.patience import stop_limit
from streamer.pipeline.show import Show
from streamer.types import ImageRequest, Lane

MINUTES_FROM_S = 120.0

AirSeconds = Callable[[str, int], float]
"""Returns how long a picture stays on a layer for which so many wait."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A picture that waits: ``draw_s`` occupies the generator, and ``delay_s`` more pass until it is on air.

    ``waits`` for its layer unless it is the broadcaster's. One that a moderator looks at first keeps no layer.
    """

    layer: str
    draw_s: float
    delay_s: float = 0.0
    waits: bool = True
    keeps: bool = True


def start_times(line: Sequence[Upcoming], free_at: float, kept: Mapping[str, float], air_s: AirSeconds) -> list[float]:
    """Return when the drawing of each picture begins, if nobody else comes.

    The generator is free at ``free_at``; ``kept`` tells since when each layer shows a picture that is to be seen. As in
    the show, the first picture in line whose layer is free is drawn next.
    """
    layers: dict[str, deque[int]] = {}
    for number, picture in enumerate(line):
        layers.setdefault(picture.layer, deque()).append(number)
    shown, moment, starts = dict(kept), free_at, [0.0] * len(line)

    def ready_at(number: int) -> float:
        picture = line[number]
        if not picture.waits or picture.layer not in shown:
            return -math.inf
        return shown[picture.layer] + air_s(picture.layer, len(layers[picture.layer]))

    for _ in line:
        ready = {numbers[0]: ready_at(numbers[0]) for numbers in layers.values() if numbers}
        moment = max(moment, min(ready.values()))
        chosen = min(number for number, at in ready.items() if at <= moment)
        picture = line[chosen]
        layers[picture.layer].popleft()
        starts[chosen], moment = moment, moment + picture.draw_s
        if picture.keeps:
            shown[picture.layer] = moment + picture.delay_s
    return starts


def wait_s(show: Show, request: ImageRequest) -> float:
    """Return for how many seconds a request would wait until it is drawn, if it were accepted now."""
    place = show.scheduler.place_for(request)
    if place is None:
        return 0.0  # an equal picture is being drawn
    return _starts(show, place)[request.id] - show.now()


def shown_in(show: Show) -> dict[str, float]:
    """Return in how many seconds each queued picture will be on air, by the id of its request."""
    line, now = show.scheduler.pending(), show.now()
    starts = _starts(show, line)
    return {request.id: starts[request.id] + after_start_s(show, request) - now for request in line}


def in_words(seconds: float) -> str:
    """Return a time as people say it."""
    return f"{seconds:.0f} s" if seconds < MINUTES_FROM_S else f"{seconds / 60:.0f} min"


def newcomer_waits(show: Show) -> dict[str, float]:
    """Return in how many seconds a picture that a viewer asks for now would be on air, by layer."""
    return {layer: _newcomer_wait_s(show, layer) for layer in show.stage.layers}


def after_start_s(show: Show, request: ImageRequest) -> float:
    """Return how long a picture takes from the beginning of its drawing until it is on air."""
    picture = _upcoming(show, request)
    return picture.draw_s + picture.delay_s


def _newcomer_wait_s(show: Show, layer: str) -> float:
    line, times = _in_order(show, show.queued()), show.active.draw_times
    like = next((one for one in reversed(line) if one.layer == layer), None)
    newcomer = Upcoming(layer, times.expected_s(like) if like else times.slowest_s, show.approvals.delay_s)
    start = _forecast(show, [*(_upcoming(show, one) for one in line), newcomer])[-1]
    return start - show.now() + newcomer.draw_s + newcomer.delay_s


def _starts(show: Show, line: Sequence[ImageRequest]) -> dict[str, float]:
    """Return when the drawing of each request of a line begins, by its id."""
    ordered = _in_order(show, line)
    starts = _forecast(show, [_upcoming(show, request) for request in ordered])
    return {request.id: start for request, start in zip(ordered, starts, strict=True)}


def _in_order(show: Show, line: Sequence[ImageRequest]) -> list[ImageRequest]:
    """Let requests that the show could draw now pass those that wait for a scene or for the end of a pause."""
    limit_s = stop_limit(show)
    return sorted(line, key=lambda request: limit_s(request) is not None)


def _forecast(show: Show, pictures: Sequence[Upcoming]) -> list[float]:
    drawn, now, kept = show.active.request, show.now(), show.pacing.kept()
    if drawn is None:
        return start_times(pictures, now, kept, show.pacing.air_s)
    picture = _upcoming(show, drawn)
    done_at = max(now, show.active.since + picture.draw_s)
    if picture.keeps:
        kept[picture.layer] = done_at + picture.delay_s
    return start_times(pictures, done_at, kept, show.pacing.air_s)


def _upcoming(show: Show, request: ImageRequest) -> Upcoming:
    delay_s = show.approvals.delay_s if show.approvals.delays(request) else 0.0
    draw_s = show.active.draw_times.expected_s(request)
    waits = request.priority not in (Lane.BROADCASTER, Lane.PRIVATE)
    keeps = request.hold is None and request.priority is not Lane.PRIVATE
    return Upcoming(request.layer, draw_s, delay_s, waits, keeps)
