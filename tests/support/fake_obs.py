"""An obs-websocket v5 server on a real socket that can fail at a given moment, as a real OBS cannot."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]

VERSION = {
    "obsVersion": "31.0.2", "obsWebSocketVersion": "5.5.4", "supportedImageFormats": ["jpg", "png"],
}  # fmt: skip


class Refuse(Exception):
    """Answer with an error status."""

    def __init__(self, code: int, comment: str = "") -> None:
        super().__init__(code, comment)
        self.code, self.comment = code, comment


class FakeObs:
    """Answer requests with ``handlers``; ``fault`` returns what goes wrong with a request, "" for nothing."""

    def __init__(self, password: str = "") -> None:
        self.password = password
        self.handlers: dict[str, Handler] = {"GetVersion": lambda data: VERSION}
        self.fault: Callable[[str], str] = lambda request: ""
        self.late_s = 0.2
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self.identified = self.refused = 0
        self.sessions: dict[ServerConnection, int] = {}
        self._server: Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        self._server = await serve(self._session, "127.0.0.1", port or self.port, ping_interval=None, close_timeout=0.2)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def emit(self, event: str, data: Mapping[str, Any] | None = None, intent: int = 1) -> None:
        """Send an event to every session that subscribed to it."""
        message = {"op": 5, "d": {"eventType": event, "eventIntent": intent, "eventData": data or {}}}
        for session, subscribed in list(self.sessions.items()):
            if subscribed & intent:
                with suppress(ConnectionClosed):
                    await session.send(json.dumps(message))

    async def close_all(self, code: int = 1001) -> None:
        for session in list(self.sessions):
            await session.close(code)

    async def _session(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            if await self._identify(socket):
                try:
                    async for message in socket:
                        await self._answer(socket, json.loads(message)["d"])
                finally:
                    self.sessions.pop(socket, None)

    async def _identify(self, socket: ServerConnection) -> bool:
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.5.4", "rpcVersion": 1}
        salt, challenge = secrets.token_urlsafe(9), secrets.token_urlsafe(9)
        if self.password:
            hello["authentication"] = {"salt": salt, "challenge": challenge}
        await socket.send(json.dumps({"op": 0, "d": hello}))
        identify = json.loads(await socket.recv())["d"]
        if self.password and identify.get("authentication") != _proof(self.password, salt, challenge):
            self.refused += 1
            await socket.close(4009, "Authentication failed.")
            return False
        await socket.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
        self.sessions[socket] = identify.get("eventSubscriptions", 0)
        self.identified += 1
        return True

    async def _answer(self, socket: ServerConnection, request: Mapping[str, Any]) -> None:
        name, data = request["requestType"], request.get("requestData", {})
        self.requests.append((name, data))
        fault = self.fault(name)
        if fault == "drop":
            socket.transport.abort()
            return
        if fault == "silence":
            return
        if fault == "malformed":
            await socket.send("{")
            return
        if fault == "late":
            await asyncio.sleep(self.late_s)
        status: dict[str, Any] = {"result": True, "code": 100}
        answer: Mapping[str, Any] | None = None
        try:
            if name not in self.handlers:
                raise Refuse(204, "unknown request")
            answer = self.handlers[name](data)
        except Refuse as refusal:
            status = {"result": False, "code": refusal.code, "comment": refusal.comment}
        body = {"requestType": name, "requestId": request["requestId"], "requestStatus": status}
        if answer is not None:
            body["responseData"] = answer
        await socket.send(json.dumps({"op": 7, "d": body}))
        if fault == "drop after":
            socket.transport.abort()


def _proof(password: str, salt: str, challenge: str) -> str:
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()


@asynccontextmanager
async def fake_obs(password: str = "") -> AsyncIterator[FakeObs]:
    """Run a fake OBS on its own port."""
    fake = FakeObs(password)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
