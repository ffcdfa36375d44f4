"""Finds out of CLDR's names and keywords what each word of a language means: the one drawing that it names best."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.subjects.emoji import Emoji
from streamer.generator.procedural.subjects import tokens

LONGEST = 4
RANKED = 10_000
WEAKEST = 0.5
NAMES_ONLY = ("heart", "emotion", "face-", "hand", "person-gesture")
"""Subgroups whose keywords are feelings and gestures rather than things."""
Annotations = Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words as the index knows them: their stems, themselves without capitals and accents, and as they are written."""

    stems: tuple[str, ...]
    form: str
    written: tuple[str, ...] = field(default=(), compare=False)

    def is_in(self, other: Phrase) -> bool:
        """Tell whether the other phrase contains all of these words; without spaces: these characters."""
        if len(self.stems) == len(other.stems) == 1 and tokens.is_unspaced(self.form):
            return self.form in other.form
        return set(self.stems) <= set(other.stems)

    def share_of(self, other: Phrase) -> float:
        """Return which share of the other phrase this one is."""
        if tokens.is_unspaced(self.form):
            return len(self.form) / max(len(other.form), 1)
        return len(self.stems) / max(len(other.stems), 1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means, and how surely, 0 to 1."""

    phrase: Phrase
    key: str
    strength: float


def phrase(text: str, language: str) -> Phrase:
    """Split a name or a keyword into its words."""
    words = [match.group() for match in tokens.words(text)]
    folded = [tokens.fold(word) for word in words]
    if words and tokens.is_unspaced(words[0]):
        return Phrase(("".join(folded),), "".join(folded))
    written = tuple(unicodedata.normalize("NFC", word).casefold() for word in words)
    return Phrase(tuple(tokens.stem(word, language) for word in words), " ".join(folded), written)


class Vocabulary:
    """The names and keywords of one language, and how often each word stands where."""

    def __init__(self, language: str, entries: Annotations, known: list[Emoji], ranks: Mapping[str, int]) -> None:
        self._ranks = ranks
        self._known = [one for one in known if one.key in entries]
        self._names = {one.key: phrase(entries[one.key].get("tts", [""])[0], language) for one in self._known}
        self._keywords = {
            one.key: {phrase(text, language) for text in entries[one.key].get("default", ())} for one in self._known
        }
        self._used: dict[Phrase, Counter[str]] = defaultdict(Counter)
        self._named: dict[str, set[str]] = defaultdict(set)
        self._named_stems: dict[str, set[str]] = defaultdict(set)
        self._subgroups = {one.key: one.subgroup for one in known}
        for one in self._known:
            name = self._names[one.key]
            parts = {Phrase((stem,), word) for stem, word in zip(name.stems, name.form.split(), strict=False)}
            for part in parts:
                if one.liking >= WEAKEST or one.group == "flags":
                    self._named[part.form].add(one.key)
                    self._named_stems[part.stems[0]].add(one.subgroup)
            for words in self._keywords[one.key] | {name} | parts:
                if one.liking >= WEAKEST:
                    self._used[words][one.subgroup] += 1

    def meanings(self) -> list[Meaning]:
        """Return the best drawing of each phrase."""
        best: dict[Phrase, tuple[float, int, str]] = {}
        for one in self._known:
            name = self._names[one.key]
            for words in self._keywords[one.key] | {name}:
                if words.stems and len(words.stems) <= LONGEST:
                    candidate = (self._strength(words, one, name), -one.order, one.key)
                    best[words] = max(best.get(words, (0.0, 0, "")), candidate)
        return [Meaning(words, key, strength) for words, (strength, _, key) in best.items() if strength >= WEAKEST]

    def _strength(self, words: Phrase, emoji: Emoji, name: Phrase) -> float:
        """Return how surely a phrase means an emoji."""
        simple = 0.04 / len(emoji.name.split()) - (0.06 if "200d" in emoji.key else 0.0)
        if words == name:
            return emoji.liking + simple
        used = self._used[words]
        purity = used[emoji.subgroup] / max(used.total(), 1)
        if words.is_in(name):
            sure = (0.45 + 0.25 * words.share_of(name) + 0.15 * purity) * (1.0 if purity >= 0.5 else 0.6)
            sure *= 0.6 if self._rank(words) <= 600 else 1.0
        else:
            sure = self._as_keyword(words, emoji, purity)
        if len(words.form) == 1 and (purity < 0.8 or used.total() == 1):
            sure *= 0.6
        return sure * emoji.liking + simple

    def _as_keyword(self, words: Phrase, emoji: Emoji, purity: float) -> float:
        """Return how surely a keyword that does not stand in an emoji's name means it: many are mere associations."""
        if emoji.subgroup.startswith(NAMES_ONLY):
            return 0.0
        used = self._used[words].total()
        sure = 0.75 * purity * (0.6 if used > 6 else 1.0) * self._elsewhere(words, emoji)
        return sure * self._rareness(words, is_shared=used > 1 and purity > 0.9)

    def _rareness(self, words: Phrase, is_shared: bool) -> float:
        """Return what is left of a keyword that is a common word: those are verbs, qualities and surroundings.

        A keyword that drawings of one kind share (of a cat and of its face, of all trains) is rather a name.
        """
        rank = self._rank(words)
        if is_shared:
            return 0.3 if rank <= 600 else 0.85 if rank <= 2000 else 1.0
        return 0.3 if rank <= 600 else 0.6 if rank <= RANKED else 1.0

    def _elsewhere(self, words: Phrase, emoji: Emoji) -> float:
        """Return what is left of a keyword that stands in the names of other drawings."""
        others = {self._subgroups[key] for word in words.form.split() for key in self._named.get(word, ())}
        if others - {emoji.subgroup}:
            return 0.45
        stems = {subgroup for stem in words.stems for subgroup in self._named_stems.get(stem, ())}
        return 0.8 if others or stems else 1.0

    def _rank(self, words: Phrase) -> int:
        """Return how common the rarest word of a phrase is."""
        return max((self._ranks.get(word, 99999) for word in words.form.split()), default=99999)
