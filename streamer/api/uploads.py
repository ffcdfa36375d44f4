"""Pictures that clients send to be changed: their bytes or base64, looked at only as far as their header."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image, UnidentifiedImageError

from streamer.errors import ConfigError

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 8 * 2**20
MOST_PIXELS = 16_000_000
"""More of them the models refuse."""


def uploaded_picture(text: str, field: str = "image") -> bytes:
    """Return the bytes of an uploaded picture in base64, which may have the form of a data URL.

    Raises ConfigError for what is no picture, or too large a one.
    """
    try:
        data = base64.b64decode(text.partition(";base64,")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(field, "is no base64", fix="send the file's bytes in base64") from error
    check_picture(data, field)
    return data


def check_picture(data: bytes, field: str) -> None:
    """Raise ConfigError for what is no picture, or too large a one.

    Whether all of it can be decoded, the generator process finds out.
    """
    if len(data) > MOST_BYTES:
        problem = f"has {len(data) / 2**20:.1f} MB"
        raise ConfigError(field, problem, fix=f"send at most {MOST_BYTES // 2**20} MB")
    width, height = _size(data, field)
    if width * height > MOST_PIXELS:
        raise ConfigError(field, f"is {width}x{height}", fix=f"send at most {MOST_PIXELS // 10**6} million pixels")


def _size(data: bytes, field: str) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise ConfigError(field, "is no picture that can be read", fix="send a PNG, JPEG or WebP file") from error
