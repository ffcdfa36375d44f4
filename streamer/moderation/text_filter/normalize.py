"""Reduces text to the words a reader sees in it, whatever letters they are spelled with.

The result is a skeleton (Unicode TR 39): for comparing only, never shown and never drawn. Two alphabets are read, Latin
and Cyrillic. A word that is wholly in one of them is read in that one; a word with other letters, digits or signs is
read in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from unicodedata import category, name, normalize

LONGEST = 1000
"""Characters judged; callers must refuse longer text, because what is not read is not judged."""
_LONGEST_READING = 4 * LONGEST

RUSSIAN = frozenset("абвгдежзиклмнопрстуфхцчшщъыьэюя")
"""The Russian alphabet after folding, which takes the marks off й and ё."""

# Ordinary punctuation around a word, without the signs that may stand for a letter ($ @ |).
_EDGES = ".,;:?\"'()[]{}<>-_*~…–—«»“”„‘’`/\\#&=%"
_PIECES = re.compile(r"[^\W_]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_SIGNS_FOR_LETTERS = re.compile("[@$€£¢]{2}")
_LEET = re.compile("[34578]")
_LATIN_LETTER, _RUSSIAN_LETTER = re.compile("[a-z]"), re.compile("[а-я]")
_NOT_LATIN, _NOT_RUSSIAN = re.compile(r"[^\W\d_a-z]+"), re.compile(r"[^\W\d_а-я]+")
# Neither Latin nor Cyrillic, whatever they look like.
_OTHER_LETTERS = re.compile(r"[^\W\d_a-z\u00df-\u024f\u0400-\u052f\u1e00-\u1eff]+")
_NUMBERED = re.compile(r"\d{1,2}([^\W\d_])|([^\W\d_])\d{1,2}")
_EVERYDAY = re.compile("[ -~а-яё]*")
_RUSSIAN_WORD = re.compile("[а-я]+")
_UNSEEN = frozenset({"Mn", "Me", "Cf", "Cc", "Cn", "Co", "Cs"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# White letters on black, and flags, have no decomposition in Unicode; each row starts with A.
_LETTER_ROWS = (0x1F150, 0x1F170, 0x1F1E6)
_LETTERS_CACHED = 20_000
# One Arabic ligature stands for four words; nothing in Latin or Cyrillic letters is longer than this.
_LONGEST_FOLD = 4
_ODD_WORDS_CACHED = 4096


def _pairs(pairs: str) -> dict[int, str]:
    return str.maketrans({pair[0]: pair[1] for pair in pairs.split()})


def _looks_like(alphabet: str) -> dict[int, str]:
    """Read Unicode's look-alikes of one alphabet; scripts/confusables.py writes them."""
    lines = Path(__file__).with_name("confusables.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.startswith(alphabet)]
    return {ord(char): letter for _, letter, chars in rows for char in chars}


# What people really use comes last and overrides what Unicode considers closest (a turned m is not a w here).
_TO_LATIN = _looks_like("latin") | _pairs(
    "аa вb сc ԁd еe гr һh нh іi јj кk ӏ| мm оo рp ԛq ѕs тt уy ѵv ԝw хx иu яr ьb пn "
    "αa βb γy εe ηn ιi κk μu νv οo ρp τt υu χx ωw "
    "ıi łl øo đd ɑa ɡg ɩi ðd þp ᴀa ʙb ᴄc ᴅd ᴇe ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ᴛt ᴜu ᴠv ᴡw ʏy ᴢz "
    "ᗩa ᗷb ᑕc ᗪd ᗴe ᖴf ᘜg ᕼh ᓰi ᒍj ᒪl ᗰm ᑎn ᑭp ᑫq ᖇr ᔕs ᑌu ᐯv ᗯw ᙭x ᘔz ցg հh ոn օo զq սu տs ւl "
    "Ζz Ηh Θo Μm Νn Υy Ϝf Ϲc ϲc ͼc Ϻm ʘo ꙩo ⱺo ƿp ҏp ϥq ӿx ꝃk ꞁ| ꟾ| єe ᴨn "
    "⠁a ⠃b ⠉c ⠙d ⠑e ⠋f ⠛g ⠓h ⠊i ⠚j ⠅k ⠇l ⠍m ⠝n ⠕o ⠏p ⠟q ⠗r ⠎s ⠞t ⠥u ⠧v ⠺w ⠭x ⠽y ⠵z"
)
_TO_CYRILLIC = _looks_like("cyrillic") | _pairs(
    "aа bв cс eе hн kк mм nп oо pр rг tт uи xх yу iи іи єе αа βв εе κк νв οо ρр τт υи χх љл њн ћч ђд џц ѕс "
    "Γг Ζз Ηн Θо Μм Υу Ϲс ϲс ͼс Ϻм ʘо ꙩо ⱺо ƃб ƿр ҏр ӿх ԟк ҝк ҹч ɥч ɯш ꟺш ꙏъ ꜿэ ͽэ ŧт ⵍи"
)
# They look like other Latin and Russian letters than their small letters do, and captions are set in capitals.
_CAPITALS_OF_THEIR_OWN = frozenset("ΓΖΗΘΜΝΥϜϹϲϺ")
_LATIN_DIGITS = _pairs("0o 1i 2z 3e 4a 5s 6g 7t 8b 9g @a $s !i ¡i |i +t €e £l ¢c")
_CYRILLIC_DIGITS = _pairs("0о 1и 3з 4ч 6б @а $с")
# Half a word typed in the other alphabet stands for its sound.
_BY_SOUND = _pairs("aа bб cц dд eе fф gг hх iи jи kк lл mм nн oо pп qк rр sс tт uу vв wв xх yи zз")
# Latin leet, which Russian players write as well.
_CYRILLIC_LEET = _pairs("0о 1и 3е 4а 5с 6б 7т 8в @а $с")
# These stand for i or for l, so a word with one of them, or with a letter that is nothing but a bar, is read twice.
_AS_L = _pairs("1l !l |l")


class _FoldedLetters(dict[int, str]):
    """What each code point folds to, computed when it is first seen."""

    def __missing__(self, code: int) -> str:
        folded = _fold_letter(chr(code))
        if len(self) < _LETTERS_CACHED:
            self[code] = folded
        return folded


_folded_letters = _FoldedLetters()


@dataclass(slots=True)
class NormalizedWords:
    """The words of one text in order, by the alphabet they may be meant in, and the whole text, folded."""

    latin: list[str] = field(default_factory=list)
    cyrillic: list[str] = field(default_factory=list)
    folded: str = ""
    too_many: bool = False
    """Whether reading ended early, at more words than can be judged."""

    def pieces(self) -> list[str]:
        """Return everything between spaces, signs and letters of other scripts, including single letters."""
        return _PIECES.findall(self.folded if self.folded.isascii() else _OTHER_LETTERS.sub(" ", self.folded))


def fold(text: str) -> str:
    """Return text without case, marks, invisible characters and typographic variants of letters."""
    lower = text.lower()
    if lower.isascii():
        return lower
    if _EVERYDAY.fullmatch(lower):
        return lower.replace("ё", "е").replace("й", "и")
    return text.translate(_folded_letters)


def to_latin(folded: str) -> str:
    """Replace letters by the Latin letters they look like."""
    return folded if folded.isascii() else folded.translate(_TO_LATIN)


def to_cyrillic(folded: str) -> str:
    """Replace letters by the Cyrillic letters they look like."""
    return folded.translate(_TO_CYRILLIC)


def most_words(length: int) -> int:
    """Return how many different words, with all readings of the odd ones, are judged in a text of this length.

    A list of droids and highways has one for two characters, if it is short; prose has half as many.
    """
    return 60 + length // 3


def read(text: str) -> NormalizedWords:
    """Return the words of a text; letters typed one by one are joined again. Nothing is read after too many words."""
    words = NormalizedWords(folded=fold(text[:_LONGEST_READING]))
    different: set[str] = set()
    count, most = 0, most_words(len(text))
    for word in _joined(words.folded):
        before = len(words.latin) + len(words.cyrillic)
        _add(word, words)
        if word not in different:
            different.add(word)
            count += len(words.latin) + len(words.cyrillic) - before
            if count > most:
                words.too_many = True
                break
    return words


def _joined(folded: str) -> Iterator[str]:
    """Yield the words of a folded text, and what letters that were typed one by one spell."""
    letters = ""
    for chunk in folded.split():
        word = chunk if chunk.isalpha() else chunk.strip(_EDGES)
        if len(word) < 2:
            letters += word if word.isalnum() else ""
            continue
        if len(word) < 4 and (numbered := _NUMBERED.fullmatch(word)):
            letters += numbered[1] or numbered[2]
        else:
            if len(letters) > 2:
                yield letters
            letters = ""
        yield word
    if len(letters) > 2:
        yield letters


def _add(word: str, words: NormalizedWords) -> None:
    plain = word.rstrip("!")
    if plain.isalpha() and plain.isascii():
        words.latin.append(plain)
    elif _RUSSIAN_WORD.fullmatch(plain):
        words.cyrillic.append(plain)
    else:
        latin, cyrillic = _read_in_both(word)
        words.latin += latin
        words.cyrillic += cyrillic


@lru_cache(_ODD_WORDS_CACHED)  # "8k", "1980s" and the like recur
def _read_in_both(word: str) -> tuple[list[str], list[str]]:
    if word.isascii():
        return _readings(word, _LATIN_DIGITS), []
    latin, cyrillic = word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)
    in_latin = _readings(latin, _LATIN_DIGITS)
    in_cyrillic = _readings(cyrillic, _CYRILLIC_DIGITS) if _RUSSIAN_LETTER.search(cyrillic) else []
    if _LEET.search(cyrillic):
        in_cyrillic += _readings(cyrillic, _CYRILLIC_LEET)
    if _LATIN_LETTER.search(word) and _RUSSIAN_LETTER.search(word):
        in_cyrillic.append(_NO_LETTERS.sub("", word.translate(_BY_SOUND)))
        in_latin += [_NOT_LATIN.sub("", latin), *_NOT_LATIN.split(latin)]
        in_cyrillic += [_NOT_RUSSIAN.sub("", cyrillic), *_NOT_RUSSIAN.split(cyrillic)]
    for rest in _between_other_letters(word):
        more_latin, more_cyrillic = _read_in_both(rest)
        in_latin, in_cyrillic = in_latin + more_latin, in_cyrillic + more_cyrillic
    return _unique(in_latin), _unique(in_cyrillic)


