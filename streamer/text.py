"""Make typed text safe to parse, show and draw: invisible tricks out, links and people out of prompts.

Pure functions on the path of every command; plain ASCII costs about a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, is_normalized, normalize

LONGEST = 2000
"""Code points looked at; chat platforms send 500, everything above is somebody's experiment."""

_MARKS_PER_BASE = 2
_ZWJ, _VS16 = "\u200d", "\ufe0f"
_KEYCAP = "\u20e3"
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})

# Invisible although their category says letter, mark or symbol, so that no filter on categories catches them.
# Chat clients append U+034F to repeat a message (Chatterino/chatterino2#6417); it was U+E0000 before.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U000e0000-\U000e0fff]"
)

# Nearly all that is not ASCII: letters of everyday Latin, Cyrillic, Japanese, Chinese and Korean, none of them a mark.
_EVERYDAY = re.compile("[ -~À-ÖØ-öø-ſЀ-ҁ、。ぁ-ゖァ-ヺー一-龥가-힣]*")

# Endings that are no ordinary words; any other ending is taken for a link only when a path follows ("stop.it" stays).
_ENDINGS = (
    "com|net|org|info|biz|io|gg|tv|app|dev|xyz|link|shop|site|online|store|stream|club|top|ru|рф|su|ua|de|uk|fr|es|"
    "eu|pl|br|jp|cn|ly|onion"
)
_LINK = re.compile(
    rf"(?:[a-z][a-z0-9+.-]{{1,15}}://|www\.)[^\s|]+"
    rf"|(?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,8}}(?:(?:{_ENDINGS})(?![\w-])(?:[/?#:][^\s|]*)?|[a-z]{{2,24}}/[^\s|]+)",
    re.IGNORECASE,
)
_EMAIL_OR_MENTION = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|(?<!\w)@\w+")
_MARKER = re.compile(r"<\|[^<>|]{1,40}\|>|</?(?:think|tool_call|tool_response|s)>", re.IGNORECASE)
_TELEPHONE = re.compile(r"(?<!\w)\+?\(?\d(?:[\s().-]{0,2}\d){8,}(?!\w)")  # nine digits or more


def clean(text: str) -> str:
    """Return NFKC text without anything invisible, with at most two marks per letter and single spaces."""
    text = " ".join(text[:LONGEST].split())
    if text.isascii() and text.isprintable():
        return text
    if _EVERYDAY.fullmatch(text) and is_normalized("NFKC", text):
        return text
    # Dropping a joiner can bring together what composes, and composing can strand a joiner: go on until nothing moves.
    while (cleaned := _clean_once(text)) != text:
        text = cleaned
    return text


def without_markers(text: str) -> str:
    """Take out what a language model's tokenizer would read as an order of its own instead of as text."""
    return _without(_MARKER, text) if "<" in text else text


def without_links(text: str) -> str:
    """Take web addresses out."""
    return _without(_LINK, text) if "." in text or "://" in text else text


def without_mentions(text: str) -> str:
    """Take @names, e-mail addresses and telephone numbers out."""
    while True:
        fewer = _without(_TELEPHONE, _without(_EMAIL_OR_MENTION, text) if "@" in text else text)
        if fewer == text:
            return text
        text = fewer


def _without(pattern: re.Pattern[str], text: str) -> str:
    # Taking one out can make its neighbours match, hence again until nothing matches.
    while pattern.search(text):
        text = " ".join(pattern.sub(" ", text).split())
    return text


def _clean_once(text: str) -> str:
    text = normalize("NFKC", "".join(_visible(_UNSEEN.sub("", text))))
    return " ".join(text.split())[:LONGEST].rstrip()


def _visible(text: str) -> Iterator[str]:
    before, marks = "", 0
    for place, char in enumerate(text):
        kind = category(char)
        if char == _ZWJ:
            keep = _is_emoji(before) and _is_emoji(text[place + 1 : place + 2])
        elif char == _VS16:
            keep = (_is_emoji(before) and before != _VS16) or text[place + 1 : place + 2] == _KEYCAP
        elif kind in ("Mn", "Me"):
            marks += 1
            keep = marks <= _MARKS_PER_BASE
        else:
            keep = kind not in _UNSEEN_CATEGORIES
            marks = 0 if keep else marks
        if keep:
            before = char
            yield char


def _is_emoji(char: str) -> bool:
    return char == _VS16 or "\U0001f3fb" <= char <= "\U0001f3ff" or (char != "" and category(char) == "So")
