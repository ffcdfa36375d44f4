"""How many prompts name the drawings that a person would expect: ``python -m bench.subjects [--show]``.

bench/subject_prompts.tsv was written before the index was tuned with it. A line has a language, a prompt, and the names
of the drawings: ``;`` separates drawings, ``/`` what would do as well, ``-`` is none. A prompt is right when it names
them all and nothing else; scenery (places, weather, trees) may be named besides.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from streamer.generator.procedural.subjects.words import Mention, mentions

TABLE = Path(__file__).with_name("subject_prompts.tsv")
SCENERY = ("place-", "sky-weather", "plant-other", "time")


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt and the drawings that it should name, each with what would do as well."""

    language: str
    prompt: str
    expected: tuple[frozenset[str], ...]


def read(path: Path) -> list[Line]:
    """Read a table."""
    found = []
    for row in path.read_text(encoding="utf-8").splitlines():
        language, prompt, names = row.split("\t")
        expected = () if names == "-" else tuple(frozenset(part.strip().split("/")) for part in names.split(";"))
        found.append(Line(language, prompt, expected))
    return found


def missing(line: Line, found: list[Mention]) -> list[str]:
    """Return what a prompt should name and does not."""
    names = {mention.drawing.name for mention in found}
    return ["/".join(sorted(wanted)) for wanted in line.expected if not wanted & names]


def unexpected(line: Line, found: list[Mention]) -> list[str]:
    """Return what a prompt names although nobody would expect it, scenery aside."""
    wanted = frozenset[str]().union(*line.expected)
    return [
        f"{mention.word} = {mention.drawing.name}"
        for mention in found
        if mention.drawing.name not in wanted and not mention.drawing.subgroup.startswith(SCENERY)
    ]


def rate(path: Path, show: bool) -> dict[str, float]:
    """Return the shares of prompts that are right, that lack something, and that name something unexpected."""
    lines, faults, times = read(path), Counter[str](), []
    for line in lines:
        began = time.perf_counter()
        found = mentions(line.prompt)
        times.append((time.perf_counter() - began) * 1000)
        lacking, strange = missing(line, found), unexpected(line, found)
        faults.update({"lacking": bool(lacking), "unexpected": bool(strange), "wrong": bool(lacking or strange)})
        if show and (lacking or strange):
            print(f"{line.language}  {line.prompt}  lacking {lacking}  unexpected {strange}")
    shares = {name: round(count / len(lines), 3) for name, count in faults.items()}
    return {
        "prompts": len(lines),
        "right": round(1 - shares.pop("wrong"), 3),
        **shares,
        "median_ms": round(median(times), 2),
    }


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print every prompt that is not right")
    options = parser.parse_args()
    print(json.dumps(rate(TABLE, options.show)))


if __name__ == "__main__":
    main()
