"""Test the text filter on prompts and disguises by an author who had not seen it.

The first measurement on these sets is the honest one: a filter that is tuned on them has seen them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.benign import readable
from bench.heldout_disguises import CYRILLIC, EITHER, LATIN

DISGUISES = {"latin": EITHER | LATIN, "cyrillic": EITHER | CYRILLIC}
_LANGUAGE = "# language: "


def prompts() -> dict[str, list[str]]:
    """Return the harmless prompts by language."""
    found: dict[str, list[str]] = {}
    language = ""
    for line in (Path(__file__).parent / "heldout.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(_LANGUAGE):
            language = line.removeprefix(_LANGUAGE)
        elif not line.startswith("# "):
            found.setdefault(language, []).append(readable(line))
    return found


def caught(
    judged: Callable[[str], bool], words: Mapping[str, Sequence[str]], carriers: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the share of disguised words that a filter stops, by disguise and script.

    A word that a disguise does not change proves nothing and does not count.
    """
    shares: dict[str, dict[str, float]] = {}
    for script, disguises in DISGUISES.items():
        for name, disguise in disguises.items():
            hidden = [disguise(word) for word in words[script] if disguise(word) != word]
            texts = [carrier.format(word) for word in hidden for carrier in carriers]
            if texts:
                shares.setdefault(name, {})[script] = statistics.fmean(map(judged, texts))
    return shares


def alarms(judged: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return the harmless prompts that a filter stops, by language."""
    return {language: [line for line in lines if judged(line)] for language, lines in prompts().items()}
