"""An uploaded picture is looked at before it is queued."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from streamer.api.uploads import FORMATS, MOST_BYTES, uploaded_picture
from streamer.errors import ConfigError


def encoded(file_format: str, mode: str = "RGB", size: tuple[int, int] = (20, 10)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, file_format)
    return buffer.getvalue()


def as_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_usual_formats_are_taken_plain_or_as_a_data_url(file_format: str) -> None:
    data = encoded(file_format)
    assert uploaded_picture(as_text(data)) == data
    assert uploaded_picture(f"data:image/x;base64,{as_text(data)}") == data


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!", "image: is no base64"),
        ("data:image/png,plain", "send a PNG, JPEG or WebP file"),
        ("", "send a PNG, JPEG or WebP file"),
        (as_text(b"GIF89a" + bytes(20)), "send a PNG, JPEG or WebP file"),
        (as_text(encoded("PNG", "1", (5000, 4000))), "image: is 5000x4000; send at most 16 million pixels"),
        (as_text(bytes(MOST_BYTES + 1)), "image: has 8.0 MB; send at most 8 MB"),
    ],
)  # fmt: skip
def test_what_is_no_picture_or_too_large_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        uploaded_picture(text)
    assert said in str(caught.value)
