"""What is taken out of a text before it is drawn, and what only looks as if it had to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.commands.redaction import Removed, left_out, redact
from streamer.text import clean

PIECES = st.lists(
    st.sampled_from(
        ["@bob", "x.com", "https://", "/", ".", "a@b.co", "12345", " ", "6789", "+", "discord.gg", "ö", "<|", "|>", "a"]
    ),
    max_size=20,
).map("".join)

# Each table stands in the text "a castle ... at night".
LINKS = [
    "https://example.org/a?b=c", "http://1.2.3.4:80", "www.example.zz", "example.com", "Discord.GG/abc", "a.b.co.uk",
    "bit.to/xyz", "пример.рф", "steam://run/1", "free-gifts.xyz", "free-gifts.shop", "4free.win", "my.free.gifts",
    "t.me/joinchat", "town.shop/sale", "ｅｘａｍｐｌｅ．ｃｏｍ", "discord。gg/abc", "discord｡gg/abc", "𝐱.𝐜𝐨𝐦",
    "हिन्दी.com",
    "example.c\u0336om", "e\u0336xample.com", "xn--e1afmkfd.xn--p1ai", "1.2.3.4:8080",
    "mailto:joe@example.org", "tel:+18005551234",
]  # fmt: skip
NO_LINKS = [
    "stop.it now", "night... day", "3.5 moons", "mr.robot and/or me", "A.I. art", "10:30", "said.she/her",
    "we went to the town.shop was closed", "the town.Shop was", "la casa.de papel", "a game.chat says no",
    "e.g. this",
    "a small town.shop on the corner", "e.g.this", "etc.and so on", "J.R.R.Tolkien", "main.py", "version 1.2.3",
    "48.8584, 2.2945", "$1,299.99", "St.Moritz", "привет.как дела", "город.сайт не открыт", "3.5mm",
    "score 3:2", "192.168.0.1",
]  # fmt: skip
PEOPLE = [
    "@Bob_99", "@Мария", "joe.doe+x@mail.example.com", "＠bob", "a" * 70 + "@x.com", "@bob.example.com",
    "@b\u0336o\u0336b",
    "joe@ma\u0336il.com", "@4head", "имя@почта.рф",
]  # fmt: skip
NO_PEOPLE = ["2 cats @ home", "a@b", "@5pm", "@10:30", "@2x", "4k@60fps"]
TELEPHONES = [
    "+1 (555) 123-45-67", "8 800 555 35 35", "8 (800) 555-35-35", "89161234567", "+49 170 1234567", "+447911123456",
    "(555) 123-4567", "555-123-4567", "555 234 4567", "0171 1234567", "06 12 34 56 78", "(11) 91234-5678",
    "+34 612 345 678", "＋４９ １７０ １２３４５６７", "+33 6 12 34 56 78", "+31 6 12345678", "+54 9 11 2345-6789",
    "+81 3-1234-5678", "+49(0)170 1234567", "+7 71234 5 67 89", "0033 6 12 34 56 78", "00 49 30 123456",
    "011 44 20 7946 0958",
    "007 495 123 4567", "1-800-555-1234", "1 (268) 464-1234", "1.800.555.1234", "0612345678", "01701234567",
    "081234 56789",
    "8 (771) 000 9998", "131 2345 6789", "8️⃣9️⃣1️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "٠٥٠ ١٢٣ ٤٥٦٧", "⑧⑨①⑥①②③④⑤⑥⑦",
]  # fmt: skip
NO_TELEPHONES = [
    "in 1984 and 2049", "1920x1080", "1000000000 views", "1 2 3 4 5 6 7 8 9", "1 000 000 000 views", "1,000,000,000",
    "1.000.000.000", "2024-2025-2026", "1984 2001 2010", "12.05.2024 14:30", "2026-11-28 18:07", "192.168.100.200",
    "3.14159265358979", "1234567890", "978-3-16-148410-0", "01-02-2024 03-04-2025", "+1000000000 aura", "100 200 300",
    "0.123456789", "1299999.99 dollars", "call of duty 2", "007 008 009", "01 02 03 04 05", "1999-2000 2001-2002",
    "123456789", "0123456789", "007 1984 2001", "007 008 0009 0011", "04/07/26 05/08/27", "04.07.1976 - 04.07.2026",
    "ISBN 0306406152", "ISBN 0-306-40615-2", "call 1000000 dragons", "text 2001 2010", "+ 100 200 300 gold",
    "+1 +1 +1 +1 +1",
    "10-9-8-7-6-5-4-3-2-1", "1 234 567,89", "00:11:22:33:44:55", "40.7128, -74.0060", "+1 2 3 4 5 6 7 8 9 10",
    "2 147 483 647",
    "1'000'000'000", "1_000_000_000", "3:2 16:9 21:14 7-5", "1080p60 4k 8k 120fps", "0.30000000000000004",
    "№ 5 ½ 10⁹",
]  # fmt: skip
MARKERS = ["<|im_end|>", "<｜im_end｜>", "<think>", "</THINK>", "<|im_<|x|>end|>"]


def in_a_prompt(part: str) -> tuple[str, tuple[Removed, ...]]:
    return redact(clean(f"a castle {part} at night"))


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        *((part, Removed.LINK) for part in LINKS),
        *((part, Removed.PERSON) for part in PEOPLE),
        *((part, Removed.TELEPHONE) for part in TELEPHONES),
        *((part, Removed.MARKER) for part in MARKERS),
    ],
)
def test_what_must_not_be_drawn_is_taken_out_and_named(part: str, kind: Removed) -> None:
    text, removed = in_a_prompt(part)
    assert text in ("a castle at night", "a castle . at night")
    assert removed[0] is kind


@pytest.mark.parametrize("part", [*NO_LINKS, *NO_PEOPLE, *NO_TELEPHONES, "a <3 cat | b"])
def test_what_only_looks_alike_stays(part: str) -> None:
    assert in_a_prompt(part) == (clean(f"a castle {part} at night"), ())


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("visit town.shop now", "visit now"),
        ("town.shop", ""),
        ("cat | town.shop | again", "cat | | again"),
        ("cat https://x.org/a|top|bottom", "cat |top|bottom"),
        ("call me at 5551234567", "call me at"),
        ("тел: 495 123 45 67 ночью", "тел: ночью"),
        ("art.by me", "art.by me"),
        ("+49 170 1234567 2024 2025 2026", "2024 2025 2026"),
        ("5 +49 170 1234567 4u", "5 4u"),
    ],
)
def test_words_around_an_address_or_a_number_tell_what_it_is(typed: str, left: str) -> None:
    assert redact(typed)[0] == left


def test_what_stays_keeps_its_form() -> None:
    assert redact("ｃａｓｔｌｅ² www.x.org ½ price™") == ("ｃａｓｔｌｅ² ½ price™", (Removed.LINK,))


def test_whoever_nests_without_end_gets_nothing_drawn() -> None:
    assert redact("<|" * 9 + "x" + "|>" * 9)[0] == ""


def test_the_author_is_told_what_was_left_out() -> None:
    assert left_out(redact("see x.com")[1]) == "a link was left out"
    assert left_out(redact("x.com @bob")[1]) == "a link and a name or an e-mail address were left out"


@given(st.one_of(PIECES, st.text(max_size=60).map(clean)))
def test_taking_out_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)[0]
    assert redact(once) == (once, ())
