"""Text is reduced to comparable words."""

from __future__ import annotations

import string
from collections.abc import Callable
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from streamer.generator.render.fonts import roboto
from streamer.moderation.text_filter import normalize
from streamer.moderation.text_filter.normalize import fold, read, to_cyrillic, to_latin


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Stormy HARBOUR", "stormy harbour"),
        ("Ёлки, Йод", "елки, иод"),
        ("e\u0301te\u0301 \u00e9", "ete e"),
        ("h\u200be\u00adl\ufeffp", "help"),
        ("ｈｅｌｐ", "help"),
        ("🅷🅴🅻🅿", "🅷🅴🅻🅿".translate({0x1F177: "h", 0x1F174: "e", 0x1F17B: "l", 0x1F17F: "p"})),
        ("🇭🇪🇱🇵", "help"),
        ("Straße ﬁn", "strasse fin"),
        ("one\ntwo\u2003three", "one two three"),
    ],
)
def test_variants_of_letters_fold_to_the_letter(text: str, folded: str) -> None:
    assert normalize.fold(text).split() == folded.split()


def test_a_word_is_read_in_its_own_alphabet_and_a_mixed_one_in_both() -> None:
    words = normalize.read("harbour гавань hаrbour")
    assert words.latin == ["harbour", "harbour"]
    assert words.cyrillic[0] == "гавань"
    assert len(words.cyrillic) > 1


def test_letters_typed_one_by_one_are_joined_and_one_or_two_are_not() -> None:
    assert normalize.read("s h i p").latin == ["ship"]
    assert normalize.read("a boat i saw").latin == ["boat", "saw"]
    assert normalize.read("c a t").latin == ["cat"]
    assert normalize.read("c a t boat").latin == ["cat", "boat"]
    assert normalize.read("x y boat x y").latin == ["boat"]


def test_rows_of_letters_end_where_the_alphabet_does() -> None:
    assert normalize.fold("🅐🅩🄰🇦🇿🅰🆉") == "azaazaz"
    assert normalize.fold("\U0001f16a\U0001f18a\U0001f200").isascii() is False
    assert "{" not in normalize.fold("\U0001f16a\U0001f18a\U0001f200")


def test_a_word_with_signs_is_read_in_pieces_and_joined() -> None:
    assert normalize.read("sea-gull").latin == ["sea", "gull", "sea", "gull", "seagull"]
    assert normalize.read("x-ray").latin == ["ray", "ray", "xray"]


def test_digits_are_read_as_the_letters_they_stand_for() -> None:
    assert {"boat", "ship"} <= set(normalize.read("b04t $h1p").latin)
    assert "sail" in normalize.read("sai1").latin
    assert "чайка".replace("й", "и") in normalize.read("4айка").cyrillic


def test_russian_players_write_latin_leet_as_well() -> None:
    assert "чайка".replace("й", "и") in normalize.read("ч4ик4").cyrillic
    assert "весть" in normalize.read("8е57ь").cyrillic
    assert "2ель" not in normalize.read("2ель").cyrillic[1:]


def test_half_a_word_in_the_other_alphabet_is_read_by_its_sound() -> None:
    assert "звезда" in normalize.read("zvеzда").cyrillic
    assert "гавань" in normalize.read("gaвань").cyrillic


def test_letters_with_their_numbers_are_joined() -> None:
    assert "ship" in normalize.read("1s 2h 3i 4p").latin
    assert "ship" in normalize.read("s1 h2 i3 p4").latin
    assert "abcdefghijkl" in normalize.read(" ".join(f"{at}{one}" for at, one in enumerate("abcdefghijkl", 1))).latin


@pytest.mark.parametrize("text", ["ᔕᕼIᑭ", "⠎⠓⠊⠏", "տhip"])
def test_letters_of_far_alphabets_are_read_as_what_they_look_like(text: str) -> None:
    assert "ship" in normalize.read(text).latin


def test_serbian_letters_are_read_as_russian_ones() -> None:
    assert "клин" in normalize.read("кљин").cyrillic


def test_punctuation_around_a_word_is_not_part_of_it() -> None:
    assert normalize.read('"harbour", (boat)').latin == ["harbour", "boat"]


def test_numbers_stay_numbers() -> None:
    assert normalize.read("1984 16:9").latin == ["1984", "16", "9"]


def test_text_is_read_up_to_a_bound() -> None:
    assert len(normalize.read("ab " * 100_000).latin) <= normalize.LONGEST * 4 / 2


@given(st.text(max_size=200))
def test_words_come_out_folded_and_without_separators(text: str) -> None:
    words = normalize.read(text)
    assert not [word for word in (*words.latin, *words.cyrillic) if " " in word or "_" in word]
    assert normalize.fold(normalize.fold(text)) == normalize.fold(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ΖORBLΑΤ", "zorblat"),
        ("ΗΑΜΜΥΝ", "hammyn"),
        ("ϹΑΤ ϲat", "cat"),
        ("νοηε ΝΟΝΕ", "vone none"),
        ("f🆙 n🆖", "fup nng"),
    ],
)
def test_greek_capitals_are_read_by_their_own_look(text: str, words: str) -> None:
    assert set(words.split()) <= set(read(text).latin)


def test_greek_capitals_are_read_as_the_russian_letters_they_look_like() -> None:
    assert read("ΓΗΟΜ").cyrillic[0] == "гном"


@pytest.mark.parametrize("weight", ["Black", "Regular"])
@pytest.mark.parametrize(
    ("letters", "shaped"),
    [(string.ascii_letters, to_latin), ("абвгдежзиклмнопрстуфхцчшщъыьэюяБГДЖЗИЛПФЦЧШЩЪЫЬЭЮЯ", to_cyrillic)],
)
def test_what_the_shipped_font_draws_alike_is_read_alike(
    weight: str, letters: str, shaped: Callable[[str], str]
) -> None:
    font = ImageFont.truetype(roboto(weight), 48, layout_engine=ImageFont.Layout.BASIC)
    drawn: dict[bytes, set[str]] = {}
    for letter in letters:
        drawn.setdefault(bytes(font.getmask(letter)), set()).add(shaped(fold(letter)))
    others = (char for char in map(chr, range(0xA0, 0x3000)) if category(char)[0] == "L")
    alike = {char: drawn[ink] for char in others if (ink := bytes(font.getmask(char))) in drawn}
    assert len(alike) > 20
    # A bar is read as i and as l.
    read_as = {char: set("il") if (letter := shaped(fold(char))) == "|" else {letter} for char in alike}
    assert {char for char, letters_drawn in alike.items() if not letters_drawn & read_as[char]} == set()
