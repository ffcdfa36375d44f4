"""Read a prompt: the places, time, weather, colours and characters that it names, and a number for its exact words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from streamer.generator.procedural.plan import lexicon

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST_READ = 2000


@dataclass(frozen=True, slots=True)
class Idea:
    """What to paint. Tuples keep the order of the prompt; ``salt`` stands for the exact words."""

    places: tuple[str, ...]
    time: str | None
    weather: frozenset[str]
    season: str | None
    hues: tuple[float, ...]
    moods: frozenset[str]
    features: frozenset[str]
    subjects: tuple[str, ...]
    salt: int

    def has(self, *names: str) -> bool:
        """Tell whether any of these features, moods or kinds of weather is asked for."""
        return any(name in self.features or name in self.moods or name in self.weather for name in names)

    @property
    def has_striped_sun(self) -> bool:
        return "neon" in self.moods and "moon" not in self.features and "city" not in self.places


def read(prompt: str) -> Idea:
    """Find the known words of a prompt; never fails, whatever the prompt is."""
    text = unicodedata.normalize("NFKC", prompt[:_LONGEST_READ]).casefold()
    words, known = _WORD.findall(text), lexicon.shipped()
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Idea(
        places=known.places.find(words),
        time=next(iter(known.times.find(words)), None),
        weather=frozenset(known.weather.find(words)),
        season=next(iter(known.seasons.find(words)), None),
        hues=known.hues.find(words),
        moods=frozenset(known.moods.find(words)),
        features=frozenset(known.features.find(words)),
        subjects=known.subjects.find(words),
        salt=int.from_bytes(digest, "big"),
    )
