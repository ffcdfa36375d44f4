"""Decodes and encodes the word list, for whoever edits it: see lexicon.py."""

from __future__ import annotations

import io
import sys

from streamer.moderation.text_filter import lexicon


def main(verb: str) -> None:
    """Turn the list on standard input into its other form on standard output, in UTF-8 whatever the code page is."""
    if verb == "decode":
        terms = lexicon.decode(sys.stdin.buffer.read())
        sys.stdout.buffer.writelines(f"{term.id}\t{term.pattern}\n".encode() for term in terms)
    elif verb == "encode":
        lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
        sys.stdout.buffer.write(lexicon.encode(lexicon.Term(*line.rstrip("\n").split("\t")) for line in lines))
    else:
        sys.exit(f"unknown verb '{verb}': use decode or encode")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
