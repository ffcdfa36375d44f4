"""Without a GPU the kernels run in Triton's interpreter, which must be chosen before Triton is first imported."""

import importlib.util
import os
import sys

import pytest

INTERPRETED = "triton" not in sys.modules or os.environ.get("TRITON_INTERPRET") == "1"
if INTERPRETED:
    os.environ["TRITON_INTERPRET"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in ("torch", "triton", "diffusers") if importlib.util.find_spec(name) is None]
    reason = f"not installed: {', '.join(missing)}" if missing else "Triton was imported without TRITON_INTERPRET=1"
    for item in items:
        if "klein/kernels" in item.path.as_posix():
            item.add_marker(pytest.mark.torch)
            if missing or not INTERPRETED:
                item.add_marker(pytest.mark.skip(reason=reason))
