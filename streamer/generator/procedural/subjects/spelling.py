"""Corrects slips of the keyboard: a word that nobody knows, one slip away from the name of a drawing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from streamer.generator.procedural.subjects import index, language, tokens

SHORTEST = 6
"""Of shorter words too many are one letter away from another."""
_LONGEST, _MOST = 16, 4
_SURE = 0.85
_STEMMED = 2
"""In how many of a script's languages an ending is taken off, so that a slip in a plural is found as well."""
_LETTERS = {
    "LATIN": "abcdefghijklmnopqrstuvwxyz",
    "CYRILLIC": "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ",
    "GREEK": "αβγδεζηθικλμνξοπρσςτυφχψω",
}


def slips(words: Collection[str]) -> dict[str, str]:
    """Return by folded word the name of a drawing that it was meant to be; only for words that no language knows.

    ``words`` are all of a prompt, since its known words tell the language that the others are in.
    """
    ranks = index.ranks(words)
    wanted = [
        word
        for word in dict.fromkeys(words)
        if SHORTEST <= len(word) <= _LONGEST and word not in ranks and _letters(word)
    ]
    known = _known(wanted)
    unknown = [word for word in wanted if word not in known][:_MOST]
    found = {word: _nearest(word, _languages(word, words, ranks)) for word in unknown}
    return {word: name for word, name in found.items() if name}


def _languages(word: str, words: Collection[str], ranks: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the languages that a word may be in, the likeliest first."""
    script = language.script(word)
    likely = language.likely({other for other in words if language.script(other) == script}, ranks, {})
    return sorted(likely, key=lambda name: -likely[name])


def _known(words: Collection[str]) -> set[str]:
    """Return which of the words are forms of a name that the index has, in any language."""
    known = {*(form for form, _ in index.inflections(words))}
    known |= {entry.form for entry in index.by_form(words)}
    stems = {(tokens.stem(word, name), name): word for word in words for name in language.usual(word)}
    entries = index.by_stems({stem for stem, _ in stems})
    return known | {stems[entry.stems, entry.language] for entry in entries if (entry.stems, entry.language) in stems}


def _nearest(word: str, likely: Sequence[str]) -> str:
    """Return the surest name that is one slip away, preferably with the same first letter; empty if there is none."""
    spellings = {word, *(tokens.stem(word, name) for name in likely[:_STEMMED])}
    candidates = [
        entry
        for entry in index.by_form({near for spelling in spellings for near in _one_slip_away(spelling)})
        if entry.strength >= _SURE and entry.language in likely and tokens.stem(word, entry.language) != entry.stems
    ]
    best = max(
        candidates,
        key=lambda entry: (entry.form[0] == word[0], -likely.index(entry.language), entry.strength),
        default=None,
    )
    return best.form if best else ""


def _one_slip_away(word: str) -> Iterator[str]:
    """Yield the word with two letters swapped, one left out, one put in, or one struck instead of another."""
    letters = _letters(word)
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def _letters(word: str) -> str:
    return _LETTERS.get(language.script(word), "") if word.isalpha() else ""
