"""The schema of a meme layout: where each text stands and how it looks.

A layout is a YAML file in render/layouts or in the folder ``layouts`` of the state directory.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streamer.config_file import read
from streamer.errors import ConfigError

Fraction = Annotated[float, Field(ge=0, le=1)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}([0-9a-f]{2})?$")]


class LayoutPart(BaseModel):
    """Base of every part of a layout: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextBox(LayoutPart):
    """A rectangle in fractions of the picture's width and height."""

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction

    @model_validator(mode="after")
    def _has_area(self) -> TextBox:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("left must be less than right, and top less than bottom")
        return self

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in pixels for a picture of this size; at least one pixel each way."""
        left, right = round(self.left * width), round(self.right * width)
        top, bottom = round(self.top * height), round(self.bottom * height)
        return left, top, max(right, left + 1), max(bottom, top + 1)


class PicturePlate(LayoutPart):
    """A filled rectangle behind the text, drawn only if there is any text."""

    box: TextBox
    colour: Colour


class LayoutSlot(LayoutPart):
    """One text: which, where and how it is drawn.

    Sizes are fractions of the side of a square with the picture's area, so that they look alike in every format; the
    outline is a fraction of the letter size.
    """

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
    """A whole layout; ``picture`` insets the picture, cropped to fit, on a plain ground with a thin frame."""

    about: str
    picture: TextBox = TextBox(left=0, top=0, right=1, bottom=1)
    ground: Colour = "#000000"
    frame: Colour | None = None
    plates: tuple[PicturePlate, ...] = ()
    texts: tuple[LayoutSlot, ...] = Field(min_length=1)


def layout_names(own_layouts: Path | None = None) -> list[str]:
    """List the shipped layouts and those in the folder ``own_layouts``."""
    return sorted(_files(own_layouts))


@lru_cache
def load_layout(name: str, own_layouts: Path | None = None) -> MemeLayout:
    """Read a layout by its name, the user's own first.

    Raise ConfigError: with the known names for an unknown one, with the line for a mistake in a file.
    """
    layouts = _files(own_layouts)
    if name not in layouts:
        known = ", ".join(sorted(layouts))
        raise ConfigError("layout", f"there is no meme layout '{name}'", fix=f"use one of: {known}")
    document = read(Path(str(layouts[name])))
    try:
        return document.check(MemeLayout, document.data)
    except ExceptionGroup as mistakes:
        raise mistakes.exceptions[0] from None


def _files(own_layouts: Path | None) -> dict[str, Traversable]:
    shipped = files("streamer.generator.render") / "layouts"
    folders = [shipped, own_layouts] if own_layouts is not None and own_layouts.is_dir() else [shipped]
    return {file.name[:-5]: file for folder in folders for file in folder.iterdir() if file.name.endswith(".yaml")}
