"""Encodes pixels as JPEG or WebP, and marks the file as made by a machine."""

from __future__ import annotations

import io
from enum import StrEnum

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from streamer.generator.backend import Pixels


class DigitalSource(StrEnum):
    """IPTC digital source types (cv.iptc.org/newscodes/digitalsourcetype): by a trained model, by plain arithmetic."""

    TRAINED = "trainedAlgorithmicMedia"
    ALGORITHMIC = "algorithmicMedia"


FORMATS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
"""The formats that a picture can be written in, by the ending of the file's name."""

CONVERTED_QUALITY = 95

XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{source}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def encode(pixels: Pixels, quality: int, source: DigitalSource = DigitalSource.TRAINED) -> tuple[str, bytes]:
    """Encode as JPEG, or as WebP if anything is transparent; return media type and bytes."""
    if opaque(pixels):
        return "image/jpeg", jpeg(pixels, quality, source)
    return "image/webp", webp(pixels, quality, source)


def opaque(pixels: Pixels) -> bool:
    """Tell whether no pixel is transparent."""
    return pixels.shape[2] == 3 or bool((pixels[..., 3] == 255).all())


def jpeg(pixels: Pixels, quality: int, source: DigitalSource = DigitalSource.TRAINED) -> bytes:
    """Encode red, green and blue as a marked JPEG, without alpha."""
    # The library's default is 4:4:4, which takes 1.8 times the bytes for photographs.
    rgb = np.ascontiguousarray(pixels[..., :3])
    return mark_jpeg(simplejpeg.encode_jpeg(rgb, quality=quality, colorspace="RGB", colorsubsampling="420"), source)


def webp(pixels: Pixels, quality: int, source: DigitalSource = DigitalSource.TRAINED) -> bytes:
    """Encode with transparency as a marked WebP."""
    # Method 0: methods 1 to 4 save 3 % of the bytes and take up to four times as long.
    file = io.BytesIO()
    xmp = XMP.format(source=source).encode()
    Image.fromarray(pixels).save(file, "WEBP", quality=quality, method=0, xmp=xmp)
    return file.getvalue()


def converted(data: bytes, media_type: str, quality: int | None = None) -> bytes:
    """Return an encoded picture in the format ``media_type``, a value of FORMATS; its mark is kept.

    Without a ``quality`` a picture that has the format stays as it is.
    """
    image = Image.open(io.BytesIO(data))
    if image.get_format_mimetype() == media_type and quality is None:
        return data
    quality = CONVERTED_QUALITY if quality is None else quality
    xmp = image.info.get("xmp", b"")
    file = io.BytesIO()
    if media_type == "image/png":
        about = PngInfo()
        about.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(file, "PNG", pnginfo=about)
    elif media_type == "image/webp":
        image.save(file, "WEBP", quality=quality, xmp=xmp)
    else:
        image.convert("RGB").save(file, "JPEG", quality=quality, xmp=xmp)
    return file.getvalue()


def mark_jpeg(data: bytes, source: DigitalSource = DigitalSource.TRAINED) -> bytes:
    """Insert the "made by AI" marker into a JPEG (XMP in an APP1 segment; EU AI Act, article 50)."""
    payload = XMP_HEAD + XMP.format(source=source).encode()
    segment = b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload
    offset = _end_of_jfif(data)
    return data[:offset] + segment + data[offset:]


def _end_of_jfif(data: bytes) -> int:
    """Return the offset after the segments that must stay first: start of image and, if present, JFIF."""
    if data[2:4] == b"\xff\xe0":
        return 4 + int.from_bytes(data[4:6], "big")
    return 2


def shrink(pixels: Pixels, longest: int) -> Pixels:
    """Scale down, never up, so that neither side is longer than ``longest`` pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest, longest), Image.Resampling.BOX)
    return np.asarray(image)
