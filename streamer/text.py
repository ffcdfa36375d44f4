"""Makes typed text safe to parse, show and draw: without invisible characters, in single spaces, never too long.

Pure functions that every command passes through, in time proportional to the text; plain ASCII takes a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import bidirectional, category, combining, decimal, is_normalized, normalize

from wcwidth import grapheme_boundary_before

LONGEST = 1200
"""Code points read. Chat platforms send 500 at most, and the text filter refuses more than 1000: a cut text stays too
long and is refused."""

_LONGEST_GRAPHEME = 64
_ZWNJ, _ZWJ, _VS16 = "\u200c", "\u200d", "\ufe0f"
_EMOJI_STYLES = "\ufe0e\ufe0f"
_FSI, _PDI = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_CANCEL_TAG = "\U000e007f"
_REGIONS = "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + _CANCEL_TAG for region in ("gbeng", "gbsct", "gbwls")
)
# Behind an emoji: its style, or what turns the black flag into that of England, Scotland or Wales.
_AFTER_EMOJI = re.compile(f"[{_EMOJI_STYLES}]|(?<=\U0001f3f4)(?:{_REGIONS})")
_KEYCAP = re.compile(f"[0-9#*]{_VS16}(?=\u20e3)")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})

# Invisible although their category is letter, mark or symbol, so a filter on categories misses them.
# Chat clients append U+034F to repeat a message (Chatterino/chatterino2#6417); it was U+E0000 before.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff]")
# Visible although their category is "format": signs that Arabic and other scripts write around numbers.
_VISIBLE_FORMAT = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Emoji reach phones years before Python's tables: Unicode keeps these blocks for them.
_EMOJI_BLOCKS = re.compile("[\U0001f000-\U0001faff]")
# Emoji whose category is punctuation or mathematics, and the skin tones.
_PICTOGRAPHS = frozenset("‼⁉↔〰〽◻◼◽◾⤴⤵\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]")
# Scripts that need joiners to be spelled: Arabic and its relatives, Mongolian, those of India and its neighbours.
_JOINED_SCRIPTS = re.compile(
    "[\u0620-\u06ff\u0710-\u07ff\u0840-\u0dff\u0f00-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\ua8ff\ua930-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010d00-\U00010d3f\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
# Mongolian letters and ideographs, which have variants.
_VARYING = re.compile("[\u1820-\u18aa㐀-鿿\U00020000-\U0003ffff]")
_MONGOLIAN_VARIANTS = "\u180b\u180c\u180d\u180e\u180f"
# Marks that people pile up on letters of any script; every other mark belongs to one script.
_PILED_UP = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ua66f-\ua69f\ufe20-\ufe2f]"
)
_GREEK = re.compile("[\u0370-\u03ff]")
_PILED_MARKS, _PILED_MARKS_IN_GREEK, _OWN_MARKS = 2, 3, 5

# Nearly all text that is not ASCII: everyday Latin, Cyrillic, Japanese, Chinese and Korean letters without marks.
_EVERYDAY = re.compile("[ -~À-ÖØ-öø-ſЀ-ҁ、。ぁ-ゖァ-ヺー一-龥가-힣]*")


# What cleaning does with a code point: drop it, keep it, or decide by the letter before it.
_UNSEEN, _BASE, _EMOJI, _SPACING_MARK, _PILED_MARK, _OWN_MARK, _JOINER, _VARIANT, _STYLE, _TAG = "ubespmjvyt"
_BASES, _NEVER_ALONE = _BASE + _EMOJI, _UNSEEN + _JOINER + _VARIANT + _STYLE + _TAG
# A letter or an emoji with all that follows it, unless that is a mark or two.
_CLUSTER = re.compile("(?:^|[be])(?![pms]{1,2}(?:[be]|$))[^be]+")
# The rest of a pile is dropped before it is sorted, which takes time in proportion to the square of its height.
_TALLEST_PILE = 32
_PILE = re.compile(f"[pm]{{{_TALLEST_PILE},}}")


class _Kinds(dict[int, str]):
    """The kind of each code point, looked up in Unicode's tables when it is first seen."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind_of(chr(code))
        return kind


