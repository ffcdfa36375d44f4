"""Splits text into words, and turns words into the forms by which the index knows them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import Stemmer

# Vowel signs and other marks are no letters to the regular expressions of Python, but belong into words.
_MARKS = (
    r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0eff\u1000-\u109f\u1780-\u17dd"
)
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+"
)
STEMMED = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    # Close relatives of a language that Snowball knows.
    "be": "russian", "uk": "russian", "bg": "russian", "bs": "serbian", "gl": "portuguese", "hr": "serbian",
    "ms": "indonesian", "sk": "czech", "sl": "serbian", "sr": "serbian",
}  # fmt: skip


def words(text: str) -> list[re.Match[str]]:
    """Return the words of a text in order, each with its place."""
    return list(_WORD.finditer(text))


def is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script that is written without spaces between words, or with particles at its end."""
    return _UNSPACED.match(word) is not None


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """Return a word without capitals and accents; marks of scripts that need them stay."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    if plain.isascii():
        return plain
    if "\u0430" <= plain[0] <= "\u052f":
        return plain.replace("ё", "е")
    parts = unicodedata.normalize("NFD", plain)
    return unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f]", "", parts)).translate(_LETTERS)


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "æ": "ae", "œ": "oe"})


@lru_cache(maxsize=64)
def _stemmer(name: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(name)


@lru_cache(maxsize=16384)
def stem(word: str, language: str) -> str:
    """Return the stem of a word in a language, folded; the folded word itself where no stemmer is known."""
    name = STEMMED.get(language)
    plain = unicodedata.normalize("NFC", word).casefold()
    return fold(_stemmer(name).stemWord(plain) or plain) if name else fold(plain)
