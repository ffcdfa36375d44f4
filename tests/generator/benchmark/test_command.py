"""``streamer bench`` as people run it: results on standard output, progress on the other, files in the given folder."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from streamer import cli
from streamer.generator.benchmark.arguments import FILES
from streamer.generator.benchmark.command import ProgressLine, download_notes
from streamer.generator.benchmark.results import Case
from streamer.storage import instance_lock
from tests.support.real_program import HEED_SIGNALS

PAINTED = ["bench", "procedural", "--size", "96x64", "--runs", "2"]


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a state folder of its own."""
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_everybody_gets_a_row_and_the_files_to_paste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "results"
    assert cli.main(["bench", "klein-4b", *PAINTED[1:], "--precision", "float16", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "procedural  96x64  float32" in printed.out
    assert "skipped: klein-4b 96x64 float16: this model can be drawn in auto, float32" in printed.out
    assert "[1/1] procedural 96x64: drawing" in printed.err
    content = json.loads((out / "bench.json").read_text("utf-8"))
    assert [row["model"] for row in content["rows"]] == ["procedural"]
    assert (out / "bench.md").read_text("utf-8").count("| procedural |") == 1
    with Image.open(out / "bench.png") as picture:
        assert picture.format == "PNG"
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)


def test_json_is_all_that_stands_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*PAINTED, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["rows"][0]["times_ms"]) == 2
    assert content["random_weights"] is False


def test_nothing_measured_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "sdxl-turbo", "--precision", "fp8"]) == 1
    assert "skipped: sdxl-turbo 512x512 fp8" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("", "utf-8")
    assert cli.main([*PAINTED, "--out", str(tmp_path / "taken" / "results")]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: --out: ")
    assert not printed.out


def test_a_model_is_not_measured_beside_the_running_program(
    state_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with instance_lock.held(state_folder, "http://localhost:1", "http://localhost:1"):
        assert cli.main(["bench", "klein-4b"]) == 1
    assert "streamer is running with this state folder" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_ctrl_c_keeps_the_finished_rows_and_leaves_no_child(tmp_path: Path) -> None:
    asked = ["bench", "procedural", "--size", "96x64", "1024x1024", "--runs", "200", "--out", str(tmp_path)]
    command = [*HEED_SIGNALS, sys.executable, "-m", "streamer", *asked]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        for line in running.stderr:
            if line.startswith("[2/2]") and "drawing" in line:
                break
        running.send_signal(signal.SIGINT)
        printed = running.stdout.read()
    assert running.returncode == cli.INTERRUPT_EXIT
    assert "procedural  96x64" in printed
    assert "1024x1024" not in printed
    assert len(json.loads((tmp_path / "bench.json").read_text("utf-8"))["rows"]) == 1


def test_a_download_is_announced_with_its_size() -> None:
    cases = [Case("klein-4b", "klein", 64, 64), Case("klein-4b", "klein", 96, 64), Case("/a/folder", "klein", 64, 64)]
    assert download_notes(cases) == ["klein-4b: 16 GB are downloaded unless they are here; --random needs none"]
    assert download_notes([Case("klein-4b", "klein", 64, 64, random=True)]) == []


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_and_a_log_each_new_thing_once() -> None:
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        progress = ProgressLine(stream, 1)
        report = progress.begin(Case("klein-4b", "klein", 64, 64))
        for share in (0.0, 0.5, 1.0):
            report("loading", share)
        progress.end()
    assert log.getvalue().splitlines() == ["[1/1] klein-4b 64x64: starting", "[1/1] klein-4b 64x64: loading"]
    shown = terminal.getvalue()
    assert "\n" not in shown
    assert "loading 50%" in shown
    assert shown.rsplit("\r", 2)[1].strip() == ""
