"""The shape of a meme layout: where which text stands and how it looks.

A layout is a YAML file, in render/layouts or in the folder ``layouts`` of the state directory.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streamer.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}([0-9a-f]{2})?$")]


class LayoutPart(BaseModel):
    """Whatever a layout consists of: read once, never changed, typing errors reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextBox(LayoutPart):
    """A rectangle in shares of the picture's width and height."""

    left: Share
    top: Share
    right: Share
    bottom: Share

    @model_validator(mode="after")
    def _has_area(self) -> TextBox:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("left must be less than right, and top less than bottom")
        return self

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Give left, top, right, bottom in a picture of this size."""
        left, right = round(self.left * width), round(self.right * width)
        top, bottom = round(self.top * height), round(self.bottom * height)
        return left, top, max(right, left + 1), max(bottom, top + 1)


class PicturePlate(LayoutPart):
    """A filled rectangle behind the text; it is drawn only when there is text."""

    box: TextBox
    colour: Colour


class LayoutSlot(LayoutPart):
    """One text: which, where, and how. Sizes are shares of the side of a square as large as the
    picture, so that they look alike in every format; the outline is a share of the letter size."""

    text: Literal["top", "bottom", "both"]
    box: TextBox
    align: Literal["left", "center", "right"] = "center"
    anchor: Literal["top", "middle", "bottom"] = "middle"
    upper: bool = False
    lines: int = Field(3, ge=1, le=8)
    largest: float = Field(0.13, gt=0, le=1)
    smallest: float = Field(0.04, gt=0, le=1)
    weight: Literal["Black", "Bold", "Medium", "Regular"] = "Black"
    squeeze: float = Field(1.0, ge=0.5, le=1.0)
    outline: float = Field(0.0, ge=0, le=0.2)
    colour: Colour = "#ffffff"
    outline_colour: Colour = "#000000"


class MemeLayout(LayoutPart):
    """A whole layout. ``picture`` insets the picture, cropped to fit, on a ground of one colour, with a thin frame."""

    about: str
    picture: TextBox = TextBox(left=0, top=0, right=1, bottom=1)
    ground: Colour = "#000000"
    frame: Colour | None = None
    plates: tuple[PicturePlate, ...] = ()
    texts: tuple[LayoutSlot, ...] = Field(min_length=1)


def layout_names(own: Path | None = None) -> list[str]:
    """List the layouts there are: those that ship and the streamer's own in the folder ``own``."""
    return sorted(_files(own))


@lru_cache
def load_layout(name: str, own: Path | None = None) -> MemeLayout:
    """Read a layout by its name, the streamer's own first; ConfigError lists the names when there is none such."""
    found = _files(own)
    if name not in found:
        known = ", ".join(sorted(found))
        raise ConfigError("layout", f"there is no meme layout '{name}'", fix=f"use one of: {known}")
    try:
        return MemeLayout.model_validate(yaml.safe_load(found[name].read_text("utf-8")))
    except (yaml.YAMLError, ValidationError, OSError, UnicodeDecodeError) as error:
        raise ConfigError("layout", str(error), path=str(found[name])) from error


def _files(own: Path | None) -> dict[str, Traversable]:
    shipped = files("streamer.generator.render") / "layouts"
    folders = [shipped, own] if own is not None and own.is_dir() else [shipped]
    return {file.name[:-5]: file for folder in folders for file in folder.iterdir() if file.name.endswith(".yaml")}
