"""Takes out of a text what must not be drawn: links, people, telephone numbers, control tokens of a tokenizer.

Compatibility forms hide nothing: a link in full-width letters is a link. What stays keeps the form in which it was
typed. Every pattern is bounded, so the time is in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from operator import itemgetter

from streamer.text import ascii_forms, is_follower


class Removed(StrEnum):
    """What was taken out, as its author is told."""

    LINK = "a link"
    PERSON = "a name or an e-mail address"
    TELEPHONE = "a telephone number"
    MARKER = "a control token"


Span = tuple[int, int, Removed]

_DEEPEST = 4
"""Levels of nesting that are undone; nobody nests links by accident."""

# Nearly every text has none of these and is not looked at any closer.
_HINT = re.compile(r"[@<]|[\w-]\.\w|://|\d(?:\D{0,3}\d){7}")
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.|(?:mailto|tel|sms):(?=[\w+]))[^\s|]+"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}:\d{2,5}(?![\w.])(?:/[^\s|]*)?"
    r"|(?<![\w@-])(?<!\w\.)(?P<host>(?:[\w-]{1,63}\.){1,8})(?P<ending>xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])(?P<path>[/?#:][^\s|]*)?",
    re.IGNORECASE,
)
_DOMAIN_OF_EMAIL = re.compile(r"(?<=[\w.+%-])@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NOT_IN_EMAIL = re.compile(r"[^\w.+%-]")
# Not a time or a scale: "@5pm", "@10:30", "@2x".
_MENTION = re.compile(r"(?<!\w)(?:@(?!\d{1,3}(?:[ap]m|[hkx])?(?!\w))\w+)+", re.IGNORECASE)
_MARKER = re.compile(r"<\|[^<>|]{1,40}\|>|</?(?:think|tool_call|tool_response|s)>", re.IGNORECASE)


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Endings that are not words: after a dot without a space they are a link wherever they stand.
_ENDINGS = _words("com net org info biz io gg tv dev xyz cc icu edu gov onion ru рф ua kz uk pl br jp cn kr ly")
# Endings that are words as well, as in "we went to the town.shop was closed".
_WORD_ENDINGS = _words(
    "app link links shop store site online stream live club top win bet casino games game chat zone cash gift gifts "
    "fun pro vip ai by de es eu fr nl su us ch co cz dk fi gr hk hu lt lv mx nz pt sg sk th tr tw vn za онлайн сайт"
)
_SMALL_WORDS = _words("by co de es su us")
# Words that send somebody to the address behind them.
_POINTERS = _words(
    "at visit see on join buy check via use open watch follow auf bei sur chez en visita entra на в через зайди"
)
_SENTENCE_END = re.compile(r"\s*(?:\||$)")
_LONGEST_POINTER = 24
_FEW_LETTERS = re.compile(r"/[^\W\d_]{0,5}")

# Nine digits are a number of views, and groups of digits are dates: a telephone number shows its shape, or follows a
# word that asks to call it. Groups of digits are possessive, so that no line can make a search try every split of them.
_GAP = r"(?:[ .\-/]?\(|[ .\-/]|\) ?)"
_DATE = r"\d?(?P<sign>[.\-/])\d\d?(?P=sign)\d\d(?:\d\d)?(?![.\-/]?\d)"  # what follows a leading zero
_INTERNATIONAL = re.compile(
    r"(?:(?<!\d)\+|(?<![\w.,\-/])(?<!\d )(?:00 ?|011 ))\(?"
    rf"(?P<number>[1-9]\d{{0,14}}+(?:{_GAP}\d{{1,14}}+){{0,7}})(?!\w|[.,]\d)"  # +49 170 1234567, 0033 6 12 34 56 78
)
_NATIONAL = re.compile(
    r"(?<![\w.,\-/])(?<!\d )(?:"
    rf"[78]{_GAP}?[34789]\d\d{_GAP}?\d{{3}}{_GAP}?\d\d{_GAP}?\d\d"  # Russia: 8 (800) 555-35-35
    r"|\(\d{2,5}\) ?\d{3,5}[ .\-]?\d{3,5}"  # (11) 91234-5678
    r"|(?:1[ .\-])?(?:\([2-9]\d\d\) ?|\d{3}[.\-])\d{3}[.\-]\d{4}|(?:1 )?[2-9]\d\d [2-9]\d\d \d{4}"  # 1-555-123-4567
    r"|1[3-9]\d[ \-]\d{4}[ \-]\d{4}"  # China: 138 1234 5678
    r"|(?<!ISBN )0[1-9](?!23456789)\d{8,9}"  # 01701234567
    rf"|0(?!0|1 02 |{_DATE})\d{{1,5}}(?:{_GAP}\d{{2,9}}){{1,4}}"  # 0171 1234567, 06 12 34 56 78
    r")(?!\w|[.,]\d)"
)
_CALLED = re.compile(
    r"\b(?:tel|phone|call|text|whatsapp|telegram|sms|cell|mobile|number is|тел|телефон|звони|позвони|номер|anruf|handy"
    r"|llama|appelle|ligue|chiama|dzwoń)"
    r"(?: me)?(?: at| on)?[.: ]{1,2}(?!(?:19|20)\d\d\b)(?P<number>\+?\d(?:[ .\-]?\d){6,14})(?!\w|[.,]\d)",
    re.IGNORECASE,
)
_SEVEN_DIGITS = re.compile(r"\d(?:\D{0,3}\d){6}")
_DIGITS = re.compile(r"\d+")
_FEWEST_DIGITS, _MOST_DIGITS, _LONGEST_ROUND = 9, 15, 3
_DIGITS_OF_1_AND_7 = 11
"""North America and Russia."""


def redact(text: str) -> tuple[str, tuple[Removed, ...]]:
    """Return a text without what must not be drawn, and what that was; taking out twice changes nothing more."""
    removed: dict[Removed, None] = {}
    for _ in range(_DEEPEST):
        spans = _spans(text)
        if not spans:
            return text, tuple(removed)
        removed |= dict.fromkeys(kind for _, _, kind in spans)
        text = _cut_out(text, spans)
    # Whoever nests deeper than that hides something: nothing is left to be drawn.
    return "" if _spans(text) else text, tuple(removed)


def left_out(removed: Sequence[str]) -> str:
    """Tell in words what was taken out of a text."""
    return f"{' and '.join(removed)} {'was' if len(removed) == 1 else 'were'} left out"


def _cut_out(text: str, spans: list[Span]) -> str:
    kept, end = [], 0
    for first, last, _ in spans:
        kept.append(text[end:first])
        end = max(end, last)
    return " ".join(" ".join((*kept, text[end:])).split())


def _spans(text: str) -> list[Span]:
    """Return what is to be taken out, in order."""
    folded, positions = _fold(text)
    if not _HINT.search(folded):
        return []
    found = sorted([*_links(folded), *_people(folded), *_telephones(folded), *_markers(folded)], key=itemgetter(0))
    return [(positions[first], max(positions[last - 1] + 1, positions[last]), kind) for first, last, kind in found]


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Return the text without marks and with compatibility forms of ASCII as ASCII, and where each character was.

    One position more than characters: the last is the end of the text.
    """
    if text.isascii():
        return text, range(len(text) + 1)
    forms = ["" if is_follower(char) else form for char, form in zip(text, ascii_forms(text), strict=True)]
    return "".join(forms), [*(at for at, form in enumerate(forms) for _ in form), len(text)]


