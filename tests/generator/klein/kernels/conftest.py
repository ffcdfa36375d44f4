"""Without a GPU the kernels run in Triton's interpreter, which must be chosen before Triton is first imported."""

import importlib.util
import os
import sys

import pytest


def choose_interpreter() -> str | None:
    """Turn the interpreter on; give the reason where it cannot be."""
    missing = [name for name in ("torch", "triton", "diffusers") if importlib.util.find_spec(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    import torch

    if torch.cuda.is_available():
        return "on a GPU machine tests/gpu holds the compiled kernels to the same references"
    if "triton" in sys.modules and os.environ.get("TRITON_INTERPRET") != "1":
        return "Triton was imported without TRITON_INTERPRET=1"
    os.environ["TRITON_INTERPRET"] = "1"
    return None


OBSTACLE = choose_interpreter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "klein/kernels" in item.path.as_posix():
            item.add_marker(pytest.mark.torch)
            if OBSTACLE is not None:
                item.add_marker(pytest.mark.skip(reason=OBSTACLE))
