"""What one page has yet to be sent, and when it may be: newest wins per layer, at most two pictures in flight."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamer.overlay import wire

# Two in flight keep a fast page busy; one keeps a slow page fresh (its pictures would queue in the sockets instead).
WINDOW = 2
SLOW_ACK_S = 0.150
QUICK_ACK_S = 0.075
ACK_TIMEOUT_S = 2.0
NOTICES = 256


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """An encoded update of one layer, ready for any page."""

    layer: str
    request_id: str
    seq: int
    final: bool
    message: bytes


@dataclass(frozen=True, slots=True)
class _Sent:
    picture: EncodedPicture
    at: float


@dataclass(slots=True, eq=False)
class Mailbox:
    """One page's share of the hub; ``wake`` is called whenever there may be something new to take.

    Nothing here blocks or looks at a clock: the socket's writer calls ``take(now)`` until it returns None, then waits
    for ``wake`` or for ``wait_s(now)`` to pass.
    """

    id: int
    layers: frozenset[str] | None
    wake: Callable[[], None] = lambda: None
    overflowed: bool = False
    ack_s: float | None = None
    sent: int = 0
    skipped: int = 0
    garbage: int = 0
    _urgent: dict[str, str] = field(default_factory=dict)
    _notices: deque[str] = field(default_factory=deque)
    _slots: dict[str, EncodedPicture] = field(default_factory=dict)
    _in_flight: dict[tuple[str, int], _Sent] = field(default_factory=dict)
    _window: int = WINDOW
    _probing: bool = False

    def wants(self, layer: str) -> bool:
        """Say whether this page shows the layer at all."""
        return self.layers is None or layer in self.layers

    def wants_any(self, layers: Iterable[str]) -> bool:
        """Say whether this page shows one of the layers."""
        return any(self.wants(layer) for layer in layers)

    @property
    def in_flight(self) -> int:
        """Count the pictures sent and not yet answered."""
        return len(self._in_flight)

    def put(self, picture: EncodedPicture) -> None:
        """Leave a picture in its layer's slot, unless it is a preview and an unsent final lies there."""
        if not self.wants(picture.layer):
            return
        waiting = self._slots.get(picture.layer)
        if waiting is not None:
            self.skipped += 1
            if waiting.final and not picture.final:
                return
            del self._slots[picture.layer]  # to the end of the line: layers take turns
        self._slots[picture.layer] = picture
        self.wake()

    def clear(self, layer: str, message: str) -> None:
        """Empty the layer's slot and send the clear before anything else."""
        if not self.wants(layer):
            return
        if self._slots.pop(layer, None) is not None:
            self.skipped += 1
        self._urgent[layer] = message
        self.wake()

    def drop_preview(self, layer: str) -> None:
        """Forget an unsent preview of the layer."""
        waiting = self._slots.get(layer)
        if waiting is not None and not waiting.final:
            del self._slots[layer]

    def notify(self, message: str) -> None:
        """Queue a text message; a page that lets hundreds of them pile up is given up."""
        if len(self._notices) >= NOTICES:
            self.overflowed = True
        else:
            self._notices.append(message)
        self.wake()

    def take(self, now: float) -> bytes | str | None:
        """Hand out the next message to send: clears, then texts, then pictures while the window allows."""
        self._free_window(now)
        if self._urgent:
            return self._urgent.pop(next(iter(self._urgent)))
        if self._notices:
            return self._notices.popleft()
        for layer, picture in self._slots.items():
            if self._may_send(picture):
                del self._slots[layer]
                self._in_flight[layer, picture.seq] = _Sent(picture, now)
                self.sent += 1
                return picture.message
        return None

    def wait_s(self, now: float) -> float:
        """Say how long ``take`` can have nothing new to say without a wake."""
        if not self._slots or not self._in_flight or self._probing:
            return math.inf
        return max(0.0, self._oldest() + ACK_TIMEOUT_S - now)

    def painted(self, layer: str, seq: int, now: float) -> EncodedPicture | None:
        """Note the page's answer, which covers everything older on that layer; None if there is no such question."""
        sent = self._in_flight.pop((layer, seq), None)
        if sent is None:
            return None
        for key in [key for key in self._in_flight if key[0] == layer and key[1] < seq]:
            del self._in_flight[key]
        self.ack_s = now - sent.at
        if self.ack_s > SLOW_ACK_S:
            self._window = 1
        elif self.ack_s < QUICK_ACK_S:
            self._window = WINDOW
        self._probing = False
        self.wake()
        return sent.picture

    def pong(self) -> None:
        """Note a sign of life: whatever went unanswered before it may time out again."""
        self._probing = False
        self.wake()

    def _may_send(self, picture: EncodedPicture) -> bool:
        # A preview travels only when nothing else does, so it can never make a final wait for the window.
        return len(self._in_flight) < (self._window if picture.final else 1)

    def _oldest(self) -> float:
        return min(sent.at for sent in self._in_flight.values())

    def _free_window(self, now: float) -> None:
        """Give up waiting for answers after the time-out, once; then the page must show that it lives."""
        if self._probing or not self._in_flight or now - self._oldest() < ACK_TIMEOUT_S:
            return
        self._in_flight.clear()
        self._probing = True
        self._urgent.setdefault("", wire.encode_ping())