_kinds = _Kinds()


def clean(text: str) -> str:
    """Return NFC text without invisible characters, with few marks on a letter and single spaces.

    Cleaning it again changes nothing. Of a text longer than ``LONGEST`` the beginning is kept, up to a whole grapheme.
    """
    text = " ".join(_cut(text, LONGEST).split())
    if text.isascii() and text.isprintable():
        return text
    if _EVERYDAY.fullmatch(text) and is_normalized("NFC", text):
        return text
    composed = normalize("NFC", "".join(_without_strays(normalize("NFD", _without_unseen(text)))))
    kept = _cut(" ".join(composed.split()), LONGEST).rstrip()
    return kept.rstrip(_ZWJ) if not _JOINED_SCRIPTS.match(kept[-2:-1]) else kept


def match_form(text: str) -> str:
    """Return what the spellings of one cleaned word have in common: capitals, widths and styles do not matter.

    For comparing only: marks that tell words apart stay, and whatever is invisible goes.
    """
    if text.isascii():
        return text.casefold()
    seen = "".join(char for char in text if _kinds[ord(char)] not in _NEVER_ALONE)
    # A ligature can unfold into eighteen letters, and the dotted capital I of Turkish into two.
    folded = normalize("NFKC", seen)[:LONGEST].casefold().replace("i\u0307", "i")
    return normalize("NFKC", folded)


# Nobody writes Georgian in the capitals that Unicode has for its titles, and hardly a font has them.
_GEORGIAN = {code: code - 0x1C90 + 0x10D0 for code in range(0x1C90, 0x1CC0)}


def capitals(text: str) -> str:
    """Return a text in capitals, as captions are set."""
    return normalize("NFC", text.upper().translate(_GEORGIAN))


def excerpt(text: str, length: int) -> str:
    """Return a text, or as many of its first words as fit into this many code points, with an ellipsis.

    A first word that is longer itself is cut between two graphemes. So whoever shows excerpts judges them as well.
    """
    if len(text) <= length:
        return text
    words = text[:length].rpartition(" ")[0] or _cut(text, length - 1)
    return words.rstrip(" ,;:.|-") + "…"


def ascii_forms(text: str) -> Iterator[str]:
    """Yield for each character the ASCII that it is a form of, in another width or style; else the character itself.

    A form has at most four characters. Browsers read the full stop of Chinese and Japanese in an address as a dot;
    people read the digits of every script.
    """
    return map(_ascii_forms.__getitem__, text)


def is_follower(char: str) -> bool:
    """Tell whether a character only belongs to the letter before it: a mark, a joiner, or what chooses its style."""
    return _kinds[ord(char)] not in _BASES


class _AsciiForms(dict[str, str]):
    def __missing__(self, char: str) -> str:
        form = normalize("NFKC", char)
        form = "." if form == "。" else str(decimal(char, form))
        self[char] = form if form.isascii() and form.isprintable() else char
        return self[char]


_ascii_forms = _AsciiForms()


def _cut(text: str, length: int) -> str:
    """Return the graphemes at the start of a text that fit into this many code points."""
    if len(text) <= length:
        return text
    end = grapheme_boundary_before(text[: length + _LONGEST_GRAPHEME], length + 1)
    return text[: end if end > length - _LONGEST_GRAPHEME else length]


def _without_unseen(text: str) -> str:
    kinds = text.translate(_kinds)
    if _UNSEEN in kinds:
        text = "".join(char for char, kind in zip(text, kinds, strict=True) if kind != _UNSEEN)
        kinds = kinds.replace(_UNSEEN, "")
    kept, end = [], 0
    for pile in _PILE.finditer(kinds):
        kept.append(text[end : pile.start() + _TALLEST_PILE])
        end = pile.end()
    return "".join((*kept, text[end:]))


