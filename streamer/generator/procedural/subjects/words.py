"""Finds what a prompt asks to see: words of any language, in any inflection, that name a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from streamer.generator.procedural.subjects import index, language, spelling, tokens, unspaced
from streamer.generator.procedural.subjects.library import Drawing, available, drawing

MOST = 5
LONGEST_READ = 2000
_LONGEST_PHRASE = 4
_FUNCTION_WORDS, _COMMON_WORDS = 60, 200
"""Ranks up to which a word never names a drawing, and up to which only the name of something plain does."""
_PLAIN = ("animals-nature", "food-drink", "people-body", "travel-places")
_EXACT, _INFLECTED, _LIKELY = 0.3, 0.25, 0.15
_SURE, _SAME = 0.9, -0.2
_SHORTEST_FOREIGN = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """A drawing that a prompt names: by which word, from where to where in the prompt, and how many of it."""

    drawing: Drawing
    word: str
    start: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the prompt: as it stands there, folded, and its place."""

    text: str
    folded: str
    start: int
    end: int


def mentions(prompt: str) -> list[Mention]:
    """Return what the prompt names, in order of appearance; nothing overlaps, and longer phrases are tried first."""
    return list(_mentions(prompt[:LONGEST_READ])) if available() else []


@lru_cache(maxsize=256)
def _mentions(prompt: str) -> tuple[Mention, ...]:
    found = [Word(match.group(), tokens.fold(match.group()), *match.span()) for match in tokens.words(prompt)]
    spaced = _corrected([word for word in found if not tokens.is_unspaced(word.text)])
    scripts = {script for script, word in spaced if not word.folded.isdecimal()}
    hits = [hit for script in scripts for hit in _Reader(_in_script(spaced, script)).read()]
    hits += (
        Mention(picture, prompt[start:end], start, end, min(count, MOST))
        for picture, start, end, count in (*unspaced.find(prompt), *_typed(prompt))
    )
    return tuple(sorted(hits, key=lambda hit: hit.start))


def _corrected(words: list[Word]) -> list[tuple[str, Word]]:
    """Return words with their scripts, slips of the keyboard mended; each stays where it stands in the prompt."""
    meant = spelling.slips([word.folded for word in words])
    mended = (
        replace(word, text=meant[word.folded], folded=meant[word.folded]) if word.folded in meant else word
        for word in words
    )
    return [(language.script(word.folded), word) for word in mended]


def _in_script(words: list[tuple[str, Word]], script: str) -> list[Word]:
    """Return the words of one script, with the numbers in figures between them."""
    return [word for of, word in words if of == script or word.folded.isdecimal()]


