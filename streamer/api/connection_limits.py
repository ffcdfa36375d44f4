"""Decides which connections stay open and what each may send, before and after it shows a token. No I/O.

A stranger is a connection that has shown no valid token yet. The streamer's own connections begin as strangers, too,
often from the same address as an attacker's, so nobody is turned away: the stranger that waits longest makes room.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field

from streamer.api.auth import TokenRole

STAFF = frozenset({TokenRole.MODERATOR, TokenRole.OPERATOR})
"""Roles whose connections find room and an answer whatever happens."""
ANSWER_S = 30.0
"""How long a stranger may take to be answered, and to read the answer."""
STALLED_S = 20.0
"""How long a peer may read nothing of what is sent to it."""
HELLO_S = 15.0
"""How long a WebSocket may stay a stranger; the routes wait 5 s for the token and then close in order."""
CLOSING_S = 5.0
"""How long a closed connection may take to send what is left."""
BURST_S = 3.0
"""How many seconds' worth of messages and bytes may come at once."""
CONTROLS_PER_S = 10.0
"""Pings and pongs; a client that keeps its connection alive sends one every 10 to 30 s."""
TURNS_BURST = 30.0

_TOKEN = re.compile(rb"(?i:\nauthorization:[ \t]*bearer)[ \t]+([^\r\n]+)|^\w+ [^ \r\n]*[?&]token=([^&# \r\n]+)")
_HEAD_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"(?i)\ncontent-length[ \t]*:[ \t]*(\d{1,18})")
_CHUNKED = re.compile(rb"(?i)\ntransfer-encoding[ \t]*:")


class LimitOptions(BaseModel):
    """How much anybody who reaches the port may ask of the program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: int = Field(
        512, ge=16, description="open connections at once; fewer where the system lets the program open fewer files"
    )
    strangers: int = Field(
        256,
        ge=8,
        description="how many of them may have shown no token yet; when there are more, the oldest of the address "
        "with the most is closed, never the newest",
    )
    strangers_per_address: int = Field(128, ge=4, description="the same for one address (for IPv6: one /64 network)")
    requests_per_s: float = Field(
        300, gt=0, description="HTTP requests a second of everybody without a moderator's token together; more wait"
    )
    head_s: float = Field(5, gt=0, description="seconds within which a request has to arrive up to its body")
    body_s: float = Field(10, gt=0, description="seconds within which its body has to arrive")
    messages_per_s: float = Field(
        100, gt=0, description="messages a second on one WebSocket with a token; one that sends more is closed"
    )
    bytes_per_s: float = Field(65_536, gt=0, description="the same in bytes")


@dataclass(eq=False, slots=True)
class Peer:
    """One connection: whose it is, and until when it may stay as it is (times are those of the injected clock)."""

    address: str
    end: Callable[[str], None]
    """Closes it at once; told why in one word."""
    proceed: Callable[[], None] = lambda: None
    """Continues a request that waited for its turn."""
    is_closing: Callable[[], bool] = lambda: False
    due: float = math.inf
    stalled_due: float = math.inf
    answering: bool = False
    is_ended: bool = False
    role: TokenRole | None = None

    @property
    def is_staff(self) -> bool:
        """Tell whether it has shown a moderator's or an operator's token."""
        return self.role in STAFF

    @property
    def turn_group(self) -> str:
        """Return with whom it shares its turns: its address, or the role of its token."""
        return self.address if self.role is None else self.role.value


class ConnectionTable:
    """Every open connection; at most ``capacity`` in all."""

    def __init__(self, limits: LimitOptions, capacity: int) -> None:
        self.capacity = min(limits.connections, capacity)
        self._strangers_limit = min(limits.strangers, max(1, self.capacity // 2))
        self._per_address = min(limits.strangers_per_address, self._strangers_limit)
        self._strangers: dict[str, OrderedDict[Peer, None]] = {}
        self._stranger_count = 0
        self._known: set[Peer] = set()

    def __len__(self) -> int:
        return self._stranger_count + len(self._known)

    def __iter__(self) -> Iterator[Peer]:
        yield from [peer for peers in self._strangers.values() for peer in peers]
        yield from list(self._known)

    def admit(self, peer: Peer) -> Peer | None:
        """Enter a newcomer; return who has to go for it: a stranger, or the newcomer if only tokens are left."""
        leaving = self._room_for(peer)
        if leaving is not peer:
            if leaving is not None:
                self.remove(leaving)
            self._strangers.setdefault(peer.address, OrderedDict())[peer] = None
            self._stranger_count += 1
        return leaving

    def _room_for(self, newcomer: Peer) -> Peer | None:
        if len(self._strangers.get(newcomer.address, ())) >= self._per_address:
            return self._longest_waiting(newcomer.address)
        if self._stranger_count < self._strangers_limit and len(self) < self.capacity:
            return None
        if not self._strangers:
            return newcomer
        return self._longest_waiting(max(self._strangers, key=lambda address: len(self._strangers[address])))

    def _longest_waiting(self, address: str) -> Peer:
        """Return the oldest whose request has not arrived, or else the oldest."""
        peers = self._strangers[address]
        return next((peer for peer in peers if not peer.answering), next(iter(peers)))

    def vouch(self, peer: Peer, role: TokenRole) -> bool:
        """Note that a connection has shown a token; tell whether there is room for it, as there always is for staff."""
        if peer.role is None and role not in STAFF and len(self._known) >= self.capacity - self._strangers_limit:
            return False
        if self._remove_stranger(peer):
            self._known.add(peer)
        peer.role = role
        return True

    def remove(self, peer: Peer) -> None:
        """Forget a connection that is closed."""
        if not self._remove_stranger(peer):
            self._known.discard(peer)

    def _remove_stranger(self, peer: Peer) -> bool:
        peers = self._strangers.get(peer.address)
        if peers is None or peer not in peers:
            return False
        del peers[peer]
        self._stranger_count -= 1
        if not peers:
            del self._strangers[peer.address]
        return True

    def overdue(self, now: float) -> list[Peer]:
        """Return the connections whose time is up."""
        return [peer for peer in self if min(peer.due, peer.stalled_due) <= now]


class Allowance:
    """So much a second, and ``burst`` at once."""

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left, self._at = burst, now

    def take(self, amount: float, now: float) -> bool:
        """Use up an amount, unless less than that is left."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def wait_s(self, amount: float) -> float:
        """Return how long after the last attempt an amount will be there."""
        return max(0.0, (amount - self._left) / self._per_s)


