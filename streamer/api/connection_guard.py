"""uvicorn's two protocols behind the limits of connection_limits.py (docs/decisions/0018-limits-before-the-token.md).

The head of a request is kept until it is complete. If it shows a moderator's token it is answered at once; everybody
else takes turns. What strangers send costs next to nothing until it is a request, and then a fixed share of the time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
from starlette.requests import HTTPConnection
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame

from streamer.api.auth import TokenRole
from streamer.api.connection_limits import (
    ANSWER_S,
    CLOSING_S,
    HELLO_S,
    STALLED_S,
    TURNS_BURST,
    Allowance,
    ConnectionTable,
    LimitOptions,
    Peer,
    SocketAllowance,
    Turns,
    body_length,
    end_of_head,
    group_of,
    is_chunked,
    token_in,
)
from streamer.api.v1.faults import Fault

log = logging.getLogger(__name__)

TOO_MUCH = 4429
"""The close code of a WebSocket that sent more than it may, or for which there is no room."""
LONGEST_HEAD = 16_384
MOST_HEADERS = 100
"""A browser sends 20. Each costs the parser 5 microseconds, and 3,000 fit into a head."""
LONGEST_TARGET = 2048
"""In bytes. A path with 7,000 parameters costs as much as a hundred requests."""
LONGEST_BODY = 262_144
"""In bytes. The application refuses bodies of more than 64 KB itself; this limits what comes after an answer, too."""
LONGEST_UPLOAD = 12 * 2**20
"""In bytes, with an operator's token or a tenant's key: a picture of 8 MB as base64. Only routes that say so take more
than 64 KB. The connection is closed at twice as much, so that a client that sends a little too much gets an answer."""
UPLOADERS = frozenset({TokenRole.OPERATOR, TokenRole.TENANT})
STRANGERS_BODY = 4096
"""In bytes. Whatever takes a body takes a token, and a body is parsed before the routes look at it."""
HEAD_PIECES = 32
"""A client sends a head in one piece or in a few; each piece costs a wake-up of the loop."""
PIECE = 1024
"""In bytes. What a WebSocket sends is read in pieces, so that a flood is noticed before all of it is parsed."""
SWEEP_S = 0.5
REPORT_S = 60.0
STAFF_KEEP_ALIVE_S = 120
"""With a moderator's token, so that a panic needs no new connection while strangers open many."""
PONG = b"\x8a"
"""The first byte of a pong's frame."""
CONNECTION = "connection"
"""Where the routes find the connection in the ``state`` of a request."""

RoleOf = Callable[[str], TokenRole | None]


