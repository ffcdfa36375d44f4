"""Decides which sources OBS should have, with which settings and where, and recognizes our sources in OBS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from streamer.integrations.obs.connection import ObsAnswer

FULL_FRAME = "background"
"""The layer module that fills the page; such layers are shown behind everything else in a scene."""


class LayerShape(Protocol):
    """The options of a layer in config.yaml that decide about its source."""

    @property
    def use(self) -> str: ...

    @property
    def z(self) -> int: ...

    @property
    def fit(self) -> str: ...

    @property
    def position(self) -> str: ...

    @property
    def scale(self) -> float: ...


class SourceKind(StrEnum):
    """How pictures get into OBS: with a page, or as files where OBS has no browser source."""

    BROWSER = "browser_source"
    IMAGE = "image_source"


@dataclass(frozen=True, slots=True)
class ObsCanvas:
    """OBS's canvas in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """The place of a scene item in pixels; a picture ``fills`` the box (and is cropped) or fits into it."""

    x: float
    y: float
    width: float
    height: float
    fills: bool

    def transform(self) -> ObsAnswer:
        """Return the box as a scene item transform of obs-websocket."""
        return {
            "positionX": self.x, "positionY": self.y, "rotation": 0.0, "alignment": 5, "boundsAlignment": 0,
            "boundsType": "OBS_BOUNDS_SCALE_OUTER" if self.fills else "OBS_BOUNDS_SCALE_INNER",
            "boundsWidth": self.width, "boundsHeight": self.height,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class DesiredSource:
    """One source that OBS should have; it shows ``layers``, ``behind`` everything else in its scene or on top."""

    key: str
    name: str
    kind: SourceKind
    layers: tuple[str, ...]
    settings: ObsAnswer
    box: Box
    behind: bool


@dataclass(frozen=True, slots=True)
class ObsInput:
    """One source that OBS has; ``uuid`` is empty before OBS 30."""

    name: str
    uuid: str
    settings: ObsAnswer


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What we remember about a source of ours in one scene collection; it was made for ``canvas`` (width, height)."""

    name: str
    uuid: str = ""
    canvas: tuple[int, int] = (0, 0)


def group_layers(layers: Mapping[str, LayerShape]) -> dict[str, tuple[str, ...]]:
    """Divide the layers among two pages: full-frame layers go behind the game, the others in front of it."""
    behind = tuple(name for name, layer in layers.items() if layer.use == FULL_FRAME)
    in_front = tuple(name for name, layer in layers.items() if layer.use != FULL_FRAME)
    return {key: names for key, names in (("background", behind), ("overlay", in_front)) if names}


def plan_pages(
    layers: Mapping[str, LayerShape], canvas: ObsCanvas, addresses: Mapping[str, str | Path]
) -> list[DesiredSource]:
    """Plan one browser source for each group of layers; an address is a URL, or the path of a loader page."""
    box = Box(0, 0, canvas.width, canvas.height, fills=False)
    return [
        DesiredSource(
            key=key,
            name=f"streamer {key}",
            kind=SourceKind.BROWSER,
            layers=names,
            settings=_page_settings(addresses[key], canvas),
            box=box,
            behind=key == "background",
        )
        for key, names in group_layers(layers).items()
    ]


def _page_settings(address: str | Path, canvas: ObsCanvas) -> ObsAnswer:
    local = isinstance(address, Path)
    return {
        "is_local_file": local, ("local_file" if local else "url"): str(address),
        "width": canvas.width, "height": canvas.height,
        # Either of the two cuts the page's connection at every change of scene.
        "shutdown": False, "restart_when_active": False,
    }  # fmt: skip


def plan_images(layers: Mapping[str, LayerShape], canvas: ObsCanvas, files: Mapping[str, Path]) -> list[DesiredSource]:
    """Plan one image source for each layer, in the order in which they move to the top, or the bottom, of a scene."""

    def order(item: tuple[str, LayerShape]) -> int:
        return -item[1].z if item[1].use == FULL_FRAME else item[1].z

    return [
        DesiredSource(
            key=f"picture {name}",
            name=f"streamer {name}",
            kind=SourceKind.IMAGE,
            layers=(name,),
            settings={"file": str(files[name]), "unload": False},
            box=_box(layer, canvas),
            behind=layer.use == FULL_FRAME,
        )
        for name, layer in sorted(layers.items(), key=order)
    ]


def _box(layer: LayerShape, canvas: ObsCanvas) -> Box:
    """Place a layer where its page module would: a background over everything, a card at its position."""
    if layer.use == FULL_FRAME:
        return Box(0, 0, canvas.width, canvas.height, fills=layer.fit == "cover")
    margin = 0.03 * canvas.height
    width, height = layer.scale * canvas.width, layer.scale * canvas.height
    x, y = (canvas.width - width) / 2, (canvas.height - height) / 2
    if "left" in layer.position:
        x = margin
    if "right" in layer.position:
        x = canvas.width - width - margin
    if "top" in layer.position:
        y = margin
    if "bottom" in layer.position:
        y = canvas.height - height - margin
    return Box(round(x), round(y), round(width), round(height), fills=False)


def find_ours(desired: DesiredSource, known: KnownSource | None, inputs: Sequence[ObsInput]) -> ObsInput | None:
    """Find our source among those of its kind: by its id, by what it shows, then by its name."""
    if known is not None and known.uuid:
        for source in inputs:
            if source.uuid == known.uuid:
                return source
    for source in inputs:
        if _shows(source, desired):
            return source
    names = {desired.name} if known is None else {known.name, desired.name}
    return next((source for source in inputs if source.name in names), None)


def _shows(source: ObsInput, desired: DesiredSource) -> bool:
    if desired.kind is SourceKind.IMAGE:
        return Path(str(source.settings.get("file", ""))).parent == Path(str(desired.settings["file"])).parent
    if desired.settings["is_local_file"]:
        return str(source.settings.get("local_file", "")) == str(desired.settings["local_file"])
    # The token in the fragment may have changed.
    return str(source.settings.get("url", "")).partition("#")[0] == str(desired.settings["url"]).partition("#")[0]


def wrong_settings(desired: DesiredSource, settings: ObsAnswer) -> ObsAnswer:
    """Return the desired values of the settings that differ; others are left out, since a change reloads the page."""
    return {key: value for key, value in desired.settings.items() if settings.get(key) != value}


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return the name, or the name with the next number that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
