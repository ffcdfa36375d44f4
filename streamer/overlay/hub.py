"""Remembers what each layer shows and puts every update into the mailboxes of the pages, without I/O or waiting."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from streamer.lru import LruDict
from streamer.moderation.air_gate import Capability, ClearedFrame
from streamer.overlay import wire
from streamer.overlay.layer_options import LayerOptions
from streamer.overlay.mailbox import EncodedPicture, Mailbox
from streamer.overlay.page_registry import PLAIN_BROWSER, ClientInfo, PageRegistry
from streamer.types import Clear, Frame, NoticeCard, Preview, Refusal, Toast

log = logging.getLogger(__name__)

REQUESTS_REMEMBERED = 512
UNFINISHED_REMEMBERED = 8

HubUpdate = Frame | Preview | Clear | Toast | Refusal | NoticeCard
"""Everything that changes what the pages show."""


@dataclass(slots=True)
class _LayerState:
    """What a layer shows: ``picture``, or nothing after a ``clear`` message; neither means that nothing is known.

    ``unfinished`` holds the requests with previews on the pages and no end yet.
    """

    picture: EncodedPicture | None = None
    clear: str = ""
    unfinished: deque[str] = field(default_factory=lambda: deque(maxlen=UNFINISHED_REMEMBERED))


class Hub:
    """Remember the current picture of each layer and spread updates; belongs to the event loop's thread."""

    def __init__(self, layers: Mapping[str, LayerOptions], wall: Callable[[], float] = time.time) -> None:
        self.layers = dict(layers)
        self.pages = PageRegistry()
        self.epoch = secrets.token_hex(8)
        self.rejected_frames = 0
        self._wall = wall
        self._seq = itertools.count(1)
        self._states = {name: _LayerState() for name in layers}
        self._finished: LruDict[tuple[str, str], None] = LruDict(REQUESTS_REMEMBERED)
        self._layer_of: LruDict[str, str] = LruDict(REQUESTS_REMEMBERED)
        self._card = ""
        self._top_layer = max(layers, key=lambda name: layers[name].z, default="")
        self._capability, self._capability_taken = Capability(), False

    def take_capability(self) -> Capability:
        """Hand out the capability that clears pictures for this hub: once, to the air gate and to nobody after it."""
        if self._capability_taken:
            raise RuntimeError("the capability of this hub has already been handed out")
        self._capability_taken = True
        return self._capability

    def join(self, layers: frozenset[str] | None = None, client: ClientInfo = PLAIN_BROWSER) -> Mailbox:
        """Add a page; its mailbox already holds what each of its layers shows now."""
        mailbox = self.pages.add(layers, client)
        for name, state in self._states.items():
            if state.picture is not None:
                mailbox.put(state.picture)
            elif state.clear:
                # A page that reconnects after a clear it missed must not keep the old picture.
                mailbox.clear(name, state.clear)
        if self._card and mailbox.wants(self._top_layer):
            mailbox.notify(self._card)
        return mailbox

    def publish(self, update: HubUpdate) -> None:
        """Spread one update to every page that wants it; never waits for any of them."""
        match update:
            case Toast():
                self._show_toast(update)
            case NoticeCard():
                self._show_card(update)
            case Refusal():
                self._remove_refused(update.request_id)
            case _ if update.layer not in self._states:
                log.warning("nothing shown on layer '%s': config.yaml names no such layer", update.layer)
            case Frame():
                self._show_frame(update)
            case Preview():
                self._show_preview(update)
            case Clear():
                self._clear_layer(update)

    def withdraw(self, request_id: str) -> list[str]:
        """Replace the previews of a request by what its layers showed before, and return those layers.

        The request may be drawn again later: only a finished, refused or cleared request gets no more previews.
        """
        layers = [layer for layer, state in self._states.items() if request_id in state.unfinished]
        for layer in layers:
            state = self._states[layer]
            state.unfinished.remove(request_id)
            for mailbox in self.pages.mailboxes():
                mailbox.drop_preview(layer)
                if state.picture is not None:
                    mailbox.put(state.picture)
                else:
                    mailbox.clear(layer, state.clear or wire.encode_clear(layer, next(self._seq), fade=True))
        return layers

    def _show_frame(self, frame: Frame) -> None:
        if not isinstance(frame, ClearedFrame) or not frame.verdict_id or frame.capability is not self._capability:
            # A bug in this program must not end the show: what is on air stays.
            self.rejected_frames += 1
            log.error("not shown: picture %s came without a verdict", frame.request_id)
            return
        state = self._states[frame.layer]
        state.picture = self._encode(frame, final=True)
        self._finished.put((frame.layer, frame.request_id), None)
        self._layer_of.put(frame.request_id, frame.layer)
        if frame.request_id in state.unfinished:
            state.unfinished.remove(frame.request_id)
        self._put(state.picture)

    def _show_preview(self, preview: Preview) -> None:
        if (preview.layer, preview.request_id) in self._finished or not self.layers[preview.layer].previews:
            return
        unfinished = self._states[preview.layer].unfinished
        if preview.request_id not in unfinished:
            unfinished.append(preview.request_id)
        self._layer_of.put(preview.request_id, preview.layer)
        if not self.layers[preview.layer].toast:
            preview = replace(preview, line="")
        self._put(self._encode(preview, final=False))

    def _clear_layer(self, clear: Clear) -> None:
        state = self._states[clear.layer]
        if not clear.fade:  # with a fade, a picture's time is over, and the next one may be drawn meanwhile
            for request_id in state.unfinished:
                # The clear also cancels what is being drawn: later previews of it must not appear.
                self._finished.put((clear.layer, request_id), None)
            state.unfinished.clear()
        state.picture, state.clear = None, wire.encode_clear(clear.layer, next(self._seq), fade=clear.fade)
        for mailbox in self.pages.mailboxes():
            mailbox.clear(clear.layer, state.clear)

    def _remove_refused(self, request_id: str) -> None:
        """Remove the previews of a refused request for good."""
        for layer in self.withdraw(request_id):
            self._finished.put((layer, request_id), None)

    def _show_card(self, card: NoticeCard) -> None:
        """Show a card on the pages of the topmost layer, where nothing covers it, and on those that join later."""
        message = wire.encode_card(card)
        if message == self._card or (not self._card and not card.title):
            return
        # The latest message is kept even if it removes the card: a page that missed it must remove the card, too.
        self._card = message
        for mailbox in self.pages.mailboxes():
            if mailbox.wants(self._top_layer):
                mailbox.notify(message)

    def _show_toast(self, toast: Toast) -> None:
        """Show a toast on the pages of its picture's layer, or on every page if it belongs to no picture."""
        layer = self._layer_of.get(toast.request_id)
        layers = [name for name in ([layer] if layer else self.layers) if self.layers[name].toast]
        message = wire.encode_toast(toast)
        for mailbox in self.pages.mailboxes():
            if mailbox.wants_any(layers):
                mailbox.notify(message)

    def _put(self, picture: EncodedPicture) -> None:
        for mailbox in self.pages.mailboxes():
            mailbox.put(picture)

    def _encode(self, update: Frame | Preview, *, final: bool) -> EncodedPicture:
        seq = next(self._seq)
        message = wire.encode_picture(update, seq, self._wall() * 1000)
        return EncodedPicture(update.layer, update.request_id, seq, final, message)
