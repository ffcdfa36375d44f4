"""Encodes and decodes the messages between server and overlay page, as docs/wire-protocol.md describes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streamer.overlay.layer_options import LayerOptions
from streamer.text import excerpt
from streamer.types import Frame, NoticeCard, Preview, Toast

PROTOCOL = 1
# Our page never sends a longer message, in characters.
LONGEST_INBOUND = 4096
LONGEST_TOAST = 200

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that could not be read, and why; ``wrong_protocol`` if the page speaks another version."""

    problem: str
    wrong_protocol: bool = False


class _PageModel(BaseModel):
    # Unknown fields are ignored: a newer page may send more than this server understands.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Hello(_PageModel):
    """The page's first message: its token, the layers it wants (None for all), and whether it is visible."""

    type: Literal["hello"] = "hello"
    v: int
    token: str = Field(max_length=512)
    layers: list[Annotated[str, Field(max_length=128)]] | None = Field(default=None, max_length=64)
    visible: bool = True
    active: bool = True


class Painted(_PageModel):
    """The page has handled a picture; ``shown`` is False if a newer one or a fault kept it off the screen."""

    type: Literal["painted"] = "painted"
    seq: int = Field(ge=0)
    request_id: str = Field(max_length=512)
    layer: str = Field(max_length=128)
    shown: bool = True


class VisibilityMessage(_PageModel):
    """OBS has shown or hidden the source, or put it on air (``active``) or taken it off."""

    type: Literal["state"] = "state"
    visible: bool
    active: bool


class Pong(_PageModel):
    """The page's answer to a ping."""

    type: Literal["pong"] = "pong"


PageMessage = Hello | Painted | VisibilityMessage | Pong
_PAGE_MESSAGE: TypeAdapter[PageMessage] = TypeAdapter(Annotated[PageMessage, Field(discriminator="type")])


def decode(text: str | bytes | None) -> PageMessage | Malformed:
    """Decode one message of a page."""
    if not isinstance(text, str):
        return Malformed("only text messages are understood")
    if len(text) > LONGEST_INBOUND:
        return Malformed(f"longer than {LONGEST_INBOUND} characters")
    try:
        message = _PAGE_MESSAGE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Malformed(f"{'.'.join(map(str, first['loc'])) or 'message'}: {first['msg']}")
    if isinstance(message, Hello) and message.v != PROTOCOL:
        return Malformed(f"page speaks protocol {message.v}, server {PROTOCOL}", wrong_protocol=True)
    return message


def encode_picture(picture: Frame | Preview, seq: int, sent_at: float) -> bytes:
    """Prepend a header to the picture; ``sent_at`` is wall-clock milliseconds."""
    header = {
        "v": PROTOCOL,
        "type": "frame" if isinstance(picture, Frame) else "preview",
        "layer": picture.layer,
        "request_id": picture.request_id,
        "seq": seq,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
        "sent_at": round(sent_at, 3),
    }
    if isinstance(picture, Preview):
        header |= {"step": picture.step, "steps": picture.steps}
        header |= {"line": excerpt(picture.line, LONGEST_TOAST), "due_s": round(picture.due_s, 3)}
    block = _compact(header).encode()
    return b"".join((_LENGTH.pack(len(block)), block, picture.data))


def decode_picture(message: bytes) -> tuple[dict[str, str | int | float], bytes]:
    """Split a binary message into header and picture; raises ValueError if it is cut short or has no JSON object."""
    if len(message) < _LENGTH.size:
        raise ValueError("shorter than its length field")
    (length,) = _LENGTH.unpack_from(message)
    end = _LENGTH.size + length
    if end > len(message):
        raise ValueError("header is cut short")
    header = json.loads(message[_LENGTH.size : end])
    if not isinstance(header, dict):
        raise ValueError("header is not a JSON object")
    return header, message[end:]


def encode_hello(epoch: str, tick_s: float) -> str:
    """Welcome a page; ``epoch`` changes with every start of the server, ``tick_s`` is the time between pings."""
    return _text("hello", epoch=epoch, tick_s=tick_s)


def encode_layers(layers: Mapping[str, LayerOptions]) -> str:
    """Describe the layers and how to draw them."""
    return _text("layers", layers={name: options.model_dump(mode="json") for name, options in layers.items()})


def encode_clear(layer: str, seq: int, *, fade: bool = False) -> str:
    """Remove what a layer shows."""
    return _text("clear", layer=layer, seq=seq, fade=fade)


def encode_toast(toast: Toast) -> str:
    """Show the first LONGEST_TOAST characters of a line of text, up to the end of a word."""
    return _text("toast", **(asdict(toast) | {"text": excerpt(toast.text, LONGEST_TOAST)}))


def encode_card(card: NoticeCard) -> str:
    """Show a card over everything, or remove it when the title is empty."""
    return _text("card", **asdict(card))


def encode_ping() -> str:
    """Ask the page for a pong; the ping also tells the page that the server is alive."""
    return _text("ping")


def _text(type_: str, **fields: object) -> str:
    return _compact({"v": PROTOCOL, "type": type_, **fields})


def _compact(value: object) -> str:
    # Escaped to ASCII, because a lone surrogate in a chat name would break the UTF-8 of the socket.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
