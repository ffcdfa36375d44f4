"""Decides what belongs into OBS: which sources with which settings, where they stand, and which of OBS's are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from streamer.integrations.obs.connection import ObsAnswer

FILLS = "background"
"""The layer module that fills the page; such layers stand behind everything else of a scene."""


class LayerShape(Protocol):
    """What is asked of a layer of config.yaml."""

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
    """How pictures get into OBS: a page, or files where that OBS has no browser."""

    BROWSER = "browser_source"
    IMAGE = "image_source"


@dataclass(frozen=True, slots=True)
class ObsCanvas:
    """OBS's canvas in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where an item stands: a box in pixels, and whether its picture fills the box or fits into it."""

    x: float
    y: float
    width: float
    height: float
    fills: bool

    def transform(self) -> ObsAnswer:
        """Say it in obs-websocket's words."""
        return {
            "positionX": self.x, "positionY": self.y, "rotation": 0.0, "alignment": 5, "boundsAlignment": 0,
            "boundsType": "OBS_BOUNDS_SCALE_OUTER" if self.fills else "OBS_BOUNDS_SCALE_INNER",
            "boundsWidth": self.width, "boundsHeight": self.height,
        }  # fmt: skip

    def holds(self, transform: ObsAnswer) -> bool:
        """Tell whether an item stands exactly in this box."""
        return all(transform.get(key) == value for key, value in self.transform().items())


@dataclass(frozen=True, slots=True)
class DesiredSource:
    """One source that is to be in OBS; ``layers`` are those it shows, ``behind`` puts it below everything else."""

    key: str
    name: str
    kind: SourceKind
    layers: tuple[str, ...]
    settings: ObsAnswer
    box: Box
    behind: bool


@dataclass(frozen=True, slots=True)
class Input:
    """One source that OBS has; ``uuid`` is empty before OBS 30."""

    name: str
    uuid: str
    settings: ObsAnswer


@dataclass(frozen=True, slots=True)
class ExistingSources:
    """What is remembered of a source of ours in one scene collection; ``canvas`` is the one it was made for."""

    name: str
    uuid: str = ""
    canvas: tuple[int, int] = (0, 0)


def groups(layers: Mapping[str, LayerShape]) -> dict[str, tuple[str, ...]]:
    """Divide the layers among pages: what fills the frame stands behind the game, the rest before it."""
    behind = tuple(name for name, layer in layers.items() if layer.use == FILLS)
    before = tuple(name for name, layer in layers.items() if layer.use != FILLS)
    return {key: names for key, names in (("background", behind), ("overlay", before)) if names}


def pages(
    layers: Mapping[str, LayerShape], canvas: ObsCanvas, addresses: Mapping[str, str | Path]
) -> list[DesiredSource]:
    """Plan one browser source for each group of layers; an address is a URL, or the path of a loader page."""
    box = Box(0, 0, canvas.width, canvas.height, fills=False)
    return [
        DesiredSource(
            key, f"streamer {key}", SourceKind.BROWSER, names, _page(addresses[key], canvas), box, key == "background"
        )
        for key, names in groups(layers).items()
    ]


def _page(address: str | Path, canvas: ObsCanvas) -> ObsAnswer:
    local = isinstance(address, Path)
    return {
        "is_local_file": local, ("local_file" if local else "url"): str(address),
        "width": canvas.width, "height": canvas.height,
        # Either of the two cuts the page's connection at every change of scene.
        "shutdown": False, "restart_when_active": False,
    }  # fmt: skip


def images(layers: Mapping[str, LayerShape], canvas: ObsCanvas, files: Mapping[str, Path]) -> list[DesiredSource]:
    """Plan one image source for each layer, in the order in which they go to the top, or the bottom, of a scene."""

    def order(item: tuple[str, LayerShape]) -> int:
        return -item[1].z if item[1].use == FILLS else item[1].z

    return [
        DesiredSource(
            f"picture {name}",
            f"streamer {name}",
            SourceKind.IMAGE,
            (name,),
            {"file": str(files[name]), "unload": False},
            _box(layer, canvas),
            layer.use == FILLS,
        )
        for name, layer in sorted(layers.items(), key=order)
    ]


def _box(layer: LayerShape, canvas: ObsCanvas) -> Box:
    """Put a layer where its page module would: a background over everything, a card at its place."""
    if layer.use == FILLS:
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


def ours(wanted: DesiredSource, known: ExistingSources | None, inputs: Sequence[Input]) -> Input | None:
    """Find the source that is ours among those of its kind: by its id, by what it shows, then by its name."""
    if known is not None and known.uuid:
        for one in inputs:
            if one.uuid == known.uuid:
                return one
    for one in inputs:
        if _shows(one, wanted):
            return one
    names = {wanted.name} if known is None else {known.name, wanted.name}
    return next((one for one in inputs if one.name in names), None)


def _shows(one: Input, wanted: DesiredSource) -> bool:
    if wanted.kind is SourceKind.IMAGE:
        return Path(str(one.settings.get("file", ""))).parent == Path(str(wanted.settings["file"])).parent
    if wanted.settings["is_local_file"]:
        return str(one.settings.get("local_file", "")) == str(wanted.settings["local_file"])
    # The token in the fragment may have changed.
    return str(one.settings.get("url", "")).partition("#")[0] == str(wanted.settings["url"]).partition("#")[0]


def repairs(wanted: DesiredSource, has: ObsAnswer) -> ObsAnswer:
    """Return the settings that are not as they should be; equal ones are left out, since a change reloads the page."""
    return {key: value for key, value in wanted.settings.items() if has.get(key) != value}


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return the name, or the next one with a number that nothing else in OBS has."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
