"""Fail when a module has no test: streamer/a/b.py needs tests/a/test_b.py, or a test in tests/a that imports it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

# The package marker with the version: other tests read it.
EXEMPT = {Path("streamer/__init__.py")}


def twin_paths(module: Path) -> list[Path]:
    """Return where the test of a module may stand."""
    folder, name = Path("tests") / module.parent.relative_to("streamer"), module.stem.strip("_")
    if module.name == "__init__.py":
        return [folder / f"test_{module.parent.name}.py", folder.parent / f"test_{module.parent.name}.py"]
    return [folder / f"test_{name}.py"]


def dotted_name(module: Path) -> str:
    """Return the name by which a module is imported."""
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def imported_names(folder: Path) -> Iterator[str]:
    """Yield the dotted name of everything that the tests of a folder import."""
    for path in folder.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def has_code(module: Path) -> bool:
    """Tell whether a module holds more than a docstring."""
    return any(not isinstance(node, ast.Expr) for node in ast.parse(module.read_text(encoding="utf-8")).body)


def has_test(module: Path) -> bool:
    """Tell whether a module has a twin or is imported by a test of its own folder."""
    paths = twin_paths(module)
    return any(path.exists() for path in paths) or dotted_name(module) in set(imported_names(paths[0].parent))


def main() -> int:
    """Print every module without a test; exit 1 when there is one."""
    modules = [path for path in sorted(Path("streamer").rglob("*.py")) if path not in EXEMPT and has_code(path)]
    untested = [module for module in modules if not has_test(module)]
    for module in untested:
        print(f"{module} has no test: {twin_paths(module)[0]}")
    return 1 if untested else 0


if __name__ == "__main__":
    sys.exit(main())
