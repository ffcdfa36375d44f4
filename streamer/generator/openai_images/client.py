"""Asks a server with OpenAI's images API for one picture at a time. Nothing about who asked is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

from streamer.errors import BackendError, in_words
from streamer.generator.openai_images import answers
from streamer.generator.openai_images.answers import EventReader, PictureData
from streamer.integrations import network

CONNECT_S = 10.0
MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """A picture to ask for: the parameters of the request, and for an edit the picture to change, as a PNG."""

    parameters: Mapping[str, object]
    reference: bytes | None = None

    @property
    def streams(self) -> bool:
        """Tell whether events are asked for."""
        return bool(self.parameters.get("stream"))


@dataclass(frozen=True, slots=True)
class Partial:
    """An unfinished picture, encoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ImagesClient:
    """Speaks to one server; ``url`` is where its API begins. Belongs to one event loop."""

    url: str
    timeout_s: float
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Return the server's name, for people."""
        return urlsplit(self.url).hostname or self.url

    async def draw(self, ask: Ask) -> AsyncIterator[Partial | bytes]:
        """Yield unfinished pictures, then the encoded picture; raise BackendError with one sentence."""
        try:
            async with asyncio.timeout(self.timeout_s), self._client() as http:
                async for item in self._asked(http, ask):
                    yield item
        except (TimeoutError, httpx.TimeoutException):
            raise BackendError(
                f"the picture server {self.host} did not answer within {self.timeout_s:g} s", fix="raise timeout_s"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            problem = " ".join(in_words(error).split())[: answers.LONGEST_MESSAGE]
            raise BackendError(f"the picture server {self.host} cannot be reached: {problem}") from None

    def _client(self) -> httpx.AsyncClient:
        return network.http_client(httpx.Timeout(self.timeout_s, connect=CONNECT_S))

    async def _asked(self, http: httpx.AsyncClient, ask: Ask) -> AsyncIterator[Partial | bytes]:
        async with http.stream(*self._request(ask), **self._content(ask)) as answer:  # type: ignore[arg-type]
            if not answer.is_success:
                raise answers.error_of(answer.status_code, await _read(answer), self.key)
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                async for item in self._events(answer):
                    yield item
                return
            found = answers.picture_in(answers.parsed(await _read(answer)))
        yield found.data or await self._fetched(http, found)

    def _request(self, ask: Ask) -> tuple[str, str]:
        path = "images/generations" if ask.reference is None else "images/edits"
        return "POST", f"{self.url.rstrip('/')}/{path}"

    def _content(self, ask: Ask) -> dict[str, object]:
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        if ask.reference is None:
            return {"json": dict(ask.parameters), "headers": headers}
        fields = {name: _as_field(value) for name, value in ask.parameters.items()}
        return {"data": fields, "files": {"image": ("image.png", ask.reference, "image/png")}, "headers": headers}

    async def _events(self, answer: httpx.Response) -> AsyncIterator[Partial | bytes]:
        reader, size = EventReader(), 0
        async for line in answer.aiter_lines():
            size += len(line)
            if size > answers.MOST_BYTES:
                raise BackendError("the picture server sends events without end")
            if (event := reader.feed(line)) is None:
                continue
            if isinstance(error := event.get("error"), dict):
                raise answers.error_in(error, self.key)
            data, kind = event.get("b64_json"), str(event.get("type", ""))
            if not isinstance(data, str):
                continue
            if kind.endswith(".partial_image"):
                yield Partial(answers.decoded(data))
            elif kind.endswith(".completed"):
                yield answers.decoded(data)
                return
        raise BackendError("the picture server ended without a picture")

    async def _fetched(self, http: httpx.AsyncClient, found: PictureData) -> bytes:
        """Fetch a picture by its address, without the key: it may lie with somebody else."""
        url = found.url
        for _ in range(MOST_REDIRECTS + 1):
            self._check_address(url)
            async with http.stream("GET", url) as answer:
                if answer.is_redirect and (target := answer.headers.get("location")):
                    url = urljoin(url, target)
                    continue
                if not answer.is_success:
                    raise BackendError(f"the picture server's address of the picture answers {answer.status_code}")
                return await _read(answer)
        raise BackendError("the picture server's address of the picture leads elsewhere too often")

    def _check_address(self, url: str) -> None:
        """Refuse an address that leads back into this network, unless the server itself is there."""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname == urlsplit(self.url).hostname:
            return
        if parts.scheme != "https" or network.is_inside(parts.hostname or ""):
            raise BackendError("the picture server's address of the picture is not one to fetch from")


def _as_field(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _read(answer: httpx.Response) -> bytes:
    """Read an answer up to a limit."""
    with suppress(ValueError):
        if int(answer.headers.get("content-length", 0)) > answers.MOST_BYTES:
            raise BackendError("the picture server's answer is too long")
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > answers.MOST_BYTES:
            raise BackendError("the picture server's answer is too long")
    return bytes(body)
