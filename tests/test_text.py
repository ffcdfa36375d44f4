"""What cleaning keeps, what it drops, and that no input makes it fail."""

from unicodedata import is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.text import (
    LONGEST,
    ascii_forms,
    capitals,
    clean,
    excerpt,
    is_follower,
    isolated,
    match_form,
    without_isolates,
)

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aAe\u0301\u0308\u0338\u200d\ufe0f\ufe0e\u034f\u20e3 \t\n|@.:/1\u00a8\ufb01\u1100\u1161\u11a8\u3164\uffa0"
            "\u2764\U0001f468\U0001f3fb\u203c\U000e0001\ud800\udc00\u202e\u0130"
            "\u200c\u0628\u064b\u0915\u094d\u093c\u0591\u05b0\u1820\u180b葛\U000e0100\U0001f3f4\U000e0067\U000e007f"
            "\u1e09\u0327\u0344\u1f82\U0001d165\U0001d16d\U0001fae9"
        ),
        st.characters(),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("!bg  castle \t on\na hill ", "!bg castle on a hill"),
        ("!bg\u00a0castle\u3000on a hill", "!bg castle on a hill"),
        ("!bg castle \u034f", "!bg castle"),
        ("!bg castle \U000e0000", "!bg castle"),
        ("!b\u200bg ca\u202est\u200dle", "!bg castle"),
        ("a\u2800b\u115fc\u1160d\u3164e\uffa0f", "abcdef"),
        ("a\x00b\x07c\x7f", "abc"),
        ("a\ud800b\udfffc", "abc"),
        ("a\ue000b\U0010ffffc\u0378d", "abcd"),
        ("e\u0301", "é"),
        ("фон старый замок", "фон старый замок"),
    ],
)
def test_invisible_characters_are_dropped_and_spaces_are_single(typed: str, cleaned: str) -> None:
    assert clean(typed) == cleaned


@pytest.mark.parametrize("emoji", [FAMILY, "❤\ufe0f", "1\ufe0f\u20e3", "\U0001f44d\U0001f3fd", "🇩🇪", "🏳\ufe0f\u200d🌈"])
def test_joiners_inside_emoji_are_kept(emoji: str) -> None:
    assert clean(f"!bg {emoji} town") == f"!bg {emoji} town"


@pytest.mark.parametrize("typed", ["a\u200db", "a\ufe0fb", "\u200da\ufe0fb", "a\u200d😀b"])
def test_joiners_between_letters_are_dropped(typed: str) -> None:
    assert clean(typed).replace("😀", "") == "ab"


def test_piled_marks_are_cut_to_two_for_each_letter() -> None:
    assert clean("z\u0335\u0336\u0337\u0338\u0335a\u0335") == "z\u0335\u0336a\u0335"


def test_length_is_capped_before_and_after_letters_unfold() -> None:
    assert clean("a" * (LONGEST + 500)) == "a" * LONGEST
    assert len(clean("\ufdfa" * LONGEST)) <= LONGEST


@pytest.mark.parametrize(
    "typed",
    [
        "می\u200cخواهم",  # the half-space of Persian
        "۱۳۵۰ ه\u200d.ش",
        "क्\u200dष क्\u200cष",  # two spellings of one cluster in Devanagari
        "ര\u200d്യ",
        "ന\u0d4d\u200d",  # a letter of Malayalam that ends in a joiner
        "۱۳۵۰ ه\u200d",
        "မြို့",
        "ကျွန်ုပ်",
        "שָׁלוֹם",
        "بِسْمِ",
        "น้ำ ก็",
        "tiếng Việt",
        "བརྒྱུད",
        "ᾂ",
        "10²",
        "½ price",
        "™ ® ©",
        "ﷺ",
        "①",
        "𝓬𝓪𝓼𝓽𝓵𝓮 ｃａｓｔｌｅ",
        "ᠮᠣᠩᠭᠣᠯ\u180b",
        "葛\U000e0100城",
        "\u06dd١",
        "\U0001fae9 \U0001fadf",  # emoji that are younger than the tables of Python 3.11
        "\U0001f642\u200d\u2194\ufe0f",
        "‼\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
    ],
)
def test_what_a_script_needs_stays_as_it_was_typed(typed: str) -> None:
    assert clean(typed) == normalize("NFC", typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("می\u200c\u200cخ", "می\u200cخ"),
        ("a\u200cb", "ab"),
        ("😀\u200c😀", "😀😀"),
        ("a\u180bb", "ab"),
        ("ก" + "\u0e49" * 9, "ก" + "\u0e49" * 5),
        ("\U0001f3f4\U000e0068\U000e0069\U000e007f", "\U0001f3f4"),
        ("1\ufe0f2", "12"),
    ],
)
def test_what_no_script_needs_is_dropped(typed: str, kept: str) -> None:
    assert clean(typed) == kept


