"""Other ways to spell a word: by ear, in the other alphabet, on the other keyboard layout, with letters left out.

Every function takes a folded word of one alphabet. What two spellings of one word have in common is compared.
"""

from __future__ import annotations

import re
from itertools import pairwise

SHORTEST = 5
"""Letters a term needs to be looked for in disguise; a shorter one is too often part of something else."""

_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_LATIN_KEYS = str.maketrans(_CYRILLIC_KEYS + "и", _LATIN_KEYS + "b")
_TO_CYRILLIC_KEYS = str.maketrans(_LATIN_KEYS, _CYRILLIC_KEYS)
_TRANSLITERATIONS = (
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziyklmnoprstufhyec", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdezijklmnoprstufxyec", "", ""], strict=True))
    | {"ж": "j", "ч": "4", "ш": "w", "щ": "shh", "ю": "ju", "я": "ja"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziiklmnoprstuf", "kh", "y", "e", "ts", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia"},
)
_LETTER_PAIRS = (
    ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("ph", "ф"), ("ck", "к"), ("ya", "я"), ("yu", "ю"), ("th", "т"),
)  # fmt: skip
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдефгхижклмнопкрстуввхиз")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("(?<=[aeiou])h", ""), ("ph", "f"), ("ck|c(?![eiyh])|q", "k"), ("c(?=[eiy])|z", "s"), ("x", "ks"),
        ("ee|ea|y|ie", "i"), ("oo|ou|w", "u"), ("ai|ay|ei|ey", "e"), ("gh", "g"), ("kh", "h"), ("э", "е"),
        ("сч|шч|щ", "ш"), ("тс|дс", "ц"), ("[ьъ]", ""), ("ы", "и"), ("о(?!$)", "а"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_SOUNDS_IN_LATIN = (("shch", "ш"), ("sch", "ш"), ("shh", "ш"), ("sh", "ш"), ("zh", "ж"), ("ch", "ч"), ("kh", "х"))
_ONE_SOUND = str.maketrans(
    dict(zip("abcdefghijklmnopqrstuvwxyz46", "абцдефгхииклмнопкрстуввхизчш", strict=True))
    | {"ц": "тс", "c": "тс", "я": "иа", "ю": "иу", "щ": "ш", "ы": "и", "э": "е", "ь": "", "ъ": ""}
)
_SOFT_BEFORE_VOWEL = re.compile("ь(?=[аеиоуюя])")
_BABY_TALK = str.maketrans("rl", "ww")
_VOWELS = re.compile("[aeiouyаеиоуыэюя]")


def transliterations(core: str) -> set[str]:
    """Return a word in the other alphabet, in each way people write it; only what is long enough to look for."""
    if core.isascii():
        written = {_in_cyrillic(core)}
    else:
        written = {"".join(table.get(char, char) for char in core) for table in _TRANSLITERATIONS}
    return {word for word in written if len(word) >= SHORTEST and word != core}


def on_other_layout(core: str) -> tuple[str, str]:
    """Return what the same keys type on the other keyboard layout, folded, and the letters of it alone."""
    typed = core.translate(_TO_CYRILLIC_KEYS if core.isascii() else _TO_LATIN_KEYS)
    # Keys that are punctuation on the other layout are lost when words are read, hence the letters alone.
    return typed.replace("й", "и").replace("ё", "е"), "".join(char for char in typed if char.isalpha())


def russian_by_ear(word: str) -> str:
    """Return one spelling for a Russian word, however its author writes the sounds, in either alphabet."""
    for letters, sound in _SOUNDS_IN_LATIN:
        word = word.replace(letters, sound)
    return word.translate(_ONE_SOUND)


def soften(core: str) -> str:
    """Replace a soft sign before a vowel, which is heard, by the vowel that it is written as in Latin letters."""
    return _SOFT_BEFORE_VOWEL.sub("и", core)


def phonetic(word: str) -> str:
    """Return one spelling for all words that sound alike in the alphabet they are written in."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def baby_talk(word: str) -> str:
    """Return a word with w for r and l."""
    return word.translate(_BABY_TALK)


def letter_steps(word: str) -> str:
    """Return the distances between neighbouring letters: the same for every shift of the alphabet."""
    first_letter, size = (97, 26) if word.isascii() else (1072, 32)
    codes = [ord(char) - first_letter for char in word]
    return f"{first_letter}:" + "".join(chr(48 + (later - earlier) % size) for earlier, later in pairwise(codes))


def without_vowels(word: str) -> tuple[str, str]:
    """Return a word without its vowels, with y taken for a vowel and for a consonant."""
    return _VOWELS.sub("", word), _VOWELS.sub("", word.replace("y", "\0")).replace("\0", "y")


def one_letter_out(word: str) -> list[str]:
    """Return a word with each of its letters left out in turn."""
    return [word[:index] + word[index + 1 :] for index in range(len(word))]


def is_one_slip_apart(first: str, second: str) -> bool:
    """Tell whether one letter more, less or changed, or two neighbours swapped, turn one word into the other."""
    if len(first) == len(second):
        differing = [index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        if len(differing) == 2:
            left, right = differing
            return right == left + 1 and first[left] == second[right] and first[right] == second[left]
        return len(differing) == 1
    longer, shorter = (first, second) if len(first) > len(second) else (second, first)
    return len(longer) == len(shorter) + 1 and shorter in one_letter_out(longer)


def _in_cyrillic(core: str) -> str:
    for pair, letter in _LETTER_PAIRS:
        core = core.replace(pair, letter)
    return core.translate(_LETTERS)
