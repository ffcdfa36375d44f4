"""The shipped list: its terms are well formed, and its file cannot be read by eye."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.lexicon import Term, decode, encode, shipped
from streamer.moderation.text_filter.matcher import SHORTEST_STEM

_FILE = Path(lexicon.__file__).with_name("lexicon.dat")


def test_ids_are_unique_and_every_kind_is_known() -> None:
    terms = shipped()
    assert [name for name, times in Counter(term.id for term in terms).items() if times > 1] == []
    kinds = {
        "hate",
        "extremism",
        "sexual",
        "minors",
        "violence",
        "profanity",
        "age",
        "undress",
        "allow",
        "known",
        "selfharm",
        "drugs",
        "spelled",
        "symbol",
        "context",
    }
    assert {term.kind for term in terms} == kinds


def test_starred_terms_are_long_enough() -> None:
    starred = [term for term in shipped() if "*" in term.pattern]
    assert [term.id for term in starred if len(term.pattern.strip("*~")) < SHORTEST_STEM] == []
    inside = [term for term in starred if term.pattern.startswith("*")]
    assert [term.id for term in inside if len(term.pattern.strip("*")) < 4] == []


def test_the_file_holds_no_readable_term() -> None:
    data = _FILE.read_bytes().decode("ascii").lower()
    assert [term.id for term in shipped() if len(term.pattern) > 4 and term.pattern.strip("*~") in data] == []


def test_a_list_survives_encoding() -> None:
    terms = [Term("allow-1", "marmalade"), Term("hate-2", "*варенье*")]
    assert decode(encode(terms)) == terms
    assert terms[1].kind == "hate"


def test_the_editing_command_turns_the_file_into_lines_and_back() -> None:
    def run(verb: str, data: bytes) -> bytes:
        command = [sys.executable, "-X", "utf8", "-m", "streamer.moderation.text_filter", verb]
        return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout

    listed = run("decode", _FILE.read_bytes())
    assert len(listed.splitlines()) == len(shipped())
    assert decode(run("encode", listed)) == shipped()
