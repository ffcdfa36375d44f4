"""Reads a YAML file, checks it against a pydantic model, and names the line of each mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from streamer.errors import ConfigError

Location = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists."""

Model = TypeVar("Model", bound=BaseModel)

LARGEST_FILE = 1_000_000
"""In bytes."""


@dataclass(frozen=True)
class Document:
    """A YAML file together with the line of each key."""

    path: str
    data: Mapping[str, object]
    lines: Mapping[Location, int]

    def error(self, at: Location, problem: str, fix: str = "") -> ConfigError:
        """Build the error for a key, with the nearest line that is known."""
        line = next((self.lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in self.lines), None)
        return ConfigError(".".join(map(str, at)) or "the file", problem, line=line, fix=fix, path=self.path)

    def relocated(self, error: ConfigError, at: Location = ()) -> ConfigError:
        """Return an error whose key is relative to ``at`` with its place in this file."""
        return self.error((*at, *error.key.split(".")), error.problem, error.fix)

    def check(self, model: type[Model], data: object, at: Location = ()) -> Model:
        """Validate ``data`` against ``model``; raise a group with one ConfigError for each wrong key."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            raise ExceptionGroup(self.path, list(self._errors(error, model, at))) from None
        except ConfigError as error:
            raise self.relocated(error, at) from None

    def _errors(self, error: ValidationError, model: type[BaseModel], at: Location) -> Iterator[ConfigError]:
        for item in error.errors(include_url=False):
            where = (*at, *item["loc"])
            if item["type"] == "extra_forbidden":
                allowed = sorted(_model_at(model, item["loc"][:-1]).model_fields)
                yield self.error(where, "there is no such key", _suggestion(str(item["loc"][-1]), allowed))
            else:
                yield self.error(where, f"{item['msg'].lower()}, not {item['input']!r:.60}")


def read(path: Path) -> Document:
    """Read a YAML file with its line numbers; raise ConfigError when it is missing, too large or not a mapping."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read", fix="check STREAMER_CONFIG") from error
    if len(raw) > LARGEST_FILE:
        raise ConfigError(str(path), f"is larger than {LARGEST_FILE} bytes", fix="shorten it, or check STREAMER_CONFIG")
    try:
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
        data = yaml.safe_load(raw)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        fix = "check the indentation, the colons and the quotes there"
        raise ConfigError("the file", problem, line=mark.line + 1 if mark else None, fix=fix, path=str(path)) from error
    if not isinstance(data, dict):
        fix = "begin with the name of a section, like server:"
        raise ConfigError("the file", "must be a mapping of keys to values", fix=fix, path=str(path))
    lines: dict[Location, int] = {}
    document = Document(str(path), data, lines)
    for at, line in _key_lines(node, ()):
        if at in lines:
            fix = "remove one of the two"
            raise document.error(at, f"appears twice, the second time on line {line}", fix)
        lines[at] = line
    return document


def _key_lines(node: yaml.Node | None, at: Location) -> Iterator[tuple[Location, int]]:
    """Yield the location of each key and list item with its line, in the order of the file."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, str(key.value)), key.start_mark.line + 1
            yield from _key_lines(value, (*at, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _key_lines(value, (*at, index))


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the pydantic models that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    """Follow a location down to the model whose key is unknown."""
    for key in path:
        field = model.model_fields.get(str(key))
        inner = next(models_in(field.annotation), None) if field else None
        model = inner or model
    return model


def _suggestion(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    return (f"did you mean '{close[0]}'? " if close else "") + f"allowed: {', '.join(allowed)}"
