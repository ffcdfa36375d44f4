"""The tag inside a picture: every program that reads XMP finds it, and no pixel changes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from streamer.generator.render.encode import encode
from streamer.outputs._picture_tag import read_tag, with_tag

TAG = "0123456789abcdef.0123456789abcdef.0123456789abcdef"


def picture(channels: int, size: int = 64) -> bytes:
    pixels = np.random.default_rng(size).integers(0, 255, (48, size, channels), dtype=np.uint8)
    return encode(pixels, 88)[1]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [33, 48, 64])
def test_a_tagged_picture_is_the_same_picture_with_a_document_id(channels: int, size: int) -> None:
    plain = picture(channels, size)
    data = with_tag(plain, TAG)
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(plain)) as before:
        assert np.array_equal(np.asarray(image), np.asarray(before))
        xmp = image.info["xmp"].decode()
    assert f'xmpMM:DocumentID="streamer:{TAG}"' in xmp
    assert xmp.endswith("</x:xmpmeta>")
    assert "trainedAlgorithmicMedia" in xmp
    assert read_tag(data) == TAG
    assert read_tag(plain) is None
    if channels == 4:
        assert int.from_bytes(data[4:8], "little") == len(data) - 8


def test_the_tag_outlives_a_program_that_saves_the_picture_turned_with_its_metadata() -> None:
    turned = io.BytesIO()
    with Image.open(io.BytesIO(with_tag(picture(3), TAG))) as image:
        image.rotate(90).save(turned, "WEBP", xmp=image.info["xmp"])
    assert read_tag(turned.getvalue()) == TAG


def test_what_is_not_ours_stays_as_it_is() -> None:
    foreign = io.BytesIO()
    Image.new("RGB", (8, 8)).save(foreign, "JPEG")
    for data in (foreign.getvalue(), b"", b"RIFF"):
        assert with_tag(data, TAG) == data
        assert read_tag(data) is None
