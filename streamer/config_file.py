"""Reads a YAML file, checks it against a pydantic model, and names the line of each mistake."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from streamer import config_messages
from streamer.errors import ConfigError

Location = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists."""

Model = TypeVar("Model", bound=BaseModel)

LARGEST_FILE = 1_000_000
"""In bytes."""
SAVE_AS_UTF8 = "save it as UTF-8 (in Windows Notepad: File > Save as > Encoding)"


@dataclass(frozen=True)
class Document:
    """A YAML file, the line of each key, and what was written for each value that YAML did not take for a text.

    When it lies over another file, ``inherited`` are the values that come from there. ``variables`` are the values that
    come from the environment.
    """

    path: str
    data: Mapping[str, object]
    lines: Mapping[Location, int]
    words: Mapping[Location, str] = field(default_factory=dict)
    inherited: frozenset[Location] = frozenset()
    variables: Mapping[Location, str] = field(default_factory=dict)

    def error(self, at: Location, problem: str, fix: str = "") -> ConfigError:
        """Build the error for a key, with the nearest line that is known."""
        if at in self.variables:
            return ConfigError(self.variables[at], problem, fix=fix)
        if at not in self.lines and any(value[: len(at)] == at for value in self.inherited):
            problem += " (that is the shipped value)"
        return ConfigError(".".join(map(str, at)) or "the file", problem, line=self.line(at), fix=fix, path=self.path)

    def line(self, at: Location) -> int | None:
        """Return the line of a key, or the nearest one that is known."""
        return next((self.lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in self.lines), None)

    def relocated(self, error: ConfigError, at: Location = ()) -> ConfigError:
        """Return an error whose key is relative to ``at`` with its place in this file."""
        return self.error((*at, *error.key.split(".")), error.problem, error.fix)

    def check(self, model: type[Model], data: object, at: Location = ()) -> Model:
        """Validate ``data`` against ``model``; raise a group with one ConfigError for each wrong key."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            raise ExceptionGroup(self.path, list(self._errors(error, model, data, at))) from None
        except ConfigError as error:
            raise self.relocated(error, at) from None

    def _errors(
        self, error: ValidationError, model: type[BaseModel], data: object, at: Location
    ) -> Iterator[ConfigError]:
        for place, items in config_messages.by_place(error.errors(include_url=False), data).items():
            where, kind = (*at, *place), items[0]["type"]
            if kind == "extra_forbidden":
                inner = _model_at(model, items[0]["loc"][:-1])
                yield self.error(where, *config_messages.unknown_key(str(place[-1]), inner))
            elif kind == "string_type" and not isinstance(items[0]["input"], list | dict):
                yield self._not_a_text(where, items[0]["input"])
            else:
                problem, fix = config_messages.in_words(items)
                yield self.error(where, problem, fix or (_entry_meant(place, data) if kind == "missing" else ""))

    def _not_a_text(self, at: Location, value: object) -> ConfigError:
        """Build the error for a word that YAML takes for a number, for true or false, or for nothing."""
        if not (word := self.words.get(at, "" if value is None else str(value))):
            return self.error(at, "the text is missing", "write one behind the colon")
        taken = "nothing" if value is None else "true or false" if isinstance(value, bool) else "a number"
        return self.error(at, f"must be a text, and YAML takes {word} for {taken}", f'put it in quotes: "{word}"')


def read(path: Path) -> Document:
    """Read a YAML file with its line numbers; an empty file is an empty mapping.

    Raise ConfigError when it is missing, too large or not a mapping.
    """
    text = read_text(path)
    try:
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        # Before the values are built, which writes the keys of a merge (<<) into the nodes.
        keys = list(_keys(node, ()))
        data = None if node is None else loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"has an invisible character in it (U+{error.character:04X})"
        raise ConfigError("the file", problem, line=line, fix="delete it", path=str(path)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _not_yaml(error, text, str(path)) from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        fix = "begin with the name of a section, like server:"
        raise ConfigError("the file", "must be a mapping of keys to values", fix=fix, path=str(path))
    return _document(path, data, keys)


def _not_yaml(error: Exception, text: str, path: str) -> ConfigError:
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context", None)
    found = getattr(error, "problem", None) or ""
    problem = f"{context} {found}" if context and found.startswith("but ") else found
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    fix = "check the indentation, the colons and the quotes there"
    if "\t" in line or "\u00a0" in line:
        fix = "write plain spaces instead of tabs and no-break spaces"
    words = f"is not YAML there ({problem})" if problem else "is not YAML"
    return ConfigError("the file", words, line=mark.line + 1 if mark else None, fix=fix, path=path)


def _document(path: Path, data: Mapping[str, object], keys: Sequence[tuple[Location, int, yaml.Node]]) -> Document:
    lines: dict[Location, int] = {}
    words: dict[Location, str] = {}
    document = Document(str(path), data, lines, words)
    for at, line, value in keys:
        if at in lines:
            raise document.error(at, f"appears twice, the second time on line {line}", "remove one of the two")
        lines[at] = line
        if isinstance(value, yaml.ScalarNode) and value.tag != f"{_TAG}str":
            words[at] = str(value.value)
    return document


def _keys(node: yaml.Node | None, at: Location) -> Iterator[tuple[Location, int, yaml.Node]]:
    """Yield the location of each key and list item with its line and its value, in the order of the file."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, str(key.value)), key.start_mark.line + 1, value
            yield from _keys(value, (*at, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, value
            yield from _keys(value, (*at, index))


def read_text(path: Path) -> str:
    """Read a text file that a user wrote; raise ConfigError when it is missing, too large or not UTF-8."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read", fix="check the path") from error
    if len(raw) > LARGEST_FILE:
        raise ConfigError(str(path), f"is larger than {LARGEST_FILE} bytes", fix="shorten it, or check the path")
    return decode(raw, str(path))


def decode(raw: bytes, path: str) -> str:
    """Decode UTF-8, with or without a byte order mark; raise ConfigError that names the line of anything else."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError("the file", "is UTF-16", line=1, fix=SAVE_AS_UTF8, path=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: the letter with the byte 0x{raw[error.start]:02x} is written in another encoding"
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file", problem, line=line, fix=SAVE_AS_UTF8, path=path) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError("the file", "has zero bytes in it, as UTF-16 has", line=line, fix=SAVE_AS_UTF8, path=path)
    return text


_TAG = "tag:yaml.org,2002:"


class _CoreLoader(yaml.SafeLoader):
    """Reads words as the core schema of YAML 1.2 does: on, off, yes, no, dates and times are texts.

    Keys are texts, whatever they look like. (``<<`` still merges mappings, as in YAML 1.1.)
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys are texts."""
        self.flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = f"{_TAG}str"
        return super().construct_mapping(node, deep)


_CoreLoader.yaml_implicit_resolvers = {}
_CoreLoader.yaml_constructors = {
    None: yaml.SafeLoader.construct_undefined,
    f"{_TAG}str": yaml.SafeLoader.construct_yaml_str,
    f"{_TAG}seq": yaml.SafeLoader.construct_yaml_seq,
    f"{_TAG}map": yaml.SafeLoader.construct_yaml_map,
}


def _add_scalar(kind: str, pattern: str, firsts: Sequence[str], build: Callable[[str], object]) -> None:
    """Teach the loader a kind of plain scalar: its pattern, the letters that it begins with, and its value."""
    matches = re.compile(rf"(?:{pattern})\Z").match

    def construct(_: _CoreLoader, node: yaml.ScalarNode) -> object:
        if not matches(node.value):
            raise yaml.constructor.ConstructorError(None, None, f"'{node.value}' is no {kind}", node.start_mark)
        return build(node.value)

    _CoreLoader.add_implicit_resolver(f"{_TAG}{kind}", re.compile(rf"(?:{pattern})\Z"), firsts)
    _CoreLoader.add_constructor(f"{_TAG}{kind}", construct)


def _int(digits: str) -> int:
    return int(digits, 0) if digits.startswith(("0x", "0o")) else int(digits)


def _float(digits: str) -> float:
    return float(digits.lower().replace(".inf", "inf").replace(".nan", "nan"))


# Without the sexagesimal numbers and underscores of YAML 1.1.
FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_add_scalar("bool", "true|True|TRUE|false|False|FALSE", "tTfF", lambda word: word.lower() == "true")
_add_scalar("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789", _int)
_add_scalar("float", FLOAT, "-+.0123456789", _float)
_add_scalar("null", "~|null|Null|NULL|", ["~", "n", "N", ""], lambda word: None)
_CoreLoader.add_implicit_resolver(f"{_TAG}merge", re.compile(r"<<\Z"), "<")


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    """Follow a location down to the model whose key is unknown."""
    for key in path:
        field = model.model_fields.get(str(key))
        inner = next(config_messages.models_in(field.annotation), None) if field else None
        model = inner or model
    return model


def _entry_meant(place: Location, data: Any) -> str:
    """Ask whether an entry that lacks a key was to be another one, to which it would add."""
    if len(place) < 2:
        return ""
    *way, name, _ = place
    for key in way:
        data = data[key]
    return config_messages.did_you_mean(name, [key for key in data if key != name]) if isinstance(data, Mapping) else ""
