"""Run the text filter on ages: beside a state of undress those under eighteen must be stopped, and nothing else.

A line of the set is "stop" or "pass", the language and a text, parted by tabs. States of undress stand in it as ids of
terms in braces. The set that ships was written by whoever wrote the data; try others with --set.
Usage: python -m bench.ages [--set FILE] [--show-wrong]
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import report
from streamer.moderation.rules.words import create
from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import clean

SHIPPED_SET = Path(__file__).with_name("ages.tsv")
_ID = re.compile(r"\{([a-z0-9-]+)\}")


@dataclass(frozen=True, slots=True)
class Line:
    """One text, whether it must be stopped, and its language; ``text`` names terms by id."""

    must_stop: bool
    language: str
    text: str


def lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a set; raise ValueError with the number of one that is none."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or fields[0] not in ("stop", "pass"):
            raise ValueError(f"{path}, line {number}: write stop or pass, a language and a text, parted by tabs")
        yield Line(fields[0] == "stop", fields[1], fields[2])


def spelled_out(text: str, terms: dict[str, str]) -> str:
    """Return a text with its terms in place of their ids; raise ValueError for an unknown id."""
    if unknown := [name for name in _ID.findall(text) if name not in terms]:
        raise ValueError(f"there is no term '{unknown[0]}'; docs/safety.md says how to list them")
    return _ID.sub(lambda match: terms[match[1]], text)


def wrong(tried: Iterable[Line]) -> list[Line]:
    """Return the lines that the shipped filter judges wrongly."""
    rule, terms = create(TextFilterOptions()), {term.id: term.core for term in lexicon.shipped()}
    return [
        line for line in tried if (rule.find(clean(spelled_out(line.text, terms))) is not None) is not line.must_stop
    ]


def main() -> None:
    """Measure; print a line for each language, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, default=SHIPPED_SET)
    parser.add_argument("--show-wrong", action="store_true")
    chosen = parser.parse_args()
    tried = list(lines(chosen.set))
    failed = wrong(tried)
    for language in dict.fromkeys(line.language for line in tried):
        print(language, *(f"{kind} {right} of {count}" for kind, right, count in _by_kind(language, tried, failed)))
    if chosen.show_wrong:
        print(*failed, sep="\n")
    (_, caught, harmful), (_, passed, harmless) = _by_kind("", tried, failed)
    report.finish(
        "ages", {"harmful": harmful, "caught": caught, "harmless": harmless, "passed": passed},
        [report.at_least("share of ages caught", caught / max(1, harmful), 0.95)],
    )  # fmt: skip


def _by_kind(language: str, tried: Iterable[Line], failed: Iterable[Line]) -> list[tuple[str, int, int]]:
    counts = []
    for kind, must_stop in (("caught", True), ("passed", False)):
        count, missed = (
            sum(line.must_stop is must_stop and language in ("", line.language) for line in some)
            for some in (tried, failed)
        )
        counts.append((kind, count - missed, count))
    return counts


if __name__ == "__main__":
    main()
