"""Advice can be followed: every configuration key that a message names is one that config.yaml may hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

import streamer
from streamer import plugins
from streamer.config import Config, Use

SOURCE = Path(streamer.__file__).parent
DOTTED = re.compile(r"(?<![\w./@:-])[a-z_]+(?:\.[a-z_0-9]+)+(?!\w*\()")
SEAMS = {"triggers": "trigger", "policy": "rule", "outputs": "output", "generator.judges": "judge"}
NO_KEYS = {"twitch.tv", "twitch.json"}
"""A host and a file, whose names begin as a section does."""


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string of a module, docstrings aside: those are read by developers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    expressions = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in expressions:
            yield node.lineno, node.value


def keys_named_in(text: str) -> list[str]:
    """Find what reads like a key of config.yaml: a dotted name that begins with a section of the file."""
    dotted = DOTTED.findall(text)
    return [key for key in dotted if key.partition(".")[0] in Config.model_fields and key not in NO_KEYS]


def exists(key: str) -> bool:
    """Follow a dotted key through the schema, into the options of the plug-ins that it names."""
    annotation: Any = Config
    for done, part in enumerate(parts := key.split(".")):
        annotation = _step(annotation, part, ".".join(parts[:done]))
        if annotation is None:
            return False
    return True


def _step(annotation: Any, part: str, section: str) -> Any:
    """Return the type of what stands under a name, or None where no such name may stand."""
    for kind in _unwrapped(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if section in SEAMS and kind is Use:
                return plugins.options_of(SEAMS[section], part) if part in plugins.names(SEAMS[section]) else None
            field = kind.model_fields.get(part)
            return None if field is None else field.annotation
        if get_origin(kind) is Mapping or get_origin(kind) is dict:
            if section == "generator.backends":
                return plugins.options_of("backend", part) if part in plugins.names("backend") else None
            return get_args(kind)[1]
    return None


def _unwrapped(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation may stand for: of a union each, of a list the type of its items."""
    if get_origin(annotation) in (Mapping, dict) or not get_args(annotation):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _unwrapped(argument)


MODULES = sorted(SOURCE.rglob("*.py"))


def test_every_key_that_a_message_names_exists() -> None:
    """Whoever follows the advice of an error must not be refused for it."""
    wrong = [
        f"{path.relative_to(SOURCE.parent)}:{line}: {key}"
        for path in MODULES
        for line, text in literals(path)
        for key in keys_named_in(text)
        if not exists(key)
    ]
    assert wrong == []


def test_keys_are_found_at_all() -> None:
    """The search is not blind: it sees at least the advice that is known to be there."""
    found = {key for path in MODULES for _, text in literals(path) for key in keys_named_in(text)}
    assert {"server.port", "twitch.client_id", "generator.backends.klein.precision", "obs.hotkeys"} <= found


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("server.port", True),
        ("generator.precision", False),
        ("generator.backends.klein.precision", True),
        ("generator.backends.klein.velocity", False),
        ("generator.backends.nobody.precision", False),
        ("generator.process.deadline_s", True),
        ("obs.hotkeys.keys", True),
        ("layers.background.at_least_s", True),
        ("layers.background.colour", False),
        ("policy.cooldown.user_s", True),
        ("policy.cooldown.user", False),
        ("policy.ban", False),
        ("twitch.secret", False),
    ],
)
def test_a_key_is_followed_into_the_options_of_plugins(key: str, known: bool) -> None:
    """Sections, mappings by name and options of plug-ins are told apart from inventions."""
    assert exists(key) is known
