import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from wcwidth import iter_graphemes

from streamer.generator.render import fonts
from streamer.generator.render.fonts import draw_line, font_for, font_runs, line_width, roboto
from streamer.text import clean

CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "ЁёЄєІіЇїҐґЎў"
GREEK = "ΑΒΓΔΩαβγδω"
CLEAN = st.text(
    st.characters(codec="utf-8") | st.sampled_from("жЁQg字אبก\u0e49\u0301\u200c\u200d\ufe0f😀\U0001f468½ "), max_size=30
).map(clean)


def ink(line: str) -> np.ndarray:
    mask = Image.new("L", (int(line_width(line, "Black", 40)) + 120, 160))
    draw_line(ImageDraw.Draw(mask), (40, 110), line, "Black", 40, 255)
    return np.asarray(mask) > 100


@pytest.mark.parametrize("weight", ["Black", "Bold", "Medium", "Regular"])
@pytest.mark.parametrize("text", [string.printable.strip(), CYRILLIC, GREEK, "ÀÉÎÕÜßøŁžĞİ", "Tiếng Việt", "“„«»—…№€₽"])
def test_the_shipped_font_writes_the_scripts_of_most_chats(weight: str, text: str) -> None:
    assert {run.font for run in font_runs(" ".join(text.split()), weight)} == {roboto(weight)}


def test_emoji_do_not_change_the_font_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ("DejaVuSans-Bold.ttf",))
    assert font_for("GG 😀", "Black") == roboto("Black")


def test_another_script_takes_the_first_font_that_has_most_of_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    covers = {"no.ttf": "", "some.ttf": "日本", "all.ttf": "日本語", "all too.ttf": "日本語"}
    monkeypatch.setattr(fonts, "system_fonts", lambda: tuple(covers))
    monkeypatch.setattr(fonts, "has_glyph", lambda font, char: char in covers.get(font, ""))
    assert font_for("日本語", "Black") == "all.ttf"


def test_a_letter_that_the_font_lacks_comes_from_the_next_font_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    covers = {roboto("Black"): "abc ", "han.ttf": "字典", "hebrew.ttf": "אב"}
    monkeypatch.setattr(fonts, "system_fonts", lambda: ("han.ttf", "hebrew.ttf"))
    monkeypatch.setattr(fonts, "has_glyph", lambda font, char: char in covers.get(font, ""))
    font_runs.cache_clear()
    assert [(run.text, run.font, run.right_to_left) for run in font_runs("ab字典 אב%c", "Black")] == [
        ("ab", roboto("Black"), False),
        ("字典 ", "han.ttf", False),
        ("אב", "hebrew.ttf", True),
        ("%c", roboto("Black"), False),
    ]
    font_runs.cache_clear()


def test_a_letter_that_no_font_has_is_a_visible_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ())
    font_runs.cache_clear()
    one, other = ink("a字b"), ink("a典b")
    assert one.sum() > ink("ab").sum()
    assert (one == other).all()
    font_runs.cache_clear()


@settings(max_examples=200, deadline=None)
@given(CLEAN)
def test_every_letter_of_a_line_is_drawn(line: str) -> None:
    runs = font_runs(line, "Black")
    assert sorted("".join(run.text for run in runs)) == sorted(line)
    assert all(run.text in line for run in runs)


@settings(max_examples=200, deadline=None)
@given(CLEAN)
def test_every_letter_of_a_line_is_visible(line: str) -> None:
    assert all(ink(grapheme).any() for grapheme in iter_graphemes(line.replace(" ", "")))


def test_scripts_without_a_font_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ())
    assert fonts.unwritable_scripts() == ["Chinese", "Japanese", "Korean", "Arabic", "Hebrew", "Hindi", "Thai"]
    monkeypatch.setattr(fonts, "system_fonts", lambda: ("a CJK font",))
    has = fonts.has_glyph
    monkeypatch.setattr(
        fonts, "has_glyph", lambda font, char: char in "字かナ" if font == "a CJK font" else has(font, char)
    )
    assert fonts.unwritable_scripts() == ["Korean", "Arabic", "Hebrew", "Hindi", "Thai"]