def test_a_long_text_is_cut_between_graphemes() -> None:
    assert clean("a" * (LONGEST - 1) + FAMILY + "b") == "a" * (LONGEST - 1)
    assert clean("a" * (LONGEST - 1) + "e\u0301b") == "a" * (LONGEST - 1)
    assert clean("🇩🇪" * LONGEST) == "🇩🇪" * (LONGEST // 2)
    assert clean("e" + "\u0301" * 100_000) == "é\u0301"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("❤\ufe0f", "❤"),
        ("ＢＧ", "bg"),
        ("𝓬𝓪𝓼𝓽𝓵𝓮", "Castle"),
        ("ÇİZ", "çiz"),
        ("STRASSE", "straße"),
        ("می\u200cخواهم", "میخواهم"),
        ("️①", "1"),
        ("Ｆ\u0301", "f\u0301"),
    ],
)
def test_spellings_of_one_word_have_one_form_for_matching(one: str, other: str) -> None:
    assert match_form(clean(one)) == match_form(clean(other))


def test_words_that_differ_by_a_mark_do_not_match() -> None:
    assert match_form("ёж") != match_form("еж")


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("short", "short"),
        ("twelve chars", "twelve chars"),
        ("twelve chars, and more", "twelve…"),
        ("a word | another one", "a word…"),
        ("extraordinarily", "extraordina…"),
        ("cafe\u0301s" + FAMILY * 9, "cafe\u0301s" + FAMILY + "…"),
        ("日本語日本語日本語日本語", "日本語日本語日本語日本語"),
    ],
)
def test_an_excerpt_ends_after_a_whole_word_if_it_can(text: str, beginning: str) -> None:
    assert excerpt(text, 12) == beginning


@given(TRICKY, st.integers(2, 40))
def test_an_excerpt_is_short_and_its_own_excerpt(text: str, length: int) -> None:
    once = excerpt(clean(text), length)
    assert len(once) <= length
    assert excerpt(once, length) == once


def test_capitals_are_letters_of_their_own() -> None:
    assert capitals("straße ŉ ǰ ﬁn") == "STRASSE ʼN J̌ FIN"
    assert capitals("ღამე cat") == "ღამე CAT"


@given(TRICKY)
def test_the_form_for_matching_is_its_own_form(text: str) -> None:
    once = match_form(clean(text))
    assert match_form(once) == once


def test_other_widths_and_styles_of_ascii_are_read_as_ascii() -> None:
    assert "".join(ascii_forms("ｗｗｗ．𝐱。com｡ ℀ é ﷺ ½ ٣৪")) == "www.x.com. a/c é ﷺ ½ 34"


@pytest.mark.parametrize(
    ("followers", "letters"), [("\u0301\u0336\u20e3\u093f\u200d\ufe0f\U000e0100", "aя字😀1 .ᠮ"), ("", "\u1100")]
)
def test_marks_joiners_and_selectors_follow_a_letter(followers: str, letters: str) -> None:
    assert all(map(is_follower, followers))
    assert not any(map(is_follower, letters))


@given(TRICKY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(TRICKY)
def test_cleaned_text_is_normal_encodable_and_single_spaced(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_plain_text_is_only_single_spaced(text: str) -> None:
    assert clean(text) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"), [("Zoë", "Zoë"), ("Оля", "Оля"), ("דנה", "\u2068דנה\u2069"), ("Ali علي", "\u2068Ali علي\u2069")]
)
def test_only_text_from_right_to_left_is_isolated_and_the_marks_can_be_taken_out(text: str, shown: str) -> None:
    assert isolated(text) == shown
    assert without_isolates(f"1 {shown}, 2") == f"1 {text}, 2"
    assert clean(shown) == text
