"""The connected overlay pages: what each one is, its mailbox, and the first paint of every finished picture."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from streamer.lru import LruDict
from streamer.overlay.mailbox import Mailbox
from streamer.overlay.wire import Painted

PAINTS_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Paint:
    """The first page has a finished picture on its screen; ``at`` is time.monotonic() seconds."""

    request_id: str
    layer: str
    seq: int
    at: float


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """What a page reports about itself: OBS version ("" in a plain browser), engine, and whether it is visible."""

    obs: str = ""
    engine: str = ""
    visible: bool = True
    active: bool = True


PLAIN_BROWSER = ClientInfo()


@dataclass(frozen=True, slots=True)
class PageInfo:
    """One connected page; ``layers`` is None for all layers, ``ack_ms`` is None before the first answer."""

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
    malformed: int


@dataclass(slots=True)
class _PaintReader:
    """One reader of paints; when its inbox is full, the oldest paint is dropped."""

    inbox: deque[Paint] = field(default_factory=lambda: deque(maxlen=PAINTS_REMEMBERED))
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class PageRegistry:
    """Keep the mailbox of every connected page; belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._pages: dict[Mailbox, ClientInfo] = {}
        self._painted: LruDict[int, None] = LruDict(PAINTS_REMEMBERED)
        self._readers: list[_PaintReader] = []

    @property
    def count(self) -> int:
        """Return the number of connected pages."""
        return len(self._pages)

    def mailboxes(self) -> Iterable[Mailbox]:
        """Return the mailbox of every page, oldest page first."""
        return self._pages.keys()

    def add(self, layers: frozenset[str] | None, client: ClientInfo) -> Mailbox:
        """Add a page that shows these layers (None: all of them) and return its empty mailbox."""
        mailbox = Mailbox(next(self._ids), layers)
        self._pages[mailbox] = client
        return mailbox

    def remove(self, mailbox: Mailbox) -> None:
        """Forget a page; removing it twice does no harm."""
        self._pages.pop(mailbox, None)

    def update_visibility(self, mailbox: Mailbox, *, visible: bool, active: bool) -> None:
        """Note that OBS has shown or hidden a page."""
        if mailbox in self._pages:
            self._pages[mailbox] = replace(self._pages[mailbox], visible=visible, active=active)

    def painted(self, mailbox: Mailbox, message: Painted, now: float) -> None:
        """Note a page's answer to a picture; the first page that shows a finished one makes a Paint."""
        picture = mailbox.painted(message.layer, message.seq, now)
        if picture is not None and picture.final and message.shown and self._painted.put(picture.seq, None):
            paint = Paint(picture.request_id, picture.layer, picture.seq, now)
            for reader in self._readers:
                reader.inbox.append(paint)
                reader.wake.set()

    async def paints(self) -> AsyncIterator[Paint]:
        """Yield the first paint of every finished picture from now on; a slow reader misses the oldest."""
        reader = _PaintReader()
        self._readers.append(reader)
        try:
            while True:
                await reader.wake.wait()
                reader.wake.clear()
                while reader.inbox:
                    yield reader.inbox.popleft()
        finally:
            self._readers.remove(reader)

    def describe(self) -> list[PageInfo]:
        """Describe the connected pages, oldest first."""
        return [_page_info(mailbox, client) for mailbox, client in self._pages.items()]


def _page_info(mailbox: Mailbox, client: ClientInfo) -> PageInfo:
    return PageInfo(
        id=mailbox.id,
        layers=None if mailbox.layers is None else tuple(sorted(mailbox.layers)),
        obs=client.obs,
        engine=client.engine,
        visible=client.visible,
        active=client.active,
        in_flight=mailbox.in_flight,
        ack_ms=None if mailbox.ack_s is None else round(mailbox.ack_s * 1000, 1),
        sent=mailbox.sent,
        skipped=mailbox.skipped,
        malformed=mailbox.malformed,
    )
