import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streamer.generator.render.encode import DigitalSource, encode, jpeg, mark_jpeg, opaque, shrink, webp


def noise(width: int = 64, height: int = 48, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(channels: int = 3) -> np.ndarray:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (48, 64, channels)))


def source_of(data: bytes) -> str:
    """Read the marker as any other program would: through the file's XMP."""
    image = Image.open(io.BytesIO(data))
    xmp: str = image.info["xmp"].decode()
    return xmp.split("digitalsourcetype/")[1].split('"', maxsplit=1)[0]


@pytest.mark.parametrize("source", list(DigitalSource))
@pytest.mark.parametrize("make", [jpeg, webp])
def test_the_file_says_that_a_machine_made_it(make: Callable[..., bytes], source: DigitalSource) -> None:
    assert source_of(make(noise(), 88, source)) == source


@pytest.mark.parametrize(("make", "limit"), [(jpeg, 3.0), (webp, 6.0)])
def test_the_decoded_picture_is_the_one_that_was_encoded(make: Callable[..., bytes], limit: float) -> None:
    decoded = np.asarray(Image.open(io.BytesIO(make(smooth(), 90))).convert("RGB"), dtype=float)
    assert np.abs(decoded - smooth()).mean() < limit


def test_jpeg_is_subsampled() -> None:
    image: Any = Image.open(io.BytesIO(jpeg(noise(), 88)))
    assert image.layer[0][1:3] == (2, 2)


def test_jpeg_takes_slices_and_views() -> None:
    assert jpeg(noise(64, 48, 4)[::2, ::-1], 88)


def test_a_jpeg_without_jfif_segment_can_be_marked() -> None:
    plain = jpeg(noise(), 88)
    image = Image.open(io.BytesIO(plain))
    file = io.BytesIO()
    image.save(file, "JPEG")
    bare = file.getvalue()
    bare = bare[:2] + bare[4 + int.from_bytes(bare[4:6], "big") :]
    assert source_of(mark_jpeg(bare)) == DigitalSource.TRAINED


def test_webp_keeps_transparency_exactly() -> None:
    pixels = noise(channels=4)
    decoded = np.asarray(Image.open(io.BytesIO(webp(pixels, 88))))
    assert (decoded[..., 3] == pixels[..., 3]).all()


def test_the_format_follows_the_transparency() -> None:
    clear, solid = noise(channels=4), noise(channels=4)
    solid[..., 3] = 255
    assert [encode(pixels, 88)[0] for pixels in (noise(), solid, clear)] == ["image/jpeg", "image/jpeg", "image/webp"]
    assert [opaque(pixels) for pixels in (noise(), solid, clear)] == [True, True, False]


@pytest.mark.parametrize(("size", "small"), [((640, 360), (32, 18)), ((360, 640), (18, 32)), ((10, 6), (10, 6))])
def test_shrinking_keeps_the_shape_and_never_enlarges(size: tuple[int, int], small: tuple[int, int]) -> None:
    height, width = shrink(noise(*size), 32).shape[:2]
    assert (width, height) == small
