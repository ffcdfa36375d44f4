"""Other readings of a text: what it says once an encoding, letters drawn with signs or a flipped page are undone.

Ordinary prompts contain none of the signs and cost one scan. No reading is much longer than the text it comes from.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from unicodedata import name
from urllib.parse import unquote

_SIGNS = re.compile(
    r"[&%\\|/()<>\[{^]|[^ -~а-яА-ЯёЁ]|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{2,}[0-9A-Z+/][A-Za-z0-9+/=]{4,}"
    r"|(?:[01.\-_]{1,8}[ /]+){3}|(?:[0-9a-f]{2}[ ,:]){3}|vv"
)


def _table(pairs: str) -> dict[str, str]:
    return {sign: letter for sign, _, letter in (pair.rpartition(":") for pair in pairs.split())}


_LATIN_DRAWINGS = _table(
    r"|\/|:m |v|:m /\/\:m (\/):m ^^:m |\|:n /\/:n \/\/:w vv:w \/:v /\:a /-\:a |-|:h ]-[:h }{:h (_):u |_|:u ():o []:o "
    r"|):d [):d |<:k |{:k |>:p |*:p |2:r |_:l |=:f ><:x _|:j |3:b (,):q !_:l"
)
_CYRILLIC_DRAWINGS = _table(
    r"|\/|:м /\/\:м }|{:ж >|<:ж |-|:н |/|:и /\:л ():о []:о |<:к |_|:ц |*:р |>:р ><:х bl:ы "
    r"b|:ы |-o:ю |o:ю 9l:я i/i:и o|:ф"
)
_MORSE = _table(
    ".-:a -...:b -.-.:c -..:d .:e ..-.:f --.:g ....:h ..:i .---:j -.-:k .-..:l --:m -.:n ---:o .--.:p --.-:q .-.:r "
    "...:s -:t ..-:u ...-:v .--:w -..-:x -.--:y --..:z"
)
_CYRILLIC_MORSE = _table(
    ".-:а -...:б .--:в --.:г -..:д .:е ...-:ж --..:з ..:и .---:й -.-:к .-..:л --:м -.:н ---:о .--.:п .-.:р ...:с -:т "
    "..-:у ..-.:ф ....:х -.-.:ц ---.:ч ----:ш --.-:щ -..-:ь -.--:ы ..-..:э ..--:ю .-.-:я"
)
# Unicode's names of the combining letters of Old Church Slavonic.
_CHURCH_LETTERS = _table(
    "BE:б VE:в GHE:г DE:д ZHE:ж ZE:з KA:к EL:л EM:м EN:н O:о PE:п ER:р ES:с TE:т HA:х TSE:ц CHE:ч SHA:ш SHCHA:щ A:а "
    "IE:е I:и U:у DERV:д YAT:е YU:ю YUS:я"
)
_SPELLING_WORDS = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey xray x-ray yankee zulu "
    "анна борис василий григорий дмитрий елена женя зинаида иван константин леонид михаил николай ольга павел роман "
    "семен татьяна ульяна федор харитон цапля человек шура щука эхо юрий яков"
)
_INITIALS = {word: word[0] for word in _SPELLING_WORDS.split()}
_FLIPPED_LATIN = str.maketrans("ɐqɔpǝɟƃɓɥᴉıɾʞןlɯuodbɹsʇnʌʍxʎz∀ƎℲ⅁ſ˥WԀ┴∩Λ⅄", "abcdefgghiijkllmnopqrstuvwxyzaefgjlmptuvy")
_FLIPPED_CYRILLIC = str.maketrans("ɐƍʚɹɓǝжεиʞvʟwноuɯdɔɯʎфхцҺmqıєʁ", "абвгдежзиклтмнопшрстуфхцчшьыэя")
_FLIPPED = re.compile("[ɐɔǝɟƃɥᴉɾʞןɯɹʇʌʍʎƍʚɓʟʁ]")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,40}>|<!--.{0,40}?-->")
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([0-7]{3})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2}[ ,:]?){4,}")
_BITS = re.compile(r"(?:[01]{8}[ ,]?){3,}")
_RAISED = re.compile("[\u0363-\u036f\u2de0-\u2dff\U000e0020-\U000e007e]")
_SEPARATOR = re.compile(r"0x|[ ,:]")


def has_signs(text: str) -> bool:
    """Tell whether a text may have other readings."""
    return _SIGNS.search(text) is not None or _spelling_alphabet(text) != ""


def other_readings(text: str) -> Iterator[str]:
    """Yield what else a text may say; nothing for ordinary prompts."""
    readings = (decode(text) for decode in _DECODERS)
    yield from (reading for reading in readings if reading and reading != text)


def _without_escapes(text: str) -> str:
    """Undo entities, percent signs and backslash escapes, twice at most: no model reads more levels either."""
    for _ in range(2):
        text = _ESCAPE.sub(_unescape, unquote(html.unescape(text)))
    return text


def _unescape(match: re.Match[str]) -> str:
    code = int(match[4], 8) if match[4] else int(match[1] or match[2] or match[3], 16)
    return chr(code) if code < 0x110000 else ""


def _without_tags(text: str) -> str:
    return _TAGS.sub("", text)


def _decoder_of_drawings(drawings: dict[str, str]) -> Callable[[str], str]:
    longest_first = sorted(drawings, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def decode(text: str) -> str:
        return pattern.sub(lambda match: drawings[match[0].lower()], text)

    return decode


def _decoder_of_flipped(table: dict[int, int]) -> Callable[[str], str]:
    """Turn the words upside down that have a turned letter, or none but letters that are others when turned."""
    turns = re.compile(f"(?:[{''.join(map(chr, table))}]|[\\W\\d_])+")

    def turned(word: str) -> str:
        return word.translate(table)[::-1] if _FLIPPED.search(word) or turns.fullmatch(word) else word

    def decode(text: str) -> str:
        return " ".join(map(turned, reversed(text.lower().split()))) if _FLIPPED.search(text) else ""

    return decode


def _packed_words(text: str) -> str:
    """Return the printable words in base64, hexadecimal or binary numbers."""
    words = [_from_base64(match[0]) for match in _BASE64.finditer(text)]
    words += [_printable(bytes.fromhex(_SEPARATOR.sub("", match[0]))) for match in _HEX.finditer(text)]
    for match in _BITS.finditer(text):
        bits = _SEPARATOR.sub("", match[0])
        words.append(_printable(bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))))
    return " ".join(filter(None, words))


def _from_base64(piece: str) -> str:
    piece = piece.rstrip("=").translate({45: 43, 95: 47})
    try:
        return _printable(base64.b64decode(piece + "=" * (-len(piece) % 4)))
    except binascii.Error:
        return ""


def _printable(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _decoder_of_morse(table: dict[str, str]) -> Callable[[str], str]:
    def decode(text: str) -> str:
        codes = text.replace("_", "-").replace("/", " ").split()
        letters = "".join(table.get(code, " ") for code in codes)
        return letters if len(letters.replace(" ", "")) > 2 else ""

    return decode


def _raised_letters(text: str) -> str:
    """Read combining letters above others, and invisible tag characters, as letters."""
    return _RAISED.sub(_lowered, text)


def _lowered(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code >= 0xE0020:
        return chr(code - 0xE0000)
    return _letter_named(name(match[0], "").rpartition(" ")[2], cyrillic=code >= 0x2DE0)


def _letter_named(word: str, cyrillic: bool) -> str:
    return _CHURCH_LETTERS.get(word, "") if cyrillic else word.lower()[:1]


def _spelling_alphabet(text: str) -> str:
    """Join the initials of a spelling alphabet if at least four of its words follow one another."""
    words = (word.strip(".,;:-!") for word in text.lower().replace("ё", "е").split())
    letters = [_INITIALS.get(word, word if len(word) == 1 else " ") for word in words]
    runs = [run for run in "".join(letters).split() if len(run) > 3]
    return " ".join(runs)


_DECODERS: tuple[Callable[[str], str], ...] = (
    _without_escapes,
    _without_tags,
    _decoder_of_drawings(_LATIN_DRAWINGS),
    _decoder_of_drawings(_CYRILLIC_DRAWINGS),
    _decoder_of_flipped(_FLIPPED_LATIN),
    _decoder_of_flipped(_FLIPPED_CYRILLIC),
    _packed_words,
    _decoder_of_morse(_MORSE),
    _decoder_of_morse(_CYRILLIC_MORSE),
    _raised_letters,
    _spelling_alphabet,
)
