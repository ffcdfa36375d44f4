"""The shipped word list: stored encoded, so that nobody meets it by searching the repository or opening a file.

One term a line: its id, a tab, its pattern. An id is the kind, the language (none for the first ones, which are English
and Russian) and a number, with dashes; ids never change meaning, tests and logs name terms by them. A pattern is
a whole word or phrase; ``word*`` also matches what begins so, ``*word*`` what contains it, ``~word*`` what begins so
after any Russian prefix. Patterns of the kind "allow" cancel a hit; "known" words only look like a disguised term, and
"spelled" ones would be a term without their accents. To edit the list:

    python -m streamer.moderation.text_filter.filter decode <lexicon.dat >list.txt
    python -m streamer.moderation.text_filter.filter encode <list.txt >lexicon.dat
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SHIPPED = Path(__file__).with_name("lexicon.dat")


@dataclass(frozen=True, slots=True)
class Term:
    """One entry; the id starts with its kind."""

    id: str
    pattern: str

    @property
    def kind(self) -> str:
        """Return what the term is about, which decides whether it is refused."""
        return self.id.partition("-")[0]


def shipped() -> list[Term]:
    """Return the terms that come with the program."""
    return decode(_SHIPPED.read_bytes())


def decode(data: bytes) -> list[Term]:
    """Return the terms of an encoded list."""
    lines = zlib.decompress(base64.b64decode(data)).decode().splitlines()
    return [Term(*line.split("\t")) for line in lines]


def encode(terms: Iterable[Term]) -> bytes:
    """Return terms as the lines of an encoded list."""
    lines = "".join(f"{term.id}\t{term.pattern}\n" for term in terms)
    return base64.encodebytes(zlib.compress(lines.encode(), 9))
