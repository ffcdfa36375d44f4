"""Finds terms that a text probably hides, in both alphabets: reasons to ask a moderator, never to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable

from streamer.moderation.text_filter import normalize
from streamer.moderation.text_filter.finding import Finding, Reading
from streamer.moderation.text_filter.fuzzy import FuzzyMatcher
from streamer.moderation.text_filter.term_index import TermsByAlphabet
from streamer.types import Outcome

_STARRED = re.compile(r"[*#•?_-]*[^\W\d_](?:[*#•?_-]|[^\W\d_])+")
_STARS = re.compile("[*#•?_-]")


class Guesser:
    """Try each doubtful disguise on the words of a text; ``known`` are ordinary words that are never held."""

    def __init__(self, terms: TermsByAlphabet, known: Iterable[str]) -> None:
        known = list(known)
        self._latin = FuzzyMatcher(terms.latin, terms.cyrillic, known)
        self._cyrillic = FuzzyMatcher(terms.cyrillic, terms.latin, known)

    def find(self, words: normalize.NormalizedWords, text: str) -> Finding | None:
        """Return the first finding; its outcome is always to hold."""
        for matcher, typed in ((self._latin, words.latin), (self._cyrillic, words.cyrillic)):
            for word in typed:
                if (match := matcher.find(word)) is not None:
                    return Finding(match[0], Outcome.HOLD, match[1])
        return self._over_several_words(words) or self._starred(text)

    def is_inside(self, words: normalize.NormalizedWords) -> bool:
        """Tell whether a longer term occurs anywhere, even in the middle of a word: names glue words together."""
        hits = [self._latin.anywhere(word) for word in words.latin]
        hits += [self._cyrillic.anywhere(word) for word in words.cyrillic]
        return any(True for terms in hits for _ in terms)

    def _over_several_words(self, words: normalize.NormalizedWords) -> Finding | None:
        pieces = words.pieces()
        in_latin = pieces if words.folded.isascii() else list(map(normalize.to_latin, pieces))
        in_cyrillic = list(map(normalize.to_cyrillic, pieces)) if words.cyrillic else []
        for matcher, typed in ((self._latin, in_latin), (self._cyrillic, in_cyrillic)):
            if (term := matcher.across(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.CUT)
            if (term := matcher.initials(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.INITIALS)
        return None

    def _starred(self, text: str) -> Finding | None:
        if _STARS.search(text) is None:
            return None
        for word in _STARRED.findall(normalize.fold(text)):
            for matcher, typed in ((self._latin, normalize.to_latin(word)), (self._cyrillic, word)):
                if (term := matcher.starred(typed)) is not None:
                    return Finding(term, Outcome.HOLD, Reading.STARRED)
        return None
