"""What ``picture_api`` in config.yaml says about programs that draw by key."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from streamer.commands.options import Side

_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
_SIDE: TypeAdapter[int] = TypeAdapter(Side)


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height of a size like 1280x720; raise ValueError for one that no model draws."""
    if (match := _SIZE.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no size; write it like 1280x720")
    return _SIDE.validate_python(int(match[1])), _SIDE.validate_python(int(match[2]))


def _drawable(text: str) -> str:
    parse_size(text)
    return text


class PictureApiOptions(BaseModel):
    """What a program may do that draws by key; ``streamer api-key add`` may give a tenant other limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    per_minute: int = Field(10, ge=1, description="pictures that one tenant may ask for within a minute")
    per_month: int = Field(
        1000, ge=0, description="pictures that one tenant gets in a calendar month (UTC); 0: any number"
    )
    at_once: int = Field(2, ge=1, description="requests of one tenant that may wait or be drawn at the same time")
    gpu_second_price: float = Field(0.0, ge=0, description="what one second of drawing costs, for the usage report")
    currency: str = Field("EUR", min_length=1, max_length=8, description="currency of that price, as reports show it")
    gated: bool = Field(
        True,
        description="true: the rules under policy and the judges decide about tenants' pictures, too; false: "
        "a tenant gets whatever the model draws",
    )
    longest_wait_s: float = Field(
        60.0, gt=0, le=600, description="seconds after which a request that was not drawn ends with an error"
    )
    sizes: tuple[Annotated[str, AfterValidator(_drawable)], ...] = Field(
        (),
        description="sizes that a program may ask for, like [1024x1024, 1536x1024]; []: those of your commands, which "
        "are warm and fit beside the show. The first, else the largest, is drawn for a program that names none",
    )
    also_called: tuple[str, ...] = Field(
        (),
        description="names by which programs may ask for the model, besides its own: [gpt-image-1] lets programs draw "
        "that know OpenAI's only",
    )
    url_minutes: float = Field(
        60.0, gt=0, le=1440, description="minutes for which the address of a picture works (response_format: url)"
    )
