"""A stand-in for the NVIDIA driver's tool, which prints what the real one prints."""

from __future__ import annotations

from pathlib import Path

import pytest

RTX_4090 = "NVIDIA GeForce RTX 4090, 24564 MiB, 22000 MiB, 580.82.07, 8.9"


def put_tool(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver's tool be this shell script for the rest of the test."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