def _unique(readings: list[str]) -> list[str]:
    return [reading for reading in dict.fromkeys(readings) if len(reading) > 1]


def _between_other_letters(word: str) -> list[str]:
    """Return what is left of a word without the letters of other scripts: what stands between them, and all joined.

    People read past such a letter, all the more where no font has it and a box stands in its place.
    """
    pieces = _OTHER_LETTERS.split(word)
    return [rest for rest in dict.fromkeys((*pieces, "".join(pieces))) if rest] if len(pieces) > 1 else []


def _readings(word: str, digits: Mapping[int, str]) -> list[str]:
    """Return a word as it may be meant: in pieces, and joined with digits and signs taken for letters."""
    if word.isalpha():
        return [word]
    pieces = _PIECES.findall(word)
    if _NO_LETTERS.fullmatch(word) and not _SIGNS_FOR_LETTERS.search(word):
        return pieces
    spellings = [*pieces, word] if len(pieces) > 1 else [word]
    readings = pieces + [_NO_LETTERS.sub("", spelling.translate(digits)) for spelling in spellings]
    if not _AS_L.keys().isdisjoint(map(ord, word)):
        readings += [_NO_LETTERS.sub("", spelling.translate(_AS_L).translate(digits)) for spelling in spellings]
    return [reading for reading in readings if len(reading) > 1]


def _fold_letter(letter: str) -> str:
    if letter.isspace():
        return " "
    for row in _LETTER_ROWS:
        if 0 <= ord(letter) - row < 26:
            return chr(ord("a") + ord(letter) - row)
    if 0x1F18E <= ord(letter) <= 0x1F19A:  # words in squares, like that of "cool"
        return name(letter).partition("SQUARED ")[2].split()[0].lower()
    parts = letter if letter in _CAPITALS_OF_THEIR_OWN else normalize("NFKD", letter)
    plain = "".join(part if part in _CAPITALS_OF_THEIR_OWN else normalize("NFKD", part.casefold()) for part in parts)
    seen = (char for char in plain if category(char) not in _UNSEEN and char not in _BLANK_LETTERS)
    return "".join(seen)[:_LONGEST_FOLD]
