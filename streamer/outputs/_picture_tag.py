"""Writes a picture tag into the XMP of our own JPEG and WebP files, and reads it back from edited copies too."""

from __future__ import annotations

from streamer.generator.render.encode import XMP_HEAD
from streamer.storage.pseudonyms import TAG_PATTERN

_ABOUT = b'rdf:about=""'
_NAMED = _ABOUT + b' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmpMM:DocumentID="streamer:%s"'


def with_tag(data: bytes, tag: str) -> bytes:
    """Return the picture with the tag as its XMP document id; a picture without our XMP is returned unchanged."""
    at = data.find(_ABOUT)
    if at < 0:
        return data
    wider = data[:at] + _NAMED % tag.encode() + data[at + len(_ABOUT) :]
    more = len(wider) - len(data)
    return _webp(wider, at, more) if data.startswith(b"RIFF") else _jpeg(wider, at, more)


def read_tag(data: bytes) -> str | None:
    """Return a picture's tag: other programs keep the XMP when they turn, crop or convert a picture."""
    match = TAG_PATTERN.search(data)
    return match[1].decode() if match else None


def _jpeg(data: bytes, at: int, more: int) -> bytes:
    """Correct the length of the segment around ``at``, which has grown by ``more`` bytes."""
    length = data.rfind(XMP_HEAD, 0, at) - 2
    return (
        data[:length]
        + (int.from_bytes(data[length : length + 2], "big") + more).to_bytes(2, "big")
        + data[length + 2 :]
    )


def _webp(data: bytes, at: int, more: int) -> bytes:
    """Correct the lengths of the chunk around ``at`` and of the file; chunks begin at even offsets."""
    length = data.rfind(b"XMP ", 0, at) + 4
    old = int.from_bytes(data[length : length + 4], "little")
    body = data[length + 4 : length + 4 + old + more]
    after = data[length + 4 + old + more + old % 2 :]
    chunk = (old + more).to_bytes(4, "little") + body + b"\0" * ((old + more) % 2)
    whole = data[:length] + chunk + after
    return whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]
