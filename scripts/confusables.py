"""Write streamer/moderation/text_filter/confusables.txt: which characters look like which letter.

Source: Unicode's confusables.txt (UTS #39), as carried by the PyPI package confusable-homoglyphs, which this needs.
Only characters that survive our own folding are kept, so the table stays small.
Usage: pip install confusable-homoglyphs; python scripts/confusables.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import confusable_homoglyphs

from streamer.moderation.text_filter import normalize

OUT = Path(normalize.__file__).with_name("confusables.txt")
NOTE = "# Characters that look like a letter. From Unicode's confusables.txt, (c) Unicode, Inc., Unicode License v3.\n"
LATIN = "abcdefghijklmnopqrstuvwxyz"
ALPHABETS = {"latin": frozenset(LATIN), "cyrillic": normalize.RUSSIAN}


def main() -> None:
    """Write the table, one letter per line."""
    package = Path(confusable_homoglyphs.__file__).parent
    looks_like = {
        char: [entry["c"] for entry in others]
        for char, others in json.loads((package / "confusables.json").read_text(encoding="utf-8")).items()
    }
    lines = [NOTE]
    for name, alphabet in ALPHABETS.items():
        table: dict[str, set[str]] = defaultdict(set)
        for char, near in looks_like.items():
            if len(char) != 1 or char.isascii() or normalize.fold(char) != char or char in alphabet:
                continue
            second = [other for one in near if len(one) == 1 for other in looks_like.get(one, [])]
            letters = [folded for one in (*near, *second) if (folded := normalize.fold(one)) in alphabet]
            if letters:
                table[letters[0]].add(char)
        lines += [f"{name} {letter} {''.join(sorted(chars))}\n" for letter, chars in sorted(table.items())]
    OUT.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
