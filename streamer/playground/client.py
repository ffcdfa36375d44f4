"""Talks to the running program about private pictures: HTTP for orders and pictures, a WebSocket for progress."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from streamer.errors import ApiError, in_words
from streamer.integrations import network

ANSWER_WITHIN_S = 30.0
OPEN_STATES = ("queued", "drawing")
START = "start it with 'streamer run', and try again"


@dataclass(frozen=True, slots=True)
class CommandChoice:
    """A command that draws: what it draws if nothing else is chosen, and on which layer."""

    layer: str
    width: int
    height: int
    edits: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen now; ``most_steps`` is None while the model sets no limit."""

    commands: Mapping[str, CommandChoice]
    styles: tuple[str, ...]
    most_pixels: int
    most_steps: int | None
    steps: int
    edits: bool


@dataclass(frozen=True, slots=True)
class PlaygroundDraft:
    """A private picture as this side knows it; ``picture`` are the encoded bytes, or those of the newest preview.

    An order that was not taken has no id, and ``reason`` says why. Times are in milliseconds.
    """

    id: str = ""
    state: str = "queued"
    layer: str = ""
    prompt: str = ""
    width: int = 0
    height: int = 0
    steps_chosen: int = 0
    seed: int = 0
    step: int = 0
    steps: int = 0
    reason: str = ""
    times_ms: Mapping[str, float] = field(default_factory=dict)
    left_out_words: bool = False
    picture: bytes = b""

    @property
    def ended(self) -> bool:
        """Tell whether nothing more happens to it."""
        return self.state not in OPEN_STATES

    @property
    def drawn(self) -> bool:
        """Tell whether ``picture`` is the finished picture."""
        return self.state == "drawn"


@dataclass(frozen=True, slots=True)
class Airing:
    """What became of a picture that was to go on air, and why."""

    state: str
    reason: str


class ProgramClient:
    """Ask the program at ``url`` with an operator's token; every failure is an ApiError that says what to do."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._http = network.own_client(ANSWER_WITHIN_S, {"authorization": f"Bearer {token}"})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def choices(self) -> Choices:
        """Return what can be chosen now."""
        found = (await self._ask("GET", "/api/v1/draft_options")).json()
        commands = {name: CommandChoice(**command) for name, command in found["commands"].items()}
        return Choices(
            commands, tuple(found["styles"]), found["most_pixels"], found["most_steps"], found["steps"], found["edits"]
        )

    async def generator(self) -> str:
        """Say in a line what draws, and how it is doing."""
        found = (await self._ask("GET", "/api/v1/status")).json()
        active, health = found["active"], found["generator"]
        drawing = ", ".join(filter(None, (active.get("model") or active.get("backend", ""), active.get("device", ""))))
        detail = f" ({health['detail']})" if health["detail"] and health["state"] not in ("ready", "busy") else ""
        return f"{drawing or 'generator'}: {health['state']}{detail}"

    async def draw(self, orders: Sequence[Mapping[str, object]]) -> AsyncIterator[list[PlaygroundDraft]]:
        """Yield all drafts after each change until each has ended; whoever stops listening takes back the rest."""
        drafts = [PlaygroundDraft()] * len(orders)
        async with self._progress() as socket:
            try:
                for index, order in enumerate(orders):
                    drafts[index] = await self._order(order)
                    yield list(drafts)
                while not all(draft.ended for draft in drafts):
                    changed = _draft(json.loads(await socket.recv()))
                    index = next((number for number, draft in enumerate(drafts) if draft.id == changed.id), -1)
                    if index >= 0 and not drafts[index].ended:
                        picture = changed.picture or drafts[index].picture
                        drafts[index] = await self._with_picture(replace(changed, picture=picture))
                        yield list(drafts)
            finally:
                await asyncio.shield(self._take_back([draft for draft in drafts if draft.id and not draft.ended]))

    async def put_on_air(self, draft_id: str) -> Airing:
        """Ask for a private picture to be shown on its layer."""
        found = (await self._ask("POST", f"/api/v1/drafts/{quote(draft_id, safe='')}/air")).json()
        return Airing(found["state"], found["reason"])

    async def _order(self, order: Mapping[str, object]) -> PlaygroundDraft:
        answer = await self._send("POST", "/api/v1/drafts", json=dict(order))
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            return PlaygroundDraft(state="refused", reason=_detail(answer))
        return _draft(self._checked(answer).json())

    async def _with_picture(self, draft: PlaygroundDraft) -> PlaygroundDraft:
        """Fetch the picture of a draft that is drawn."""
        if not draft.drawn:
            return draft
        answer = await self._ask("GET", f"/api/v1/drafts/{quote(draft.id, safe='')}/image")
        return replace(draft, picture=answer.content)

    async def _take_back(self, drafts: Sequence[PlaygroundDraft]) -> None:
        for draft in drafts:
            with suppress(ApiError):
                await self._send("DELETE", f"/api/v1/drafts/{quote(draft.id, safe='')}")

    @asynccontextmanager
    async def _progress(self) -> AsyncIterator[ClientConnection]:
        """Open the socket and wait until the program listens: from then on no change is missed."""
        address = f"ws{self._url.removeprefix('http')}/ws/drafts"
        try:
            async with connect(address, proxy=None, max_size=None) as socket:
                await socket.send(json.dumps({"token": self._token}))
                await socket.recv()
                yield socket
        except (OSError, WebSocketException) as error:
            raise self._silent(error) from error

    async def _ask(self, method: str, path: str) -> httpx.Response:
        return self._checked(await self._send(method, path))

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self._http.request(method, f"{self._url}{path}", **content)
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        raise ApiError(self._url, f"answers {answer.status_code}", _detail(answer))

    def _silent(self, error: Exception) -> ApiError:
        return ApiError(self._url, f"does not answer ({in_words(error)})", START)


def _detail(answer: httpx.Response) -> str:
    with suppress(ValueError, LookupError, TypeError):
        return str(answer.json()["detail"])
    return "its log says more"


def _draft(found: Mapping[str, Any]) -> PlaygroundDraft:
    """Read a draft as the program describes it."""
    times = {name: found[f"{name}_ms"] for name in ("wait", "draw", "model", "judge")}
    return PlaygroundDraft(
        id=found["id"],
        state=found["state"],
        layer=found["layer"],
        prompt=found["prompt"],
        width=found["width"],
        height=found["height"],
        steps_chosen=found["num_inference_steps"],
        seed=found["seed"],
        step=found["step"],
        steps=found["steps"],
        reason=found["reason"],
        times_ms={name: ms for name, ms in times.items() if ms is not None},
        left_out_words=found["left_out_words"],
        picture=base64.b64decode(found.get("preview", "")),
    )
