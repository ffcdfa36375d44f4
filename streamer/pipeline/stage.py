"""What each layer shows now and showed before: show, clear, undo, expire, panic.

Decisions that are not obvious: a clear can be undone, a panic cannot (what was on air then is forgotten). A pop-up
whose time has passed never comes back by undo; one taken down before its time comes back with its whole time anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streamer.types import Clear, Frame, Update


@dataclass(frozen=True, slots=True)
class LayerState:
    """What one layer shows, for people: times in monotonic seconds, ``undo`` and ``redo`` at most how many steps."""

    layer: str
    request_id: str | None
    since: float | None
    until: float | None
    undo: int
    redo: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """One picture as it went on air; ``until`` is infinite for a picture that stays until it is replaced."""

    frame: Frame
    seconds: float | None
    since: float
    until: float


@dataclass(slots=True)
class _Layer:
    """Before, now and undone; None stands for transparent, and before everything there was nothing."""

    past: list[_Shown | None] = field(default_factory=list)
    current: _Shown | None = None
    future: list[_Shown | None] = field(default_factory=list)
    cleared_at: float = -math.inf


class Stage:
    """Keep what is on air; every method returns the updates to publish, in order.

    An unknown layer raises KeyError: the names come from the config, so asking for another one is a fault.
    """

    def __init__(self, layers: Sequence[str], history: int = 20) -> None:
        self._layers = {name: _Layer() for name in layers}
        self._history = history

    @property
    def layers(self) -> tuple[str, ...]:
        """Name the layers, in the order they were given."""
        return tuple(self._layers)

    def accepts(self, layer: str, requested_at: float) -> bool:
        """Say whether something asked for at that moment may still go on air: a later clear or panic wins."""
        return requested_at > self._layers[layer].cleared_at

    def show(self, frame: Frame, seconds: float | None, requested_at: float, now: float) -> list[Update]:
        """Put a picture on its layer, for some seconds or until replaced; nothing when a clear came in between."""
        if not self.accepts(frame.layer, requested_at):
            return []
        layer = self._layers[frame.layer]
        self._remember(layer)
        layer.future.clear()
        layer.current = _shown(frame, seconds, now)
        return [frame]

    def restore(self, frame: Frame, now: float) -> list[Update]:
        """Show the last picture of an earlier run, unless the layer has been used or cleared in this one."""
        layer = self._layers[frame.layer]
        if layer.current or layer.past or layer.future or layer.cleared_at > -math.inf:
            return []
        return self.show(frame, None, now, now)

    def clear(self, layer: str | None, now: float) -> list[Clear]:
        """Take one layer (None: every layer) off the air, refuse what was asked for before, and allow to undo it."""
        names = [layer] if layer is not None else list(self._layers)
        for name in names:
            chosen = self._layers[name]
            chosen.cleared_at = now
            if chosen.current is not None:
                self._remember(chosen)
                chosen.current = None
                chosen.future.clear()
        return [Clear(name) for name in names]

    def panic(self, now: float) -> list[Clear]:
        """Take everything off the air and forget it, so that no undo brings back what caused the panic."""
        self._layers = {name: _Layer(cleared_at=now) for name in self._layers}
        return [Clear(name) for name in self._layers]

    def undo(self, layer: str, now: float) -> list[Update]:
        """Go back to what the layer showed before; before the first picture it was transparent."""
        chosen = self._layers[layer]
        previous = _previous(chosen, now)
        if previous is None and chosen.current is None:
            return []
        chosen.future.append(chosen.current)
        return _turn_to(layer, chosen, previous, now)

    def redo(self, layer: str, now: float) -> list[Update]:
        """Take back one undo; anything shown since has cut that branch."""
        chosen = self._layers[layer]
        while chosen.future and chosen.future[-1] is chosen.current:
            chosen.future.pop()
        if not chosen.future:
            return []
        self._remember(chosen)
        return _turn_to(layer, chosen, chosen.future.pop(), now)

    def retract(self, matches: Callable[[str], bool], now: float) -> list[Update]:
        """Take pictures of matching request ids off the air and out of the history; what was before comes back."""
        updates: list[Update] = []
        for name, layer in self._layers.items():
            layer.past = _without(layer.past, matches)
            layer.future = _without(layer.future, matches)
            if layer.current is not None and matches(layer.current.frame.request_id):
                updates += _turn_to(name, layer, _previous(layer, now), now)
        return updates

    def expire(self, now: float) -> list[Clear]:
        """Take off the air what has been shown for its time."""
        over = [
            name for name, layer in self._layers.items() if layer.current is not None and layer.current.until <= now
        ]
        for name in over:
            self._layers[name].current = None
        return [Clear(name, fade=True) for name in over]

    def wakeup(self) -> float | None:
        """Return when ``expire`` has something to do next, in monotonic seconds."""
        times = [layer.current.until for layer in self._layers.values() if layer.current is not None]
        soonest = min(times, default=math.inf)
        return soonest if soonest < math.inf else None

    def current(self, layer: str) -> Frame | None:
        """Return the picture on air on a layer."""
        shown = self._layers[layer].current
        return shown.frame if shown is not None else None

    def snapshot(self) -> tuple[LayerState, ...]:
        """Describe every layer, without the pictures themselves."""
        return tuple(_describe(name, layer) for name, layer in self._layers.items())

    def _remember(self, layer: _Layer) -> None:
        """Push what is on air into the past, which starts transparent and never holds two transparent in a row."""
        if layer.current is not None or (layer.past and layer.past[-1] is not None):
            layer.past.append(layer.current)
            del layer.past[: max(0, len(layer.past) - self._history)]


def _shown(frame: Frame, seconds: float | None, now: float) -> _Shown:
    return _Shown(frame, seconds, now, math.inf if seconds is None else now + seconds)


def _previous(layer: _Layer, now: float) -> _Shown | None:
    """Pop what the layer showed before, passing over pop-ups that would be gone by now had nothing replaced them."""
    while layer.past:
        shown = layer.past.pop()
        if shown is None and layer.current is not None:
            return None
        if shown is not None and shown.until > now:
            return shown
    return None


def _turn_to(name: str, layer: _Layer, shown: _Shown | None, now: float) -> list[Update]:
    if shown is None:
        layer.current = None
        return [Clear(name)]
    layer.current = _shown(shown.frame, shown.seconds, now)
    return [shown.frame]


def _without(shown: list[_Shown | None], matches: Callable[[str], bool]) -> list[_Shown | None]:
    return [one for one in shown if one is None or not matches(one.frame.request_id)]


def _describe(name: str, layer: _Layer) -> LayerState:
    undo, redo = len(layer.past) + (layer.current is not None), len(layer.future)
    if layer.current is None:
        return LayerState(name, None, None, None, undo, redo)
    until = layer.current.until if layer.current.until < math.inf else None
    return LayerState(name, layer.current.frame.request_id, layer.current.since, until, undo, redo)
