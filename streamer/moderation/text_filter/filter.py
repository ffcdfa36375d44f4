"""Refuses text with words that must not go on air: a first filter, in front of whatever judges more slowly.

Two certainties. What reads as a term, whatever letters, signs or encoding it is written in, is refused. What may be one
in a disguise that leaves room for doubt is held for a human. It does not understand sentences, and it stands behind the
limiter, which keeps it from being flooded. docs/safety.md tells what it catches and what it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from streamer.interfaces import Rule
from streamer.moderation.text_filter import custom_patterns, decoders, normalize
from streamer.moderation.text_filter.fuzzy import FuzzyMatcher
from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import SHORTEST_STEM, TermMatcher
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.types import Hold, ImageRequest, Outcome, Refusal

# Fine alone, never together, whatever else is allowed: an age word with a state of undress.
_TOGETHER = Term("minors-together", "")
_OWN_PATTERN, _CHANNEL = Term("extra-pattern", ""), Term("channel-term", "")
_NAMES_KEPT = 4096
# Stands where a word was, so that its neighbours do not become one.
_CUT_OUT = " 0 "
_WORD = re.compile(r"\w+")
_HUMP = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_STARRED = re.compile(r"[*#•?_-]*[^\W\d_](?:[*#•?_-]|[^\W\d_])+")
_STARS = re.compile("[*#•?_-]")
# Cyrillic letters that look exactly like a Latin one: a word of nothing else can be typed without Cyrillic at all.
_TWINS = str.maketrans("асекмортхувн", "acekmoptxybh")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the term, how sure that is, and by which reading."""

    term: Term
    outcome: Outcome
    layer: str

    @property
    def code(self) -> str:
        """Name the kind and the reading, never the word."""
        return f"{self.term.kind}.{self.layer}"


