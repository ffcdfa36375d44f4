"""Reads the drawings and what is known of each emoji from the fetched packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

VARIATION = "-fe0f"
_CLOCKS = range(0x1F550, 0x1F568)
_LIKING = {"smileys-emotion": 0.3, "people-body": 0.6, "symbols": 0.15, "flags": 0.0, "component": 0.0}
_LIKING_OF_SUBGROUPS = {
    "arrow": 0.0, "zodiac": 0.0, "geometric": 0.0, "alphanum": 0.0, "keycap": 0.0, "warning": 0.0,
    "transport-sign": 0.0, "family": 0.5,
    "person-sport": 0.6, "person-activity": 0.55, "person-gesture": 0.35, "person-resting": 0.55, "hand-prop": 0.6,
    "person-role": 0.85, "person-fantasy": 0.95, "person": 0.85, "body-parts": 0.75, "person-symbol": 0.35,
    "heart": 0.8, "face-costume": 0.9, "face-negative": 0.8, "emotion": 0.5, "monkey-face": 0.2, "time": 0.8,
    "hotel": 0.8, "hand-fingers-open": 0.75, "place-map": 0.8,
}  # fmt: skip
"""How well the drawings of a group or subgroup serve as the subject of a picture, 0 to 1; else 1."""


@dataclass(frozen=True)
class Emoji:
    """What emojibase says of one emoji that has a drawing."""

    key: str
    name: str
    group: str
    subgroup: str
    order: int

    @cached_property
    def liking(self) -> float:
        """Return how well the drawing serves as a subject, 0 to 1."""
        first = int(self.key.split("-")[0], 16)
        if first in _CLOCKS or ("face" in self.name.split() and self.subgroup == "sky-weather"):
            return 0.0
        return _LIKING_OF_SUBGROUPS.get(self.subgroup, _LIKING.get(self.group, 1.0))


def read(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def key_of(characters: str) -> str:
    """Return the key of an emoji that is written in characters."""
    return "-".join(f"{ord(char):x}" for char in characters if char != "\ufe0f")


def drawings(modules: Path) -> dict[str, str]:
    """Return the SVG documents by key."""
    folder = modules / "@iconify-json" / "fluent-emoji-flat"
    icons = read(folder / "icons.json")
    size = f'width="{icons["width"]}" height="{icons["height"]}" viewBox="0 0 {icons["width"]} {icons["height"]}"'
    return {
        key.replace(VARIATION, ""): f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{_body(icons, name)}</svg>'
        for key, name in read(folder / "chars.json").items()
    }


def _body(icons: dict[str, Any], name: str) -> str:
    """Return the content of an icon; some are others in a mirror."""
    alias = icons["aliases"].get(name, {})
    body: str = icons["icons"][alias.get("parent", name)]["body"]
    return f'<g transform="translate({icons["width"]} 0) scale(-1 1)">{body}</g>' if alias.get("hFlip") else body


def emojis(modules: Path) -> Iterator[tuple[Emoji, bool]]:
    """Yield every emoji, and whether it is a variant of another one in a skin tone."""
    folder = modules / "emojibase-data"
    names = read(folder / "meta" / "groups.json")
    for one in read(folder / "en" / "data.json"):
        group, subgroup = (
            names[kind].get(str(one.get(field)), "") for kind, field in (("groups", "group"), ("subgroups", "subgroup"))
        )
        for variant in (one, *one.get("skins", ())):
            key = variant["hexcode"].lower().replace(VARIATION, "")
            yield Emoji(key, variant["label"], group, subgroup, variant.get("order", 9999)), variant is not one


def cldr_annotations(modules: Path, language: str) -> dict[str, dict[str, list[str]]]:
    """Return CLDR's names ("tts") and keywords ("default") of every emoji by key."""
    path = modules / "cldr-annotations-full" / "annotations" / language / "annotations.json"
    found = read(path)["annotations"]["annotations"]
    return {key_of(characters): entry for characters, entry in found.items()}
