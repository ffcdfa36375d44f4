"""Time what reads a line before and in the gate on lines made to cost much, and find how the time grows with the line.

A line repeats one unit up to the longest text that the function can get, between a beginning and an end that make a
search fail late, or consists of ever different words, which no cache knows. ``growth`` is the time for a line over the
time for half of it: 2 is proportional, 4 is quadratic. Times are processor time of one thread, the best of three.
Usage: python -m bench.worst_lines
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench import report
from streamer.app import LONGEST_BODY
from streamer.commands.bidi import display_order
from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands
from streamer.commands.redaction import redact
from streamer.generator.render.wrap import TextRoom, fit_text, graphemes
from streamer.integrations.twitch import irc_message
from streamer.integrations.twitch.chat_message import from_irc, without_cheermotes, without_emotes
from streamer.moderation.rules import length
from streamer.moderation.rules.words import create
from streamer.moderation.text_filter import decoders, normalize
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import LONGEST, clean, match_form
from streamer.types import Actor, ImageRequest, Role, Trigger

GOAL_MS = 5.0
LONGEST_TEXT = length.Options().longest
"""What the rule before the gate lets through."""

UNITS = (
    # marks, joiners, selectors, what is invisible
    "\u0301\u0323", "a\u0301\u0323", "\u0301\u200d", "a\u200d\u0301", "\U0001d165\U0001d16d", "\u0e49",
    "\u0344\U0001d165", "\u20e3\u0344\U0001d165\u0345",
    "\u0f40\u0f71\u0f72\u0f74", "\u0628\u200c\u064b", "\u0915\u094d\u200d", "\U0001f468\u200d", "\u2764\ufe0f\u200d",
    "\U0001f3f4\U000e0067", "\U0001f1e9", "葛\U000e0100", "\u202ea", "\x00", "\ud800", "\u034f", "\u3164a",
    "\u1100\u1161\u11a8",
    # letters that unfold or compose
    "\ufdfa", "\ufb03", "\u0130", "ß", "𝓬", "ｃ", "각", "é", "\u0958", "㏂",
    # links, people, numbers, tags
    "a.", "a.b", "www.", "a://", "a.com", "a@", "@", "@a", "a@b.", "1 ", "1-", "+1", "(1", "12 ", "0", "<|", "<|a|>",
    "<|im_<|x|>end|>", "call 1", f"+{'1' * 40}a ", "<a", "<!--", "</s>", "。", "/",
    # encodings and disguises
    "*", "a*", "*a", "a*b ", "a_", "&amp;", "&#97;", "%25", "\\u0041", "01 ", ".- ", "._", "aA1", "a", "A", "0x41",
    "41 ", "фf", "字a", "vv", ")(", "|\\/", "=", "€€", "alpha ", "f ", "aa ", "ab", "abc ", "q q", "!", "i!1|",
    # words
    "harbour ", "marmalade", "marmalad ", "zeppe lin ", "ш", "шщ ", "|", "a|", " ", "\u3000", ";", "\\s", "0-1,", ":",
)  # fmt: skip
"""What the lines repeat."""

FRAMES = (
    ("+", "1", "a"), ("+", "1 ", "x"), ("8 (", "1", "x"), ("(", "1", "-"), ("0", "1-", "x"),
    ("call ", "1", "x"), ("0x", "a", "g"), ("@", "a", "@"), ("a@", "a.", "-"), ("www", "a.", "-"),
    ("x", ".a", "_"), ("xn--", "a-", "."), ("a", "://", " "), ("<", "a", ""), ("<|", "a", "|"),
    ("<!--", "-", ""), ("&#", "1", ""), ("*", "a", "*"), ("", "*", "a"), ("ɐ", "abc ", ""),
    ("", "z", "epelin"), ("", "0", "/"), ("", "/", "0"), ("Aa", "a", "="), ("", "=", "A"),
    ("0", "1", "2"), ("שa", " ", "1"), ("ש", "%", "1"),
)  # fmt: skip
"""A beginning, what is repeated, and an end."""
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшщъыьэюя", "abcdeoxабвгдеох", "abcdeo0134578@$!",
    "αβγδεηικλμνοπρστυχ",
    "ابتثجحخدab", "abcабв字典01@", "abcde.-_", "ab|\\/()<>", "ﬁﬂﬃßŉǰ", "abcdeo***", "abcdefgABCDEFG0123", ".-",
    "0123456789abcdef",
    "01", "abcabс01@!,.", "a\u0301b\u0336c", "a\u0363b\u0364c\u2de0", "ɐqɔpǝɟƃɓɥᴉ", "𝓬𝓪𝓼𝓽ｃａ", "🇦🇧🇨abc",
    "가나다abc", "कखगab", "a\u200cb字c",
)  # fmt: skip
"""The letters of ever different words."""

Read = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Subject:
    """A function that reads lines: how one without caches is made, the longest text it gets, and who prepares it."""

    make: Callable[[], Read]
    longest: int
    prepare: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Worst:
    """The line that cost a function most."""

    ms: float
    growth: float
    line: str


Line = Callable[[int], str]
"""Makes a line of a length."""


def line_of(unit: str, size: int) -> str:
    """Repeat a unit up to a length."""
    return (unit * (size // len(unit) + 1))[:size]


def framed(frame: tuple[str, str, str], size: int) -> str:
    """Repeat what is between a beginning and an end."""
    first, unit, last = frame
    return f"{first}{line_of(unit, max(size - len(first) - len(last), 0))}{last}"[:size]


def different_words(pieces: Sequence[str], longest: int, size: int) -> str:
    """Return words of random pieces, the same for the same arguments."""
    random, text = Random(f"{pieces}{longest}"), ""
    while len(text) < size:
        text += "".join(random.choices(pieces, k=random.randint((longest + 1) // 2, longest))) + " "
    return text[:size]


REPEATED: Mapping[str, Line] = {
    **{unit: partial(line_of, unit) for unit in UNITS},
    **{f"{first}..{unit}..{last}": partial(framed, (first, unit, last)) for first, unit, last in FRAMES},
}
DIFFERENT: Mapping[str, Line] = {
    **{
        f"words of {longest} of {letters}": partial(different_words, letters, longest)
        for letters in ALPHABETS for longest in (2, 3, 5, 8)
    },
    **{f"units by {most}": partial(different_words, UNITS, most) for most in (1, 3, 9)},
}  # fmt: skip
LINES = {**REPEATED, **DIFFERENT}
"""How each line is made, by what it is made of."""


def subjects() -> dict[str, Subject]:
    """Return everything that reads a line before the limiter or in the gate, by name."""
    options = CommandOptions.model_validate({"kind": "meme", "layer": "memes", "layout": "top_bottom"})
    commands = Commands({"bg": options}, styles={}, expires_after_s=30)
    actor = Actor("1", "ann", Role.VIEWER)
    terms = TextFilterOptions(extra=("marmalade*", "zeppelin", "пеликан*"))
    room = TextRoom(1000, 300, 3, 120, 30, 0.1)
    line, gated = irc_message.LONGEST_LINE, normalize.LONGEST
    return {
        "clean": Subject(lambda: clean, LONGEST_BODY),
        "match_form": Subject(lambda: match_form, LONGEST, clean),
        "redact": Subject(lambda: redact, LONGEST, clean),
        "interpret": Subject(
            lambda: lambda text: commands.interpret(Trigger("m", "test", f"!bg {text}", actor, 0.0)), LONGEST_BODY
        ),
        "irc line": Subject(lambda: _read_irc, line, lambda text: text.replace("\n", " ")),
        "irc emotes": Subject(lambda: lambda text: without_emotes("a" * 500, text), line),
        "irc cheers": Subject(lambda: lambda text: without_cheermotes(text, 1_000_000), line),
        "fold": Subject(lambda: normalize.fold, gated),
        "words of a text": Subject(lambda: normalize.read, gated),
        "other readings": Subject(lambda: _other_readings, gated),
        "gate": Subject(lambda: _new_gate(terms).find, gated),
        "gate, names": Subject(lambda: _new_gate(terms).name_ok, gated),
        "line to verdict": Subject(lambda: _judging(commands, _new_gate(terms), actor), LONGEST_TEXT),
        "graphemes": Subject(lambda: graphemes, LONGEST),
        "caption lines": Subject(lambda: lambda text: fit_text(text, room, _width), 300),
        "order of display": Subject(lambda: display_order, gated, clean),
    }  # fmt: skip


def worst(subject: Subject) -> Worst:
    """Return the worst of all lines for one function."""
    costs = {name: milliseconds(subject, line(subject.longest)) for name, line in LINES.items()}
    name = max(costs, key=costs.__getitem__)
    half = milliseconds(subject, LINES[name](subject.longest // 2))
    return Worst(costs[name], costs[name] / max(half, 1e-6), name)


def milliseconds(subject: Subject, text: str, rounds: int = 3) -> float:
    """Return how long a function takes for one text: the best of some rounds, each without what the last remembered."""
    text = subject.prepare(text)
    return min(_timed(subject.make(), text) for _ in range(rounds))


def _timed(read: Read, text: str) -> float:
    started = time.thread_time()
    read(text)
    return (time.thread_time() - started) * 1e3


def _new_gate(options: TextFilterOptions) -> TextFilter:
    normalize._read_in_both.cache_clear()
    return create(options)


def _judging(commands: Commands, gate: TextFilter, actor: Actor) -> Read:
    """Read a line as a meme with two captions, all of which the gate judges as they are typed and as they are drawn."""

    def judge(text: str) -> object:
        third = len(text) // 3
        line = f"!bg {text[:third]}|{text[third : 2 * third]}|{text[2 * third :]}"
        request = commands.interpret(Trigger("m", "test", line, actor, 0.0))
        return gate.check(request, 0.0) if isinstance(request, ImageRequest) else None

    return judge


def _other_readings(text: str) -> object:
    return decoders.has_signs(text), *decoders.other_readings(text)


def _read_irc(text: str) -> object:
    for line in irc_message.lines_of(
        f"@emotes={text};id=1;user-id=2 :a!a@a PRIVMSG #a :{text}".encode("utf-8", "replace")
    ):
        message = irc_message.parse(line[: irc_message.LONGEST_LINE])
        if message is not None:
            from_irc(message)
    return None


def _width(text: str) -> float:
    return len(text) * 0.6


def main() -> None:
    """Print the worst line of each function, then the JSON line."""
    found: Mapping[str, Worst] = {name: worst(subject) for name, subject in subjects().items()}
    for name, cost in found.items():
        print(f"{name:18} {cost.ms:8.2f} ms  growth {cost.growth:4.1f}  {cost.line!a}")
    report.finish(
        "worst_lines",
        {name: {"ms": round(cost.ms, 2), "growth": round(cost.growth, 1)} for name, cost in found.items()},
        [report.at_most(f"ms for the worst line, {name}", cost.ms, GOAL_MS) for name, cost in found.items()],
    )


if __name__ == "__main__":
    main()
