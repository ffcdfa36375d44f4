"""Puts a mark into the XMP of our own JPEG and WebP files, and finds it again in whatever became of them."""

from __future__ import annotations

from streamer.generator.render.encode import XMP_HEAD
from streamer.storage.pseudonyms import TAG_PATTERN

_ABOUT = b'rdf:about=""'
_NAMED = _ABOUT + b' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmpMM:DocumentID="streamer:%s"'


def with_tag(data: bytes, mark: str) -> bytes:
    """Write the mark into a picture as its XMP document id; what has no XMP of ours stays as it is."""
    at = data.find(_ABOUT)
    if at < 0:
        return data
    wider = data[:at] + _NAMED % mark.encode() + data[at + len(_ABOUT) :]
    more = len(wider) - len(data)
    return _webp(wider, at, more) if data.startswith(b"RIFF") else _jpeg(wider, at, more)


def read_tag(data: bytes) -> str | None:
    """Find a picture's mark: other programs keep the XMP when they turn, crop or convert a picture."""
    found = TAG_PATTERN.search(data)
    return found[1].decode() if found else None


def _jpeg(data: bytes, at: int, more: int) -> bytes:
    """Tell the segment around ``at`` that it has become longer."""
    length = data.rfind(XMP_HEAD, 0, at) - 2
    return (
        data[:length]
        + (int.from_bytes(data[length : length + 2], "big") + more).to_bytes(2, "big")
        + data[length + 2 :]
    )


def _webp(data: bytes, at: int, more: int) -> bytes:
    """Tell the chunk around ``at`` and the file that they have become longer; chunks begin at even offsets."""
    length = data.rfind(b"XMP ", 0, at) + 4
    old = int.from_bytes(data[length : length + 4], "little")
    body = data[length + 4 : length + 4 + old + more]
    after = data[length + 4 + old + more + old % 2 :]
    chunk = (old + more).to_bytes(4, "little") + body + b"\0" * ((old + more) % 2)
    whole = data[:length] + chunk + after
    return whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]
