import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.generator.render import fonts
from streamer.generator.render.fonts import drop_unwritable, font_for, has_glyph, roboto

CYRILLIC = "".join(map(chr, range(0x410, 0x450))) + "ЁёЄєІіЇїҐґЎў"
GREEK = "ΑΒΓΔΩαβγδω"


@pytest.mark.parametrize("weight", ["Black", "Bold", "Medium", "Regular"])
@pytest.mark.parametrize("text", [string.printable.strip(), CYRILLIC, GREEK, "ÀÉÎÕÜßøŁžĞİ", "Tiếng Việt", "“„«»—…№€₽"])
def test_the_shipped_font_writes_the_scripts_of_most_chats(weight: str, text: str) -> None:
    assert font_for(text, weight) == roboto(weight)
    assert drop_unwritable(text, roboto(weight)) == " ".join(text.split())


@pytest.mark.parametrize("between", [" 😀 ", "\u200b ", " \u202e", " ❤️\u200d🔥", "\ue000 ", " \ud800", " \u200d"])
def test_what_the_font_lacks_is_dropped_and_leaves_no_gap(between: str) -> None:
    assert drop_unwritable(f"лол{between}kek", roboto("Black")) == "лол kek"


def test_emoji_do_not_change_the_font_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ("DejaVuSans-Bold.ttf",))
    assert font_for("GG 😀", "Black") == roboto("Black")


def test_another_script_takes_the_first_font_that_has_most_of_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    covers = {"no.ttf": "", "some.ttf": "日本", "all.ttf": "日本語", "all too.ttf": "日本語"}
    monkeypatch.setattr(fonts, "system_fonts", lambda: tuple(covers))
    monkeypatch.setattr(fonts, "has_glyph", lambda font, char: char in covers.get(font, ""))
    assert font_for("日本語", "Black") == "all.ttf"


def test_without_any_font_for_it_a_text_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ())
    assert drop_unwritable("日本語", font_for("日本語", "Black")) == ""


@given(st.text(max_size=40))
def test_only_drawable_characters_remain_of_any_text(text: str) -> None:
    font = font_for(text, "Black")
    assert all(char in " \u200c\u200d" or has_glyph(font, char) for char in drop_unwritable(text, font))


def test_scripts_without_a_font_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_fonts", lambda: ())
    assert fonts.unwritable_scripts() == ["Chinese", "Japanese", "Korean", "Arabic", "Hebrew", "Hindi", "Thai"]
    monkeypatch.setattr(fonts, "system_fonts", lambda: ("a CJK font",))
    has = fonts.has_glyph
    monkeypatch.setattr(
        fonts, "has_glyph", lambda font, char: char in "字かナ" if font == "a CJK font" else has(font, char)
    )
    assert fonts.unwritable_scripts() == ["Korean", "Arabic", "Hebrew", "Hindi", "Thai"]
