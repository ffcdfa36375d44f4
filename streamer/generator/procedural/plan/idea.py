"""Read a prompt: places, time, weather, colours, looks, who is in it, and how much of it was understood."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from streamer.generator.procedural.plan import lexicon
from streamer.generator.procedural.plan.cast import Figure, gather
from streamer.generator.procedural.plan.kinds import Habitat, emoji, kind_of
from streamer.generator.procedural.plan.lexicon import Lexicon, WordTable
from streamer.generator.procedural.subjects.words import Mention, mentions

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST_READ = 2000
_FILLER = 3
"""Words up to this many letters say little: articles, prepositions, pronouns."""
_COLOURED = ("animals-nature", "food-drink")
"""Groups of drawings whose names are colours as well: orange, lime, violet, rose."""
Meaning = TypeVar("Meaning", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Idea:
    """What to paint. Tuples keep the order of the prompt; ``salt`` stands for the exact words.

    ``words`` are the viewer's own; ``understood`` is the share of their letters that mean something to the painter.
    ``cast`` is to be set into the scene; ``scenic`` are drawings of what the scene itself shows.
    """

    places: tuple[str, ...]
    time: str | None
    weather: frozenset[str]
    season: str | None
    hues: tuple[float, ...]
    moods: frozenset[str]
    features: frozenset[str]
    styles: tuple[str, ...]
    cast: tuple[Figure, ...]
    scenic: tuple[Figure, ...]
    words: str
    understood: float
    salt: int

    def has(self, *names: str) -> bool:
        """Tell whether any of these features, moods or kinds of weather is asked for."""
        return any(name in self.features or name in self.moods or name in self.weather for name in names)

    @property
    def has_striped_sun(self) -> bool:
        return "neon" in self.moods and "moon" not in self.features and "city" not in self.places


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def read(words: str, look: str = "") -> Idea:
    """Find what the viewer's words mean; never fails.

    ``look`` is the rest of the prompt: it may say in which light and style all is shown, but not what or where.
    """
    words = words[:_LONGEST_READ]
    known, tokens = lexicon.shipped(), _tokens(words)
    found = _sensible(mentions(words), tokens, known)
    styled = [token.text for token in _tokens(look[:_LONGEST_READ])]
    figures = gather(words, found)
    cast = tuple(figure for figure in figures if figure.kind.habitat is not Habitat.SCENIC)
    dyes = {figure.dye.start for figure in cast if figure.dye is not None}
    unnamed = list(_outside_names(words, tokens, found))

    def named(table: WordTable[Meaning], also: Sequence[str] = (), without: Iterable[int] = ()) -> tuple[Meaning, ...]:
        left = [token for token in unnamed if token.start not in without]
        return tuple(dict.fromkeys((*_meanings(table, left, found), *table.find(also))))

    folded = unicodedata.normalize("NFKC", words).casefold()
    digest = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Idea(
        places=named(known.places),
        time=next(iter(named(known.times, styled)), None),
        weather=frozenset(named(known.weather, styled)),
        season=next(iter(named(known.seasons)), None),
        hues=named(known.hues, without=dyes),
        moods=frozenset(named(known.moods, styled)),
        features=frozenset(named(known.features)),
        styles=named(known.styles, styled),
        cast=cast,
        scenic=figures[len(cast) :],
        words=" ".join(words.split()),
        understood=_understood(words, tokens, found, known),
        salt=int.from_bytes(digest, "big"),
    )


def _sensible(found: Sequence[Mention], tokens: Sequence[_Token], known: Lexicon) -> list[Mention]:
    """Leave out drawings that stand for a word of place, hour, weather, look, colour or grammar."""
    tables: tuple[WordTable[str] | WordTable[float], ...] = (
        known.places,
        known.times,
        known.weather,
        known.styles,
        known.relations,
        known.hues,
        known.shades,
    )

    def means_itself(mention: Mention) -> bool:
        closely = kind_of(mention.drawing).is_alive
        words = [token.text for token in _tokens(mention.word)]
        return all(any(_knows(table, word, closely) for table in tables) for word in words)

    phrases = [span for table in (*tables, known.features) for span in _phrases(table, tokens)]
    sensible = [
        mention
        for mention in found
        if not means_itself(mention)
        and not any(start <= mention.start and mention.end <= end for start, end in phrases)
    ]
    return sensible or [mention for mention in found if _is_fruit(mention, tokens, known)]


def _is_fruit(mention: Mention, tokens: Sequence[_Token], known: Lexicon) -> bool:
    """Tell whether a word that is a colour and a thing means the thing: an orange, but not an orange sky."""
    dyes = any(mention.end < token.start <= mention.end + 1 for token in tokens)
    return mention.drawing.group in _COLOURED and not dyes and bool(known.hues.find([mention.word.casefold()]))


def _knows(table: WordTable[str] | WordTable[float], word: str, closely: bool) -> bool:
    return table.knows_closely(word) if closely else bool(table.find([word]))


def _outside_names(words: str, tokens: Sequence[_Token], found: Sequence[Mention]) -> Iterator[_Token]:
    """Yield the words, or the parts of a run without blanks, outside of the longer names of things.

    There is no ice in an ice cream, and no sea (海) in a shrimp (海老).
    """
    names = [mention for mention in found if kind_of(mention.drawing).habitat is not Habitat.SCENIC]
    for token in tokens:
        if lexicon.is_unspaced(token.text):
            spans = [(one.start, one.end) for one in names if token.start <= one.start and one.end <= token.end]
            yield from _around(words, token, [span for span in spans if span[1] - span[0] > 1])
        elif not any(one.start <= token.start and token.end <= one.end and _is_name(one) for one in names):
            yield token


def _is_name(mention: Mention) -> bool:
    """Tell whether the words that name a thing say nothing else: several words, or a creature (a goldfish)."""
    return " " in mention.word.strip() or kind_of(mention.drawing).is_alive


def _around(words: str, token: _Token, spans: Iterable[tuple[int, int]]) -> Iterator[_Token]:
    """Yield what is left of a run without these spans, which are in order."""
    start = token.start
    for begin, end in (*spans, (token.end, token.end)):
        if start < begin:
            yield from (
                replace(part, start=part.start + start, end=part.end + start) for part in _tokens(words[start:begin])
            )
        start = max(start, end)


def _phrases(table: WordTable[str] | WordTable[float], tokens: Sequence[_Token]) -> list[tuple[int, int]]:
    """Return from where to where the prompt has a phrase of several words that a table knows."""
    hits = table.hits([token.text for token in tokens])
    return [(tokens[where[0]].start, tokens[where[-1]].end) for where, _ in hits if len(where) > 1]


def _tokens(text: str) -> list[_Token]:
    return [
        _Token(unicodedata.normalize("NFKC", match.group()).casefold(), *match.span()) for match in _WORD.finditer(text)
    ]


def _meanings(table: WordTable[Meaning], tokens: Sequence[_Token], found: Sequence[Mention]) -> list[Meaning]:
    """Look up the words themselves and the emoji that they mean, in the order of the prompt."""
    hits = [(tokens[where[0]].start, meaning) for where, meaning in table.hits([token.text for token in tokens])]
    hits += [(mention.start, table.find([emoji(mention.drawing.key)])) for mention in found]
    return [meaning for _, meanings in sorted(hits, key=lambda hit: hit[0]) for meaning in meanings]


def _understood(words: str, tokens: Sequence[_Token], found: Sequence[Mention], known: Lexicon) -> float:
    """Return which share of the letters of weight belongs to words that mean something."""
    clear = bytearray(len(words))
    weighty = {
        place
        for token in tokens
        if lexicon.is_unspaced(token.text) or token.end - token.start > _FILLER
        for place in range(token.start, token.end)
        if not lexicon.is_particle(words[place])
    }
    for mention in found:
        vague = kind_of(mention.drawing).is_vague and any(char.isalpha() for char in mention.word)
        clear[mention.start : mention.end] = bytes([not vague]) * (mention.end - mention.start)
        weighty.update(range(mention.start, mention.end))
    texts = [token.text for token in tokens]
    for field in fields(known):
        table = getattr(known, field.name)
        for where, _ in table.hits(texts):
            _mark(clear, [tokens[index] for index in where], table)
            if table is not known.relations:
                weighty.update(place for index in where for place in _letters_of(tokens[index]))
    return sum(clear[place] for place in weighty) / max(1, len(weighty))


def _letters_of(token: _Token) -> range:
    """Return the places of a word however short, but of a run without blanks none: most of it may mean nothing."""
    return range(0) if lexicon.is_unspaced(token.text) else range(token.start, token.end)


def _mark(clear: bytearray, tokens: Sequence[_Token], table: WordTable[str]) -> None:
    """Mark the letters of words that a table knows; in a run without blanks only the known part."""
    for token in tokens:
        parts = table.parts(token.text) if lexicon.is_unspaced(token.text) else [token.text]
        for part in parts:
            start = token.start + max(0, token.text.find(part))
            end = min(token.end, start + len(part)) if lexicon.is_unspaced(token.text) else token.end
            clear[start:end] = b"\1" * (end - start)
