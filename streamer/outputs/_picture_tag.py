"""Writes a tag into the XMP of our own JPEG and WebP files, and finds it again in whatever became of them."""

from __future__ import annotations

from streamer.generator.render.encode import XMP_HEAD
from streamer.storage.pseudonyms import TAG_PATTERN

_ABOUT = b'rdf:about=""'
_DOCUMENT_ID = _ABOUT + b' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmpMM:DocumentID="streamer:%s"'


def with_tag(data: bytes, tag: str) -> bytes:
    """Write the tag into a picture as its XMP document id; data without our XMP is returned unchanged."""
    at = data.find(_ABOUT)
    if at < 0:
        return data
    tagged = data[:at] + _DOCUMENT_ID % tag.encode() + data[at + len(_ABOUT) :]
    added = len(tagged) - len(data)
    return _fix_webp_lengths(tagged, at, added) if data.startswith(b"RIFF") else _fix_jpeg_length(tagged, at, added)


def read_tag(data: bytes) -> str | None:
    """Find a picture's tag: other programs keep the XMP when they rotate, crop or convert a picture."""
    match = TAG_PATTERN.search(data)
    return match[1].decode() if match else None


def _fix_jpeg_length(data: bytes, at: int, added: int) -> bytes:
    """Add ``added`` bytes to the length of the segment around ``at``."""
    field = data.rfind(XMP_HEAD, 0, at) - 2
    length = int.from_bytes(data[field : field + 2], "big") + added
    return data[:field] + length.to_bytes(2, "big") + data[field + 2 :]


def _fix_webp_lengths(data: bytes, at: int, added: int) -> bytes:
    """Add ``added`` bytes to the lengths of the chunk around ``at`` and of the file; chunks start at even offsets."""
    field = data.rfind(b"XMP ", 0, at) + 4
    old = int.from_bytes(data[field : field + 4], "little")
    new = old + added
    body = data[field + 4 : field + 4 + new]
    rest = data[field + 4 + new + old % 2 :]
    whole = data[:field] + new.to_bytes(4, "little") + body + b"\0" * (new % 2) + rest
    return whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:]
