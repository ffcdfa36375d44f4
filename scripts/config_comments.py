"""Writes the comments of config.yaml from the descriptions of its keys: ``python -m scripts.config_comments``.

The first line with a key gets the key's description as its comment; later lines with the same key get none. Everything
else is prose that people write: comments on lines of their own, and those of ``use:`` in a list and of free names (of
commands, layers, styles ...). Examples, which are commented out, are treated like the rest of the file.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from streamer.config import Config, JsonSchema, json_schema
from streamer.config_file import Location

CONFIG = Path(__file__).parent.parent / "config.yaml"
COLUMN = 33
WIDTH = 124

_EXAMPLE_START = re.compile(r"# (?:(?P<key>[a-z_]+):$|- use: )")
_CONTINUATION = re.compile(r"#?\s{12,}# ")
_COMMENT = re.compile(r"""(?P<code>(?:[^"'#]|"[^"]*"|'[^']*')*?)(?:\s+# .*)?""")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file as it is written, and as it is when the examples are switched on."""

    written: str
    switched_on: str

    @property
    def is_example(self) -> bool:
        """Tell whether the line is commented out in the file."""
        return self.written.startswith("#") and not self.switched_on.startswith("#")


def lines_of(text: str) -> list[Line]:
    """Split the file; an empty list or mapping that an example fills is left out when the examples are switched on."""
    lines: list[Line] = []
    indent: str | None = None
    for line in text.splitlines():
        start = _EXAMPLE_START.match(line)
        if not line.startswith("#"):
            indent = None
        elif indent is None and start is not None:
            indent = "" if start["key"] in Config.model_fields else "  "
        on = line if indent is None or not line.startswith("# ") else indent + line.removeprefix("# ")
        lines.append(Line(line, on))
    examples = {code_of(line.switched_on) for line in lines if line.is_example} - {""}
    return [Line(line.written, "") if _is_filled(line, examples) else line for line in lines]


def _is_filled(line: Line, examples: set[str]) -> bool:
    return not line.is_example and _key_of_empty(line.written) in examples


def _key_of_empty(line: str) -> str:
    code = code_of(line)
    return code[:-3] if code.endswith((": []", ": {}")) else ""


def switched_on(text: str) -> str:
    """Return the file with every example switched on."""
    return "\n".join(line.switched_on for line in lines_of(text)) + "\n"


def code_of(line: str) -> str:
    """Return a line of YAML without its comment."""
    match = _COMMENT.fullmatch(line)
    return match["code"].rstrip() if match is not None else line


def with_comments(text: str) -> str:
    """Return the file with the comment of each key written from its description."""
    lines = lines_of(text)
    comments = dict(_comments(lines))
    written: list[str] = []
    described = False
    for number, line in enumerate(lines):
        if described and _CONTINUATION.match(line.written):
            continue
        described = number in comments
        written += _commented(line, comments[number]) if described else [line.written]
    return "\n".join(written) + "\n"


def _commented(line: Line, comment: str) -> list[str]:
    prefix = "# " if line.is_example else ""
    code = prefix + code_of(line.written.removeprefix(prefix))
    if not comment:
        return [code]
    first = max(code.ljust(COLUMN), code + "  ", key=len) + "# "
    following = prefix.ljust(COLUMN) + "# "
    return textwrap.wrap(
        comment, WIDTH, initial_indent=first, subsequent_indent=following, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _comments(lines: list[Line]) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that has a described key, and its comment: empty if the key came before."""
    text = "\n".join(line.switched_on for line in lines)
    empty_at = {_key_of_empty(line.written): number for number, line in enumerate(lines) if not line.switched_on}
    find = Descriptions(yaml.safe_load(text))
    seen: set[tuple[str | int, str]] = set()
    for number, at in _first_keys(yaml.compose(text)):
        description = find(at)
        if description is None or (len(at) == 1 and not _has_value(lines[number])):
            continue
        comment = "" if (at[-1], description) in seen else description
        seen.add((at[-1], description))
        if lines[number].is_example and (empty := empty_at.get(code_of(lines[number].switched_on))) is not None:
            # The key stands above the example, empty: the comment belongs there.
            yield empty, comment
            comment = ""
        yield number, comment


def _has_value(line: Line) -> bool:
    """Tell whether the value of a key begins on its line; else it is a section, whose comment is prose above it."""
    return not code_of(line.switched_on).endswith(":")


def _first_keys(node: yaml.Node | None, at: Location = ()) -> Iterator[tuple[int, Location]]:
    """Yield the number of each line that has a key, and the location of its first key, in the order of the file."""
    last = -1
    for number, location in _keys(node, at):
        if number != last:
            yield number, location
        last = number


def _keys(node: yaml.Node | None, at: Location) -> Iterator[tuple[int, Location]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.start_mark.line, (*at, key.value)
            yield from _keys(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _keys(value, (*at, index))


class Descriptions:
    """Finds the description of a key in the JSON schema, with the data that decides which variant of it holds."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._schema = json_schema()

    def __call__(self, at: Location) -> str | None:
        """Return the description of the key at a location; None for a free name and for ``use`` in a list."""
        if len(at) > 1 and at[-1] == "use" and isinstance(at[-2], int):
            return None
        value, options = self._data, [self._schema]
        description = None
        for key in at:
            options = [step for option in self._expanded(options, value) for step in _steps(option, key)]
            description = next((option["description"] for option in options if _is_described(option)), None)
            value = value[key]
        return description

    def _expanded(self, options: list[JsonSchema], value: Any) -> Iterator[JsonSchema]:
        """Follow references, alternatives and conditions."""
        for option in options:
            if "$ref" in option:
                yield from self._expanded([self._schema["$defs"][option["$ref"].removeprefix("#/$defs/")]], value)
            yield from self._expanded(option.get("anyOf", []), value)
            for condition in option.get("allOf", []):
                if isinstance(value, dict) and condition["if"]["properties"]["use"]["const"] == value.get("use"):
                    yield from self._expanded([condition["then"]], value)
            yield option


def _is_described(option: JsonSchema) -> bool:
    return "description" in option and "$name" not in option


def _steps(option: JsonSchema, key: str | int) -> Iterator[JsonSchema]:
    """Yield the schemas of an item or a property; the values of a mapping with free names have no description."""
    if isinstance(key, int):
        if isinstance(option.get("items"), dict):
            yield option["items"]
    elif key in option.get("properties", {}):
        yield option["properties"][key]
    elif isinstance(option.get("additionalProperties"), dict):
        yield {**option["additionalProperties"], "$name": key}


def main() -> int:
    """Write the file anew; with --check only tell whether that would change it."""
    text = CONFIG.read_text(encoding="utf-8")
    written = with_comments(text)
    if "--check" in sys.argv[1:]:
        if text != written:
            print("the comments of config.yaml differ from the descriptions; run: python -m scripts.config_comments")
        return int(text != written)
    CONFIG.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
