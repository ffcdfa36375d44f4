"""Refuses text with words that must not go on air: a first filter, in front of slower judges.

It has two degrees of certainty. It refuses what reads as a term, whatever letters, signs or encoding it is written in,
and it holds for a moderator what may be a term in a doubtful disguise. It does not understand sentences. It stands
behind the limiter, which protects it from floods. docs/safety.md says what it catches and what it does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from streamer.commands.shown import shown_texts
from streamer.interfaces import Rule
from streamer.moderation.text_filter import ages, decoders, normalize
from streamer.moderation.text_filter.custom_patterns import CustomPatterns
from streamer.moderation.text_filter.fuzzy import Guesser
from streamer.moderation.text_filter.lexicon import UNREAD, Finding, Reading, Term, TermKind, graver
from streamer.moderation.text_filter.matcher import TermIndex, TermsByAlphabet, by_alphabet, fold_terms
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import ascii_forms
from streamer.types import Hold, ImageRequest, Outcome, Refusal

# Stands where a word was, so that its neighbours do not become one.
_CUT_OUT = " 0 "
_WORD = re.compile(r"\w+")


class OrdinaryAccents:
    """Know ordinary words, and stems marked by a star, by their exact spelling."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = list(patterns)
        self._words = frozenset(pattern for pattern in patterns if "*" not in pattern)
        self._stems = tuple(pattern.rstrip("*") for pattern in patterns if "*" in pattern)

    def cut_out(self, text: str) -> str:
        """Return a text without its ordinary words."""
        return text if text.isascii() else _WORD.sub(self._cut, text)

    def _cut(self, match: re.Match[str]) -> str:
        word = match[0].lower()
        if word in self._words:
            return _CUT_OUT
        # What follows an ordinary stem is checked by itself: anything can be appended to it.
        if not word.startswith(self._stems):
            return match[0]
        return _CUT_OUT + word[len(next(filter(word.startswith, self._stems))) :]


# Refused whatever else is allowed.
_AGE_WITH_UNDRESS = Term("minors-together", "")
_SYMBOL_MEANT = Term("extremism-symbol", "")
_MAKES_SYMBOLS_MEANT = frozenset({TermKind.CONTEXT, TermKind.HATE})
_STATES = frozenset({TermKind.UNDRESS, TermKind.SEXUAL})
_LONGEST_NAME = 128
_NAMES_CACHED = 4096
_CAMEL_CASE = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")


@dataclass(slots=True)
class JudgedTexts:
    """What was judged of one request: folded texts, what stood between their blanks, and the words of all readings.

    A text of nothing but such chunks in another order is read again, yet no code has to be undone in it again.
    """

    texts: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    longest: int = 0


