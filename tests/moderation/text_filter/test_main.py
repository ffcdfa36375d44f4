"""The word list's editor: decoding and encoding a list changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys

from streamer.moderation.text_filter import lexicon

TERMS = [lexicon.Term("profanity-1", "marmalade*"), lexicon.Term("profanity-2", "крыжовник")]


def edit(verb: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "streamer.moderation.text_filter", verb],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )


def test_a_list_goes_through_both_verbs_unchanged_in_any_code_page() -> None:
    readable = edit("decode", lexicon.encode(TERMS)).stdout
    assert "крыжовник" in readable.decode()
    assert lexicon.decode(edit("encode", readable).stdout) == TERMS


def test_an_unknown_verb_names_the_known_ones() -> None:
    done = edit("translate", b"")
    assert done.returncode == 1
    assert b"decode or encode" in done.stderr
