"""The table of kinds ships as data: each entry once, in a form that drawings are looked up in."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from streamer.generator.procedural.plan.kinds import Habitat, emoji, face_of, key_of, kind_of, whole_animal
from streamer.generator.procedural.subjects.library import Drawing

TABLES = yaml.safe_load((files("streamer.generator.procedural.plan") / "kinds.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["habitats", "sizes", "homes"])
def test_an_entry_stands_once_in_a_table(name: str) -> None:
    entries = [entry for words in TABLES[name].values() for entry in words.replace("\ufe0f", "").split()]
    assert {entry for entry in entries if entries.count(entry) > 1} == set()


def test_every_habitat_has_drawings() -> None:
    assert set(TABLES["habitats"]) == set(Habitat)


def test_a_key_and_its_characters_are_turned_into_each_other() -> None:
    assert emoji("1f431") == "🐱"
    assert key_of("🏴‍☠️") == "1f3f4-200d-2620"
    assert emoji(key_of("🐱")) == "🐱"


@pytest.mark.parametrize(
    ("key", "subgroup", "habitat", "home"),
    [
        ("1f408", "animal-mammal", "ground", "room"), ("1f98a", "animal-mammal", "ground", "forest"),
        ("1f42a", "animal-mammal", "ground", "desert"), ("1f40b", "animal-marine", "submerged", "underwater"),
        ("1f6a2", "transport-water", "afloat", "sea"), ("2708", "transport-air", "sky", "sky"),
        ("1f355", "food-prepared", "thing", "table"), ("1f315", "sky & weather", "scenic", ""),
        ("1f451", "clothing", "worn", "hills"), ("1f3e5", "place-building", "far", "field"),
    ],
)  # fmt: skip
def test_a_drawing_is_looked_up_by_itself_and_then_by_its_subgroup(
    key: str, subgroup: str, habitat: str, home: str
) -> None:
    kind = kind_of(Drawing(key, "", "", subgroup))
    assert (kind.habitat, kind.home) == (habitat, home)


def test_an_unknown_subgroup_is_a_thing() -> None:
    assert kind_of(Drawing("10ffff", "", "", "new-in-a-later-unicode")).habitat is Habitat.THING


def test_a_whale_is_larger_than_a_cat_and_a_cat_than_an_ant() -> None:
    whale, cat, ant = (
        kind_of(Drawing(key, "", "", subgroup)).size
        for key, subgroup in (("1f40b", "animal-marine"), ("1f408", "animal-mammal"), ("1f41c", "animal-bug"))
    )
    assert whale > cat > ant


def test_faces_and_whole_animals_are_told_apart() -> None:
    assert whole_animal("1f436") == "1f415"
    assert face_of("1f415") == "1f436"
    assert whole_animal("1f98a") == face_of("1f98a") == "1f98a"
