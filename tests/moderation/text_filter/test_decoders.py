"""Other readings of a text: what encodings, letters drawn with signs or flipped letters say."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.moderation.text_filter import decoders


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a &#98;oat", "a boat"),
        ("&amp;#98;oat", "boat"),
        ("%62%6F%61t", "boat"),
        ("%2562oat", "boat"),
        ("\\u0062oat", "boat"),
        ("\\u{62}oat", "boat"),
        ("\\x62oat", "boat"),
        ("\\142oat", "boat"),
        ("\\u{110000}oat", "oat"),
        ("b<i>o</i>at", "boat"),
        ("b<b class=x>oat", "boat"),
        ("bo<!-- x -->at", "boat"),
        ("|3()/\\t", "boat"),
        ("\\/\\/ave", "wave"),
        ("vvave", "wave"),
        ("|\\/|(_)d", "mud"),
        ("|v|ud", "mud"),
        ("|-|[]]-[", "hoh"),
        ("|<i|>", "kip"),
        ("|\\|ap", "nap"),
        ("[)uc|{", "duck"),
        ("x><_|(,)!_|=^^|2", "xxjqlfmr"),
        ("}|{/\\()><", "жлох"),
        ("|-||/||_|9l", "ниця"),
        ("cbl|-|", "cын"),
        ("ʇɐoq", "boat"),
        ("ǝʌɐʍ", "wave"),
        ("ɯodɐu", "napom"),
        (base64.b64encode(b"sailing boat").decode(), "sailing boat"),
        (base64.b64encode(b"sailing boat").decode().rstrip("="), "sailing boat"),
        (base64.b64encode(b"sailing boats").decode().rstrip("="), "sailing boats"),
        (base64.b64encode(b"sailing boats!").decode().rstrip("="), "sailing boats!"),
        (base64.urlsafe_b64encode("гавань".encode()).decode(), "гавань"),
        (base64.urlsafe_b64encode(b"?>boat?~~???").decode(), "?>boat?~~???"),
        (b"boats".hex(), "boats"),
        (b"boats".hex(" "), "boats"),
        ("0x" + b"boats".hex(), "boats"),
        (" ".join(f"{byte:08b}" for byte in b"boat"), "boat"),
        ("".join(f"{byte:08b}" for byte in b"boat"), "boat"),
        ("-... --- .- -", "boat"),
        ("-... / --- / .- / -", "boat"),
        ("_... ___ ._ _", "boat"),
        ("-... --- .-. -", "борт"),
        ("b\u0366\u0363t", "boat"),
        ("г\u2df6в\u2df6нь", "гавань"),
        ("cat\U000e0062\U000e006f", "catbo"),
        ("a\U000e0020b\U000e007e", "a b~"),
        ("b\u0363t", "bat"),
        ("bo\u036f", "box"),
        ("\u2de0ы", "бы"),
        ("\u2dffма", "яма"),
        ("bravo oscar alpha tango", "boat"),
        ("Bravo, Oscar, Alfa, Tango!", "boat"),
        ("борис ольга роман татьяна", "борт"),
        ("draw bravo o alpha t now", "boat"),
    ],
)
def test_a_text_is_read_as_what_it_says(text: str, says: str) -> None:
    assert decoders.has_signs(text)
    assert says in set(decoders.other_readings(text))


@pytest.mark.parametrize(
    "text",
    [
        "stormy harbour at night",
        "шторм в гавани, ёлки",
        "it's a cat: two dogs, one bird; 35mm!",
        "alpha bravo charlie",
        "a b c",
    ],
)
def test_ordinary_text_has_no_signs_and_no_other_reading(text: str) -> None:
    assert not decoders.has_signs(text)
    assert list(decoders.other_readings(text)) == []


def test_text_encoded_three_times_is_not_decoded() -> None:
    assert "boat" in set(decoders.other_readings("&amp;#98;oat"))
    assert "boat" not in set(decoders.other_readings("&amp;amp;#98;oat"))


def test_three_letters_of_morse_are_read_and_two_are_a_row_of_dots() -> None:
    assert "boa" in set(decoders.other_readings("-... --- .-"))
    assert "bo" not in set(decoders.other_readings("-... ---"))


@pytest.mark.parametrize("neighbour", ["\U000e007f", "\u0362", "\u2e00", "\u0370"])
def test_signs_beside_the_raised_letters_are_not_letters(neighbour: str) -> None:
    assert list(decoders.other_readings(f"b{neighbour}t")) == []


@pytest.mark.parametrize(
    "text", ["(a cat)", "AABBCCDD", "deadbeef", "one & two", "100% wool", "naïve", "12:30:45", "- - -"]
)
def test_text_without_a_hidden_word_unpacks_to_nothing(text: str) -> None:
    assert not [reading for reading in decoders.other_readings(text) if "boat" in reading]


def test_a_spelling_alphabet_needs_four_letters_in_a_row() -> None:
    assert "bo" not in set(decoders.other_readings("bravo oscar (harbour) alpha tango"))
    assert "boat" in set(decoders.other_readings("bravo oscar alpha tango"))


@given(st.text(max_size=300))
def test_any_text_has_readings_of_bounded_length(text: str) -> None:
    assert all(len(reading) <= 4 * len(text) + 16 for reading in decoders.other_readings(text))


@pytest.mark.parametrize(
    "piece", ["%25", "&amp;", "\\u0025", "|", "<", "((((", "A" * 9, "01", "-.", "/\\", "<a", "ff "]
)
def test_repeated_signs_are_read_in_bounded_time(piece: str) -> None:
    assert len(list(decoders.other_readings((piece * 1000)[:1000]))) < 20
