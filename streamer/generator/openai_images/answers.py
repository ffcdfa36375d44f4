"""Reads what a server with OpenAI's images API answers: pictures, events, and errors in one sentence. No I/O."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from streamer.errors import BackendError, ContentRefused
from streamer.generator.backend import Pixels

MOST_BYTES = 48 * 2**20
"""Of one answer. A picture of 2048x2048 in PNG and base64 has 20 MB at most."""
MOST_PIXELS = 16_000_000
REFUSAL_CODES = frozenset({"content_policy_violation", "moderation_blocked", "content_filter", "safety_violation"})
REFUSAL_TYPE = "image_generation_user_error"
LONGEST_MESSAGE = 200
NO_PICTURE = "the picture server's answer has no picture in it"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PictureData:
    """A picture in an answer: its bytes, or the address to fetch it from."""

    data: bytes = b""
    url: str = ""


def picture_in(answer: object) -> PictureData:
    """Return the first picture of an answer; raise BackendError when there is none."""
    data = answer.get("data") if isinstance(answer, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    if not isinstance(first, dict):
        raise BackendError(NO_PICTURE)
    if isinstance(encoded := first.get("b64_json"), str) and encoded:
        return PictureData(decoded(encoded))
    if isinstance(url := first.get("url"), str) and url:
        return PictureData(url=url)
    raise BackendError(NO_PICTURE)


def decoded(text: str) -> bytes:
    """Decode base64; raise BackendError for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BackendError("the picture server's answer is no base64") from None


def parsed(body: bytes) -> object:
    """Parse JSON; raise BackendError for anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BackendError("the picture server's answer is no JSON") from None


def error_of(status: int, body: bytes, secret: str) -> BackendError:
    """Say in one sentence why a server gave no picture; ``secret`` never stands in it."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error_in(error if isinstance(error, dict) else {"message": error}, secret, status)


def error_in(error: Json, secret: str, status: int = 0) -> BackendError:
    """Say in one sentence what an error of the API means."""
    code, kind = str(error.get("code") or ""), str(error.get("type") or "")
    if code in REFUSAL_CODES or kind == REFUSAL_TYPE:
        return ContentRefused("the picture server refused to draw this")
    said = _said(error, secret)
    if status in (401, 403):
        # Some servers repeat a part of the key in their message.
        return BackendError("the picture server does not accept the key", fix="check the file that key_file names")
    if code == "insufficient_quota":
        return BackendError("the account at the picture server is used up", fix="wait, or raise its limit there")
    if status == 429:
        return BackendError(f"the picture server is busy{said}")
    if status == 404:
        return BackendError(f"the picture server has no such model or address{said}", fix="check url and model")
    return BackendError(f"the picture server failed ({status}){said}" if status else f"the picture server failed{said}")


def _said(error: Json, secret: str) -> str:
    message = error.get("message")
    if not isinstance(message, str) or not message.strip():
        return ""
    line = " ".join(message.split())
    return f": {(line.replace(secret, '...') if secret else line)[:LONGEST_MESSAGE]}"


def pixels_of(data: bytes, width: int, height: int, *, alpha: bool) -> Pixels:
    """Decode a picture and fit it to a size: cut to its shape around the middle, then scaled."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MOST_PIXELS:
            raise BackendError(f"the picture server sent a picture of {image.width}x{image.height} pixels")
        image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise BackendError("the picture server sent something that is no picture") from None
    return np.asarray(fitted(image.convert("RGBA" if alpha else "RGB"), width, height))


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return an image of exactly that size."""
    if image.size == (width, height):
        return image
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def nearest_size(width: int, height: int, sizes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Return the size that a server draws whose shape is most like the wanted one; the wanted one if it draws any."""
    if not sizes:
        return width, height

    def loss(size: tuple[int, int]) -> tuple[float, int]:
        """Order by how much is cut off, then by how far the number of pixels is off."""
        scale = max(width / size[0], height / size[1])
        return round(size[0] * size[1] * scale * scale / (width * height), 3), abs(size[0] * size[1] - width * height)

    return min(sizes, key=loss)


@dataclass(slots=True)
class EventReader:
    """Collects the lines of server-sent events and returns the data of each event that is complete."""

    _lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> Json | None:
        """Take one line without its end; return the data of an event when the line ends one."""
        if line.startswith("data:"):
            self._lines.append(line[5:].removeprefix(" "))
            return None
        if line or not self._lines:
            return None
        text = "\n".join(self._lines)
        self._lines.clear()
        if text.strip() == "[DONE]":
            return None
        data = parsed(text.encode())
        if not isinstance(data, dict):
            raise BackendError("the picture server's event is no JSON object")
        return data