class ConnectionGuard:
    """Keeps the connections of one server within the limits. Belongs to the event loop."""

    def __init__(
        self,
        limits: LimitOptions,
        capacity: int,
        role_of: RoleOf,
        on_end: Callable[[str], None] = lambda reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self.role_of, self.now = limits, role_of, clock
        self.table = ConnectionTable(limits, capacity)
        self._turns = Turns(Allowance(limits.requests_per_s, TURNS_BURST, clock()))
        self._granting: asyncio.TimerHandle | None = None
        self._on_end = on_end
        self._ended: Counter[str] = Counter()
        self._reported_at = -REPORT_S

    def enter(self, peer: Peer) -> bool:
        """Admit a new connection and close who has to make room for it; tell whether it was admitted."""
        leaving = self.table.admit(peer)
        if leaving is not None:
            self.end(leaving, "crowded")
        return leaving is not peer

    def leave(self, peer: Peer) -> None:
        """Forget a connection that is closed."""
        self.table.remove(peer)
        self._turns.leave(peer)

    def end(self, peer: Peer, reason: str) -> None:
        """Close a connection, and count why."""
        if not peer.is_ended:
            peer.is_ended = True
            self._count(reason)
        peer.end(reason)

    def note_flood(self) -> None:
        """Count a connection that was closed before it got a protocol."""
        self._count("crowded")

    def _count(self, reason: str) -> None:
        self._ended[reason] += 1
        self._on_end(reason)

    def may_proceed(self, peer: Peer) -> bool:
        """Tell whether a complete request may be answered now; if not, ``peer.proceed`` is called when it may."""
        if peer.is_staff or self._turns.ask(peer, self.now()):
            return True
        self._grant_later()
        return False

    def _grant_later(self) -> None:
        wait_s = self._turns.wait_s()
        if wait_s is not None and self._granting is None:
            self._granting = asyncio.get_running_loop().call_later(max(wait_s, 0.001), self._grant)

    def _grant(self) -> None:
        self._granting = None
        for peer in self._turns.due(self.now()):
            peer.proceed()
        self._grant_later()

    def sweep(self) -> None:
        """Close what is overdue, and log what was closed since the last time, once a minute at most."""
        now = self.now()
        for peer in self.table:
            if peer.is_closing():
                peer.due = min(peer.due, now + CLOSING_S)
        for peer in self.table.overdue(now):
            self.end(peer, "slow")
        if self._ended and now - self._reported_at >= REPORT_S:
            counts = ", ".join(f"{count} {reason}" for reason, count in sorted(self._ended.items()))
            log.warning("connections closed to keep the program reachable: %s (docs/safety.md)", counts)
            self._ended.clear()
            self._reported_at = now

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            self.sweep()
            await asyncio.sleep(SWEEP_S)


class Connection:
    """What the routes may say about the connection that a request came over."""

    def __init__(self, guard: ConnectionGuard, peer: Peer) -> None:
        self._guard, self._peer = guard, peer

    def vouch(self, role: TokenRole) -> bool:
        """Note that it has shown a token; tell whether there is room for it."""
        entered = self._guard.table.vouch(self._peer, role)
        if entered:
            self._peer.due = math.inf
        return entered


def vouch(connection: HTTPConnection, role: TokenRole) -> bool:
    """Note that a connection has shown a token; tell whether there is room for it, as there is without a guard."""
    guarded = connection.scope.get("state", {}).get(CONNECTION)
    return not isinstance(guarded, Connection) or guarded.vouch(role)


class _StallTimer:
    """Gives a peer some seconds to read when what it is sent piles up; a base before the protocol itself."""

    _guard: ConnectionGuard
    _peer: Peer

    def pause_writing(self) -> None:
        """Give the peer some seconds to read."""
        self._peer.stalled_due = self._guard.now() + STALLED_S
        super().pause_writing()  # type: ignore[misc]

    def resume_writing(self) -> None:
        """Note that the peer reads."""
        self._peer.stalled_due = math.inf
        super().resume_writing()  # type: ignore[misc]


class GuardedHttp(_StallTimer, H11Protocol):
    """An HTTP connection: a request reaches uvicorn when its head is complete and it is its turn."""

    def __init__(
        self, guard: ConnectionGuard, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        self._guard = guard
        self._peer = Peer("", self._end, self._proceed, self._is_closing)
        super().__init__(config, server_state, {**app_state, CONNECTION: Connection(guard, self._peer)})
        # uvicorn makes the WebSocket's protocol with this when a request asks for the upgrade.
        self.ws_protocol_class = partial(GuardedWebSocket, guard, self._peer)  # type: ignore[assignment]
        self._head = bytearray()
        self._pieces = self._body_length = 0
        self._is_pipelined = self._is_rejected = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Enter the table; whoever has to make room is closed."""
        super().connection_made(transport)
        self._peer.address = group_of(self.client[0]) if self.client else ""
        self._peer.due = self._guard.now() + self._guard.limits.head_s
        self._guard.enter(self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the table."""
        self._guard.leave(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Collect the head of a request, pass its body on, and drop what comes before the answer to it."""
        if self.transport.is_closing():
            return
        if self._is_rejected:
            self._count_body(data)
        elif self.conn.their_state is h11.IDLE:
            self._receive_head(data)
        elif self.conn.their_state is h11.SEND_BODY:
            self._receive_body(data)
        else:
            self._is_pipelined = True

    def _is_closing(self) -> bool:
        return self.transport.is_closing()

    def _receive_head(self, data: bytes) -> None:
        if not self._head:
            self._unset_keepalive_if_required()
            self._peer.due = self._guard.now() + self._guard.limits.head_s
            self._pieces = 0
        self._head += data
        self._pieces += 1
        end = end_of_head(self._head)
        if (len(self._head) if end is None else end) > LONGEST_HEAD or (end is None and self._pieces >= HEAD_PIECES):
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "send shorter headers, and in fewer pieces")
        elif end is not None and self._head.count(b"\n", 0, end) > MOST_HEADERS:
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"send at most {MOST_HEADERS} headers")
        elif end is not None and self._head.index(b"\n") > LONGEST_TARGET:
            self._reject(HTTPStatus.REQUEST_URI_TOO_LONG, f"send an address of at most {LONGEST_TARGET} bytes")
        elif end is not None:
            self._receive_request(bytes(self._head[:end]))
        elif self._head[0] < 0x21 and self._head[0] not in b"\r\n":
            self._pass_on()  # no HTTP at all, such as a TLS handshake: uvicorn answers 400

    def _receive_request(self, head: bytes) -> None:
        token = token_in(head)
        role = self._guard.role_of(token) if token else None
        self._peer.answering = True
        self._peer.due = self._guard.now() + ANSWER_S
        if role is not None and not self._guard.table.vouch(self._peer, role):
            self._reject(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open (server.limits.connections)")
        elif is_chunked(head) and not self._peer.is_staff:
            self._reject(HTTPStatus.LENGTH_REQUIRED, "send a Content-Length instead of Transfer-Encoding")
        elif role is None and body_length(head) > STRANGERS_BODY:
            self._reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "show a token in the Authorization header first")
        elif self._guard.may_proceed(self._peer):
            self._pass_on()
        else:
            self.transport.pause_reading()

    def _proceed(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self._pass_on()

    def _pass_on(self) -> None:
        data = bytes(self._head)
        self._head.clear()
        self._body_length = 0
        if self._peer.is_staff:
            self.timeout_keep_alive = STAFF_KEEP_ALIVE_S
        self._peer.due = self._guard.now() + self._guard.limits.body_s
        super().data_received(data)
        self._note_end_of_body()

    def _receive_body(self, data: bytes) -> None:
        self._count_body(data)
        if not self.transport.is_closing():
            super().data_received(data)
            self._note_end_of_body()

    def _count_body(self, data: bytes) -> None:
        self._body_length += len(data)
        if self._body_length > (2 * LONGEST_UPLOAD if self._peer.role in UPLOADERS else LONGEST_BODY):
            self._guard.end(self._peer, "flooded")

    def _note_end_of_body(self) -> None:
        if self.transport.get_protocol() is self and self.conn.their_state is not h11.SEND_BODY:
            in_time = self._guard.now() + ANSWER_S
            self._peer.due = math.inf if self._peer.role or not self._peer.answering else in_time

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it was sent before this answer: that connection is closed."""
        self._peer.answering = False
        if self._is_pipelined or (self.conn.their_state is h11.DONE and self.conn.trailing_data[0]):
            self.transport.close()
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self._peer.due = math.inf  # uvicorn's keep-alive timer runs

    def _end(self, reason: str) -> None:
        awaits_request = bool(self._head) or self.conn.their_state is h11.SEND_BODY
        is_answered = self.cycle is not None and self.cycle.response_started
        is_over = is_answered or self._is_rejected or self.transport.is_closing()
        if reason == "slow" and awaits_request and not is_over:
            self._reject(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive")
        else:
            self.transport.abort()

    def _reject(self, status: HTTPStatus, detail: str) -> None:
        """Answer without uvicorn; close when the client has read that, or soon."""
        content: dict[str, object] = {
            "type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail,
        }  # fmt: skip
        if self._peer.role is TokenRole.TENANT:
            content |= Fault(status, detail).content()  # programs look for OpenAI's shape
        body = json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\n"
            f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._head.clear()
        self._is_rejected = True
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application answers no more
            self.cycle.message_event.set()
        self._peer.due = self._guard.now() + CLOSING_S
        self.transport.write(head.encode() + body)
        # Not close(): what the client still sends would make the system throw the answer away.
        self.transport.write_eof()


class GuardedWebSocket(_StallTimer, WebSocketsSansIOProtocol):
    """A WebSocket that may send little before its token and so much a second after it, and gets one pong at a time."""

    def __init__(
        self,
        guard: ConnectionGuard,
        peer: Peer,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._guard, self._peer = guard, peer
        self._allowance = SocketAllowance(guard.limits, guard.now())
        self._pong = b""
        self._is_flooding = False
        peer.end = self._end
        peer.due = math.inf if peer.role else guard.now() + HELLO_S

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the table."""
        self._guard.leave(self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read in pieces, and stop at a flood."""
        if not self.handshake_initiated:
            super().data_received(data)  # the head of the request, which uvicorn hands over
            return
        if self._peer.role is not None:
            self._allowance.let_in(self._guard.now())
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            if self._is_within(self._allowance.received(len(piece), self._guard.now())):
                super().data_received(piece)

    def _is_within(self, is_allowed: bool) -> bool:
        if not is_allowed and not self._is_flooding:
            self._is_flooding = True
            self._guard.end(self._peer, "flooded")
        return not self._is_flooding

    def handle_ping(self) -> None:
        """Answer the newest ping, and only when the peer reads; RFC 6455 (5.5.3) allows that."""
        if not self._is_within(self._allowance.control(self._guard.now())):
            return
        # The parser has answered every ping of this piece.
        answers = self.conn.data_to_send()
        pongs = [answer for answer in answers if answer[:1] == PONG]
        self._pong = pongs[-1] if pongs else self._pong
        self.transport.write(b"".join(answer for answer in answers if answer[:1] != PONG))
        if self.writable.is_set():
            self._send_pong()

    def handle_pong(self, event: Frame) -> None:
        """Count it."""
        if self._is_within(self._allowance.control(self._guard.now())):
            super().handle_pong(event)

    def handle_text(self, event: Frame) -> None:
        """Count it."""
        if self._is_within(self._allowance.message(self._guard.now())):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Count it."""
        if self._is_within(self._allowance.message(self._guard.now())):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Count it."""
        if self._is_within(self._allowance.message(self._guard.now())):
            super().handle_cont(event)

    def resume_writing(self) -> None:
        """Send the answer to the newest ping that came meanwhile."""
        super().resume_writing()
        self._send_pong()

    def _send_pong(self) -> None:
        self.transport.write(self._pong)
        self._pong = b""

    def _end(self, reason: str) -> None:
        if reason != "flooded" or not self.handshake_complete or self.close_sent or self.transport.is_closing():
            self.transport.abort()
            return
        why = "too many messages, pings or bytes"
        self.queue.put_nowait({"type": "websocket.disconnect", "code": TOO_MUCH, "reason": why})
        self.conn.send_close(TOO_MUCH, why)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
