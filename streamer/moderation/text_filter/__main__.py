"""Decodes and encodes the word list, for whoever edits it: see lexicon.py."""

from __future__ import annotations

import sys

from streamer.moderation.text_filter import lexicon


def main(verb: str) -> None:
    """Turn the list on standard input into its other form on standard output."""
    if verb == "decode":
        sys.stdout.writelines(f"{term.id}\t{term.pattern}\n" for term in lexicon.decode(sys.stdin.buffer.read()))
    elif verb == "encode":
        sys.stdout.buffer.write(lexicon.encode(lexicon.Term(*line.rstrip("\n").split("\t")) for line in sys.stdin))
    else:
        sys.exit(f"unknown verb '{verb}': use decode or encode")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
