"""Read config.yaml and report each mistake with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from streamer.config import Config
from streamer.errors import ConfigError

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Document:
    """A YAML file together with the line on which each key stands."""

    path: str
    data: Mapping[str, object]
    lines: Mapping[Location, int]

    def error(self, at: Location, problem: str, fix: str = "") -> ConfigError:
        """Build the error for a key, with the nearest line that is known."""
        line = next((self.lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in self.lines), None)
        return ConfigError(".".join(map(str, at)) or "the file", problem, line=line, fix=fix, path=self.path)

    def check(self, model: type[Model], data: object, at: Location = ()) -> Model:
        """Validate ``data`` against ``model``; raise a group with one ConfigError for every wrong key."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            raise ExceptionGroup(self.path, list(self._explain(error, model, at))) from None
        except ConfigError as error:
            raise self.error((*at, *error.key.split(".")), error.problem, error.fix) from None

    def _explain(self, error: ValidationError, model: type[BaseModel], at: Location) -> Iterator[ConfigError]:
        for item in error.errors(include_url=False):
            where = (*at, *item["loc"])
            if item["type"] == "extra_forbidden":
                allowed = sorted(_model_at(model, item["loc"][:-1]).model_fields)
                yield self.error(where, "there is no such key", _suggest(str(item["loc"][-1]), allowed))
            else:
                yield self.error(where, f"{item['msg'].lower()}, not {item['input']!r:.60}")


def read(path: Path) -> Document:
    """Read a YAML file with its line numbers; raise ConfigError when it is missing, too large or not YAML."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), error.strerror or "cannot be read", fix="check STREAMER_CONFIG") from error
    if len(raw) > LARGEST_FILE:
        raise ConfigError(str(path), f"is larger than {LARGEST_FILE} bytes")
    try:
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
        data = yaml.safe_load(raw)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "is not YAML"
        raise ConfigError("the file", problem, line=mark.line + 1 if mark else None, path=str(path)) from error
    lines: dict[Location, int] = {}
    document = Document(str(path), data if isinstance(data, dict) else {}, lines)
    if not isinstance(data, dict):
        raise document.error((), "must be a mapping of keys to values")
    _note_lines(node, (), lines, document)
    return document


def load(path: Path) -> tuple[Config, Document]:
    """Read and check a whole config file."""
    document = read(path)
    return document.check(Config, document.data), document


def _note_lines(node: yaml.Node | None, at: Location, lines: dict[Location, int], document: Document) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            where = (*at, str(key.value))
            if where in lines:
                raise document.error(where, f"stands twice, the second time on line {key.start_mark.line + 1}")
            lines[where] = key.start_mark.line + 1
            _note_lines(value, where, lines, document)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            _note_lines(value, (*at, index), lines, document)


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    """Follow a location down to the model whose key is unknown."""
    for key in path:
        field = model.model_fields.get(str(key))
        found = next(iter(_models_in(field.annotation)), None) if field else None
        model = found or model
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)


def _suggest(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    return (f"did you mean '{close[0]}'? " if close else "") + f"allowed: {', '.join(allowed)}"
