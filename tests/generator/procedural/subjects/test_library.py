"""The drawings that the build brought in."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import pytest

from streamer.generator.procedural.subjects import library


def test_a_drawing_is_found_by_its_code_points() -> None:
    assert library.drawing("1f408") == library.Drawing("1f408", "cat", "animals-nature", "animal-mammal")
    assert library.drawing("1f408-200d-2b1b") is not None, "a sequence"
    assert library.drawing("41") is None


def test_a_drawing_is_an_svg_document() -> None:
    root = ET.fromstring(library.svg("1f34e"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["viewBox"] == "0 0 32 32"
    with pytest.raises(KeyError):
        library.svg("41")


def test_without_assets_there_is_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(library, "DATABASE", library.ASSETS / "elsewhere.sqlite")
    assert not library.available()
    library.drawing.cache_clear()
    assert library.drawing("1f408") is None
    library.drawing.cache_clear()


def test_a_database_of_an_older_version_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(old)) as database:
        database.execute("CREATE TABLE drawings (key TEXT)")
    monkeypatch.setattr(library, "DATABASE", old)
    assert not library.available()