class TextFilter(Rule):
    """Judge the text and the caption of a request, and names before they are shown."""

    def __init__(self, options: TextFilterOptions, shipped: Iterable[Term]) -> None:
        self._refused = frozenset({"extra", "minors", *options.kinds})
        self._held = frozenset(options.hold)
        self._doubt = options.doubtful == "hold"
        self._takes_channel_terms = options.channel_terms
        self._patterns = [(custom_patterns.compiled(pattern), _OWN_PATTERN) for pattern in options.patterns]
        self._channel: list[tuple[custom_patterns.CompiledPattern, Term]] = []
        shipped = list(shipped)
        known = [normalize.fold(term.pattern) for term in shipped if term.kind == "known"]
        spelled = [term.pattern for term in shipped if term.kind == "spelled"]
        self._spelled = frozenset(pattern for pattern in spelled if "*" not in pattern)
        self._spelled_stems = tuple(pattern.rstrip("*") for pattern in spelled if "*" in pattern)
        listed = (term for term in shipped if term.kind not in ("known", "spelled"))
        terms = [_folded(term) for term in (*listed, *_own(options.extra, "extra"), *_own(options.allow, "allow"))]
        cyrillic = [term for term in terms if not normalize.RUSSIAN.isdisjoint(term.pattern)]
        latin = [term for term in terms if normalize.RUSSIAN.isdisjoint(term.pattern)]
        latin = [Term(one.id, normalize.to_latin(one.pattern)) for one in latin]
        cyrillic = [Term(one.id, normalize.to_cyrillic(one.pattern)) for one in cyrillic]
        self._latin = TermMatcher(latin + _in_latin(cyrillic))
        self._cyrillic = TermMatcher(cyrillic)
        known += [term.pattern for term in terms if term.kind == "allow"]
        doubted = ([one for one in terms if one.kind in self._refused] for terms in (latin, cyrillic))
        latin, cyrillic = doubted
        self._latin_guesses = FuzzyMatcher(latin, cyrillic, known)
        self._cyrillic_guesses = FuzzyMatcher(cyrillic, latin, known)
        self._name_ok = lru_cache(_NAMES_KEPT)(self._judge_name)

    def check(self, request: ImageRequest, now: float) -> Refusal | Hold | None:
        """Refuse or hold a request for its words, without repeating them."""
        texts = _drawn(request)
        if max(map(len, texts)) > normalize.LONGEST:
            return Refusal(request.id, "words", "too long to be read", "unread")
        found = None
        for text in texts:
            found = _graver(found, self.find(text))
        if found is None:
            return None
        if found.outcome is Outcome.HOLD:
            return Hold(request.id, "words", "a moderator is to look at these words first", found.code)
        return Refusal(request.id, "words", "some of these words cannot be drawn here", found.code)

    def find(self, text: str) -> Finding | None:
        """Return the gravest finding in a text of 1000 characters at most; log its code and id, never its pattern."""
        typed, text = text, self._without_ordinary_accents(text)
        plain = normalize.read(text)
        hits = self._hits(plain)
        found = self._gravest(hits, "plain")
        kinds = {term.kind for term in hits}
        if (found is None or found.outcome is Outcome.HOLD) and decoders.has_signs(text):
            others = self._otherwise(text, plain, hits)
            kinds |= {term.kind for term in others}
            found = _graver(found, self._gravest(others, "encoded"))
        if "age" in kinds and kinds & {"undress", "sexual"}:
            return Finding(_TOGETHER, Outcome.BLOCK, "together")
        if found is not None and found.outcome is Outcome.BLOCK:
            return found
        return self._by_pattern(typed) or found or (self._guess(plain, text) if self._doubt else None)

    def name_ok(self, name: str) -> bool:
        """Say whether a name may be shown on air; stricter than ``find``, because a name glues its words together.

        Who has another name may ask all the same: a picture can be drawn without saying for whom.
        """
        return self._name_ok(name)

    def import_terms(self, terms: Iterable[str]) -> int:
        """Take over the terms that the channel blocks in chat, in place of the ones taken before; return how many."""
        found = custom_patterns.from_platform(terms) if self._takes_channel_terms else []
        self._channel = [(custom_patterns.compiled(pattern), _CHANNEL) for pattern in found]
        self._name_ok.cache_clear()
        return len(self._channel)

    def _without_ordinary_accents(self, text: str) -> str:
        """Take out the words that are ordinary as they are spelled and would be a term without their accents."""
        return text if text.isascii() else _WORD.sub(self._cut_if_ordinary, text)

    def _cut_if_ordinary(self, found: re.Match[str]) -> str:
        word = found[0].lower()
        if word in self._spelled:
            return _CUT_OUT
        # What follows an ordinary stem is judged by itself: anything can be glued to it.
        stem = next(filter(word.startswith, self._spelled_stems), None)
        return found[0] if stem is None else _CUT_OUT + word[len(stem) :]

    def _otherwise(self, text: str, plain: normalize.NormalizedWords, hits: list[Term]) -> list[Term]:
        """Return what other readings of a text hold, less what its own words would be if no neighbour allowed them."""
        alone = {term for word in plain.latin for term in self._latin.hits([word])}
        alone |= {term for word in plain.cyrillic for term in self._cyrillic.hits([word])}
        cancelled = alone - set(hits)
        readings = dict.fromkeys(decoders.others(text))
        found = (term for reading in readings for term in self._hits(normalize.read(reading)))
        return [term for term in found if term not in cancelled]

    def _gravest(self, hits: Iterable[Term], layer: str) -> Finding | None:
        refused = [term for term in hits if term.kind in self._refused]
        certain = next((term for term in refused if term.kind not in self._held), None)
        if certain is not None:
            return Finding(certain, Outcome.BLOCK, layer)
        return Finding(refused[0], Outcome.HOLD, layer) if refused else None

    def _hits(self, words: normalize.NormalizedWords) -> list[Term]:
        hits = self._latin.hits(words.latin) if words.latin else []
        if words.cyrillic:
            hits += self._cyrillic.hits(words.cyrillic)
        return hits

    def _by_pattern(self, text: str) -> Finding | None:
        patterns = (*self._patterns, *self._channel)
        if not patterns:
            return None
        readings = (text, normalize.fold(text))
        found = next((term for pattern, term in patterns if any(map(pattern.search, readings))), None)
        return None if found is None else Finding(found, Outcome.BLOCK, "pattern")

    def _guess(self, words: normalize.NormalizedWords, text: str) -> Finding | None:
        for guesses, mine in ((self._latin_guesses, words.latin), (self._cyrillic_guesses, words.cyrillic)):
            for word in mine:
                if (found := guesses.find(word)) is not None:
                    return Finding(found[0], Outcome.HOLD, found[1])
        return self._over_words(words) or self._starred(text)

    def _over_words(self, words: normalize.NormalizedWords) -> Finding | None:
        pieces = words.pieces()
        in_latin = pieces if words.folded.isascii() else list(map(normalize.to_latin, pieces))
        in_cyrillic = list(map(normalize.to_cyrillic, pieces)) if words.cyrillic else []
        for guesses, mine in ((self._latin_guesses, in_latin), (self._cyrillic_guesses, in_cyrillic)):
            if (term := guesses.across(mine)) is not None:
                return Finding(term, Outcome.HOLD, "cut")
            if (term := guesses.initials(mine)) is not None:
                return Finding(term, Outcome.HOLD, "initials")
        return None

    def _starred(self, text: str) -> Finding | None:
        if _STARS.search(text) is None:
            return None
        for word in _STARRED.findall(normalize.fold(text)):
            for guesses, mine in ((self._latin_guesses, normalize.to_latin(word)), (self._cyrillic_guesses, word)):
                if (term := guesses.starred(mine)) is not None:
                    return Finding(term, Outcome.HOLD, "starred")
        return None

    def _judge_name(self, name: str) -> bool:
        parted = _HUMP.sub(" ", name)
        if self.find(parted) is not None or self.find(parted.strip("0123456789_")) is not None:
            return False
        words = normalize.read(name.replace("_", ""))
        glued = [self._latin_guesses.anywhere(one) for one in words.latin]
        glued += [self._cyrillic_guesses.anywhere(one) for one in words.cyrillic]
        return not any(True for terms in glued for _ in terms)


def _drawn(request: ImageRequest) -> list[str]:
    """Return what the model reads and what is written on the picture, as it stands, and what was typed if that differs.

    A link or a name that was taken out may have stood between two halves of a word, so the typed text is not enough.
    """
    drawn = request.prompt
    if request.caption is not None:
        drawn = f"{drawn} | {request.caption.top} | {request.caption.bottom}"
    return [drawn] if request.text in request.prompt else [drawn, request.text]


def _graver(one: Finding | None, other: Finding | None) -> Finding | None:
    if one is None or (other is not None and other.outcome is Outcome.BLOCK):
        return other
    return one


def _own(patterns: Iterable[str], kind: str) -> list[Term]:
    return [Term(f"{kind}-own{number}", pattern) for number, pattern in enumerate(patterns, 1)]


def _folded(term: Term) -> Term:
    """Bring a pattern into the form words are read in; single letters are dropped there, so they are here."""
    return Term(term.id, " ".join(word for word in normalize.fold(term.pattern).split() if len(word) > 1))


def _in_latin(terms: Iterable[Term]) -> list[Term]:
    """Return the Cyrillic words that can be typed in Latin letters alone, typed so."""
    typed = (Term(term.id, term.pattern.translate(_TWINS)) for term in terms)
    return [term for term in typed if term.pattern.isascii() and len(term.pattern.strip("*")) > SHORTEST_STEM]
