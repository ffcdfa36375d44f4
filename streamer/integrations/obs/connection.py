"""One connection to OBS: two obs-websocket sessions of obsws-python, one for requests and one for events; blocking.

obsws-python never compares the ids of requests and answers, so after a timeout every later answer belongs to the
request before: whatever goes wrong here, but for a refusal by OBS itself, ends the connection. The events are read from
the library's session and not by its EventClient, whose thread dies of one bad event and never notices a lost peer.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Before the import: at INFO the library logs the password, and every expected refusal with a traceback.
logging.getLogger("obsws_python").setLevel(logging.CRITICAL + 1)

from obsws_python import ReqClient  # noqa: E402
from obsws_python.baseclient import ObsClient  # noqa: E402
from obsws_python.error import OBSSDKError, OBSSDKRequestError  # noqa: E402
from obsws_python.subs import Subs  # noqa: E402
from websocket import ABNF, WebSocketException  # noqa: E402

from streamer.errors import ObsAway, ObsRefused  # noqa: E402

ObsAnswer = Mapping[str, Any]
"""What OBS answers to a request, or tells with an event: JSON of obs-websocket's own making."""

KICKED = 4011
"""obs-websocket's close code when the streamer sends a client away; it asks not to come back by itself."""

_EVENTS = Subs.GENERAL | Subs.CONFIG | Subs.SCENES | Subs.INPUTS | Subs.OUTPUTS | Subs.SCENEITEMS
# What a peer that dies, or one that answers nonsense, makes of the two libraries.
_FAULTS = (OSError, WebSocketException, OBSSDKError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class ObsEvent:
    """Something that OBS told: obs-websocket's name for it, and its data."""

    name: str
    data: ObsAnswer


class WrongPassword(Exception):
    """OBS did not accept the password, or wants one and there is none."""


class Kicked(Exception):
    """The streamer ended this session in OBS."""


class _Session(ObsClient):  # type: ignore[misc]
    """The library's session, identified, which does not leave its socket open when that fails."""

    def __init__(self, **settings: object) -> None:
        try:
            super().__init__(**settings)
            self.authenticate()
        except BaseException:
            if (opened := getattr(self, "ws", None)) is not None:
                opened.shutdown()
            raise


class _Requests(ReqClient):  # type: ignore[misc]
    """The library's request client on a session that is open already; only ``send(..., raw=True)`` is ever used."""

    def __init__(self, session: _Session) -> None:
        self.base_client = session
        self.logger = session.logger


class Connection:
    """Speak to one OBS; belongs to one thread. Every method but ``ask`` raises ObsAway when OBS is lost."""

    def __init__(self, host: str, port: int, password: str, timeout_s: float) -> None:
        settings = {"host": host, "port": port, "password": password, "timeout": timeout_s}
        self._asking = _session(settings, subs=0)
        try:
            self._hearing = _session(settings, subs=int(_EVENTS))
        except BaseException:
            self._asking.ws.shutdown()
            raise
        self._requests = _Requests(self._asking)

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """Give the sockets to wait for; when one can be read, call ``read`` with its number (0 or 1)."""
        return self._asking.ws.sock, self._hearing.ws.sock

    def ask(self, request: str, data: ObsAnswer | None = None) -> ObsAnswer:
        """Send a request and wait for its answer; raises ObsRefused when OBS will not, ObsAway when it is lost."""
        try:
            return self._requests.send(request, data, raw=True) or {}
        except OBSSDKRequestError as error:
            raise ObsRefused(request, error.code, str(error)) from None
        except _FAULTS as error:
            raise ObsAway(f"no answer to {request} ({type(error).__name__})") from error

    def read(self, number: int) -> ObsEvent | None:
        """Read one message of a session: an event, or None for a pong; raises SentAway when the streamer ended it."""
        session = (self._asking, self._hearing)[number]
        try:
            kind, frame = session.ws.recv_data_frame(control_frame=True)
            if kind == ABNF.OPCODE_CLOSE:
                raise Kicked if frame.data[:2] == KICKED.to_bytes(2) else ObsAway("OBS closed the connection")
            if kind in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
                return None
            if number == 0:
                raise ObsAway("OBS answered what nobody asked")
            event = json.loads(frame.data)["d"]
            return ObsEvent(str(event["eventType"]), event.get("eventData") or {})
        except _FAULTS as error:
            raise ObsAway(f"the connection broke ({type(error).__name__})") from error

    def ping(self) -> None:
        """Ask the events' session for a sign of life; the answer comes through ``read``."""
        try:
            self._hearing.ws.ping()
        except _FAULTS as error:
            raise ObsAway(f"the connection broke ({type(error).__name__})") from error

    def close(self, *, politely: bool) -> None:
        """End both sessions; politely only while OBS is known to be there, since that waits for its answer."""
        for session in (self._asking, self._hearing):
            try:
                if politely:
                    session.ws.close(timeout=0.3)
            except _FAULTS:
                pass
            finally:
                session.ws.shutdown()


def _session(settings: ObsAnswer, subs: int) -> _Session:
    try:
        return _Session(**settings, subs=subs)
    except OBSSDKError as error:
        # The library says the same for a wrong password, for none, and for an OBS that closes in this very moment.
        raise WrongPassword from error
    except _FAULTS as error:
        raise ObsAway(f"nothing answers ({type(error).__name__})") from error
