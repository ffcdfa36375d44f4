"""Fails when a module has no test: streamer/a/b.py wants tests/a/test_b.py, or a test in tests/a that imports it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# Said in one place by other tests: the package marker with the version.
WITHOUT = {"streamer/__init__.py"}


def twins(module: Path) -> list[Path]:
    """Return where the test of a module may stand."""
    folder, name = Path("tests") / module.parent.relative_to("streamer"), module.stem.strip("_")
    if module.name == "__init__.py":
        return [folder / f"test_{module.parent.name}.py", folder.parent / f"test_{module.parent.name}.py"]
    return [folder / f"test_{name}.py"]


def dotted(module: Path) -> str:
    """Return the name by which a module is imported."""
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def imported(folder: Path) -> Iterator[str]:
    """Yield the dotted name of everything that the tests of a folder import."""
    for path in folder.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tested(module: Path) -> bool:
    """Tell whether a module has a twin or is imported by a test of its own folder."""
    places = twins(module)
    return any(path.exists() for path in places) or dotted(module) in set(imported(places[0].parent))


def main() -> int:
    """Print every module without a twin; exit 1 when there is one."""
    modules = [path for path in Path("streamer").rglob("*.py") if path.stat().st_size and str(path) not in WITHOUT]
    alone = [module for module in sorted(modules) if not tested(module)]
    for module in alone:
        print(f"{module} has no test: {twins(module)[0]}")
    return 1 if alone else 0


if __name__ == "__main__":
    sys.exit(main())
