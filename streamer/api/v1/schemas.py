"""The JSON of the picture API: what programs ask for in OpenAI's words, and what they get."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault
from streamer.api.v1.options import PictureApiOptions, parse_size
from streamer.api.v1.tenants import Tenant
from streamer.storage.tenants import Usage

MOST_PICTURES = 4
LONGEST_PROMPT = 1000
LARGEST_SEED = 2**32 - 1
AUTO = "auto"


class OutputFormat(StrEnum):
    """How a picture is encoded; as it was drawn is JPEG."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """Return the media type."""
        return f"image/{self.value}"


class AskIn(BaseModel):
    """What a program may ask for, beside the picture of an edit; null is the same as nothing."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=LONGEST_PROMPT)]
    model: Annotated[str, Field(max_length=200)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST_PICTURES)] | None = None
    size: Annotated[str, Field(max_length=20)] | None = None
    response_format: Literal["b64_json", "url"] | None = None
    output_format: OutputFormat | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="quality of a JPEG or WebP, 0 to 100"
    )
    stream: bool | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = Field(
        None, description="not in OpenAI's API: the same seed, words and size draw the same picture"
    )
    background: Literal["auto", "opaque"] | None = None
    quality: Annotated[str, Field(max_length=20)] | None = Field(None, description="taken, and without effect")
    style: Annotated[str, Field(max_length=20)] | None = Field(None, description="taken, and without effect")
    moderation: Annotated[str, Field(max_length=20)] | None = Field(
        None, description="taken, and without effect: the tenant's gate decides"
    )
    user: Annotated[str, Field(max_length=512)] | None = Field(None, description="taken, and not kept")
    safety_identifier: Annotated[str, Field(max_length=512)] | None = Field(None, description="taken, and not kept")


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request of a program, with nothing left open; ``reference`` is the picture of an edit."""

    prompt: str
    count: int
    width: int
    height: int
    seed: int | None
    as_url: bool
    output_format: OutputFormat
    quality: int | None
    stream: bool
    partial_images: int
    reference: bytes | None = None

    @property
    def size(self) -> str:
        """Return width and height as programs write them."""
        return f"{self.width}x{self.height}"

    @property
    def fingerprint(self) -> str:
        """Return what is the same for the same request sent again; whether it streams makes no difference."""
        parts = (
            self.prompt, self.count, self.size, self.seed, self.as_url, self.output_format.value, self.quality,
            hashlib.sha256(self.reference or b"").hexdigest(),
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def parsed(fields: object) -> AskIn:
    """Check the fields of a body; raise a Fault that names the first wrong one."""
    if not isinstance(fields, dict):
        raise faults.invalid("the body must be a JSON object")
    try:
        return AskIn.model_validate(fields)
    except ValidationError as error:
        raise _fault(error) from None


def _fault(error: ValidationError) -> Fault:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return faults.invalid(f"unknown parameter: '{name}'", name, "unknown_parameter")
    if first["type"] == "missing":
        return faults.invalid(f"missing required parameter: '{name}'", name, "missing_required_parameter")
    return faults.invalid(f"{name}: {first['msg'].lower()}", name, "invalid_value")


def resolved(body: AskIn, options: PictureApiOptions, models: tuple[str, ...], reference: bytes | None = None) -> Ask:
    """Fill in what a program left out; raise a Fault for a model or a size that there is not.

    ``models`` are the names of the model that draws, its own first.
    """
    if body.model is not None and body.model not in models:
        message = f"the model '{body.model}' does not exist; use '{models[0]}', or leave the parameter out"
        raise Fault(404, message, param="model", code="model_not_found")
    size = options.sizes[0] if body.size in (None, AUTO) else body.size
    if size not in options.sizes:
        raise faults.invalid(f"size: use one of {', '.join(options.sizes)}, or auto", "size", "invalid_value")
    stream, count = bool(body.stream), body.n or 1
    if stream and (count > 1 or body.response_format == "url"):
        raise faults.invalid("stream: a stream has one picture, in base64; leave n and response_format out", "stream")
    width, height = parse_size(size)
    return Ask(
        body.prompt, count, width, height, body.seed, body.response_format == "url",
        body.output_format or OutputFormat.JPEG, body.output_compression, stream,
        body.partial_images or 0, reference,
    )  # fmt: skip


class ImageOut(BaseModel):
    """One picture: its bytes in base64, or an address that works for a while without a key."""

    b64_json: str | None = None
    url: str | None = None


class TokensOut(BaseModel):
    """Input tokens, which are not counted here."""

    text_tokens: int = 0
    image_tokens: int = 0


class UsageOut(BaseModel):
    """What programs expect to be billed by, always 0: pictures are billed by ``gpu_seconds``."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: TokensOut = TokensOut()


class ImagesOut(BaseModel):
    """The pictures of a request; ``cost`` is that of ``gpu_seconds`` in ``currency``."""

    created: int
    data: list[ImageOut]
    background: Literal["opaque"] = "opaque"
    output_format: OutputFormat
    size: str
    usage: UsageOut = UsageOut()
    gpu_seconds: float
    cost: float
    currency: str


class ModelOut(BaseModel):
    """A model; there is one at a time."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "streamer"


class ModelsOut(BaseModel):
    """The models that draw now."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class DayOut(BaseModel):
    """What a tenant used on a day (UTC)."""

    day: str
    pictures: int
    refused: int
    failed: int
    gpu_seconds: float
    cost: float


class UsageReportOut(BaseModel):
    """What a tenant used this month or since a day, and what is left; ``per_month`` is 0 without a limit."""

    tenant: str
    currency: str
    gpu_second_price: float
    per_minute: int
    left_this_minute: int
    per_month: int
    got_this_month: int
    days: list[DayOut]


def usage_report(
    tenant: Tenant, days: list[Usage], options: PictureApiOptions, now: float, today: str
) -> UsageReportOut:
    """Report what a tenant used on some days, and what it may still ask for at ``now`` (monotonic seconds)."""
    limits = tenant.limits
    return UsageReportOut(
        tenant=tenant.name, currency=options.currency, gpu_second_price=limits.gpu_second_price,
        per_minute=limits.per_minute, left_this_minute=tenant.left_this_minute(now),
        per_month=limits.per_month, got_this_month=tenant.got_this_month(today),
        days=[
            DayOut(day=one.day, pictures=one.pictures, refused=one.refused, failed=one.failed,
                   gpu_seconds=round(one.gpu_s, 4), cost=round(one.cost, 6))
            for one in days
        ],
    )  # fmt: skip


class FaultOut(BaseModel):
    """What is wrong with a request, in OpenAI's shape."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorOut(BaseModel):
    """An error."""

    error: FaultOut


def body_schema(media_type: str, *, image: bool = False) -> dict[str, Any]:
    """Describe a body for the OpenAPI document: routes read it themselves, after they have looked at the key."""
    schema = AskIn.model_json_schema()
    properties = {name: {**value} for name, value in schema["properties"].items()}
    formats = schema.get("$defs", {})["OutputFormat"]
    properties["output_format"]["anyOf"] = [{"enum": formats["enum"], "type": "string"}, {"type": "null"}]
    required = list(schema["required"])
    if image:
        properties["image"] = {"type": "string", "format": "binary", "description": "the picture to change"}
        required.append("image")
    content = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": content}}}}