def _links(text: str) -> Iterator[Span]:
    for match in _LINK.finditer(text):
        if match["host"] is None or _is_link(match, text):
            yield *match.span(), Removed.LINK


def _is_link(match: re.Match[str], text: str) -> bool:
    """Tell a bare address from two sentences without a space between them."""
    host, ending, path = match["host"], match["ending"].lower(), match["path"] or ""
    if ending in _ENDINGS or ending.startswith("xn--"):
        return True
    if path.startswith("/") and (len(ending) == 2 or not _FEW_LETTERS.fullmatch(path)):
        return ending != "he"
    if ending not in _WORD_ENDINGS:
        return False
    if path or host.count(".") > 1 or any(not char.isalpha() for char in host[:-1]):
        return True
    if match["ending"][0].isupper() and not host[0].isupper():
        return False
    lead = text[max(0, match.start() - _LONGEST_POINTER) : match.start()].rstrip()
    is_pointed_at = lead.rpartition(" ")[2].lower() in _POINTERS
    begins = (lead == "" or lead.endswith("|")) and ending not in _SMALL_WORDS
    return begins or is_pointed_at or _SENTENCE_END.match(text, match.end()) is not None


def _people(text: str) -> Iterator[Span]:
    if "@" not in text:
        return
    for match in _MENTION.finditer(text):
        yield *match.span(), Removed.PERSON
    end = 0
    for match in _DOMAIN_OF_EMAIL.finditer(text):
        start = match.start()
        while start > end and not _NOT_IN_EMAIL.match(text[start - 1]):
            start -= 1
        end = match.end()
        yield start, end, Removed.PERSON


def _telephones(text: str) -> Iterator[Span]:
    if _SEVEN_DIGITS.search(text) is None:
        return
    for match in _INTERNATIONAL.finditer(text):
        end = _end_of_international(match["number"], dialled=text[match.start()] == "0")
        if end:
            yield match.start(), match.start("number") + end, Removed.TELEPHONE
    for match in _NATIONAL.finditer(text):
        digits = "".join(_DIGITS.findall(match[0]))
        if _FEWEST_DIGITS + match[0].startswith("0") <= len(digits) <= _MOST_DIGITS and not _is_round(digits):
            yield *match.span(), Removed.TELEPHONE
    for match in _CALLED.finditer(text):
        if not _is_round("".join(_DIGITS.findall(match["number"]))):
            yield *match.span("number"), Removed.TELEPHONE


def _end_of_international(number: str, *, dialled: bool) -> int:
    """Return where a number ends, which may be before its last group of digits; 0 if it is none.

    ``dialled``: two zeros stand before it instead of a plus, as they do in the name of a secret agent.
    """
    digits, end, singles = "", 0, -1  # the first group is a country's code, of one digit or more
    for group in _DIGITS.finditer(number):
        singles += len(group[0]) == 1 or not digits
        if len(digits) + len(group[0]) > _MOST_DIGITS:
            break
        digits, end = digits + group[0], group.end()
    if singles > 1 or len(digits) < _FEWEST_DIGITS + dialled or _is_round(digits):
        return 0
    is_of_that_country = not digits.startswith(("1", "7")) or len(digits) == _DIGITS_OF_1_AND_7
    return end if is_of_that_country or not dialled else 0


def _is_round(digits: str) -> bool:
    return len(digits.rstrip("0")) <= _LONGEST_ROUND


def _markers(text: str) -> Iterator[Span]:
    for match in _MARKER.finditer(text):
        yield *match.span(), Removed.MARKER
