"""The options of one layer of the overlay, and the check that its page module exists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import ConfigError

Position = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]  # fmt: skip
Motion = Literal["pop", "slide", "fade", "none"]


class LayerOptions(BaseModel):
    """One layer of the page: the module that draws it, its stacking order, and its motion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="module in web/overlay/layers: background fills the frame, popup is a card",
    )
    z: int = Field(default=0, ge=-1000, le=1000, description="stacking order; a higher layer lies on top")
    crossfade_s: float = Field(default=0.4, ge=0, le=10, description="seconds from one picture to the next; 0 cuts")
    fit: Literal["cover", "contain"] = Field(
        default="cover", description="background: cover crops, contain shows all of the picture"
    )
    position: Position = Field(
        default="right",
        description="popup: center, top, bottom, left, right, top-left, top-right, bottom-left or bottom-right",
    )
    scale: float = Field(
        default=0.55,
        gt=0,
        le=1,
        description="popup: share of the page that the card fills; browser sources under 720 pixels get more",
    )
    enter: Motion = Field(default="pop", description="popup: how the card comes in: pop, slide, fade or none")
    exit: Motion = Field(default="slide", description="popup: how the card leaves: pop, slide, fade or none")
    animation_s: float = Field(default=0.45, ge=0, le=5, description="popup: length of enter and exit in seconds")
    previews: bool = Field(
        default=True, description="show a badge in the corner while a picture for this layer takes more than a second"
    )
    toast: bool = Field(default=True, description='show "drawn for ..." in the corner when this layer changes')


DEFAULT_LAYERS: Mapping[str, LayerOptions] = {
    "background": LayerOptions(use="background", z=0, crossfade_s=0.8),
    "meme": LayerOptions(use="popup", z=10),
}


def check_layers(layers: Mapping[str, LayerOptions], web_root: Path) -> None:
    """Raise ConfigError for the first layer whose module is not in ``web_root``/overlay/layers."""
    known = sorted(path.stem for path in (web_root / "overlay" / "layers").glob("*.js"))
    for name, options in layers.items():
        if options.use not in known:
            raise ConfigError(
                f"layers.{name}.use", f"there is no layer module '{options.use}'", fix=f"use one of {', '.join(known)}"
            )
