"""Disguises by an author who had seen neither the text filter nor bench/disguises.py.

Each takes one lower-case word and returns what a viewer might type instead. ``EITHER`` fits both scripts, ``LATIN``
and ``CYRILLIC`` fit one. The author had read which kinds of disguise people use, and chose others or combined two.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

Disguise = Callable[[str], str]


def _swapped(pairs: str) -> Disguise:
    """Replace letters: "a4 o0" turns a into 4 and o into 0; the replacement may be several letters."""
    table = str.maketrans({pair[0]: pair[1:] for pair in pairs.split()})
    return lambda word: word.translate(table)


def _joined(between: str) -> Disguise:
    return between.join


def _chunks(size: int, between: str) -> Disguise:
    return lambda word: between.join(word[at : at + size] for at in range(0, len(word), size))


def _both(first: Disguise, second: Disguise) -> Disguise:
    return lambda word: second(first(word))


def _shifted(letter: str, start: str, code: int) -> str:
    """Move a letter a-z into a row of 26 code points that starts at ``code``."""
    return chr(code + ord(letter) - ord(start)) if "a" <= letter <= "z" else letter


def _alternately(first: Disguise, second: Disguise) -> Disguise:
    return lambda word: "".join(change(letter) for letter, change in zip(word, cycle((first, second)), strict=False))


def _doubled(word: str) -> str:
    return "".join(letter * 2 for letter in word)


def _inner(word: str, put: str) -> str:
    middle = len(word) // 2
    return word[:middle] + put + word[middle:]


def _jumbled(word: str) -> str:
    """Swap two neighbouring letters in the middle, which a reader hardly notices."""
    at = len(word) // 2 - 1
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


_LEET = _swapped("a4 e3 i1 o0 s5 t7 а4 о0 з3 е3 ч4 б6")
_NUMBERS = {letter: str(at) for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 1)}
_BRAILLE = dict(zip("abcdefghijklmnopqrstuvwxyz", "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", strict=True))
_TO_CYRILLIC = _swapped("aа eе oо pр cс xх yу kк")
_TO_LATIN = _swapped("аa еe оo рp сc хx уy кk")
_VOWELS = "aeiouyаеёиоуыэюя"

EITHER: dict[str, Disguise] = {
    "pairs of letters": _chunks(2, " "),
    "threes with a full stop and a space": _chunks(3, ". "),
    "every second letter in brackets": _alternately(lambda letter: letter, lambda letter: f"({letter})"),
    "square brackets round each letter": lambda word: "".join(f"[{letter}]" for letter in word),
    "every second letter large, dots between": _both(_alternately(str.upper, str.lower), _joined(".")),
    "letters doubled, hyphens between": lambda word: "-".join(letter * 2 for letter in word),
    "letters doubled": _doubled,
    "all letters stretched by different lengths": lambda word: "".join(
        letter * (1 + at % 3) for at, letter in enumerate(word)
    ),
    "first letter apart": lambda word: f"{word[0]} {word[1:]}",
    "last letter apart": lambda word: f"{word[:-1]} {word[-1]}",
    "comma list": _joined(", "),
    "plus signs": _joined(" + "),
    "pipes": _joined("|"),
    "tildes and spaces": _joined(" ~ "),
    "arrows": _joined("→"),
    "two different emoji between": _joined("🔥💀"),
    "numbered letters": lambda word: " ".join(f"{at}{letter}" for at, letter in enumerate(word, 1)),
    "one letter on each line": _joined("\n"),
    "hashtag with a year": lambda word: f"#{word}2026",
    "camel-case hashtag": lambda word: f"#Best{word.capitalize()}Ever",
    "gamer name": lambda word: f"xX_{word}_Xx",
    "gamer name in leet": lambda word: f"xX{_LEET(word).upper()}Xx",
    "name with digits": lambda word: f"{word.capitalize()}1337",
    "mention": lambda word: f"@{word}_official",
    "web address": lambda word: f"www.{word}.com/{word}.png",
    "file name": lambda word: f"{word}_final(2).jpg",
    "said twice without a space": lambda word: word * 2,
    "padded with x": lambda word: f"xxx{word}xxx",
    "the whole sentence without spaces": lambda word: f"drawabig{word}onabeach",
    "apostrophe inside": lambda word: _inner(word, "'"),
    "quotes inside": lambda word: _inner(word, '"'),
    "bold markdown": lambda word: f"**{word[0]}**{word[1:]}",
    "struck-out markdown": lambda word: _inner(word, "~~~~"),
    "a tag inside": lambda word: _inner(word, "<b></b>"),
    "a comment inside": lambda word: _inner(word, "<!-- x -->"),
    "first letter a blank": lambda word: "_" + word[1:],
    "vowels as bullets": lambda word: "".join("•" if letter in _VOWELS else letter for letter in word),
    "vowels as x": lambda word: "".join("x" if letter in _VOWELS else letter for letter in word),
    "middle letters swapped": _jumbled,
    "reversed with spaces": lambda word: " ".join(reversed(word)),
    "reversed in leet": lambda word: _LEET(word)[::-1],
    "leet with spaces": _both(_LEET, _joined(" ")),
    "leet, stretched": _both(_LEET, _doubled),
    "zero-width spaces in leet": _both(_LEET, _joined("\u200b")),
    "Braille blanks, large": _both(str.upper, _joined("\u2800")),
    "soft hyphens, doubled": _both(_doubled, _joined("\u00ad")),
    "dots under and above": _joined("\u0323\u0307"),
    "a ring round each letter": lambda word: "".join(letter + "\u20dd" for letter in word),
    "keycaps": lambda word: "".join(letter + "\ufe0f\u20e3" for letter in word),
    "spelt out with dashes and a hint": lambda word: f"the word {'-'.join(word)} without dashes",
    "escape sequences": lambda word: "".join(f"\\u{ord(letter):04x}" for letter in word),
}
LATIN: dict[str, Disguise] = {
    "Cyrillic letters and spaces": _both(_TO_CYRILLIC, _joined(" ")),
    "large with Cyrillic letters": lambda word: _TO_CYRILLIC(word).upper(),
    "Cyrillic letters, reversed": lambda word: _TO_CYRILLIC(word)[::-1],
    "full width with dots": lambda word: ".".join(_shifted(letter, "a", 0xFF41) for letter in word),
    "bold letters in leet": lambda word: "".join(_shifted(letter, "a", 0x1D41A) for letter in _LEET(word)),
    "script and bold in turn": _alternately(
        lambda letter: _shifted(letter, "a", 0x1D4EA), lambda letter: _shifted(letter, "a", 0x1D5EE)
    ),
    "circled, hyphens between": lambda word: "-".join(_shifted(letter, "a", 0x24D0) for letter in word),
    "syllabics and Armenian": _swapped("aᗩ bᗷ cᑕ dᗪ eᗴ hн iі lᒪ nո oօ pᑭ rᖇ sѕ tτ uս vᐯ wᗯ"),
    "currency signs": _swapped("a@ c¢ e€ l£ y¥ s$ i! o¤"),
    "letters of the north": _swapped("aå eë iï oø uü sš nñ cč zž dð"),
    "Vietnamese accents": _swapped("aậ eể iị oộ uử yỹ dđ"),
    "Greek": _swapped("aα eε iι oο uυ pρ tτ nη kκ vν xχ"),
    "ph, kk and z": _swapped("fph ckk sz"),
    "h after each vowel": _swapped("aah eeh iih ooh uuh"),
    "cute speech": _swapped("rw lw"),
    "plural with z": lambda word: f"{word}z",
    "-ish": lambda word: f"{word}ish",
    "-ing, g dropped": lambda word: f"{word}in'",
    "numbers of the letters": lambda word: "-".join(_NUMBERS.get(letter, letter) for letter in word),
    "Braille": _swapped(" ".join(f"{letter}{cell}" for letter, cell in _BRAILLE.items())),
    "next letter of the alphabet": lambda word: "".join(chr((ord(letter) - 96) % 26 + 97) for letter in word),
}
CYRILLIC: dict[str, Disguise] = {
    "Latin letters and spaces": _both(_TO_LATIN, _joined(" ")),
    "large with Latin letters": lambda word: _TO_LATIN(word).upper(),
    "Latin letters, hyphens, doubled": _both(_both(_TO_LATIN, _doubled), _joined("-")),
    "digits and Latin for letters": _swapped("чч4 б6 з3 о0 яr иu пn тm вB гr".replace("чч4", "ч4")),
    "typed like a licence plate": _both(_swapped("аA вB еE кK мM нH оO рP сC тT уY хX"), _joined(" ")),
    "old spelling": lambda word: f"{word}ъ",
    "little one": lambda word: f"{word}чик",
    "mega-": lambda word: f"мега{word}",
    "in the plural": lambda word: f"{word.rstrip('аяоеыиьй')}ами",
    "as it sounds": _swapped("оа яйа ёйо щш чч"),
    "Ukrainian letters": _swapped("иі еє ыи"),
    "Serbian and Macedonian letters": _swapped("лљ нњ кќ гѓ јj"),
    "asterisk after each vowel": lambda word: "".join(f"{one}*" if one in _VOWELS else one for one in word),
    "Georgian o and Greek": _swapped("оօ аα рρ тτ кκ еε пπ фφ лλ гг"),
    "in Latin letters with digits": _swapped(
        "аa бb вv гg дd еe ж}|{ зz иi йj кk лl мm нn оo пp рr сs тt уu фf хh ч4 ш6 ы6I"
    ),
    "Latin letters with accents": _swapped("аá еë оô рp сç уý хx иï"),
    "half in Latin letters": lambda word: (
        _swapped("аa бb вv гg дd еe зz иi кk лl мm нn оo пp рr сs тt уu фf хh")(word[: len(word) // 2])
        + word[len(word) // 2 :]
    ),
}
