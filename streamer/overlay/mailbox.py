"""The unsent messages of one page: the newest picture of each layer wins, and at most two pictures are in flight."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamer.overlay import wire

# Two in flight keep a fast page busy. A slow page gets one: further pictures would wait in the sockets and grow old.
WINDOW = 2
SLOW_ACK_S = 0.150
QUICK_ACK_S = 0.075
ACK_TIMEOUT_S = 2.0
MAX_NOTICES = 256


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """An encoded picture for one layer, the same bytes for every page."""

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
    """The messages for one page; ``wake`` is called whenever there may be something new to take.

    Nothing here blocks or reads a clock. The socket's writer calls ``take(now)`` until it returns None, then waits for
    ``wake``, ``wait_s(now)`` seconds at most.
    """

    id: int
    layers: frozenset[str] | None
    wake: Callable[[], None] = lambda: None
    overflowed: bool = False
    ack_s: float | None = None
    sent: int = 0
    skipped: int = 0
    malformed: int = 0
    _urgent: dict[str, str] = field(default_factory=dict)
    _notices: deque[str] = field(default_factory=deque)
    _slots: dict[str, EncodedPicture] = field(default_factory=dict)
    _in_flight: dict[tuple[str, int], _Sent] = field(default_factory=dict)
    _window: int = WINDOW
    _probing: bool = False

    def wants(self, layer: str) -> bool:
        """Tell whether this page shows the layer."""
        return self.layers is None or layer in self.layers

    def wants_any(self, layers: Iterable[str]) -> bool:
        """Tell whether this page shows one of the layers."""
        return any(self.wants(layer) for layer in layers)

    @property
    def in_flight(self) -> int:
        """Return the number of pictures that were sent and not yet answered."""
        return len(self._in_flight)

    def put(self, picture: EncodedPicture) -> None:
        """Put a picture into its layer's slot, except a preview when the slot holds an unsent final picture."""
        if not self.wants(picture.layer):
            return
        waiting = self._slots.get(picture.layer)
        if waiting is not None:
            self.skipped += 1
            if waiting.final and not picture.final:
                return
            del self._slots[picture.layer]  # moves to the end of the dict: layers take turns
        self._slots[picture.layer] = picture
        self.wake()

    def clear(self, layer: str, message: str) -> None:
        """Empty the layer's slot and queue the clear before everything else."""
        if not self.wants(layer):
            return
        if self._slots.pop(layer, None) is not None:
            self.skipped += 1
        self._urgent[layer] = message
        self.wake()

    def drop_preview(self, layer: str) -> None:
        """Discard an unsent preview of the layer."""
        waiting = self._slots.get(layer)
        if waiting is not None and not waiting.final:
            del self._slots[layer]

    def notify(self, message: str) -> None:
        """Queue a text message; a page with MAX_NOTICES unsent ones has ``overflowed`` and must be closed."""
        if len(self._notices) >= MAX_NOTICES:
            self.overflowed = True
        else:
            self._notices.append(message)
        self.wake()

    def take(self, now: float) -> bytes | str | None:
        """Return the next message to send: clears, then texts, then pictures while the window is open."""
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
        """Return for how many seconds ``take`` will return None unless ``wake`` is called."""
        if not self._slots or not self._in_flight or self._probing:
            return math.inf
        return max(0.0, self._oldest() + ACK_TIMEOUT_S - now)

    def painted(self, layer: str, seq: int, now: float) -> EncodedPicture | None:
        """Note the page's answer, also for all older pictures of the layer; returns the picture if it was in flight."""
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
        """Note that the page is alive: unanswered pictures may time out again."""
        self._probing = False
        self.wake()

    def _may_send(self, picture: EncodedPicture) -> bool:
        # A preview is sent only when nothing is in flight, so that it never keeps a final picture waiting.
        return len(self._in_flight) < (self._window if picture.final else 1)

    def _oldest(self) -> float:
        return min(sent.at for sent in self._in_flight.values())

    def _free_window(self, now: float) -> None:
        """Stop waiting for answers after the time-out, once; then the page must show that it is alive."""
        if self._probing or not self._in_flight or now - self._oldest() < ACK_TIMEOUT_S:
            return
        self._in_flight.clear()
        self._probing = True
        self._urgent.setdefault("", wire.encode_ping())
