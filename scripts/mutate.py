"""Measure how many small faults in a module its tests notice: the mutation score.

Every comparison, boolean, number, return value, operator and condition is broken in turn, and the tests named are
run against the broken module in a process of their own, one process for each core. Survivors are listed: each asks
for a better test, or is the same program in other words.
Usage: python scripts/mutate.py [--sample 200] [--jobs 2]
    streamer/moderation/rules/cooldown.py tests/moderation/rules/test_cooldown.py ...
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

# Loaded once, before the forks: they are most of what a small test takes.
import anyio.pytest_plugin  # noqa: F401
import hypothesis.strategies  # noqa: F401
import pydantic  # noqa: F401
import pytest
import pytest_asyncio.plugin  # noqa: F401

TIMEOUT_S = 60
_PLUGINS_ARE_LOADED = "ignore::pytest.PytestAssertRewriteWarning"
# A module, the line of its fault, and the broken module itself.
Fault = tuple[Path, int, ast.Module]
_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMBINED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


def broken(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the broken variants of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        changed = copy.deepcopy(node)
        changed.ops[0] = _COMPARED[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.BinOp) and type(node.op) in _COMBINED:
        changed_op = copy.deepcopy(node)
        changed_op.op = _COMBINED[type(node.op)]()
        yield changed_op
    elif isinstance(node, ast.BoolOp):
        other = copy.deepcopy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def mutants(source: str) -> Iterator[tuple[int, ast.Module]]:
    """Yield every broken copy of a module with the line of its fault."""
    tree = ast.parse(source)
    # Annotations are never run.
    hints = {id(node) for hint in _hints(tree) for node in ast.walk(hint)}
    places = [
        (parent, field, index)
        for parent in ast.walk(tree)
        if id(parent) not in hints
        for field, value in ast.iter_fields(parent)
        for index in (range(len(value)) if isinstance(value, list) else [None])
        if field not in ("annotation", "returns", "decorator_list")
    ]
    for parent, field, index in places:
        value = getattr(parent, field)
        node = value if index is None else value[index]
        if not isinstance(node, ast.AST):
            continue
        for other in broken(node):
            _put(parent, field, index, ast.copy_location(other, node))
            yield getattr(node, "lineno", 0), ast.fix_missing_locations(copy.deepcopy(tree))
            _put(parent, field, index, node)


def _hints(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(hint := getattr(node, field, None), ast.AST):
                yield hint


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def unnoticed(faults: list[Fault], tests: list[str], jobs: int) -> list[Fault]:
    """Return the faults that the tests do not notice, in order; try ``jobs`` of them at a time.

    A crash and an endless loop are noticed, too. What passed is named on stderr at once: a long run may be cut short.
    """
    running: dict[int, int] = {}
    passed: list[int] = []
    waiting = iter(enumerate(faults))
    while True:
        for index, (path, _, tree) in itertools.islice(waiting, jobs - len(running)):
            running[_started(path, tree, tests)] = index
        if not running:
            return [faults[index] for index in sorted(passed)]
        child, status = os.wait()
        index = running.pop(child)
        if status == 0:
            passed.append(index)
            print(f"survived: {faults[index][0]}:{faults[index][1]}", file=sys.stderr, flush=True)


def _started(path: Path, tree: ast.Module, tests: list[str]) -> int:
    """Run the tests against a broken module in a fork, and return its process id."""
    child = os.fork()
    if child == 0:
        signal.alarm(TIMEOUT_S)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        sys.meta_path.insert(0, _Broken(path, tree))
        # What hypothesis finds by luck, or remembers of another fault, would count as if this one had been noticed.
        options = ["-x", "-q", "--no-header", "--hypothesis-profile=ci", "-p", "no:cacheprovider"]
        options += ["-W", _PLUGINS_ARE_LOADED]
        os._exit(0 if pytest.main([*options, *tests]) == 0 else 1)
    return child


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import hook that loads the broken module instead of the one on disk."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path, self._tree = path, tree
        self._name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        package = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, self._path, loader=self, submodule_search_locations=package)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), vars(module))


def main() -> None:
    """Break, run, count, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many faults to try, chosen by chance; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many faults to try at a time")
    parser.add_argument("files", nargs="+", help="modules, then their tests")
    chosen = parser.parse_args()
    tests = [name for name in chosen.files if Path(name).parts[0] == "tests"]
    modules = [Path(name) for name in chosen.files if name not in tests]
    for path in modules:
        whole = _started(path, ast.parse(path.read_text(encoding="utf-8")), tests)
        if os.waitpid(whole, 0)[1] != 0:
            sys.exit(f"the tests fail without a fault in {path}")
    faults = [(path, *one) for path in modules for one in mutants(path.read_text(encoding="utf-8"))]
    total = len(faults)
    if chosen.sample:
        faults = random.Random(chosen.seed).sample(faults, min(total, chosen.sample))
    survivors = unnoticed(faults, tests, chosen.jobs)
    for path, line, _ in survivors:
        print(f"{path}:{line}: {path.read_text(encoding='utf-8').splitlines()[line - 1].strip()}")
    score = 1 - len(survivors) / len(faults)
    print(json.dumps({"faults": total, "tried": len(faults), "survived": len(survivors), "score": round(score, 4)}))


if __name__ == "__main__":
    main()
