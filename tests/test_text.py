"""What cleaning keeps, what it drops, and that no input makes it fail."""

from unicodedata import is_normalized

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.text import LONGEST, clean, without_links, without_markers, without_mentions

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aAe\u0301\u0308\u0338\u200d\ufe0f\ufe0e\u034f\u20e3 \t\n|@.:/1\u00a8\ufb01\u1100\u1161\u11a8\u3164\uffa0"
            "\u2764\U0001f468\U0001f3fb\u203c\U000e0001\ud800\udc00\u202e\u0130"
        ),
        st.characters(),
    ),
    max_size=60,
)
ADDRESSES = st.lists(
    st.sampled_from(["@bob", "x.com", "https://", "/", ".", "a@b.co", "12345", " ", "6789", "+", "discord.gg", "ö"]),
    max_size=20,
).map("".join)


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("!bg  castle \t on\na hill ", "!bg castle on a hill"),
        ("！ｂｇ\u3000ｃａｓｔｌｅ", "!bg castle"),
        ("!bg castle \u034f", "!bg castle"),
        ("!bg castle \U000e0000", "!bg castle"),
        ("!b\u200bg ca\u202est\u200dle", "!bg castle"),
        ("a\u2800b\u115fc\u1160d\u3164e\uffa0f", "abcdef"),
        ("a\x00b\x07c\x7f", "abc"),
        ("a\ud800b\udfffc", "abc"),
        ("a\ue000b\U0010ffffc\u0378d", "abcd"),
        ("𝓬𝓪𝓼𝓽𝓵𝓮", "castle"),
        ("e\u0301", "é"),
        ("фон старый замок", "фон старый замок"),
    ],
)
def test_invisible_characters_are_dropped_and_look_alike_forms_become_plain(typed: str, cleaned: str) -> None:
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


@given(TRICKY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(TRICKY)
def test_cleaned_text_is_normal_encodable_and_single_spaced(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert is_normalized("NFKC", cleaned)
    assert cleaned == " ".join(cleaned.split())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_plain_text_is_only_single_spaced(text: str) -> None:
    assert clean(text) == " ".join(text.split())


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/a?b=c",
        "http://1.2.3.4:80",
        "www.example.zz",
        "example.com",
        "Discord.GG/abc",
        "a.b.co.uk",
        "bit.to/xyz",
        "пример.рф",
        "steam://run/1",
    ],
)
def test_links_are_removed(link: str) -> None:
    assert without_links(f"a castle {link} at night") == "a castle at night"


@pytest.mark.parametrize(
    "text", ["stop.it now", "night... day", "3.5 moons", "mr.robot and/or me", "A.I. art", "10:30"]
)
def test_ordinary_dots_and_slashes_are_no_links(text: str) -> None:
    assert without_links(text) == text


def test_a_link_ends_at_a_caption_bar() -> None:
    assert without_links("cat https://x.org/a|top|bottom") == "cat |top|bottom"


@pytest.mark.parametrize(
    "person", ["@Bob_99", "@Мария", "joe.doe+x@mail.example.com", "+1 (555) 123-45-67", "8 800 555 35 35"]
)
def test_people_are_removed(person: str) -> None:
    assert without_mentions(f"a castle {person} at night") == "a castle at night"


@pytest.mark.parametrize("text", ["in 1984 and 2049", "2 cats @ home", "1920x1080", "a@b"])
def test_ordinary_numbers_and_at_signs_stay(text: str) -> None:
    assert without_mentions(text) == text


@given(st.one_of(ADDRESSES, TRICKY))
def test_removing_links_or_people_twice_changes_nothing_more(text: str) -> None:
    for take_out in (without_links, without_markers, without_mentions):
        once = take_out(text)
        assert take_out(once) == once


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a cat<|im_end|> by the sea", "a cat by the sea"),
        ("<|im_<|x|>end|>a cat", "a cat"),
        ("<think>a cat</THINK>", "a cat"),
        ("a <3 cat | b", "a <3 cat | b"),
        ("a cat", "a cat"),
    ],
)
def test_control_tokens_of_a_tokenizer_are_removed(text: str, left: str) -> None:
    assert without_markers(text) == left
