"""Makes typed text safe to parse, show and draw: without invisible characters, and prompts without links and people.

Pure functions that every command passes through; plain ASCII takes about a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, is_normalized, normalize

LONGEST = 2000
"""Code points read; chat platforms send 500 at most, and longer text only comes from experiments."""

_MARKS_PER_BASE = 2
_ZWJ, _VS16 = "\u200d", "\ufe0f"
_KEYCAP = "\u20e3"
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})

# Invisible although their category is letter, mark or symbol, so a filter on categories misses them.
# Chat clients append U+034F to repeat a message (Chatterino/chatterino2#6417); it was U+E0000 before.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U000e0000-\U000e0fff]"
)

# Nearly all text that is not ASCII: everyday Latin, Cyrillic, Japanese, Chinese and Korean letters without marks.
_EVERYDAY = re.compile("[ -~À-ÖØ-öø-ſЀ-ҁ、。ぁ-ゖァ-ヺー一-龥가-힣]*")

# Endings that are not ordinary words; any other ending makes a link only if a path follows ("stop.it" is kept).
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
    """Return NFKC text without invisible characters, with at most two marks a letter and single spaces."""
    text = " ".join(text[:LONGEST].split())
    if text.isascii() and text.isprintable():
        return text
    if _EVERYDAY.fullmatch(text) and is_normalized("NFKC", text):
        return text
    # Dropping a joiner can let characters compose, and composing can strand a joiner: repeat until nothing changes.
    while (cleaned := _clean_once(text)) != text:
        text = cleaned
    return text


def without_markers(text: str) -> str:
    """Remove what a language model's tokenizer would read as a control token instead of as text."""
    return _without(_MARKER, text) if "<" in text else text


def without_links(text: str) -> str:
    """Remove web addresses."""
    return _without(_LINK, text) if "." in text or "://" in text else text


def without_mentions(text: str) -> str:
    """Remove @names, e-mail addresses and telephone numbers."""
    while True:
        fewer = _without(_TELEPHONE, _without(_EMAIL_OR_MENTION, text) if "@" in text else text)
        if fewer == text:
            return text
        text = fewer


def _without(pattern: re.Pattern[str], text: str) -> str:
    # Removing a match can make its neighbours match, so repeat until nothing matches.
    while pattern.search(text):
        text = " ".join(pattern.sub(" ", text).split())
    return text


def _clean_once(text: str) -> str:
    text = normalize("NFKC", "".join(_visible(_UNSEEN.sub("", text))))
    return " ".join(text.split())[:LONGEST].rstrip()


def _visible(text: str) -> Iterator[str]:
    before, marks = "", 0
    for index, char in enumerate(text):
        kind = category(char)
        if char == _ZWJ:
            keep = _is_emoji(before) and _is_emoji(text[index + 1 : index + 2])
        elif char == _VS16:
            keep = (_is_emoji(before) and before != _VS16) or text[index + 1 : index + 2] == _KEYCAP
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
