"""The link to OBS: one thread that owns the connection for the whole life of the program, and its face for the loop."""

from __future__ import annotations

import asyncio
import logging
import queue
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from streamer.errors import ObsAway, ObsError, StreamerError
from streamer.integrations.obs.connection import Connection, Kicked, ObsAnswer, ObsEvent, WrongPassword

log = logging.getLogger(__name__)

PENDING = 64
NEWS = 1000
SWITCH = "Tools > WebSocket Server Settings > Enable WebSocket server"
WRONG_TWICE = 2
"""An OBS that closes during the handshake looks like a wrong password: only the second time counts."""


class ObsConnectionState(StrEnum):
    """How the link stands; the last two do not try again by themselves."""

    CONNECTING = "connecting"
    READY = "ready"
    AWAY = "away"
    WRONG_PASSWORD = "wrong_password"  # nosec B105
    SENT_AWAY = "sent_away"


@dataclass(frozen=True, slots=True)
class ReconnectPace:
    """How patient the link is, in seconds."""

    timeout_s: float = 5.0
    beat_s: float = 5.0
    retry_s: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15)
    look_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Connected:
    """OBS is there (again); ``version`` is its answer to GetVersion."""

    version: ObsAnswer


@dataclass(frozen=True, slots=True)
class Disconnected:
    """OBS is gone: closed, crashed, or no longer answering."""

    why: str


ConnectionEvent = Connected | Disconnected | ObsEvent


@dataclass(slots=True)
class _PendingCall:
    request: str
    data: ObsAnswer | None
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[ObsAnswer]

    def done(self, answer: ObsAnswer | ObsError) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it everybody who waits
            self.loop.call_soon_threadsafe(_settle, self.answer, answer)


