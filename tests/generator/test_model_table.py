"""The table that streamer models prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import cli
from streamer.generator import measured_times, model_table
from streamer.generator.models import shipped
from tests.support.nvidia_smi import RTX_4090, put_tool


def test_the_table_says_of_each_model_whether_it_fits_and_who_may_use_it(tmp_path: Path) -> None:
    head, *rows = model_table.lines(model_table.models_here(tmp_path, "card", 12.9))
    assert len(rows) == len(shipped())
    assert head.split()[:2] == ["model", "here"]
    by_name = {row.split()[0]: row for row in rows}
    assert "  fits  " in by_name["klein-4b"]
    assert "does not fit" in by_name["klein-9b"]
    assert "FLUX Non-Commercial, gated" in by_name["klein-9b"]
    assert "one part at a time" in by_name["pixart-sigma"]
    assert "see its licence" in by_name["sana-sprint"]
    at = head.index("licence")
    assert all(row[at - 1] == " " and row[at] != " " for row in rows), "the columns stand below each other"


def test_the_command_prints_it_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_tool(tmp_path, f'echo "{RTX_4090}"', monkeypatch)
    assert cli.main(["models"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("This machine: NVIDIA GeForce RTX 4090, 26 GB\n")
    assert "sdxl-turbo" in printed


def test_without_a_gpu_every_model_needs_one_but_those_for_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["models"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("This machine: no NVIDIA GPU\n")
    for_the_processor = [row for row in shipped().values() if row.backend == "openvino"]
    assert printed.count("draws on the processor") == len(for_the_processor) > 0
    assert printed.count("needs a GPU") == len(shipped()) - len(for_the_processor)


def test_a_tool_that_fails_is_as_good_as_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, "exit 9", monkeypatch)
    assert model_table.memory_here() == ("no NVIDIA GPU", None)


def test_what_was_measured_on_this_card_is_told(tmp_path: Path) -> None:
    """Times of another card say nothing about this one."""
    measured_times.remember(tmp_path, "card", "klein-4b", 0.171)
    measured_times.remember(tmp_path, "another card", "sdxl-turbo", 9.0)
    measured_times.remember(tmp_path, "a processor", "sdxs-512", 3.25)
    rows = {row.model.name: row.seconds for row in model_table.models_here(tmp_path, "card", 24.0)}
    assert (rows["klein-4b"], rows["sdxl-turbo"], rows["sdxs-512"]) == (0.171, None, 3.25)
    printed = model_table.lines(model_table.models_here(tmp_path, "card", 24.0))
    assert "0.17 s" in printed[1]
