"""Lays the user's config.yaml over the shipped one, and prints the result with where each value comes from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from streamer.config_file import FLOAT, Document, Location
from streamer.config_messages import did_you_mean

_KIND_KEYS = ("kind", "use")
"""Keys that decide which other keys an entry may have."""

_COMMENT_COLUMN = 60
_SECRET_KEY = re.compile(r"(?:password|passwd|secret|token|api_?key|credentials?)$", re.IGNORECASE)
_SECRET_IN_URL = re.compile(r"(://|[?&](?:token|key|secret|password)=)[^/@\s&]+(@|(?=&|\s|$))", re.IGNORECASE)


def overlay(shipped: Document, own: Document, tables: Collection[str]) -> Document:
    """Lay the user's file over the shipped one.

    Mappings merge key by key, and everything else replaces. An empty section says nothing. ``tables`` are the sections
    whose keys are free names: there an empty entry removes the shipped one, and an entry of another kind replaces it.
    Raises ConfigError when there is none to remove.
    """
    _check_removals(shipped, own, tables)
    inherited: set[Location] = set()
    data = _merge(shipped.data, own.data, (), frozenset(tables), inherited)
    assert isinstance(data, Mapping)
    return dataclasses.replace(own, data=data, inherited=frozenset(inherited))


def _check_removals(shipped: Document, own: Document, tables: Collection[str]) -> None:
    """Raise ConfigError when an empty entry removes nothing: its name is misspelt, or no longer shipped."""
    for table in tables:
        entries, known = own.data.get(table), shipped.data.get(table)
        known = known if isinstance(known, Mapping) else {}
        for name, entry in entries.items() if isinstance(entries, Mapping) else ():
            if entry is None and name not in known:
                fix = did_you_mean(name, known) or "write something behind the colon, or delete the line"
                raise own.error((table, name), "is empty, and no shipped entry has this name to be removed", fix)


def _merge(shipped: object, own: object, at: Location, tables: frozenset[str], inherited: set[Location]) -> object:
    """Return the merged value, and add the location of each value that comes from the shipped file."""
    if own is None and isinstance(shipped, Mapping | list):
        inherited.update(_leaves(shipped, at))
        return shipped
    if not isinstance(shipped, Mapping) or not isinstance(own, Mapping):
        return own
    is_entry = len(at) == 2 and at[0] in tables
    if is_entry and any(own.get(key, shipped.get(key)) != shipped.get(key) for key in _KIND_KEYS):
        return own
    is_table = len(at) == 1 and at[0] in tables
    merged: dict[str, object] = {}
    for key in {**shipped, **own}:
        if is_table and key in shipped and own.get(key, "") is None:
            continue
        if key in own and key in shipped:
            merged[key] = _merge(shipped[key], own[key], (*at, key), tables, inherited)
        elif key in own:
            merged[key] = own[key]
        else:
            merged[key] = shipped[key]
            inherited.update(_leaves(shipped[key], (*at, key)))
    return merged


def _leaves(value: object, at: Location) -> Iterator[Location]:
    """Yield the location of each value that is neither a mapping nor a list, and of each empty one."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    if not items or not value:
        yield at
    for key, inner in items:
        yield from _leaves(inner, (*at, key))


def show(document: Document, *, ascii_only: bool = False) -> Iterator[str]:
    """Yield the lines of the merged file as YAML, each value with where it comes from; secrets are hidden."""
    lines = list(_shown(document.data, (), document, ascii_only))
    column = min(max((len(text) for text, origin in lines if origin), default=0), _COMMENT_COLUMN)
    for text, origin in lines:
        yield f"{text:<{column}}  # {origin}" if origin else text


def _shown(value: object, at: Location, document: Document, ascii_only: bool) -> Iterator[tuple[str, str]]:
    """Yield each line of a mapping or a list, and where its value comes from."""
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        here = (*at, key)
        lead = "-" if isinstance(value, list) else f"{_written(key, ascii_only)}:"
        if _fits_one_line(inner):
            yield f"{lead} {_written(_hidden(key, inner), ascii_only)}", _origin(document, here)
            continue
        below = [(f"  {text}", origin) for text, origin in _shown(inner, here, document, ascii_only)]
        if isinstance(value, list):
            (first, origin), *below = below
            yield f"- {first[2:]}", origin
        else:
            yield lead, ""
        yield from below


def _fits_one_line(value: object) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return not inner or (isinstance(value, list) and not any(isinstance(item, Mapping | list) for item in inner))


def _origin(document: Document, at: Location) -> str:
    if at in document.variables:
        return f"environment: {document.variables[at]}"
    if at in document.inherited or (*at, 0) in document.inherited:
        return "shipped"
    return f"your file, line {document.line(at)}"


def _hidden(key: object, value: object) -> object:
    """Return a value without what nobody should read over the streamer's shoulder."""
    if value and _SECRET_KEY.search(str(key)):
        return "(hidden)"
    if isinstance(value, list):
        return [_hidden("", item) for item in value]
    return _SECRET_IN_URL.sub(r"\1(hidden)\2", value) if isinstance(value, str) else value


def _written(value: object, ascii_only: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=not ascii_only, width=float("inf")
    )  # fmt: skip
    return text.removesuffix("\n").removesuffix("\n...")


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 takes for something else than a text."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{FLOAT})\Z"), list("-+.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"0o[0-7]+\Z"), ["0"])
