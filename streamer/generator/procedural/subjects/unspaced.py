"""Finds drawings in scripts without spaces between words (Chinese, Thai ...) and in Korean, by longest match."""

from __future__ import annotations

import re
from collections.abc import Iterator

from streamer.generator.procedural.subjects import index, tokens
from streamer.generator.procedural.subjects.library import Drawing, drawing

_LONGEST = 10
_FUNCTION_WORDS, _COMMON_WORDS = 60, 150
_KANA = re.compile(r"[\u3040-\u30ff]")
_KATAKANA = re.compile(r"[\u30a0-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_LANGUAGES = (
    (re.compile(r"[\u0e00-\u0e7f]"), ("th",)),
    (re.compile(r"[\u0e80-\u0eff]"), ("lo",)),
    (re.compile(r"[\u1000-\u109f]"), ("my",)),
    (re.compile(r"[\u1780-\u17ff]"), ("km",)),
    (_HANGUL, ("ko",)),
)
_NUMBER_BEFORE = re.compile(r"([二两兩三四五2-5])[只匹羽個个頭头隻条艘台本枚人つ]?の?[^\s]{0,2}$")
_VALUES = {"二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5}
_NUMBER_BEHIND = re.compile(r"[がをはも、]?([二两兩三四五2-5])[匹羽頭本人台個つ枚只]")
_KOREAN_NUMBERS = {"두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5}
_KOREAN_COUNT = re.compile(r"\s*(두|둘|세|셋|네|넷|다섯)\s?(?:마리|개|명|대|척|송이)")


def find(prompt: str) -> Iterator[tuple[Drawing, int, int, int]]:
    """Yield each drawing that the prompt names in such a script, from where to where, and how many of it."""
    for match in tokens.words(prompt):
        if tokens.is_unspaced(match.group()):
            yield from _in_run(prompt, match.start(), match.group(), _languages(prompt, match.group()))


def _languages(prompt: str, run: str) -> tuple[str, ...]:
    """Return which languages a run of characters is of; Han alone is Japanese where there is kana nearby."""
    of_script = next((names for pattern, names in _LANGUAGES if pattern.search(run)), None)
    return of_script or (("ja",) if _KANA.search(prompt) else ("zh", "zh-Hant", "ja"))


def _in_run(prompt: str, offset: int, run: str, languages: tuple[str, ...]) -> Iterator[tuple[Drawing, int, int, int]]:
    known = _known(run, languages)
    words = known.keys() | _silent(run, languages)
    place = 0
    while place < len(run):
        length = next(
            (n for n in range(_LONGEST, 0, -1) if _fits(run, place, n) and run[place : place + n] in words), 0
        )
        if run[place : place + length] in known:
            picture = drawing(known[run[place : place + length]].key)
            assert picture is not None, "the index names only drawings"
            start = offset + place
            yield picture, start, start + length, _count(prompt, start, start + length)
        elif not length and _HANGUL.match(run[place]):
            return  # what follows in a Korean word are its endings
        place += max(length, 1)


def _silent(run: str, languages: tuple[str, ...]) -> frozenset[str]:
    """Return the parts of a run that are words without a drawing, although parts of them have one."""
    bases = index.inflections(_parts(run))
    return frozenset(form for (form, language), words in bases.items() if language in languages and "" in words)


def _parts(run: str) -> set[str]:
    return {run[place : place + length] for place in range(len(run)) for length in range(1, _LONGEST + 1)}


def _known(run: str, languages: tuple[str, ...]) -> dict[str, index.Entry]:
    """Return the parts of a run that mean something, each with its best meaning in the first language that has it."""
    parts = _parts(run)
    ranks = index.ranks(parts)
    best: dict[str, index.Entry] = {}
    for entry in sorted(index.by_form(parts), key=lambda entry: entry.strength):
        found = ranks.get(entry.form, {})
        rank = min((found[name] for name in languages if name in found), default=_COMMON_WORDS + 1)
        if entry.language in languages and rank > (_FUNCTION_WORDS if entry.strength > 0.95 else _COMMON_WORDS):
            best[entry.form] = entry
    return best


def _fits(run: str, place: int, length: int) -> bool:
    """Tell whether a part of a run can be a word: it does not begin or end inside a word in katakana."""
    end = place + length
    if end > len(run):
        return False
    begins_inside = place > 0 and _KATAKANA.match(run[place - 1]) and _KATAKANA.match(run[place])
    ends_inside = end < len(run) and _KATAKANA.match(run[end - 1]) and _KATAKANA.match(run[end])
    return not (begins_inside or ends_inside)


def _count(prompt: str, start: int, end: int) -> int:
    """Return the number right before a word, or behind it in Japanese and Korean; else 1."""
    if before := _NUMBER_BEFORE.search(prompt[max(start - 6, 0) : start]):
        return _VALUES.get(before[1]) or int(before[1])
    if behind := _NUMBER_BEHIND.match(prompt, end):
        return _VALUES.get(behind[1]) or int(behind[1])
    if behind := _KOREAN_COUNT.match(prompt[end : end + 12].lstrip("가이을를은는와과도")):
        return _KOREAN_NUMBERS[behind[1]]
    return 1
