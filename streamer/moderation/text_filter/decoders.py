"""Further readings of a whole text: what it says once an encoding, a drawing of letters or a flipped page is undone.

Ordinary prompts have none of the signs and cost one scan. Every reading is bounded by the text it comes from.
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
    r"[&%\\|/()<>\[{^]|[^ -~а-яА-ЯёЁ]|[A-Za-z0-9+/]{2,}[0-9A-Z+/][A-Za-z0-9+/=]{4,}"
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
# The names Unicode gives to the letters of old church writing that stand above others.
_SOUNDS = _table(
    "BE:б VE:в GHE:г DE:д ZHE:ж ZE:з KA:к EL:л EM:м EN:н O:о PE:п ER:р ES:с TE:т HA:х TSE:ц CHE:ч SHA:ш SHCHA:щ A:а "
    "IE:е I:и U:у DERV:д YAT:е YU:ю YUS:я"
)
_SPELLED = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey xray x-ray yankee zulu "
    "анна борис василий григорий дмитрий елена женя зинаида иван константин леонид михаил николай ольга павел роман "
    "семен татьяна ульяна федор харитон цапля человек шура щука эхо юрий яков"
)
_INITIALS = {word: word[0] for word in _SPELLED.split()}
_FLIPPED_LATIN = str.maketrans("ɐqɔpǝɟƃɓɥᴉıɾʞןlɯuodbɹsʇnʌʍxʎz∀ƎℲ⅁ſ˥WԀ┴∩Λ⅄", "abcdefgghiijkllmnopqrstuvwxyzaefgjlmptuvy")
_FLIPPED_CYRILLIC = str.maketrans("ɐƍʚɹɓǝжεиʞvʟwноuɯdɔɯʎфхцҺmqıєʁ", "абвгдежзиклтмнопшрстуфхцчшьыэя")
_FLIPPED = re.compile("[ɐɔǝɟƃɥᴉɾʞןɯɹʇʌʍʎƍʚɓʟʁ]")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,40}>|<!--.{0,40}?-->")
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([0-7]{3})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2}[ ,:]?){4,}")
_BITS = re.compile(r"(?:[01]{8}[ ,]?){3,}")
_PIECE_OF_ESCAPE = re.compile(r"0x|[ ,:]")


def has_signs(text: str) -> bool:
    """Tell whether there may be other readings."""
    return _SIGNS.search(text) is not None or _spelled(text) != ""


def others(text: str) -> Iterator[str]:
    """Yield what else a text may say; nothing for ordinary prompts."""
    readings = (read(text) for read in _READINGS)
    yield from (reading for reading in readings if reading and reading != text)


def _decoded(text: str) -> str:
    """Undo entities, percent signs and backslash escapes, twice at most: what goes further no model reads either."""
    for _ in range(2):
        text = _ESCAPE.sub(_escaped, unquote(html.unescape(text)))
    return text


def _escaped(found: re.Match[str]) -> str:
    code = int(found[4], 8) if found[4] else int(found[1] or found[2] or found[3], 16)
    return chr(code) if code < 0x110000 else ""


def _without_tags(text: str) -> str:
    return _TAGS.sub("", text)


def _drawn(drawings: dict[str, str]) -> Callable[[str], str]:
    pattern = re.compile("|".join(re.escape(one) for one in sorted(drawings, key=len, reverse=True)), re.IGNORECASE)

    def read(text: str) -> str:
        return pattern.sub(lambda found: drawings[found[0].lower()], text)

    return read


def _flipped(table: dict[int, int]) -> Callable[[str], str]:
    def read(text: str) -> str:
        return text.lower().translate(table)[::-1] if _FLIPPED.search(text) else ""

    return read


def _unpacked(text: str) -> str:
    """Return the printable words that base64, hexadecimal or binary numbers hold."""
    held = [_as_base64(found[0]) for found in _BASE64.finditer(text)]
    held += [_printable(bytes.fromhex(_PIECE_OF_ESCAPE.sub("", found[0]))) for found in _HEX.finditer(text)]
    for found in _BITS.finditer(text):
        bits = _PIECE_OF_ESCAPE.sub("", found[0])
        held.append(_printable(bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))))
    return " ".join(filter(None, held))


def _as_base64(piece: str) -> str:
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


def _tapped(table: dict[str, str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        codes = text.replace("_", "-").replace("/", " ").split()
        letters = "".join(table.get(code, " ") for code in codes)
        return letters if len(letters.replace(" ", "")) > 2 else ""

    return read


def _raised(text: str) -> str:
    """Read letters that stand above others, and letters in tags that nobody sees, as letters."""
    return "".join(map(_raised_letter, text)) if not text.isascii() else ""


def _raised_letter(char: str) -> str:
    code = ord(char)
    if 0xE0020 <= code <= 0xE007E:
        return chr(code - 0xE0000)
    if 0x0363 <= code <= 0x036F or 0x2DE0 <= code <= 0x2DFF:
        return _letter_named(name(char, "").rpartition(" ")[2], cyrillic=code >= 0x2DE0)
    return char


def _letter_named(word: str, cyrillic: bool) -> str:
    return _SOUNDS.get(word, "") if cyrillic else word.lower()[:1]


def _spelled(text: str) -> str:
    """Join the initials of a spelling alphabet, when at least four of its words follow one another."""
    words = (word.strip(".,;:-!") for word in text.lower().replace("ё", "е").split())
    letters = [_INITIALS.get(word, word if len(word) == 1 else " ") for word in words]
    runs = [run for run in "".join(letters).split() if len(run) > 3]
    return " ".join(runs)


_READINGS: tuple[Callable[[str], str], ...] = (
    _decoded,
    _without_tags,
    _drawn(_LATIN_DRAWINGS),
    _drawn(_CYRILLIC_DRAWINGS),
    _flipped(_FLIPPED_LATIN),
    _flipped(_FLIPPED_CYRILLIC),
    _unpacked,
    _tapped(_MORSE),
    _tapped(_CYRILLIC_MORSE),
    _raised,
    _spelled,
)