class TextFilter(Rule):
    """Judge the text and the caption of a request, and names before they are shown."""

    def __init__(self, options: TextFilterOptions, shipped: Iterable[Term]) -> None:
        shipped = list(shipped)
        ages.load()
        self._refused = frozenset({TermKind.EXTRA, TermKind.MINORS, TermKind.UNREAD, *map(TermKind, options.kinds)})
        self._held = frozenset(map(TermKind, options.hold))
        self._takes_channel_terms = options.channel_terms
        self._accents = OrdinaryAccents(term.pattern for term in shipped if term.kind is TermKind.SPELLED)
        self._patterns = CustomPatterns(options.patterns)
        folded = fold_terms(_terms_to_find(options, shipped))
        terms = by_alphabet(folded)
        self._terms = TermIndex(terms)
        known = _known_words(shipped, folded)
        self._guesser = Guesser(_of_kinds(terms, self._refused), known)
        self._age_guesser = Guesser(_of_kinds(terms, {TermKind.AGE}), known)
        self._state_guesser = Guesser(_of_kinds(terms, _STATES), known)
        self._holds_guesses = Outcome(options.doubtful) is Outcome.HOLD
        self._name_ok = lru_cache(_NAMES_CACHED)(self._judge_name)

    def check(self, request: ImageRequest, now: float) -> Refusal | Hold | None:
        """Refuse or hold a request for its words, without repeating them."""
        texts = _texts_to_read(request)
        if max(map(len, texts)) > normalize.LONGEST:
            return Refusal(request.id, "words", "too long to be read", "unread")
        finding = self._gravest_in(texts)
        if finding is None:
            return None
        if finding.outcome is Outcome.HOLD:
            return Hold(request.id, "words", "a moderator will look at these words first", finding.code)
        return Refusal(request.id, "words", "some of these words cannot be drawn here", finding.code)

    def find(self, text: str, judged: JudgedTexts | None = None) -> Finding | None:
        """Return the gravest finding in a text of 1000 characters at most; ``judged`` is what else a request says."""
        judged = judged or JudgedTexts()
        typed, text = text, self._accents.cut_out(text)
        words = normalize.read(text)
        judged.words.update(words.latin, words.cyrillic)
        judged.longest = max(judged.longest, len(text))
        if words.too_many or len(judged.words) > normalize.most_words(judged.longest):
            return Finding(UNREAD, Outcome.BLOCK, Reading.PLAIN)
        hits = _with_symbols_meant(self._terms.hits(words))
        finding = self._gravest(hits, Reading.PLAIN)
        kinds = {term.kind for term in hits}
        is_open = finding is None or finding.outcome is Outcome.HOLD
        if is_open and not judged.chunks.issuperset(words.folded.split()) and decoders.has_signs(text):
            decoded = self._terms.hits_decoded("".join(ascii_forms(text)), words, hits, judged.words)
            kinds |= {term.kind for term in decoded}
            finding = graver(finding, self._gravest(decoded, Reading.ENCODED))
        has_age = TermKind.AGE in kinds or ages.under_eighteen(words.folded)
        if has_age and kinds & _STATES:
            return Finding(_AGE_WITH_UNDRESS, Outcome.BLOCK, Reading.TOGETHER)
        if finding is not None and finding.outcome is Outcome.BLOCK:
            return finding
        if (found := self._find_pattern(typed)) is not None:
            return found
        if self._may_be_together(words, text, has_age=has_age, has_state=bool(kinds & _STATES)):
            return Finding(_AGE_WITH_UNDRESS, Outcome.HOLD, Reading.TOGETHER)
        return finding or (self._guesser.find(words, text) if self._holds_guesses else None)

    def name_ok(self, name: str) -> bool:
        """Tell whether a name may be shown on air; stricter than ``find``, because names glue words together.

        Someone with another name may ask all the same: a picture can be drawn without saying for whom.
        """
        return len(name) <= _LONGEST_NAME and self._name_ok(name)

    def import_terms(self, terms: Collection[str]) -> int:
        """Refuse the terms that the channel blocks in its chat, in place of the last list; return how many count."""
        count = self._patterns.replace_channel_terms(terms if self._takes_channel_terms else ())
        self._name_ok.cache_clear()
        return count

    def _gravest_in(self, texts: Iterable[str]) -> Finding | None:
        """Return the gravest finding in the texts of one request, most of which say the same in another arrangement."""
        finding, judged = None, JudgedTexts()
        for text in texts:
            folded = normalize.fold(self._accents.cut_out(text))
            # Capitals change nothing but what the streamer's own patterns find.
            found = self._find_pattern(text) if folded in judged.texts else self.find(text, judged)
            finding = graver(finding, found)
            if finding is not None and finding.outcome is Outcome.BLOCK:
                return finding
            judged.texts.add(folded)
            judged.chunks.update(folded.split())
        return finding

    def _may_be_together(self, words: normalize.NormalizedWords, text: str, *, has_age: bool, has_state: bool) -> bool:
        """Tell whether an age or a state of undress is plain and the other is probably there in disguise."""
        if has_age == has_state:
            return False
        return (self._state_guesser if has_age else self._age_guesser).find(words, text) is not None

    def _find_pattern(self, text: str) -> Finding | None:
        term = self._patterns.find(text)
        return None if term is None else Finding(term, Outcome.BLOCK, Reading.PATTERN)

    def _gravest(self, hits: Iterable[Term], reading: Reading) -> Finding | None:
        refused = [term for term in hits if term.kind in self._refused]
        certain = next((term for term in refused if term.kind not in self._held), None)
        if certain is not None:
            return Finding(certain, Outcome.BLOCK, reading)
        return Finding(refused[0], Outcome.HOLD, reading) if refused else None

    def _judge_name(self, name: str) -> bool:
        words_apart = _CAMEL_CASE.sub(" ", name)
        if self.find(words_apart) is not None or self.find(words_apart.strip("0123456789_")) is not None:
            return False
        return not self._guesser.is_inside(normalize.read(name.replace("_", "")))


def _texts_to_read(request: ImageRequest) -> list[str]:
    """Return what the model reads with what is written on the picture, what was typed, and what can be read on air.

    A link or a name that was taken out may have separated two halves of a word, so what is left is not enough.
    """
    prompt = request.prompt
    if request.caption is not None:
        prompt = f"{prompt} | {request.caption.top} | {request.caption.bottom}"
    return list(dict.fromkeys((prompt, request.text, *shown_texts(request))))


def _with_symbols_meant(hits: list[Term]) -> list[Term]:
    """Add the finding that a sign which may be laughter is meant, if a word beside it says so."""
    kinds = {term.kind for term in hits}
    return [*hits, _SYMBOL_MEANT] if TermKind.SYMBOL in kinds and kinds & _MAKES_SYMBOLS_MEANT else hits


def _of_kinds(terms: TermsByAlphabet, kinds: Collection[TermKind]) -> TermsByAlphabet:
    latin = [term for term in terms.latin if term.kind in kinds]
    return TermsByAlphabet(latin, [term for term in terms.cyrillic if term.kind in kinds])


def _terms_to_find(options: TextFilterOptions, shipped: Iterable[Term]) -> list[Term]:
    terms = [term for term in shipped if term.kind not in (TermKind.KNOWN, TermKind.SPELLED)]
    return terms + _own_terms(options.extra, TermKind.EXTRA) + _own_terms(options.allow, TermKind.ALLOW)


def _own_terms(patterns: Iterable[str], kind: TermKind) -> list[Term]:
    return [Term(f"{kind}-own{number}", pattern) for number, pattern in enumerate(patterns, 1)]


def _known_words(shipped: Iterable[Term], folded: Iterable[Term]) -> list[str]:
    known = [normalize.fold(term.pattern) for term in shipped if term.kind is TermKind.KNOWN]
    return known + [term.pattern for term in folded if term.kind is TermKind.ALLOW]
