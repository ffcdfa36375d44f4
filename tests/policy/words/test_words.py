"""Facts about the first word filter. Shipped terms are named by id only; harmless stand-ins play the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamer.policy.words import Options, Words, create, lexicon
from streamer.types import Caption, ImageRequest

Ask = Callable[..., ImageRequest]

_SHIPPED = lexicon.shipped()
_REFUSED_KINDS = {"hate", "extremism", "sexual", "violence", "profanity", "minors"}
_ROOT = Path(__file__).parents[3]


def spaced(word: str, separator: str) -> str:
    return separator.join(word)


def swapped(word: str, letters: str, others: str) -> str:
    return word.translate(str.maketrans(letters, others))


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "mixed case": lambda word: "".join(c.upper() if n % 2 else c for n, c in enumerate(word)),
    "full width": lambda word: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word),
    "mathematical bold": lambda word: "".join(chr(ord(c) - 97 + 0x1D41A) if "a" <= c <= "z" else c for c in word),
    "circled": lambda word: "".join(chr(ord(c) - 97 + 0x24D0) if "a" <= c <= "z" else c for c in word),
    "squared": lambda word: "".join(chr(ord(c) - 97 + 0x1F170) if "a" <= c <= "z" else c for c in word),
    "flags": lambda word: "\u200b".join(chr(ord(c) - 97 + 0x1F1E6) if "a" <= c <= "z" else c for c in word),
    "accents": lambda word: "".join(c + "\u0301" for c in word),
    "struck through": lambda word: "".join(c + "\u0336" for c in word),
    "zero-width": lambda word: spaced(word, "\u200b"),
    "soft hyphens": lambda word: spaced(word, "\u00ad"),
    "dots": lambda word: spaced(word, "."),
    "hyphens": lambda word: spaced(word, "-"),
    "underscores": lambda word: spaced(word, "_"),
    "spaces": lambda word: spaced(word, " "),
    "wide spaces": lambda word: spaced(word, "\u2003"),
    "line breaks": lambda word: spaced(word, "\n"),
    "spaced dots": lambda word: spaced(word, " . "),
    "emoji between": lambda word: spaced(word, "🌊"),
    "three of each": lambda word: "".join(c * 3 for c in word),
    "long last": lambda word: word + word[-1] * 7,
    "quotes": lambda word: f"«{word}!!!»",
    "digits": lambda word: swapped(word, "oieas", "01345"),
    "signs": lambda word: swapped(word, "ais", "@!$"),
    "Cyrillic look-alikes": lambda word: swapped(word, "aceopxy", "асеорху"),
    "Latin look-alikes": lambda word: swapped(word, "асеорху", "aceopxy"),
    "Greek look-alikes": lambda word: swapped(word, "aoiv", "αοιν"),
}


@pytest.fixture(scope="module")
def rule() -> Words:
    return create(Options(extra=("marmalade", "zeppelin*", "*platypus*", "purple moon", "варенье", "дирижабл*")))


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("word", ["marmalade", "zeppelins", "platypus", "варенье", "дирижабли"])
def test_a_word_is_seen_through_its_disguise(rule: Words, disguise: str, word: str) -> None:
    assert rule.judge(f"a large {DISGUISES[disguise](word)} in the sky") is not None


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_shipped_word_is_seen_through_the_disguise(rule: Words, disguise: str) -> None:
    """Except what nobody would read as the word: nothing but digits is a number, an exclamation mark ends a word."""
    words = [(one.id, one.pattern.strip("*~")) for one in _SHIPPED if one.kind in _REFUSED_KINDS]
    disguised = [(name, DISGUISES[disguise](word)) for name, word in words if word.isalpha()]
    readable = [(name, word) for name, word in disguised if not word.isdigit() and word[-1:] != "!"]
    assert len(readable) > 300
    assert [name for name, word in readable if rule.judge(word) is None] == []


def test_every_shipped_phrase_is_refused(rule: Words) -> None:
    phrases = [one for one in _SHIPPED if one.kind in _REFUSED_KINDS and " " in one.pattern]
    assert phrases
    assert [one.id for one in phrases if rule.judge(f"very {one.pattern.upper()}, today") is None] == []


def test_a_stem_matches_inflections_and_a_plain_word_does_not(rule: Words) -> None:
    assert rule.judge("two zeppelins") is not None
    assert rule.judge("на дирижаблях") is not None
    assert rule.judge("marmalades") is None


def test_only_a_term_with_both_stars_matches_inside_a_word(rule: Words) -> None:
    assert rule.judge("megaplatypuses") is not None
    assert rule.judge("antizeppelin") is None


def test_a_phrase_needs_its_words_side_by_side(rule: Words) -> None:
    assert rule.judge("the Purple, MOON") is not None
    assert rule.judge("purple sky and moon") is None


def test_an_allowed_word_cancels_a_shipped_one() -> None:
    sexual = next(one for one in _SHIPPED if one.kind == "sexual" and one.pattern.isalpha())
    assert create(Options()).judge(sexual.pattern) is not None
    assert create(Options(allow=(sexual.pattern,))).judge(f"{sexual.pattern.upper()}!") is None


def test_an_allowed_phrase_cancels_only_itself() -> None:
    rule = create(Options(extra=("marmalade",), allow=("marmalade skies",)))
    assert rule.judge("tangerine trees and marmalade skies") is None
    assert rule.judge("marmalade skies, marmalade") is not None


def test_parts_of_the_list_can_be_left_out_but_never_what_concerns_minors() -> None:
    lenient = create(Options(kinds=()))
    by_kind = {one.kind: one.pattern.strip("*~") for one in _SHIPPED if " " not in one.pattern}
    assert lenient.judge(by_kind["profanity"]) is None
    assert lenient.judge(by_kind["minors"]) is not None
    together = lenient.judge(f"{by_kind['sexual']} and far away {by_kind['age']}")
    assert together is not None
    assert together.kind == "minors"


def test_what_concerns_minors_cannot_be_allowed() -> None:
    words = [one.pattern for one in _SHIPPED if one.pattern.isalpha() and one.kind in ("minors", "sexual", "age")]
    rule = create(Options(allow=tuple(words)))
    by_kind = {one.kind: one.pattern for one in _SHIPPED if one.pattern in words}
    assert rule.judge(by_kind["sexual"]) is None
    assert rule.judge(by_kind["minors"]) is not None
    assert rule.judge(f"{by_kind['sexual']} {by_kind['age']}") is not None


def test_text_too_long_to_be_read_is_refused_whatever_it_says(rule: Words, ask: Ask) -> None:
    assert rule.check(ask(text="a " * 500), 0.0) is None
    assert rule.check(ask(text="a " * 500 + "b"), 0.0) is not None


def test_words_that_are_fine_alone_are_refused_together(rule: Words) -> None:
    age = [one.pattern.strip("*") for one in _SHIPPED if one.kind == "age"]
    dress = [one.pattern.strip("*") for one in _SHIPPED if one.kind == "undress"]
    assert [word for word in (*age, *dress) if rule.judge(word) is not None] == []
    pairs = [(one, other) for one in age for other in dress]
    assert [pair for pair in pairs if rule.judge(f"{pair[1]} of some {pair[0]}") is None] == []


@pytest.mark.parametrize(
    "line",
    [
        "stormy harbour at night, lighthouse, 4k",
        "a kid rapping on stage at a school party",
        "a cat rapping on stage in the 1980s!!",
        "raccoon and a maine coon in space, studio ghibli style",
        "therapist office, cozy; assassin's creed cover art",
        "1970s Cadillac 8k hdr, f/1.4, 35mm",
        "Scunthorpe united stadium, class of 1999, Essex countryside, Sussex cottage",
        "analysis of grapes, bass player, Hancock building, cockpit of a plane, cocktail bar, shiitake mushrooms",
        "sniggering goblin, niggling doubt, blue tits on a branch",
        "Suicide Squad poster parody, raptor, drape",
        "big booty pirate chest treasure, titanic sinking, Titan mech",
        "the rapper and his dog, wrapped gifts, cooking a cookie, coconut",
        "girl riding a bike, a baby elephant, kids playing chess",
        "i a m a b o y in a t-shirt",
        "p l e a s e draw a h o u s e",
        "C-3PO and R2-D2, B-52 bomber, mp3 player, ps5, a4 paper",
        "ebay sale poster, Dickens London street, moby dick whale, Philip K Dick cover",
        "cyberpunk city | neon | rain, Dr. Who?, document, cucumber, accumulate, sextet of frogs, Middlesex",
        "шторм в гавани ночью, маяк",
        "себастьян и русалочка, хлеб с маслом, учебный класс, плохую погоду рисуй",
        "голова дракона, застрахуй машину, мандарин и педикюр, хачапури, гондольер в венеции",
        "употреблять, оскорблять, потреблять, рубля, корабля, небо над городом, команда, сабля",
        "кот в сапогах, девочка с персиками, дети играют в снежки, сучок на дереве",
        "небоскрёб, ребро, требовать, похудеть к лету, художник, хуже не бывает, подушка",
        "Нигерия закат, Москва ночью, стрингер, секстант на карте, хохлома роспись",
    ],
)
def test_ordinary_prompts_pass(rule: Words, line: str) -> None:
    assert rule.judge(line) is None


def test_a_refusal_does_not_repeat_the_word(rule: Words, ask: Ask) -> None:
    refusal = rule.check(ask(text="fresh marmalade"), 0.0)
    assert refusal is not None
    assert (refusal.request_id, refusal.rule) == ("r1", "words")
    assert "marmalade" not in refusal.reason


def test_a_caption_is_read_like_the_prompt(rule: Words, ask: Ask) -> None:
    assert rule.check(ask(text="a cat", caption=Caption("when the", "cat naps", "classic")), 0.0) is None
    assert rule.check(ask(text="a cat", caption=Caption("when the", "marmalade", "classic")), 0.0) is not None


@pytest.mark.parametrize(
    "name",
    [
        "marmalade",
        "xX_Marmalade_Xx",
        "GoodMarmaladeFan",
        "m4rm4l4de99",
        "ilovemarmaladealot",
        "mar_ma_lade",
        "МоёВарeнье",
    ],
)
def test_a_name_with_a_refused_word_in_it_may_not_be_shown_but_may_ask(rule: Words, ask: Ask, name: str) -> None:
    assert not rule.name_ok(name)
    assert rule.check(ask(name=name), 0.0) is None


@pytest.mark.parametrize("name", ["ann", "DarkLord_99", "xX_Sniper_Xx", "mississippi_mike", "Кот_Матроскин", "1234567"])
def test_ordinary_names_may_be_shown(rule: Words, name: str) -> None:
    assert rule.name_ok(name)


@given(st.text(max_size=300))
def test_any_text_is_judged_without_a_fault_and_alike_in_upper_case(rule: Words, text: str) -> None:
    assert rule.name_ok(text) in (True, False)
    if text.isascii():
        assert rule.judge(text) == rule.judge(text.upper())


@pytest.mark.parametrize("wrong", ["", "x", "*", "x*", "ab*", "mar*malade", "c++", " "])
def test_a_pattern_that_matches_nothing_or_everything_is_refused_with_the_fix(wrong: str) -> None:
    with pytest.raises(ValidationError, match="use"):
        Options(extra=(wrong,))


def test_no_term_of_hate_is_readable_in_the_source() -> None:
    rule = create(Options(kinds=("hate",)))
    files = [file for folder in ("streamer", "tests") for file in sorted((_ROOT / folder).rglob("*.py"))]
    found = [
        f"{file.relative_to(_ROOT)}:{number} {term.id}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (term := rule.judge(line)) is not None and term.kind == "hate"
    ]
    assert found == []
