"""One blocking connection to OBS: two obs-websocket sessions of obsws-python, one for requests and one for events.

obsws-python does not match answers to requests by id. After a timeout, each later answer would be taken for the answer
to the request before it. So every fault except a refusal by OBS itself ends the connection. Events are read from the
library's session and not through its EventClient: one bad event ends that client's thread, and it never notices a peer
that is gone.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

# Before the import: at INFO the library logs the password, and every expected refusal with a traceback.
_LOGGER = logging.getLogger("obsws_python")
_LOGGER.setLevel(logging.CRITICAL + 1)

from obsws_python import ReqClient  # noqa: E402
from obsws_python.baseclient import ObsClient as LibraryClient  # noqa: E402
from obsws_python.error import OBSSDKError, OBSSDKRequestError  # noqa: E402
from obsws_python.subs import Subs  # noqa: E402
from websocket import ABNF, WebSocket, WebSocketException  # noqa: E402

from streamer.errors import ObsAway, ObsRefused  # noqa: E402

ObsAnswer = Mapping[str, Any]
"""The JSON object that OBS sends as an answer or with an event; obs-websocket defines its keys."""

KICKED_CLOSE_CODE = 4011
"""obs-websocket closes a session with this code when the streamer kicks the client; the client must not return."""

_SUBSCRIPTIONS = Subs.GENERAL | Subs.CONFIG | Subs.SCENES | Subs.INPUTS | Subs.OUTPUTS | Subs.SCENEITEMS
# What the two libraries raise when the peer dies or answers nonsense.
_FAULTS = (OSError, WebSocketException, OBSSDKError, ValueError, LookupError, TypeError, AttributeError)


class ObsStatus(IntEnum):
    """The request status codes of obs-websocket that the program reacts to."""

    NOT_READY = 207
    NOT_FOUND = 600
    NAME_TAKEN = 601
    CREATION_FAILED = 700


@dataclass(frozen=True, slots=True)
class ObsEvent:
    """One event of obs-websocket: its name and its data."""

    name: str
    data: ObsAnswer


class WrongPassword(Exception):
    """OBS rejected the password, or requires one and none is set."""


class Kicked(Exception):
    """The streamer ended this session in OBS."""


class _Session(LibraryClient):  # type: ignore[misc]
    """The library's session, identified; it closes its socket when identification fails."""

    def __init__(self, host: str, port: int, password: str, timeout: float, subs: int) -> None:
        # Not by the library's constructor: it asks the proxy of HTTP_PROXY for OBS, and takes no IPv6 address.
        self.logger, self.password, self.subs = _LOGGER, password, subs
        self.ws = WebSocket()
        try:
            self.ws.connect(f"ws://{_bracketed(host)}:{port}", timeout=timeout, socket=_direct(host, port, timeout))
            self.server_hello = json.loads(self.ws.recv())
            self.authenticate()
        except BaseException:
            self.ws.shutdown()
            raise


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _direct(host: str, port: int, timeout_s: float) -> socket.socket:
    connection = socket.create_connection((host, port), timeout_s)
    # Requests are small, and each waits for its answer.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class _Requests(ReqClient):  # type: ignore[misc]
    """The library's request client on a session that is already open; we use only ``send(..., raw=True)``."""

    def __init__(self, session: _Session) -> None:
        self.base_client = session
        self.logger = session.logger


class Connection:
    """Talk to one OBS from one thread. Every method but ``request`` raises ObsAway when the connection is lost."""

    def __init__(self, host: str, port: int, password: str, timeout_s: float) -> None:
        settings = (host, port, password, timeout_s)
        self._request_session = _session(*settings, subs=0)
        try:
            self._event_session = _session(*settings, subs=int(_SUBSCRIPTIONS))
        except BaseException:
            self._request_session.ws.shutdown()
            raise
        self._requests = _Requests(self._request_session)

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """Return the sockets to wait for; when one is readable, call ``read`` with its index (0 or 1)."""
        return self._request_session.ws.sock, self._event_session.ws.sock

    def request(self, name: str, data: ObsAnswer | None = None) -> ObsAnswer:
        """Send a request and wait for its answer; raises ObsRefused or ObsAway."""
        try:
            return self._requests.send(name, data, raw=True) or {}
        except OBSSDKRequestError as error:
            raise ObsRefused(name, error.code, str(error)) from None
        except _FAULTS as error:
            raise ObsAway(f"no answer to {name} ({type(error).__name__})") from error

    def read(self, index: int) -> ObsEvent | None:
        """Read one message of a session: an event, or None for a pong; raises Kicked when the streamer ended it."""
        session = (self._request_session, self._event_session)[index]
        try:
            opcode, frame = session.ws.recv_data_frame(control_frame=True)
            if opcode == ABNF.OPCODE_CLOSE:
                kicked = frame.data[:2] == KICKED_CLOSE_CODE.to_bytes(2)
                raise Kicked if kicked else ObsAway("OBS closed the connection")
            if opcode in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
                return None
            if index == 0:
                raise ObsAway("OBS sent an answer without a request")
            event = json.loads(frame.data)["d"]
            return ObsEvent(str(event["eventType"]), event.get("eventData") or {})
        except _FAULTS as error:
            raise ObsAway(f"the connection broke ({type(error).__name__})") from error

    def ping(self) -> None:
        """Ping the event session; the pong arrives through ``read``."""
        try:
            self._event_session.ws.ping()
        except _FAULTS as error:
            raise ObsAway(f"the connection broke ({type(error).__name__})") from error

    def close(self, *, handshake: bool) -> None:
        """End both sessions; use ``handshake`` only while OBS is known to answer, since it waits for the reply."""
        for session in (self._request_session, self._event_session):
            try:
                if handshake:
                    session.ws.close(timeout=0.3)
            except _FAULTS:
                pass
            finally:
                session.ws.shutdown()


def _session(host: str, port: int, password: str, timeout_s: float, *, subs: int) -> _Session:
    try:
        return _Session(host, port, password, timeout_s, subs)
    except OBSSDKError as error:
        # The library raises the same error for a wrong password, a missing one, and an OBS that is just closing.
        raise WrongPassword from error
    except _FAULTS as error:
        raise ObsAway(f"nothing answers ({type(error).__name__})") from error
