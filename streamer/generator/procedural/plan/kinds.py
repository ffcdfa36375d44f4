"""What kind of thing a drawing shows: where it belongs, how large it is, what it brings along (kinds.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml

from streamer.generator.procedural.subjects.library import Drawing

_SELECTOR = "\ufe0f"


class Habitat(StrEnum):
    """Where a drawing stands in a picture; kinds.yaml explains each."""

    GROUND = "ground"
    FAR = "far"
    AIR = "air"
    SKY = "sky"
    AFLOAT = "afloat"
    SUBMERGED = "submerged"
    THING = "thing"
    WORN = "worn"
    SCENIC = "scenic"


@dataclass(frozen=True, slots=True)
class Kind:
    """``name`` is English; ``size`` is relative to a grown person, ``draught`` the share under water.

    ``painted`` is the feature that the scenery paints instead, ``pulls`` the drawing of the carriages behind.
    ``flown_at`` is by how many degrees the drawing is turned where somebody rides it through the air, 0 if nobody does.
    ``seat`` is how high somebody sits on it, as a share of its height; 0 is on its top.
    """

    name: str
    habitat: Habitat
    size: float
    draught: float
    home: str
    painted: str
    is_head: bool
    is_bust: bool
    is_person: bool
    looks_left: bool
    is_vague: bool
    is_alive: bool
    stays_below: bool
    rides_on_roads: bool
    rideable: bool
    encloses: bool
    pulls: str
    flown_at: float
    seat: float


@dataclass(frozen=True)
class _Tables:
    habitats: Mapping[str, str]
    sizes: Mapping[str, str]
    draughts: Mapping[str, str]
    homes: Mapping[str, str]
    painted: Mapping[str, str]
    whole: Mapping[str, str]
    trains: Mapping[str, str]
    flown: Mapping[str, float]
    seats: Mapping[str, str]
    sets: Mapping[str, frozenset[str]]


def emoji(key: str) -> str:
    """Turn a drawing's key into its characters, without selectors: "1f431" becomes 🐱."""
    return "".join(chr(int(part, 16)) for part in key.split("-")).replace(_SELECTOR, "")


def key_of(characters: str) -> str:
    """Turn characters into a drawing's key."""
    return "-".join(f"{ord(char):x}" for char in characters if char != _SELECTOR)


def kind_of(drawing: Drawing) -> Kind:
    """Look a drawing up by itself, then by its subgroup."""
    tables, names = _shipped(), _names(drawing)
    return Kind(
        name=drawing.name,
        habitat=Habitat(_first(tables.habitats, names, "thing")),
        size=float(_first(tables.sizes, names, "0.55")),
        draught=float(_first(tables.draughts, names, "0.03")),
        home=_first(tables.homes, names, ""),
        painted=_first(tables.painted, names[:1], ""),
        is_head=_is_in(tables, "heads", names),
        is_bust=_is_in(tables, "busts", names) and not _is_in(tables, "full_length", names),
        looks_left=names[1] in ("animal-mammal", "animal-reptile"),
        is_vague=_is_in(tables, "vague", names) and not _is_in(tables, "clear", names[:1]),
        is_person=names[1].startswith(("person", "family")),
        is_alive=names[1].startswith(("person", "family", "animal-", "face-", "cat-face", "monkey-face")),
        stays_below=names[1] == "animal-marine" and not _is_in(tables, "surfacing", names),
        rides_on_roads=names[1] == "transport-ground" and not _is_in(tables, "on_rails", names),
        rideable=_is_in(tables, "rideable", names),
        encloses=_is_in(tables, "enclosing", names),
        pulls=tables.trains.get(names[0], ""),
        flown_at=tables.flown.get(names[0], 0.0),
        seat=float(_first(tables.seats, names[:1], "0")),
    )


def whole_animal(key: str) -> str:
    """Return the key of the drawing that shows the whole animal, if this one shows its head and there is one."""
    whole = _shipped().whole.get(emoji(key))
    return key_of(whole) if whole else key


def face_of(key: str) -> str:
    """Return the key of the drawing that shows the animal's face from the front, if there is one."""
    faces = {whole: face for face, whole in _shipped().whole.items()}
    face = faces.get(emoji(key))
    return key_of(face) if face else key


def _names(drawing: Drawing) -> tuple[str, ...]:
    return emoji(drawing.key), drawing.subgroup.replace(" & ", "-").replace(" ", "-")


def _first(table: Mapping[str, str], names: Iterable[str], default: str) -> str:
    return next((table[name] for name in names if name in table), default)


def _is_in(tables: _Tables, name: str, names: Iterable[str]) -> bool:
    return any(entry in tables.sets[name] for entry in names)


@cache
def _shipped() -> _Tables:
    """Read kinds.yaml once."""
    text = (files(__package__) / "kinds.yaml").read_text(encoding="utf-8").replace(_SELECTOR, "")
    data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # nosec B506 - both loaders are safe
    meanings = {name: _inverted(data[name]) for name in ("habitats", "sizes", "draughts", "homes", "painted", "seats")}
    sets = {
        name: frozenset(data[name].split())
        for name in (
            "heads",
            "busts",
            "full_length",
            "rideable",
            "enclosing",
            "on_rails",
            "vague",
            "clear",
            "surfacing",
        )
    }
    return _Tables(**meanings, whole=data["whole"], trains=data["trains"], flown=data["flown"], sets=sets)


def _inverted(table: Mapping[object, str]) -> dict[str, str]:
    return {entry: str(value) for value, entries in table.items() for entry in entries.split()}