class SocketAllowance:
    """What one WebSocket may send: a few messages while it is a stranger, and so much a second afterwards."""

    def __init__(self, limits: LimitOptions, now: float) -> None:
        self._limits = limits
        self._is_stranger = True
        self._messages = Allowance(1, 4, now)
        self._controls = Allowance(1, 4, now)
        self._bytes = Allowance(1024, 8192, now)

    def let_in(self, now: float) -> None:
        """Grant what a token allows; does so once."""
        if self._is_stranger:
            per_s, bytes_per_s = self._limits.messages_per_s, self._limits.bytes_per_s
            self._is_stranger = False
            self._messages = Allowance(per_s, per_s * BURST_S, now)
            self._controls = Allowance(CONTROLS_PER_S, CONTROLS_PER_S * BURST_S, now)
            self._bytes = Allowance(bytes_per_s, bytes_per_s * BURST_S, now)

    def message(self, now: float) -> bool:
        """Tell whether one more message or part of a message is within the limits."""
        return self._messages.take(1, now)

    def control(self, now: float) -> bool:
        """Tell whether one more ping or pong is within the limits."""
        return self._controls.take(1, now)

    def received(self, count: int, now: float) -> bool:
        """Tell whether that many more bytes are within the limits."""
        return self._bytes.take(count, now)


@dataclass
class Turns:
    """Who may be answered now: addresses take turns, so that a crowd from one delays nobody from another."""

    allowance: Allowance
    _waiting: OrderedDict[str, deque[Peer]] = field(default_factory=OrderedDict)

    def ask(self, peer: Peer, now: float) -> bool:
        """Tell whether a request may be answered at once; if not, it waits in line."""
        if not self._waiting and self.allowance.take(1, now):
            return True
        self._waiting.setdefault(peer.turn_group, deque()).append(peer)
        return False

    def due(self, now: float) -> list[Peer]:
        """Return whose turn it is, and take them out of the line."""
        whose = []
        while self._waiting and self.allowance.take(1, now):
            group, peers = self._waiting.popitem(last=False)
            whose.append(peers.popleft())
            if peers:
                self._waiting[group] = peers
        return whose

    def leave(self, peer: Peer) -> None:
        """Take a closed connection out of the line."""
        for group in [group for group, peers in self._waiting.items() if peer in peers]:
            self._waiting[group].remove(peer)
            if not self._waiting[group]:
                del self._waiting[group]

    def wait_s(self) -> float | None:
        """Return when to call ``due`` again, in seconds; None when nobody waits."""
        return self.allowance.wait_s(1) if self._waiting else None


def group_of(host: str) -> str:
    """Return what counts as one address: of IPv6 the network, since everybody has 2^64 addresses in theirs."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address if address.is_loopback else ipaddress.ip_network((address, 64), strict=False))


def token_in(head: bytes) -> str:
    """Return the token in the head of a request: of the Authorization header or of ``?token=``; "" if there is none."""
    found = _TOKEN.search(head)
    if found is None:
        return ""
    bearer, query = found.groups()
    return bearer.decode("latin-1").strip() if bearer is not None else unquote_plus(query.decode("latin-1"))


def end_of_head(data: bytes | bytearray) -> int | None:
    """Return where the head of a request ends, or None when more of it has to arrive."""
    end = _HEAD_END.search(data)
    return end.end() if end else None


def body_length(head: bytes) -> int:
    """Return how many bytes of body the head of a request announces, the largest number where it names several."""
    return max((int(length) for length in _LENGTH.findall(head)), default=0)


def is_chunked(head: bytes) -> bool:
    """Tell whether the body comes in pieces of the sender's choice: a few bytes of each keep the server busy."""
    return _CHUNKED.search(head) is not None
