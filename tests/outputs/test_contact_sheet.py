"""Contact sheets: as many pages as needed, every picture where it belongs, words inside their column."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from streamer.outputs._contact_sheet import COLUMNS, ROWS, THUMBNAIL, ContactSheet, SheetEntry, draw_sheets, read_sheet

SHAPES = {"wide": (1280, 720), "square": (512, 512), "tall": (400, 900), "tiny": (20, 12)}


def pages(folder: Path, count: int, text: str = "stormy harbour", note: str = "20:15") -> list[Image.Image]:
    Image.new("RGB", (1280, 720), "#ff0000").save(folder / "red.jpg")
    entries = [SheetEntry(folder / "red.jpg", text, note)] * count
    return [Image.open(io.BytesIO(page)) for page in draw_sheets("Evening", f"{count} pictures", entries)]


@pytest.mark.parametrize(("count", "wanted"), [(0, 0), (1, 1), (24, 1), (25, 2), (50, 3)])
def test_there_are_as_many_pages_as_the_pictures_need(tmp_path: Path, count: int, wanted: int) -> None:
    assert ROWS * COLUMNS == 24
    drawn = pages(tmp_path, count)
    assert len(drawn) == wanted
    assert {page.width for page in drawn} <= {2020}


def test_a_page_is_as_high_as_its_rows(tmp_path: Path) -> None:
    heights = [pages(tmp_path, count)[0].height for count in (1, 4, 5, 9)]
    assert heights[0] == heights[1] < heights[2] < heights[3]


def test_every_picture_lies_in_its_window(tmp_path: Path) -> None:
    (page,) = pages(tmp_path, 6)
    for row, column in ((0, 0), (0, 3), (1, 1)):
        x = 48 + column * (THUMBNAIL[0] + 28) + THUMBNAIL[0] // 2
        y = 150 + row * (THUMBNAIL[1] + 92 + 28) + THUMBNAIL[1] // 2
        red, green, _ = page.convert("RGB").getpixel((x, y))  # type: ignore[misc]
        assert (red > 220, green < 30) == (True, True)


@pytest.mark.parametrize("name", SHAPES)
def test_a_picture_of_any_shape_is_shown_whole_with_its_transparency(tmp_path: Path, name: str) -> None:
    Image.new("RGBA", SHAPES[name], (0, 255, 0, 128)).save(tmp_path / "a.webp")
    (page,) = draw_sheets("Evening", "", [SheetEntry(tmp_path / "a.webp", name, "")])
    image = Image.open(io.BytesIO(page)).convert("RGB")
    _, green, _ = image.getpixel((48 + THUMBNAIL[0] // 2, 150 + THUMBNAIL[1] // 2))  # type: ignore[misc]
    assert 90 < green < 180


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_file_that_is_gone_or_broken_leaves_its_window_empty(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    assert len(list(draw_sheets("Evening", "", [SheetEntry(tmp_path / "a.jpg", "gone", "")]))) == 1


@pytest.mark.parametrize(
    "text", ["", "буря в гавани", "x" * 400, "word " * 90, "猫 и 🎨", "\u202eabc", "a" * 30 + " b"]
)
def test_words_stay_inside_their_column(tmp_path: Path, text: str) -> None:
    (page,) = pages(tmp_path, 1, text, note=text)
    beside = page.convert("L").crop((48 + THUMBNAIL[0] + 2, 150, page.width, page.height))
    assert beside.getextrema()[1] < 60  # type: ignore[operator]


def test_a_sheet_contains_what_it_was_drawn_from_under_names_that_never_change(tmp_path: Path) -> None:
    entry = SheetEntry(tmp_path / "a.jpg", "harbour", "20:15 · drawn for Ann", "1.2.3", 4)
    (page,) = draw_sheets("Evening", "", [entry])
    assert read_sheet(page) == ContactSheet("Evening", 1, (replace(entry, picture=Path("a.jpg")),))
    assert (
        b'{"picture": "a.jpg", "what": "harbour", "note": "20:15 \xc2\xb7 drawn for Ann", "mark": "1.2.3", "person": 4}'
    ) in page
