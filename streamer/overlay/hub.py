"""Knows what every layer shows now and hands each update to every page's mailbox: no sockets, nothing that waits."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace

from streamer.lru import LruDict
from streamer.moderation.air_gate import Capability, ClearedFrame
from streamer.overlay import wire
from streamer.overlay.layer_options import LayerOptions
from streamer.overlay.mailbox import EncodedPicture, Mailbox
from streamer.types import Clear, Frame, NoticeCard, Preview, Refusal, Toast

log = logging.getLogger(__name__)

REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Paint:
    """The first page has put a finished picture on its screen; ``at`` is time.monotonic() seconds."""

    request_id: str
    layer: str
    seq: int
    at: float


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """What a page told of itself: OBS version (empty in a plain browser), engine, and whether it can be seen."""

    obs: str = ""
    engine: str = ""
    visible: bool = True
    active: bool = True


@dataclass(frozen=True, slots=True)
class PageInfo:
    """One connected page as the panel lists it; ``layers`` is None for all, ``ack_ms`` None before the first ack."""

    id: int
    layers: tuple[str, ...] | None
    obs: str
    engine: str
    visible: bool
    active: bool
    in_flight: int
    ack_ms: float | None
    sent: int
    skipped: int
    garbage: int


@dataclass(slots=True)
class _LastShown:
    """What the hub knows about a layer: a picture, that it is to be empty (``clear``), or nothing yet.

    ``drawing`` holds the requests whose previews are out and whose end is not known.
    """

    picture: EncodedPicture | None = None
    clear: str = ""
    drawing: deque[str] = field(default_factory=lambda: deque(maxlen=8))


@dataclass(slots=True)
class _Watcher:
    """One reader of paints: bounded, the oldest are dropped."""

    inbox: deque[Paint] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Remember the current picture of each layer and spread updates; belongs to the event loop's thread."""

    def __init__(self, layers: Mapping[str, LayerOptions], wall: Callable[[], float] = time.time) -> None:
        self.layers = dict(layers)
        self.epoch = secrets.token_hex(8)
        self._wall = wall
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self._shown = {name: _LastShown() for name in layers}
        self._finished: LruDict[tuple[str, str], None] = LruDict(REMEMBERED)
        self._painted: LruDict[int, None] = LruDict(REMEMBERED)
        self._layer_of: LruDict[str, str] = LruDict(REMEMBERED)
        self._pages: dict[Mailbox, ClientInfo] = {}
        self._watchers: list[_Watcher] = []
        self._card = ""
        self._top = max(layers, key=lambda name: layers[name].z, default="")
        self._capability, self._taken = Capability(), False
        self.turned_away = 0

    @property
    def overlays(self) -> int:
        """Count the connected pages."""
        return len(self._pages)

    def take_capability(self) -> Capability:
        """Hand out the one thing that makes pictures pass, once: to the door, and to nobody after it."""
        if self._taken:
            raise RuntimeError("the seal of this hub has been handed out already")
        self._taken = True
        return self._capability

    def publish(self, update: Frame | Preview | Clear | Toast | Refusal | NoticeCard) -> None:
        """Spread one update to every page that wants it; never waits for any of them."""
        if isinstance(update, Toast):
            self._toast(update)
        elif isinstance(update, NoticeCard):
            self._show_card(update)
        elif isinstance(update, Refusal):
            self._refused(update.request_id)
        elif update.layer not in self._shown:
            log.warning("nothing shown on layer '%s': config.yaml names no such layer", update.layer)
        elif isinstance(update, Frame):
            self._frame(update)
        elif isinstance(update, Preview):
            self._preview(update)
        else:
            self._clear(update)

    def withdraw(self, request_id: str) -> list[str]:
        """Take the previews of a picture off again, back to what its layers showed before, and return those layers.

        It may begin anew: only what is finished, refused or cleared has no more previews to come.
        """
        layers = [layer for layer, shown in self._shown.items() if request_id in shown.drawing]
        for layer in layers:
            shown = self._shown[layer]
            shown.drawing.remove(request_id)
            for mailbox in self._pages:
                mailbox.drop_preview(layer)
                if shown.picture is not None:
                    mailbox.put(shown.picture)
                else:
                    mailbox.clear(layer, shown.clear or wire.encode_clear(layer, next(self._seq), fade=True))
        return layers

    def join(self, layers: frozenset[str] | None = None, about: ClientInfo = ClientInfo()) -> Mailbox:
        """Add a page; its mailbox already holds what each of its layers shows now."""
        mailbox = Mailbox(next(self._ids), layers)
        for name, shown in self._shown.items():
            if shown.picture is not None:
                mailbox.put(shown.picture)
            elif shown.clear:
                # A page that comes back after a clear it has missed must not keep the old picture.
                mailbox.clear(name, shown.clear)
        if self._card and mailbox.wants(self._top):
            mailbox.notify(self._card)
        self._pages[mailbox] = about
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """Forget a page; leaving twice does no harm."""
        self._pages.pop(mailbox, None)

    def seen(self, mailbox: Mailbox, *, visible: bool, active: bool) -> None:
        """Note that OBS has shown or hidden a page."""
        if mailbox in self._pages:
            self._pages[mailbox] = replace(self._pages[mailbox], visible=visible, active=active)

    def painted(self, mailbox: Mailbox, message: wire.Painted, now: float) -> None:
        """Note a page's answer to a picture; the first page to show a finished one makes a Paint."""
        picture = mailbox.painted(message.layer, message.seq, now)
        if picture is not None and picture.final and message.shown and self._painted.put(picture.seq, None):
            paint = Paint(picture.request_id, picture.layer, picture.seq, now)
            for watcher in self._watchers:
                watcher.inbox.append(paint)
                watcher.wake.set()

    async def paints(self) -> AsyncIterator[Paint]:
        """Yield the first paint of every finished picture from now on; a reader that falls behind misses the oldest."""
        watcher = _Watcher()
        self._watchers.append(watcher)
        try:
            while True:
                await watcher.wake.wait()
                watcher.wake.clear()
                while watcher.inbox:
                    yield watcher.inbox.popleft()
        finally:
            self._watchers.remove(watcher)

    def pages(self) -> list[PageInfo]:
        """List the connected pages, oldest first."""
        return [_page_info(mailbox, about) for mailbox, about in self._pages.items()]

    def _frame(self, frame: Frame) -> None:
        if not isinstance(frame, ClearedFrame) or not frame.verdict_id or frame.capability is not self._capability:
            # A fault of ours, and no reason to end the show: what is on air stays.
            self.turned_away += 1
            log.error("not shown: picture %s came without a verdict", frame.request_id)
            return
        shown = self._shown[frame.layer]
        picture = self._encode(frame, final=True)
        self._finished.put((frame.layer, frame.request_id), None)
        self._layer_of.put(frame.request_id, frame.layer)
        shown.picture = picture
        if frame.request_id in shown.drawing:
            shown.drawing.remove(frame.request_id)
        for mailbox in self._pages:
            mailbox.put(picture)

    def _preview(self, preview: Preview) -> None:
        if (preview.layer, preview.request_id) in self._finished or not self.layers[preview.layer].previews:
            return
        drawing = self._shown[preview.layer].drawing
        if preview.request_id not in drawing:
            drawing.append(preview.request_id)
        self._layer_of.put(preview.request_id, preview.layer)
        picture = self._encode(preview, final=False)
        for mailbox in self._pages:
            mailbox.put(picture)

    def _clear(self, clear: Clear) -> None:
        for request_id in self._shown[clear.layer].drawing:
            # The clear has called off what these are becoming: their later previews must not appear.
            self._finished.put((clear.layer, request_id), None)
        message = wire.encode_clear(clear.layer, next(self._seq), fade=clear.fade)
        self._shown[clear.layer] = _LastShown(clear=message)
        for mailbox in self._pages:
            mailbox.clear(clear.layer, message)

    def _refused(self, request_id: str) -> None:
        """Take the beginnings of a refused picture off again, for good."""
        for layer in self.withdraw(request_id):
            self._finished.put((layer, request_id), None)

    def _show_card(self, card: NoticeCard) -> None:
        """Show a card on the pages of the topmost layer, where nothing covers it, and on those that join later."""
        message = wire.encode_card(card)
        if message == self._card or (not self._card and not card.title):
            return
        # A page that missed the end of a card hears of it when it comes back, so the last word is kept.
        self._card = message
        for mailbox in self._pages:
            if mailbox.wants(self._top):
                mailbox.notify(message)

    def _toast(self, toast: Toast) -> None:
        """Show a toast on the pages of its picture's layer, or on every page if it belongs to none."""
        layer = self._layer_of.get(toast.request_id)
        layers = [name for name in ([layer] if layer else self.layers) if self.layers[name].toast]
        message = wire.encode_toast(toast)
        for mailbox in self._pages:
            if mailbox.wants_any(layers):
                mailbox.notify(message)

    def _encode(self, update: Frame | Preview, *, final: bool) -> EncodedPicture:
        seq = next(self._seq)
        message = wire.encode_picture(update, seq, self._wall() * 1000)
        return EncodedPicture(update.layer, update.request_id, seq, final, message)


def _page_info(mailbox: Mailbox, about: ClientInfo) -> PageInfo:
    return PageInfo(
        id=mailbox.id,
        layers=None if mailbox.layers is None else tuple(sorted(mailbox.layers)),
        obs=about.obs,
        engine=about.engine,
        visible=about.visible,
        active=about.active,
        in_flight=mailbox.in_flight,
        ack_ms=None if mailbox.ack_s is None else round(mailbox.ack_s * 1000, 1),
        sent=mailbox.sent,
        skipped=mailbox.skipped,
        garbage=mailbox.garbage,
    )
