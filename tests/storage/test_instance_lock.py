"""One program for each state folder: the second is told who the first is, and a killed one leaves no lock behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.errors import AlreadyRunning, StoreError
from streamer.storage import instance_lock
from streamer.storage.instance_lock import RunningProgram, held, running_program

URL = "http://127.0.0.1:8888"
HOLD = """
import sys
from pathlib import Path
from streamer.storage.instance_lock import held
with held(Path(sys.argv[1]), sys.argv[2], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(home: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home), URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_program_is_told_who_the_first_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance_lock, "HOLD_WITHIN_S", 0)
    with holder(tmp_path) as first, pytest.raises(AlreadyRunning) as caught, held(tmp_path, "", ""):
        pass
    assert (caught.value.pid, caught.value.url) == (first.pid, URL)
    assert str(first.pid) in str(caught.value)
    assert URL in str(caught.value)
    assert "STREAMER_HOME" in str(caught.value)


def test_a_command_finds_the_running_program_and_nobody_after_its_end(tmp_path: Path) -> None:
    with holder(tmp_path) as program:
        assert running_program(tmp_path) == RunningProgram(program.pid, URL, URL)
        assert program.stdin is not None
        program.stdin.close()
        assert program.wait(20) == 0
    assert running_program(tmp_path) is None
    assert not (tmp_path / "program.json").exists()


def test_a_killed_program_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as program:
        program.kill()
    assert (tmp_path / "program.json").exists(), "or the test proves nothing"
    assert running_program(tmp_path) is None
    with held(tmp_path, URL, URL):
        assert running_program(tmp_path) == RunningProgram(os.getpid(), URL, URL)


def test_looking_holds_up_no_start_and_makes_nothing(tmp_path: Path) -> None:
    assert running_program(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("note", [b"", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_note_that_cannot_be_read_leaves_the_lock_valid(tmp_path: Path, note: bytes) -> None:
    with held(tmp_path, URL, URL):
        (tmp_path / "program.json").write_bytes(note)
        assert running_program(tmp_path) == RunningProgram(0, "", "")
        assert "streamer is running with this state folder;" in str(AlreadyRunning(str(tmp_path), 0, ""))


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"), held(tmp_path / "file" / "home", URL, URL):
        pass
