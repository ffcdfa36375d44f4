"""Reads the body of a request: JSON, or the form of an edit with one picture, within limits and in memory alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from streamer.api.uploads import MOST_BYTES, check_picture
from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault
from streamer.errors import ConfigError

LONGEST_JSON = 65_536
LONGEST_FORM = MOST_BYTES + LONGEST_JSON
"""In bytes: the picture, and the fields beside it."""
MOST_FIELDS, MOST_FILES = 32, 2
LONGEST_FIELD = 64 * 1024
IMAGE_FIELDS = ("image", "image[]")
_NUMBERS = ("n", "output_compression", "partial_images", "seed")
_SWITCHES: Mapping[str, bool] = {"true": True, "false": False}


class _InMemory(MultiPartParser):
    """Keeps an upload in memory: nothing of a tenant's picture touches the disk."""

    spool_max_size = LONGEST_FORM


def check_reference(data: bytes) -> None:
    """Raise a Fault for the picture of an edit that cannot be used."""
    try:
        check_picture(data, "image")
    except ConfigError as error:
        raise faults.invalid(str(error), "image", "invalid_image") from None


def check_length(request: Request, most: int) -> None:
    """Raise a Fault for a body that is longer than it may be, before it is read."""
    # The connection guard lets no body pass that has no length.
    if int(request.headers.get("content-length", 0)) > most:
        raise Fault(413, f"the body is longer than {most:,} bytes")


async def read_json(request: Request) -> object:
    """Return the body of a request; raise a Fault when it is no JSON."""
    check_length(request, LONGEST_JSON)
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise faults.invalid("the body is no JSON; send an object with Content-Type: application/json") from None


async def read_form(request: Request) -> tuple[dict[str, object], bytes]:
    """Return the fields and the picture of an edit; raise a Fault for anything but one picture."""
    check_length(request, LONGEST_FORM)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise faults.invalid("send the request as multipart/form-data, with the picture in the field 'image'")
    parser = _InMemory(
        request.headers, request.stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise faults.invalid(f"the form: {error.message}") from None
    try:
        return await _split(form)
    finally:
        await form.close()


async def _split(form: FormData) -> tuple[dict[str, object], bytes]:
    fields: dict[str, object] = {}
    picture = b""
    for name, value in form.multi_items():
        if name in IMAGE_FIELDS and isinstance(value, UploadFile) and not picture:
            picture = await value.read()
        elif name == "mask":
            raise faults.invalid(
                "masks are not supported; say in words what to change", "mask", "unsupported_parameter"
            )
        elif isinstance(value, UploadFile) or name in IMAGE_FIELDS:
            raise faults.invalid("send one picture, as a file in the field 'image'", name)
        else:
            fields[name] = _typed(name, value)
    if not picture:
        raise faults.invalid("missing required parameter: 'image'", "image", "missing_required_parameter")
    return fields, picture


def _typed(name: str, value: str) -> object:
    """Read a field of a form, which has no types, as JSON would have it; what cannot be read is refused later."""
    if name == "stream":
        return _SWITCHES.get(value.lower(), value)
    if name in _NUMBERS and value.isdecimal() and len(value) < 20:
        return int(value)
    return value
