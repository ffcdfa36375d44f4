"""The Klein plug-in: its options are known without torch, and without torch it says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.backends import klein


def test_the_options_are_checked_without_importing_torch() -> None:
    code = "import sys, streamer.generator.backends.klein as k; k.Options(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("streamer.generator.klein.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailable, match=r"streamer\[klein\]"):
        klein.create(klein.Options())
