"""The thread that owns the connection to OBS: connects, reconnects, sends requests one by one, and reports events."""

from __future__ import annotations

import asyncio
import logging
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from streamer.errors import ObsAway, ObsError, StreamerError
from streamer.integrations.obs.connection import Connection, Kicked, ObsAnswer, WrongPassword
from streamer.integrations.obs.connection_events import ConnectionEvent, ObsConnected, ObsDisconnected

log = logging.getLogger(__name__)

MAX_PENDING_CALLS = 64
REJECTIONS_IN_A_ROW = 2
"""An OBS that closes during the handshake looks like a wrong password, so only the second rejection counts."""
STARTUP_TIMEOUT_S = 30.0
STARTUP_RETRY_S = 0.2
JOIN_TIMEOUT_S = 1.0


class ObsConnectionState(StrEnum):
    """The state of the connection; in the last two the client does not retry by itself."""

    CONNECTING = "connecting"
    READY = "ready"
    AWAY = "away"
    WRONG_PASSWORD = "wrong_password"  # nosec B105
    KICKED = "kicked"

    @property
    def failed(self) -> bool:
        """Tell whether only the streamer can change this state."""
        return self in (ObsConnectionState.WRONG_PASSWORD, ObsConnectionState.KICKED)


@dataclass(frozen=True, slots=True)
class ReconnectPace:
    """Timeouts and intervals of the client, in seconds."""

    timeout_s: float = 5.0
    heartbeat_s: float = 5.0
    retry_s: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15)
    password_check_s: float = 3.0


DEFAULT_PACE = ReconnectPace()


@dataclass(slots=True)
class PendingCall:
    """One request that waits for its answer; ``finish`` may be called from any thread."""

    request: str
    data: ObsAnswer | None
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[ObsAnswer]

    def finish(self, answer: ObsAnswer | ObsError) -> None:
        """Hand the answer to the waiting coroutine, from any thread."""
        with suppress(RuntimeError):  # the loop has ended, and with it every waiting coroutine
            self.loop.call_soon_threadsafe(_set_answer, self.answer, answer)


