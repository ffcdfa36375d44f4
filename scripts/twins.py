"""Fails when a module has no twin test: streamer/a/b.py wants tests/a/test_b.py."""

from __future__ import annotations

import sys
from pathlib import Path

# Said in one place by other tests: package markers, pure declarations, and the command line's entry.
WITHOUT = {"streamer/__init__.py"}


def twin(module: Path) -> Path:
    """Return where the test of a module must stand."""
    inside = module.relative_to("streamer")
    name = f"test_{inside.parent.name}.py" if inside.name == "__init__.py" else f"test_{inside.stem.strip('_')}.py"
    return Path("tests") / (inside.parent.parent if inside.name == "__init__.py" else inside.parent) / name


def main() -> int:
    """Print every module without a twin; exit 1 when there is one."""
    modules = [path for path in Path("streamer").rglob("*.py") if path.stat().st_size and str(path) not in WITHOUT]
    alone = [(module, twin(module)) for module in sorted(modules) if not twin(module).exists()]
    for module, wanted in alone:
        print(f"{module} has no twin: {wanted}")
    return 1 if alone else 0


if __name__ == "__main__":
    sys.exit(main())