def _settle(future: asyncio.Future[ObsAnswer], answer: ObsAnswer | ObsError) -> None:
    if future.done():
        return
    if isinstance(answer, ObsError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


@dataclass(slots=True)
class SettingReader:
    """Whoever reads the news: bounded, the oldest are dropped."""

    loop: asyncio.AbstractEventLoop
    inbox: deque[ConnectionEvent] = field(default_factory=lambda: deque(maxlen=NEWS))
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> ConnectionEvent:
        """Wait for the next news."""
        while not self.inbox:
            self.wake.clear()
            await self.wake.wait()
        return self.inbox.popleft()

    def tell(self, news: ConnectionEvent) -> None:
        """Add news, from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._put, news)

    def _put(self, news: ConnectionEvent) -> None:
        self.inbox.append(news)
        self.wake.set()


class ObsClient:
    """Keep one connection to OBS for as long as the program runs; ``call`` and ``news`` belong to the event loop."""

    def __init__(
        self, host: str, port: int, password: Callable[[], str], pace: ReconnectPace = ReconnectPace()
    ) -> None:
        self._host, self._port, self._password, self._pace = host, port, password, pace
        self._errands: queue.Queue[_PendingCall] = queue.Queue(PENDING)
        self._closed = threading.Event()
        self._reader: SettingReader | None = None
        self._thread: threading.Thread | None = None
        self._last_known = ""
        self.state = ObsConnectionState.CONNECTING
        self.why = ""

    def __repr__(self) -> str:
        return f"Link({self._host}:{self._port}, {self.state})"

    @property
    def here(self) -> bool:
        """Tell whether OBS runs on this computer, so that both see the same files."""
        return self._host in ("127.0.0.1", "localhost", "::1")

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SettingReader]:
        """Run the thread while inside, and give the news of the connection; once in the life of a link."""
        assert self._thread is None, "a link is opened once"
        self._reader = reader = SettingReader(asyncio.get_running_loop())
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="obs", daemon=True)
        self._thread.start()
        try:
            yield reader
        finally:
            self._reader = None
            self._closed.set()
            self._wake()
            await asyncio.to_thread(self._thread.join, 1.0)

    async def ready(self, news: SettingReader, within_s: float) -> None:
        """Wait until OBS is there; ObsAway says why it is not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.state not in (
                    ObsConnectionState.READY,
                    ObsConnectionState.WRONG_PASSWORD,
                    ObsConnectionState.SENT_AWAY,
                ):
                    await news.next()
        if self.state in (ObsConnectionState.WRONG_PASSWORD, ObsConnectionState.SENT_AWAY):
            raise ObsAway(self.why)
        if self.state is not ObsConnectionState.READY:
            at = f"{self._host}:{self._port}"
            raise ObsAway(f"no OBS at {at}: {self.why}; start it, and switch on {SWITCH}")

    async def call(self, request: str, data: ObsAnswer | None = None) -> ObsAnswer:
        """Ask OBS for something and wait for its answer; raises ObsAway or ObsRefused."""
        if self.state is not ObsConnectionState.READY:
            raise ObsAway(self.why or "OBS is not connected")
        loop = asyncio.get_running_loop()
        errand = _PendingCall(request, data, loop, loop.create_future())
        try:
            self._errands.put_nowait(errand)
        except queue.Full:
            raise ObsAway("OBS does not follow: too much is asked of it at once") from None
        self._wake()
        if self.state is not ObsConnectionState.READY:
            # Lost in this very moment, after the thread had sent the others home.
            self._send_home()
        return await errand.answer

    # The thread.

    def _run(self) -> None:
        failed = wrong = 0
        while not self._closed.is_set():
            password = self._current_password()
            try:
                connection = Connection(self._host, self._port, password, self._pace.timeout_s)
                wrong = 0
                try:
                    failed = 0
                    self._serve(connection)
                finally:
                    connection.close(politely=self._closed.is_set())
            except WrongPassword:
                wrong += 1
                if wrong >= WRONG_TWICE:
                    self._lose(ObsConnectionState.WRONG_PASSWORD, _wrong(password))
                    self._wait_for_another(password)
                    continue
            except Kicked:
                why = "ended in OBS (Tools > WebSocket Server Settings); restart the program to connect again"
                self._lose(ObsConnectionState.SENT_AWAY, why)
                self._closed.wait()
            except ObsAway as error:
                self._lose(ObsConnectionState.AWAY, str(error))
            self._closed.wait(self._pace.retry_s[min(failed, len(self._pace.retry_s) - 1)])
            failed += 1
        self._lose(ObsConnectionState.AWAY, "the program ends")
        self._near.close()
        self._far.close()

    def _serve(self, connection: Connection) -> None:
        """Run errands and pass on events until told to stop; raises ObsAway or SentAway when OBS is lost."""
        self._become_ready(_first_answer(connection, self._closed, self._pace))
        heard_at = beat_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._far, selectors.EVENT_READ, None)
            for number, one in enumerate(connection.sockets):
                selector.register(one, selectors.EVENT_READ, number)
            while not self._closed.is_set():
                for key, _ in selector.select(max(0.0, beat_at + self._pace.beat_s - time.monotonic())):
                    if key.data is None:
                        self._drain()
                    else:
                        self._pass_on(connection.read(key.data))
                        heard_at = time.monotonic()
                self._run_errands(connection)
                if time.monotonic() - beat_at >= self._pace.beat_s:
                    if time.monotonic() - heard_at > 2 * self._pace.beat_s + self._pace.timeout_s:
                        raise ObsAway("OBS no longer sends anything")
                    connection.ask("GetVersion")
                    connection.ping()
                    beat_at = time.monotonic()

    def _run_errands(self, connection: Connection) -> None:
        while not self._closed.is_set():
            try:
                errand = self._errands.get_nowait()
            except queue.Empty:
                return
            if errand.answer.cancelled():
                continue
            try:
                errand.done(connection.ask(errand.request, errand.data))
            except ObsAway as error:
                # First, so that nobody who is told asks again into a broken connection.
                self._lose(ObsConnectionState.AWAY, str(error))
                errand.done(error)
                raise
            except ObsError as error:
                errand.done(error)

    def _become_ready(self, version: ObsAnswer) -> None:
        self.state, self.why = ObsConnectionState.READY, ""
        log.info("connected to OBS %s", version.get("obsVersion", ""))
        self._pass_on(Connected(version))

    def _lose(self, state: ObsConnectionState, why: str) -> None:
        was, self.state, self.why = self.state, state, why
        if was is not state and state in (ObsConnectionState.WRONG_PASSWORD, ObsConnectionState.SENT_AWAY):
            log.error("OBS: %s", why)
        elif was is ObsConnectionState.READY and not self._closed.is_set():
            # Closing OBS is nothing wrong.
            log.info("OBS is gone: %s; waiting for it to come back", why)
        self._send_home()
        if was is not state:
            self._pass_on(Disconnected(why))

    def _send_home(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._errands.get_nowait().done(ObsAway(self.why))

    def _pass_on(self, news: ConnectionEvent | None) -> None:
        reader = self._reader
        if news is not None and reader is not None:
            reader.tell(news)

    def _wait_for_another(self, password: str) -> None:
        """Leave OBS alone until the password has been changed."""
        while not self._closed.wait(self._pace.look_s) and self._current_password() == password:
            pass

    def _current_password(self) -> str:
        with suppress(StreamerError):  # said at the start; a file that breaks later must not end the thread
            self._last_known = self._password()
        return self._last_known

    def _wake(self) -> None:
        with suppress(OSError):  # full: the thread has enough to wake up for
            self._near.send(b"\0")

    def _drain(self) -> None:
        with suppress(OSError):
            while self._far.recv(4096):
                pass


def _first_answer(connection: Connection, closed: threading.Event, pace: ReconnectPace) -> ObsAnswer:
    """Ask for the version until OBS, which opens its port before it can answer, is ready (207)."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return connection.ask("GetVersion")
        except ObsAway:
            raise
        except ObsError as error:
            if closed.wait(0.2) or time.monotonic() > deadline:
                raise ObsAway(str(error)) from error


def _wrong(password: str) -> str:
    where = "STREAMER_OBS_PASSWORD, or run: streamer obs password"
    if not password:
        return f"OBS asks for a password; set {where}"
    return f"OBS does not accept the password; correct {where}"
