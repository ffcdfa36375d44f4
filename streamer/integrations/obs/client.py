"""The client for OBS, as the event loop sees it; its thread is in client_thread.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from streamer.errors import ObsAway
from streamer.integrations.obs.client_thread import (
    DEFAULT_PACE,
    ClientThread,
    ObsAddress,
    ObsConnectionState,
    PendingCall,
    ReconnectPace,
)
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.connection_events import ConnectionEvent, ConnectionEventQueue

SERVER_SWITCH = "Tools > WebSocket Server Settings > Enable WebSocket server"


class ObsClient:
    """Keep one connection to OBS as long as the program runs; belongs to the event loop."""

    def __init__(self, host: str, port: int, password: Callable[[], str], pace: ReconnectPace = DEFAULT_PACE) -> None:
        self._address = ObsAddress(host, port, password)
        self._thread = ClientThread(self._address, pace, self._emit)
        self._events: ConnectionEventQueue | None = None
        self._started = False

    def __repr__(self) -> str:
        return f"ObsClient({self._address}, {self.state})"

    @property
    def state(self) -> ObsConnectionState:
        """Return the state of the connection."""
        return self._thread.state

    @property
    def reason(self) -> str:
        """Return why OBS is not connected, "" while it is."""
        return self._thread.reason

    @property
    def same_machine(self) -> bool:
        """Tell whether OBS runs on this computer, so that both see the same files."""
        return self._address.host in ("127.0.0.1", "localhost", "::1")

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.alive

    @property
    def ready(self) -> bool:
        """Tell whether OBS is connected and answers."""
        return self.state is ObsConnectionState.READY

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ConnectionEventQueue]:
        """Run the thread while inside and yield its events; enter once per client."""
        assert not self._started, "a client runs once"
        self._started = True
        self._events = events = ConnectionEventQueue(asyncio.get_running_loop())
        self._thread.start()
        try:
            yield events
        finally:
            self._events = None
            await asyncio.to_thread(self._thread.stop)

    async def wait_until_ready(self, events: ConnectionEventQueue, timeout_s: float) -> None:
        """Wait until OBS answers; raises ObsAway with the reason when it does not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not (self.ready or self.state.failed):
                    await events.next()
        if self.state.failed:
            raise ObsAway(self.reason)
        if not self.ready:
            raise ObsAway(f"no OBS at {self._address}: {self.reason}; start it, and switch on {SERVER_SWITCH}")

    async def call(self, request: str, data: ObsAnswer | None = None) -> ObsAnswer:
        """Send a request to OBS and return its answer; raises ObsAway or ObsRefused."""
        if not self.ready:
            raise ObsAway(self.reason or "OBS is not connected")
        loop = asyncio.get_running_loop()
        call = PendingCall(request, data, loop, loop.create_future())
        self._thread.submit(call)
        return await call.answer

    def _emit(self, event: ConnectionEvent) -> None:
        events = self._events
        if events is not None:
            events.put(event)
