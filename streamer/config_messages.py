"""Says in plain words, and in those of YAML, what pydantic finds wrong in a config file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel
from pydantic_core import ErrorDetails

LIST_FIX = "begin each entry with '- ', or write [one, two]"
MAPPING_FIX = "write it like {key: value}"

_WANTED = {
    "int": ("a whole number", ""), "float": ("a number", ""), "finite": ("a number", ""), "bool": ("true or false", ""),
    "string": ("a text", ""), "list": ("a list", LIST_FIX), "tuple": ("a list", LIST_FIX),
    "dict": ("a mapping", MAPPING_FIX), "mapping": ("a mapping", MAPPING_FIX), "model": ("a mapping", MAPPING_FIX),
}  # fmt: skip
"""What should stand there, and how it is written, by the first word of the error's type."""
_WRONG_TYPE = re.compile(r"(?P<wanted>[a-z]+)_(?:attributes_)?(?:type|parsing|from_float|number)\Z")
_QUOTED = re.compile(r"'([^']*)'")
_SUBJECT = re.compile(r"\A\w+ should ")


def by_place(errors: Iterable[ErrorDetails], data: object) -> Mapping[tuple[str | int, ...], list[ErrorDetails]]:
    """Return the errors of each value: one of several types fails once for each of them."""
    places: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for error in errors:
        places.setdefault(tuple(_written_keys(error, data)), []).append(error)
    return places


def _written_keys(error: ErrorDetails, data: object) -> Iterator[str | int]:
    """Yield those parts of a location that stand in the file; pydantic adds the names of the types it tried."""
    last = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if isinstance(data, list) and isinstance(part, int):
            data = data[part]
        elif isinstance(data, Mapping) and part in data:
            data = data.get(part)
        elif error["type"] != "missing" or index != last:
            continue
        yield part


def in_words(errors: Sequence[ErrorDetails]) -> tuple[str, str]:
    """Say what is wrong with one value, and what to write instead."""
    error = errors[0]
    value, context = error["input"], error.get("ctx", {})
    if error["type"] == "missing":
        return "is missing", ""
    if error["type"] in ("enum", "literal_error"):
        choices = [word for each in errors for word in _QUOTED.findall(str(each.get("ctx", {}).get("expected", "")))]
        return f"must be one of {', '.join(choices)}, {_instead(value)}", did_you_mean(value, choices)
    if error["type"] == "value_error":
        problem = str(context["error"])
        return _with_value(problem, value), ""
    if (match := _WRONG_TYPE.match(error["type"])) and match["wanted"] in _WANTED:
        wanted, fix = _WANTED[match["wanted"]]
        return f"must be {wanted}, {_instead(value)}", fix
    return _with_value(_SUBJECT.sub("must ", error["msg"].lower()), value), ""


def _with_value(problem: str, value: object) -> str:
    is_named = isinstance(value, Mapping | list) or str(value) in problem
    return problem if is_named else f"{problem}, {_instead(value)}"


def _instead(value: object) -> str:
    """Say in the words of YAML what stands there instead."""
    if isinstance(value, Mapping):
        return "not a mapping"
    if isinstance(value, list):
        return "not a list"
    if value is None:
        return "and nothing stands there"
    return f"not {str(value).lower()}" if isinstance(value, bool) else f"not {value!r:.60}"


def unknown_key(key: str, model: type[BaseModel]) -> tuple[str, str]:
    """Say that there is no such key, and which one may have been meant."""
    allowed = sorted(model.model_fields)
    if key.strip() != key:
        return f"'{key.strip()}' has a no-break space before or behind it", "write plain spaces"
    if close := did_you_mean(key, allowed):
        return "there is no such key", f"{close} allowed: {', '.join(allowed)}"
    sections = [name for name, field in model.model_fields.items() if key in _keys_of(field.annotation)]
    if sections:
        return "there is no such key here", f"it belongs below {' or '.join(sections)}: indent it there"
    return "there is no such key", f"allowed: {', '.join(allowed)}"


def did_you_mean(word: object, known: Collection[str]) -> str:
    """Return a question that names the known word that looks like this one, "" if none does."""
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(str(word).casefold(), by_folded, n=1)
    return f"did you mean '{by_folded[close[0]]}'?" if close else ""


def _keys_of(annotation: object) -> Iterable[str]:
    for model in models_in(annotation):
        yield from model.model_fields


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the pydantic models that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)