class _Reader:
    """Reads the words of one script, which are taken to be in one language or in very few."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        folded = {word.folded for word in words}
        self._ranks = index.ranks(folded)
        self._bases = index.inflections(folded)
        self._exact: dict[str, list[index.Entry]] = defaultdict(list)
        for entry in index.by_form(folded):
            self._exact[entry.form].append(entry)
        self._languages = language.likely(folded, self._ranks, self._known())
        self._numbers = index.numbers(folded)
        self._meanings: dict[tuple[str, str], list[index.Entry]] = defaultdict(list)

    def _known(self) -> dict[str, set[str]]:
        """Return in which languages the index knows each word: as it is, as a form of another, or by its stem."""
        known: dict[str, set[str]] = defaultdict(set)
        for form, found in self._exact.items():
            known[form] |= {entry.language for entry in found}
        for (form, name), bases in self._bases.items():
            if bases.keys() != {""}:
                known[form].add(name)
        stems: dict[tuple[str, str], str] = {
            (tokens.stem(word.text, name), name): word.folded
            for word in self._words
            if word.folded not in known and word.folded not in self._ranks
            for name in language.usual(word.folded)
        }
        for entry in index.by_stems({stem for stem, _ in stems}):
            if (entry.stems, entry.language) in stems:
                known[stems[entry.stems, entry.language]].add(entry.language)
        return known

    def read(self) -> Iterator[Mention]:
        """Yield what the words name."""
        self._look_up()
        place = last = 0
        while place < len(self._words):
            length, entry = self._longest(place)
            if entry is not None:
                first, end = self._words[place], self._words[place + length - 1].end
                word = " ".join(word.text for word in self._words[place : place + length])
                yield Mention(_drawn(entry.key), word, first.start, end, self._count(last, place))
                last = place + length
            place += length

    def _look_up(self) -> None:
        """Look up every phrase of the prompt at once: in each language that it may be in, by stems."""
        stems = {
            " ".join(variant)
            for name in self._languages
            for place in range(len(self._words))
            for length in range(1, min(_LONGEST_PHRASE, len(self._words) - place) + 1)
            for variant in self._stems(place, length, name)
        }
        stems |= {stem for name in self._languages for word in self._words for stem in self._plain_stems(word, name)}
        for entry in index.by_stems(stems):
            if entry.language in self._languages:
                self._meanings[entry.stems, entry.language].append(entry)

    def _stems(self, place: int, length: int, name: str) -> list[tuple[str, ...]]:
        """Return the stems that words may have: as they are written, and as the words that they are forms of."""
        words = self._words[place : place + length]
        written = tuple(tokens.stem(word.text, name) for word in words)
        if length > 1:
            bases = (next(iter(self._base_stems(word, name)), "") for word in words)
            other = tuple(base or stem for base, stem in zip(bases, written, strict=True))
            return [written, other] if other != written else [written]
        return [written, *((stem,) for stem in self._base_stems(words[0], name))]

    def _base_stems(self, word: Word, name: str) -> list[str]:
        return sorted({stem for stem in self._bases.get((word.folded, name), {}).values() if stem})

    def _plain_stems(self, word: Word, name: str) -> list[str]:
        """Return the stems of which a word may be a diminutive: the languages' stemmers leave those as they are."""
        if name in self._ranks.get(word.folded, ()):
            return []
        stem = tokens.stem(word.text, name)
        return [
            stem[: -len(ending)] + instead
            for ending, instead in index.diminutives().get(name, ())
            if stem.endswith(ending) and len(stem) - len(ending) + len(instead) > 2
        ]

    def _longest(self, place: int) -> tuple[int, index.Entry | None]:
        """Return the longest phrase at a place that names something, and what."""
        for length in range(min(_LONGEST_PHRASE, len(self._words) - place), 0, -1):
            if (entry := self._best(place, length)) is not None:
                return length, entry
        return 1, None

    def _best(self, place: int, length: int) -> index.Entry | None:
        words = self._words[place : place + length]
        if length == 1 and self._number(words[0]):
            return None
        scored = [
            (entry.strength + bonus + _LIKELY * self._languages[name], entry)
            for name in self._languages
            for entry, bonus in self._candidates(place, length, name)
        ]
        if scored:
            return max(scored, key=lambda pair: pair[0])[1]
        return self._small_or_foreign(words[0]) if length == 1 else None

    def _candidates(self, place: int, length: int, name: str) -> Iterator[tuple[index.Entry, float]]:
        """Yield what words may mean in a language, each with a bonus for how exactly the index has them so."""
        words = self._words[place : place + length]
        written = " ".join(word.folded for word in words)
        bases = self._bases.get((written, name), {})
        for number, variant in enumerate(self._stems(place, length, name)):
            for entry in self._meanings.get((" ".join(variant), name), ()):
                if length == 1 and self._is_too_common(words[0], entry):
                    continue
                if entry.form == written:
                    yield entry, _EXACT
                elif entry.form in bases or (number and length > 1):
                    yield entry, _INFLECTED
                elif not bases and _is_close(written, entry):
                    yield entry, 0.0

    def _is_too_common(self, word: Word, entry: index.Entry) -> bool:
        """Tell whether a word is so common that it hardly means what it may also mean."""
        ranks = self._ranks.get(word.folded, {})
        judges = {entry.language, *(name for name, likely in self._languages.items() if likely > _SAME)}
        rank = min((ranks[name] for name in judges if name in ranks), default=_COMMON_WORDS + 1)
        if rank > _COMMON_WORDS:
            return False
        return rank <= _FUNCTION_WORDS or entry.strength < _SURE or _drawn(entry.key).group not in _PLAIN

    def _small_or_foreign(self, word: Word) -> index.Entry | None:
        """Return what a word means as a diminutive, or as the name of something in whatever language has it."""
        if any("" in self._bases.get((word.folded, name), ()) for name in self._languages):
            return None
        for name in self._languages:
            for stem in self._plain_stems(word, name):
                for entry in self._meanings.get((stem, name), ()):
                    if entry.strength > 0.7:
                        return entry
        if (
            any(name in self._ranks.get(word.folded, ()) for name in self._languages)
            or len(word.text) < _SHORTEST_FOREIGN
        ):
            return None
        return max(
            (entry for entry in self._exact.get(word.folded, ()) if entry.strength >= _SURE),
            key=lambda entry: entry.strength,
            default=None,
        )

    def _number(self, word: Word) -> int:
        """Return which number a word is; 0 if it is none."""
        if word.folded.isdecimal():
            return int(word.folded) if len(word.folded) < 4 else 0
        return max((self._numbers.get((word.folded, name), 0) for name in self._languages), default=0)

    def _count(self, since: int, place: int) -> int:
        """Return how many are asked for: by a number at most two words before, and not before another thing."""
        for word in reversed(self._words[max(since, place - 3) : place]):
            if number := self._number(word):
                return min(number, MOST)
        return 1


def _is_close(written: str, entry: index.Entry) -> bool:
    """Tell whether two words that share a stem are near enough to be forms of one: short stems are shared by many."""
    return max(len(written), len(entry.form)) - len(entry.stems) <= (2 if len(entry.stems) <= 3 else 5)


def _drawn(key: str) -> Drawing:
    picture = drawing(key)
    assert picture is not None, "the index names only drawings"
    return picture


def _typed(prompt: str) -> Iterator[tuple[Drawing, int, int, int]]:
    """Yield the emoji that stand in the prompt themselves."""
    place = 0
    while place < len(prompt):
        found = next(((drawn, n) for n in range(12, 0, -1) if (drawn := _emoji(prompt[place : place + n]))), None)
        if found is not None:
            yield found[0], place, place + found[1], 1
        place += found[1] if found is not None else 1


def _emoji(characters: str) -> Drawing | None:
    if characters.isascii() or characters[0].isalnum() or characters[-1] == "\u200d":
        return None
    return drawing("-".join(f"{ord(char):x}" for char in characters if char != "\ufe0f"))