def _without_strays(decomposed: str) -> Iterator[str]:
    """Yield the text without joiners that join nothing, and without piles of marks."""
    kinds, end = decomposed.translate(_kinds), 0
    for match in _CLUSTER.finditer(kinds):
        yield decomposed[end : match.start()]
        end = match.end()
        yield _tidy(decomposed[match.start() : end], match[0], emoji_follows=kinds[end : end + 1] == _EMOJI)
    yield decomposed[end:]


def _tidy(cluster: str, kinds: str, *, emoji_follows: bool) -> str:
    """Return a letter or an emoji with the followers that belong to it.

    What is kept depends on the letter and on how many of a kind it has, never on what else is dropped. So one pass is
    enough.
    """
    base, start = "", 0
    if kinds[0] in _BASES:
        head = _AFTER_EMOJI.match(cluster, 1) if kinds[0] == _EMOJI else _KEYCAP.match(cluster)
        base, start = cluster[0], head.end() if head else 1
    room, kept = dict(_room[base]), cluster[:start]
    for char, kind in zip(cluster[start:], kinds[start:], strict=True):
        room[kind] -= 1
        if room[kind] >= 0:
            kept += char
    joins = emoji_follows and len(kept) == start and kinds[0] == _EMOJI and cluster[-1] == _ZWJ
    return kept + _ZWJ if joins else kept


class _Room(dict[str, dict[str, int]]):
    """How many followers of each kind a letter can have."""

    def __missing__(self, base: str) -> dict[str, int]:
        piled = _PILED_MARKS_IN_GREEK if _GREEK.match(base) else _PILED_MARKS
        joiners = 1 if _JOINED_SCRIPTS.match(base) else 0
        variants = 1 if _VARYING.match(base) else 0
        room = {_PILED_MARK: piled, _OWN_MARK: _OWN_MARKS, _SPACING_MARK: LONGEST, _JOINER: joiners, _VARIANT: variants}
        room = self[base] = room | {_STYLE: 0, _TAG: 0}
        return room


_room = _Room()


def _kind_of(char: str) -> str:
    if (joining := _kind_of_follower(char)) is not None:
        return joining
    kind = category(char)
    if _INVISIBLE.match(char) or (kind in _UNSEEN_CATEGORIES and not _is_seen(char, kind)):
        return _UNSEEN
    if kind in ("Mn", "Me") or combining(char):
        return _PILED_MARK if _PILED_UP.match(char) else _OWN_MARK
    if kind == "Mc":
        return _SPACING_MARK
    return _EMOJI if _is_emoji(char, kind) else _BASE


def _is_emoji(char: str, kind: str) -> bool:
    return (kind in ("So", "Cn") and not _FLAG_LETTERS.match(char)) or char in _PICTOGRAPHS


def _is_seen(char: str, kind: str) -> bool:
    return (_EMOJI_BLOCKS if kind == "Cn" else _VISIBLE_FORMAT).match(char) is not None


def _kind_of_follower(char: str) -> str | None:
    """Return the kind of what is invisible by itself and belongs to the letter before it; None for the rest."""
    if char in (_ZWNJ, _ZWJ):
        return _JOINER
    if char in _EMOJI_STYLES:
        return _STYLE
    if char in _MONGOLIAN_VARIANTS or "\U000e0100" <= char <= "\U000e01ef":
        return _VARIANT
    return _TAG if "\U000e0020" <= char <= _CANCEL_TAG else None


def is_mixed(text: str) -> bool:
    """Tell whether anything in a text is read from right to left."""
    return not text.isascii() and any(bidirectional(char) in _RIGHT_TO_LEFT for char in text)


def isolated(text: str) -> str:
    """Isolate a text with right-to-left letters, so that it does not change places with the words around it."""
    return f"{_FSI}{text}{_PDI}" if is_mixed(text) else text


def without_isolates(text: str) -> str:
    """Return the text without the invisible characters that ``isolated`` put around its parts."""
    return text.translate({ord(_FSI): None, ord(_PDI): None})
