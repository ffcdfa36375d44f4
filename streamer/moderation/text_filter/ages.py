"""Finds the age of someone under eighteen in a text: in numbers, in words and as a school class, in nine languages.

An age alone is harmless. The text filter stops it beside a state of undress or a sexual word. ages.toml has the words:
``numbers`` from one on, ``tens`` from twenty on and ``ordinals`` from the first on (forms of one are parted by a bar);
``years`` count unless a word of ``duration_before`` or ``duration_after`` makes them a span of time; ``ages`` are
patterns; ``stems`` and ``compounds`` (of classes: ``class_stems``) make one word together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import ahocorasick

from streamer.moderation.text_filter import normalize

_DATA = Path(__file__).with_name("ages.toml")
_PLACEHOLDERS = {"<17>": "(?:1[0-7]|[1-9])", "<18>": "(?:1[0-8]|[1-9])", "<12>": "(?:1[0-2]|[1-9])°?"}
_TOKENS = re.compile(r"\d+|[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_WITH_SEPARATORS = re.compile(r"(?<!\d)\d++(?:[.,]\d++)+")
# "tw3lve" and "0ld", but neither "12yo" nor "grade7".
_LEET = re.compile(r"(?<!\w)(?=\w*[^\W\d_])(?:0\w+|[^\W\d_]+[\d@$]+[^\W\d_][\w@$]*)")
_MAY_BE_LEET = re.compile(r"[^\W\d_][\d@$]+[^\W\d_]|0[^\W\d_]")
_LEET_DIGITS = str.maketrans("013457@$", "oieastas")
# "1O-" for ten; without the hyphen it is an ordinal of Portuguese.
_O_FOR_ZERO = re.compile(r"(?<!\w)1o(?=-)")
_SPACED = re.compile(r"(?<!\w)(?:\w[ .*_-]){2,}\w(?!\w)")
_NOT_ALNUM = re.compile(r"[\W_]+")
_UKRAINIAN_APOSTROPHE = re.compile("(?<=[а-я])['’ʼ`](?=[а-яіїє])")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})++")
_TENS_FROM = 20
_SLIPS_FROM = 6
_WORDS = re.compile(r"(?<!\\)([^\W\d_]+)(\??)")
_HAS_NUMBER = re.compile("[0-9]")
_DIGITS = frozenset(map(str, range(1, 19)))
_SMALL_NUMBERS = _DIGITS | {f"{number}°" for number in _DIGITS}
# Words before and after a number that can make it an age.
_NEAR = 6
_MOST_NUMBERS = 40


class AgeWords:
    """How one language writes ages."""

    def __init__(self, data: Mapping[str, str | list[str]]) -> None:
        self.cyrillic = data.get("alphabet") == "cyrillic"
        self._in_alphabet = normalize.to_cyrillic if self.cyrillic else normalize.to_latin
        lists = {key: self._fold(value) for key, value in data.items() if isinstance(value, str)}
        self._values = _values(lists, "tens", "numbers")
        self._ordinals = _values(lists, "ordinals")
        self._written_numbers = frozenset(self._values) | frozenset(self._ordinals)
        self._numbers = self._written_numbers | _DIGITS
        self._joiners = frozenset(lists["joiners"].split())
        patterns = [self._pattern_of(lists, age) for age in data["ages"]]
        self._with_number = _any(pattern for pattern in (*patterns, self._years(lists)) if _HAS_NUMBER.search(pattern))
        alone = [pattern for pattern in patterns if not _HAS_NUMBER.search(pattern)]
        joined = [*_joined(lists, "stems", "compounds"), *_joined(lists, "class_stems", "class_compounds")]
        self._alone = _any((*alone, *(rf"{word}\w*" for word in joined)))
        self.beginnings = {*joined, *(word for pattern in alone for word in _literal_words(pattern) if len(word) > 2)}
        """What words begin with, of which every age without a number has one."""

    def occurs_alone(self, text: str) -> bool:
        """Tell whether words say an age without a number."""
        return self._alone.search(text) is not None

    def occurs(self, tokens: Sequence[str]) -> bool:
        """Tell whether words, in the alphabet of this language, say an age under eighteen with a number."""
        if self._numbers.isdisjoint(tokens):
            return False
        if not self._written_numbers.isdisjoint(tokens):
            tokens = list(self._in_digits(tokens))
        return self._with_number.search(_around_numbers(tokens)) is not None

    def _fold(self, text: str) -> str:
        return self._in_alphabet(_UKRAINIAN_APOSTROPHE.sub("", normalize.fold(text)))

    def _pattern_of(self, lists: Mapping[str, str], age: str) -> str:
        measures = f"(?:{_any_of(lists['measures']) or '<>'})(?= )"
        return _as_pattern(self._fold(age)).replace("<>", measures)

    def _years(self, lists: Mapping[str, str]) -> str:
        before = "".join(f"(?<! {word} )" for word in lists["duration_before"].split(","))
        after = lists["duration_after"].replace(",", "|")
        return f"{before}{_PLACEHOLDERS['<17>']} (?:{_any_of(lists['years'])})(?! (?:{after}) )"

    def _in_digits(self, tokens: Iterable[str]) -> Iterator[str]:
        """Yield tokens with the numbers among them in digits, and numbers of several words as one."""
        number: int | None = None
        for token in tokens:
            value = self._values.get(token)
            if number is not None and value is not None and _continues(number, value):
                number += value
                continue
            if number is not None and token in self._joiners and number >= _TENS_FROM:
                continue
            if number is not None:
                yield str(number)
            number = value
            if value is None:
                ordinal = self._ordinals.get(token)
                yield f"{ordinal}°" if ordinal else token
        if number is not None:
            yield str(number)


def _continues(number: int, value: int) -> bool:
    return (number >= _TENS_FROM and value < _TENS_FROM) or (number == 10 and value < 10)


def _values(lists: Mapping[str, str], *keys: str) -> Mapping[str, int]:
    """Return what number words stand for; long ones with a slip of the keyboard, too."""
    exact = dict(_exact_values(lists, *keys))
    slips = {slip: value for form, value in exact.items() if len(form) >= _SLIPS_FROM for slip in _slips(form)}
    return slips | exact


def _exact_values(lists: Mapping[str, str], *keys: str) -> Iterator[tuple[str, int]]:
    for key in keys:
        first, step = (_TENS_FROM, 10) if key == "tens" else (1, 1)
        for index, forms in enumerate(lists[key].split()):
            yield from ((form, first + index * step) for form in forms.split("|"))


def _slips(word: str) -> Iterator[str]:
    """Yield a word with one letter too few or doubled, or with z and s mixed up."""
    for index, letter in enumerate(word):
        yield word[:index] + word[index + 1 :]
        yield word[:index] + letter + word[index:]
        if letter in "zs":
            yield word[:index] + ("s" if letter == "z" else "z") + word[index + 1 :]


def _as_pattern(folded: str) -> str:
    pattern = re.sub(r"(?<!\))\*|\)\*$", lambda match: ")\\w*" if match[0] == ")*" else r"\w*", folded)
    for placeholder, digits in _PLACEHOLDERS.items():
        pattern = pattern.replace(placeholder, digits)
    return pattern


def _literal_words(pattern: str) -> Iterator[str]:
    """Yield the words of a pattern, with and without a last letter that may be missing."""
    for word, mark in _WORDS.findall(pattern):
        yield word
        if mark:
            yield word[:-1]


def _joined(lists: Mapping[str, str], stems: str, endings: str) -> list[str]:
    return [
        stem + ending.rstrip("*") for stem in lists.get(stems, "").split() for ending in lists.get(endings, "").split()
    ]


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(f"(?<= )(?:{'|'.join(patterns)})(?= |$)")


def _around_numbers(tokens: Sequence[str]) -> str:
    """Return what stands near the numbers from 1 to 18."""
    near: list[str] = []
    end = 0
    for index, token in enumerate(tokens):
        if token in _SMALL_NUMBERS:
            start = max(end, index - _NEAR)
            near += ["|", *tokens[start : index + _NEAR]] if start > end else tokens[start : index + _NEAR]
            end = max(end, index + _NEAR)
    return f" {' '.join(near)} " if end >= len(tokens) else f" {' '.join(near)} | "


def _any_of(words: str) -> str:
    return "|".join(map(_as_pattern, words.split()))


def _rounded_down(token: str) -> str:
    if _THOUSANDS.fullmatch(token):
        return "9999"
    return re.split("[.,]", token)[0]


class _Alphabet:
    """The languages of one alphabet; which of them to search for ages without numbers is found in one pass."""

    def __init__(self, words: Iterable[AgeWords]) -> None:
        self._words = list(words)
        self._beginnings = ahocorasick.Automaton()
        for language in self._words:
            for beginning in language.beginnings:
                speakers = self._beginnings.get(f" {beginning}", ())
                self._beginnings.add_word(f" {beginning}", (*speakers, language))
        self._beginnings.make_automaton()

    def occurs(self, tokens: Sequence[str]) -> bool:
        """Tell whether words say an age under eighteen in one of the languages."""
        text = f" {' '.join(tokens)} "
        languages = dict.fromkeys(language for _, found in self._beginnings.iter(text) for language in found)
        return any(language.occurs_alone(text) for language in languages) or any(
            language.occurs(tokens) for language in self._words
        )


@cache
def _alphabets() -> tuple[_Alphabet, _Alphabet]:
    languages = list(map(AgeWords, tomllib.loads(_DATA.read_text(encoding="utf-8")).values()))
    latin = _Alphabet(language for language in languages if not language.cyrillic)
    return latin, _Alphabet(language for language in languages if language.cyrillic)


def under_eighteen(folded: str) -> bool:
    """Tell whether a folded text says that someone is under eighteen, in any of the languages.

    A text of nothing but numbers is not searched for the one that is an age: it counts as if it said one.
    """
    folded = _O_FOR_ZERO.sub("10", folded)
    plain = _LEET.sub(_as_letters, folded) if _MAY_BE_LEET.search(folded) else folded
    joined = _SPACED.sub(lambda match: _NOT_ALNUM.sub("", match[0]), folded)
    return any(map(_says_an_age, dict.fromkeys((plain, joined))))


def load() -> None:
    """Read the data now, so that no line waits for it."""
    _alphabets()


def _as_letters(match: re.Match[str]) -> str:
    return match[0].translate(_LEET_DIGITS)


def _says_an_age(text: str) -> bool:
    text = _UKRAINIAN_APOSTROPHE.sub("", text)
    if len(_NUMBER.findall(text)) > _MOST_NUMBERS:
        return True
    in_latin, in_cyrillic = _alphabets()
    if in_latin.occurs(_tokens(normalize.to_latin(text))):
        return True
    return not text.isascii() and in_cyrillic.occurs(_tokens(normalize.to_cyrillic(text)))


def _tokens(text: str) -> list[str]:
    return _TOKENS.findall(_WITH_SEPARATORS.sub(lambda match: _rounded_down(match[0]), text))