def _set_answer(future: asyncio.Future[ObsAnswer], answer: ObsAnswer | ObsError) -> None:
    if future.done():
        return
    if isinstance(answer, ObsError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


@dataclass(frozen=True, slots=True)
class ObsAddress:
    """Where OBS listens, and how to get the password, which may change while the program runs."""

    host: str
    port: int
    password: Callable[[], str]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class ClientThread:
    """Run one connection after another; ``emit`` is called in this thread."""

    def __init__(self, address: ObsAddress, pace: ReconnectPace, emit: Callable[[ConnectionEvent], None]) -> None:
        self._address, self._pace, self._emit = address, pace, emit
        self._calls: queue.Queue[PendingCall] = queue.Queue(MAX_PENDING_CALLS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="obs", daemon=True)
        self._last_known = ""
        self.state = ObsConnectionState.CONNECTING
        self.reason = ""

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; once."""
        self._wake_sender, self._wake_receiver = socket.socketpair()
        self._wake_sender.setblocking(False)
        self._wake_receiver.setblocking(False)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it, a second at most; blocks."""
        self._closed.set()
        self._wake()
        self._thread.join(JOIN_TIMEOUT_S)

    def submit(self, call: PendingCall) -> None:
        """Queue a request, from the event loop; raises ObsAway when too many are waiting."""
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            raise ObsAway("OBS does not keep up: too many requests are waiting") from None
        self._wake()
        if self.state is not ObsConnectionState.READY:
            # The connection was lost just now, after the thread had failed the other pending calls.
            self._fail_pending_calls()

    def _run(self) -> None:
        attempt = rejections = 0
        while not self._closed.is_set():
            password = self._current_password()
            try:
                connection = Connection(self._address.host, self._address.port, password, self._pace.timeout_s)
                attempt = rejections = 0
                self._serve_until_closed(connection)
            except WrongPassword:
                rejections += 1
                if rejections >= REJECTIONS_IN_A_ROW:
                    self._lose(ObsConnectionState.WRONG_PASSWORD, _password_problem(password))
                    self._wait_for_new_password(password)
                    continue
            except Kicked:
                reason = "ended in OBS (Tools > WebSocket Server Settings); restart the program to connect again"
                self._lose(ObsConnectionState.KICKED, reason)
                self._closed.wait()
            except ObsAway as error:
                self._lose(ObsConnectionState.AWAY, str(error))
            self._closed.wait(self._pace.retry_s[min(attempt, len(self._pace.retry_s) - 1)])
            attempt += 1
        self._lose(ObsConnectionState.AWAY, "the program is stopping")
        self._wake_sender.close()
        self._wake_receiver.close()

    def _serve_until_closed(self, connection: Connection) -> None:
        try:
            self._serve(connection)
        finally:
            connection.close(handshake=self._closed.is_set())

    def _serve(self, connection: Connection) -> None:
        """Send calls and emit events until the client closes; raises ObsAway or Kicked when OBS is lost."""
        self._become_ready(_first_answer(connection, self._closed))
        heard_at = heartbeat_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_receiver, selectors.EVENT_READ, None)
            for index, session_socket in enumerate(connection.sockets):
                selector.register(session_socket, selectors.EVENT_READ, index)
            while not self._closed.is_set():
                for key, _ in selector.select(max(0.0, heartbeat_at + self._pace.heartbeat_s - time.monotonic())):
                    if key.data is None:
                        self._drain_wake_ups()
                    else:
                        if (event := connection.read(key.data)) is not None:
                            self._emit(event)
                        heard_at = time.monotonic()
                self._send_pending_calls(connection)
                if time.monotonic() - heartbeat_at >= self._pace.heartbeat_s:
                    self._heartbeat(connection, heard_at)
                    heartbeat_at = time.monotonic()

    def _heartbeat(self, connection: Connection, heard_at: float) -> None:
        """Check both sessions; raises ObsAway when OBS has been silent for too long."""
        if time.monotonic() - heard_at > 2 * self._pace.heartbeat_s + self._pace.timeout_s:
            raise ObsAway("OBS no longer sends anything")
        connection.request("GetVersion")
        connection.ping()

    def _send_pending_calls(self, connection: Connection) -> None:
        while not self._closed.is_set():
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call.answer.cancelled():
                continue
            try:
                call.finish(connection.request(call.request, call.data))
            except ObsAway as error:
                # The state changes first, so that a caller that sees the error does not use the broken connection.
                self._lose(ObsConnectionState.AWAY, str(error))
                call.finish(error)
                raise
            except ObsError as error:
                call.finish(error)

    def _become_ready(self, version: ObsAnswer) -> None:
        self.state, self.reason = ObsConnectionState.READY, ""
        log.info("connected to OBS %s", version.get("obsVersion", ""))
        self._emit(ObsConnected(version))

    def _lose(self, state: ObsConnectionState, reason: str) -> None:
        previous, self.state, self.reason = self.state, state, reason
        if previous is not state and state.failed:
            log.error("OBS: %s", reason)
        elif previous is ObsConnectionState.READY and not self._closed.is_set():
            # The streamer may close OBS at any time, so this is no warning.
            log.info("OBS is gone: %s; waiting for it to come back", reason)
        self._fail_pending_calls()
        if previous is not state:
            self._emit(ObsDisconnected(reason))

    def _fail_pending_calls(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._calls.get_nowait().finish(ObsAway(self.reason))

    def _wait_for_new_password(self, password: str) -> None:
        """Leave OBS alone until the password has been changed."""
        while not self._closed.wait(self._pace.password_check_s) and self._current_password() == password:
            pass

    def _current_password(self) -> str:
        with suppress(StreamerError):  # reported at the start; a file that breaks later must not end the thread
            self._last_known = self._address.password()
        return self._last_known

    def _wake(self) -> None:
        with suppress(OSError):  # a full socket wakes the thread, too
            self._wake_sender.send(b"\0")

    def _drain_wake_ups(self) -> None:
        with suppress(OSError):
            while self._wake_receiver.recv(4096):
                pass


def _first_answer(connection: Connection, closed: threading.Event) -> ObsAnswer:
    """Ask for the version until OBS is ready: it opens its port before it can answer (status 207)."""
    deadline = time.monotonic() + STARTUP_TIMEOUT_S
    while True:
        try:
            return connection.request("GetVersion")
        except ObsAway:
            raise
        except ObsError as error:
            if closed.wait(STARTUP_RETRY_S) or time.monotonic() > deadline:
                raise ObsAway(str(error)) from error


def _password_problem(password: str) -> str:
    fix = "STREAMER_OBS_PASSWORD, or run: streamer obs password"
    if not password:
        return f"OBS asks for a password; set {fix}"
    return f"OBS does not accept the password; correct {fix}"
