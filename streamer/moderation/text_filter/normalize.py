"""Reduces text to the words a reader sees in it, whatever letters they are spelled with.

For comparing only: a skeleton is never shown and never drawn. Two alphabets are read, Latin and Cyrillic. A word wholly
in one of them is read in that one; anything mixed, numbered or punctuated is read in both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from unicodedata import category, normalize

LONGEST = 1000
"""Characters looked at; whoever asks refuses longer text, because what is not read is not judged."""

RUSSIAN = frozenset("абвгдежзиклмнопрстуфхцчшщъыьэюя")
"""The alphabet after folding: short i has lost its mark, and so has yo."""

# Ordinary punctuation around a word. What may stand for a letter ($ @ |) is left on for the second look.
_EDGES = ".,;:?\"'()[]{}<>-_*~…–—«»“”„‘’`/\\#&=%"
_PIECES = re.compile(r"[^\W_]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_SIGNS_FOR_LETTERS = re.compile("[@$€£¢]{2}")
_LEET = re.compile("[34578]")
_LATIN_LETTER, _RUSSIAN_LETTER = re.compile("[a-z]"), re.compile("[а-я]")
_NUMBERED = re.compile(r"\d{1,2}([^\W\d_])|([^\W\d_])\d{1,2}")
_EVERYDAY = re.compile("[ -~а-яё]*")
_RUSSIAN_WORD = re.compile("[а-я]+")
_UNSEEN = frozenset({"Mn", "Me", "Cf", "Cc", "Cn", "Co", "Cs"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# White letters on black and flags have no decomposition in Unicode; each row starts with A.
_LETTER_ROWS = (0x1F150, 0x1F170, 0x1F1E6)
_LETTERS_KEPT = 20_000
_ODD_WORDS_KEPT = 4096


def _pairs(pairs: str) -> dict[int, str]:
    return str.maketrans({pair[0]: pair[1] for pair in pairs.split()})


def _looks_like(alphabet: str) -> dict[int, str]:
    """Read Unicode's look-alikes of one alphabet; scripts/confusables.py writes them."""
    lines = Path(__file__).with_name("confusables.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.startswith(alphabet)]
    return {ord(char): letter for _, letter, chars in rows for char in chars}


# What people really use comes last, because it overrides what Unicode thinks closest (a turned m is no w here).
_TO_LATIN = _looks_like("latin") | _pairs(
    "аa вb сc ԁd еe гr һh нh іi јj кk ӏl мm оo рp ԛq ѕs тt уy ѵv ԝw хx иu яr ьb пn "
    "αa βb γy εe ηn ιi κk μu νv οo ρp τt υu χx ωw "
    "ıi łl øo đd ɑa ɡg ɩi ðd þp ᴀa ʙb ᴄc ᴅd ᴇe ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ᴛt ᴜu ᴠv ᴡw ʏy ᴢz "
    "ᗩa ᗷb ᑕc ᗪd ᗴe ᖴf ᘜg ᕼh ᓰi ᒍj ᒪl ᗰm ᑎn ᑭp ᑫq ᖇr ᔕs ᑌu ᐯv ᗯw ᙭x ᘔz ցg հh ոn օo զq սu տs ւl "
    "⠁a ⠃b ⠉c ⠙d ⠑e ⠋f ⠛g ⠓h ⠊i ⠚j ⠅k ⠇l ⠍m ⠝n ⠕o ⠏p ⠟q ⠗r ⠎s ⠞t ⠥u ⠧v ⠺w ⠭x ⠽y ⠵z"
)
_TO_CYRILLIC = _looks_like("cyrillic") | _pairs(
    "aа bв cс eе hн kк mм nп oо pр rг tт uи xх yу iи іи єе αа βв εе κк νв οо ρр τт υи χх љл њн ћч ђд џц ѕс"
)
_LATIN_DIGITS = _pairs("0o 1i 2z 3e 4a 5s 6g 7t 8b 9g @a $s !i |i +t €e £l ¢c")
_CYRILLIC_DIGITS = _pairs("0о 1и 3з 4ч 6б @а $с")
# Half a word typed in the other alphabet is meant by its sound.
_BY_SOUND = _pairs("aа bб cц dд eе fф gг hх iи jи kк lл mм nн oо pп qк rр sс tт uу vв wв xх yи zз")
# As in Latin leet, which Russian players write as well.
_CYRILLIC_LEET = _pairs("0о 1и 3е 4а 5с 6б 7т 8в @а $с")
# What stands for i may stand for l as well, so a word with such a sign is read twice.
_AS_L = _pairs("1l !l |l")


class _Folded(dict[int, str]):
    """What each code point folds to, worked out when it is first seen."""

    def __missing__(self, code: int) -> str:
        folded = _fold_letter(chr(code))
        if len(self) < _LETTERS_KEPT:
            self[code] = folded
        return folded


_folded = _Folded()


@dataclass(slots=True)
class NormalizedWords:
    """The words of one text, in order, by the alphabet they may be meant in, and the whole of it, folded."""

    latin: list[str] = field(default_factory=list)
    cyrillic: list[str] = field(default_factory=list)
    folded: str = ""

    def pieces(self) -> list[str]:
        """Return everything between spaces and signs, single letters too."""
        return _PIECES.findall(self.folded)


def fold(text: str) -> str:
    """Return text without case, marks, invisible characters and typographic variants of letters."""
    lower = text.lower()
    if lower.isascii():
        return lower
    if _EVERYDAY.fullmatch(lower):
        return lower.replace("ё", "е").replace("й", "и")
    return text.translate(_folded)


def to_latin(folded: str) -> str:
    """Replace letters by the Latin ones they look like."""
    return folded if folded.isascii() else folded.translate(_TO_LATIN)


def to_cyrillic(folded: str) -> str:
    """Replace letters by the Cyrillic ones they look like."""
    return folded.translate(_TO_CYRILLIC)


def read(text: str) -> NormalizedWords:
    """Return the words of a text, letters typed one by one joined again."""
    words, letters = NormalizedWords(folded=fold(text[:LONGEST])), ""
    for chunk in words.folded.split():
        word = chunk if chunk.isalpha() else chunk.strip(_EDGES)
        if len(word) < 2:
            letters += word if word.isalnum() else ""
            continue
        if len(word) < 4 and (numbered := _NUMBERED.fullmatch(word)):
            letters += numbered[1] or numbered[2]
            _look(word, words)
            continue
        if len(letters) > 2:
            _look(letters, words)
        letters = ""
        _look(word, words)
    if len(letters) > 2:
        _look(letters, words)
    return words


def _look(word: str, words: NormalizedWords) -> None:
    plain = word.rstrip("!")
    if plain.isalpha() and plain.isascii():
        words.latin.append(plain)
    elif _RUSSIAN_WORD.fullmatch(plain):
        words.cyrillic.append(plain)
    else:
        latin, cyrillic = _look_twice(word)
        words.latin += latin
        words.cyrillic += cyrillic


@lru_cache(_ODD_WORDS_KEPT)  # "8k", "1980s" and the like come again and again
def _look_twice(word: str) -> tuple[list[str], list[str]]:
    if word.isascii():
        return _readings(word, _LATIN_DIGITS), []
    latin, cyrillic = word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)
    readings = _readings(cyrillic, _CYRILLIC_DIGITS)
    if _LEET.search(cyrillic):
        readings += _readings(cyrillic, _CYRILLIC_LEET)
    if _LATIN_LETTER.search(word) and _RUSSIAN_LETTER.search(word):
        readings.append(_NO_LETTERS.sub("", word.translate(_BY_SOUND)))
    return _readings(latin, _LATIN_DIGITS), readings


def _readings(word: str, digits: Mapping[int, str]) -> list[str]:
    """Read a word in every way it may be meant: its pieces, and joined, with digits and signs taken for letters."""
    pieces = _PIECES.findall(word)
    if _NO_LETTERS.fullmatch(word) and not _SIGNS_FOR_LETTERS.search(word):
        return pieces
    spelled = [*pieces, word] if len(pieces) > 1 else [word]
    readings = pieces + [_NO_LETTERS.sub("", one.translate(digits)) for one in spelled]
    if not _AS_L.keys().isdisjoint(map(ord, word)):
        readings += [_NO_LETTERS.sub("", one.translate(_AS_L).translate(digits)) for one in spelled]
    return [reading for reading in readings if len(reading) > 1]


def _fold_letter(letter: str) -> str:
    if letter.isspace():
        return " "
    for row in _LETTER_ROWS:
        if 0 <= ord(letter) - row < 26:
            return chr(ord("a") + ord(letter) - row)
    plain = normalize("NFKD", normalize("NFKD", letter).casefold())
    return "".join(one for one in plain if category(one) not in _UNSEEN and one not in _BLANK_LETTERS)
