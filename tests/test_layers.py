"""The contracts of pyproject.toml cover every module: nothing of the program stands outside the layers."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer import plugins

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
PROCEDURAL = "streamer.generator.procedural"


def contract(type_: str, **wanted: object) -> dict[str, Any]:
    """Return the one contract of a type that has these values."""
    (found,) = (one for one in CONTRACTS if one["type"] == type_ and all(one[key] == wanted[key] for key in wanted))
    return dict(found)


def modules() -> Iterator[str]:
    """Yield the dotted name of every module but the package itself."""
    for path in sorted((ROOT / "streamer").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name != "streamer":
            yield name


def is_inside(module: str, packages: set[str]) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


def test_every_module_stands_in_one_layer() -> None:
    layers = contract("layers")["layers"]
    named = {name.strip() for layer in layers for name in layer.replace("|", ":").split(":")}
    assert [module for module in modules() if not is_inside(module, named)] == []
    assert named <= set(modules()), "a layer that does not exist"


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of every module that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_plugins_of_one_kind_must_not_know_each_other(seam: str) -> None:
    assert contract("independence", modules=[f"{plugins.SEAMS[seam]}.*"])


def test_the_procedural_painter_imports_nothing_of_the_program() -> None:
    folder = ROOT / PROCEDURAL.replace(".", "/")
    imported = {module for path in folder.rglob("*.py") for module in imports(path)}
    of_the_program = {module for module in imported if is_inside(module, {"streamer"})}
    assert of_the_program
    assert [module for module in sorted(of_the_program) if not is_inside(module, {PROCEDURAL})] == []
