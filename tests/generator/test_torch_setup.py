"""What torch reads is set before it is imported, and what the user has set stays."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from streamer.generator import torch_setup


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "mine")
    monkeypatch.delenv("PYTORCH_ENABLE_MPS_FALLBACK", raising=False)
    torch_setup.prepare()
    assert (os.environ["PYTORCH_ALLOC_CONF"], os.environ["PYTORCH_ENABLE_MPS_FALLBACK"]) == ("mine", "1")


@pytest.mark.skipif(sys.platform != "linux", reason="these pieces grow on Linux alone")
def test_memory_grows_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    torch_setup.prepare()
    assert os.environ["PYTORCH_ALLOC_CONF"] == "expandable_segments:True"


def test_the_state_folder_is_the_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    assert torch_setup.state_folder() == tmp_path
    monkeypatch.delenv("STREAMER_HOME")
    assert torch_setup.state_folder() == Path.home() / ".cache" / "streamer"
