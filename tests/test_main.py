"""The command line's entry: errors are lines, bugs keep their traceback."""

from __future__ import annotations

import pytest

from streamer import __main__ as entry
from streamer import __version__
from streamer.errors import ConfigError, ListenError


def exits(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(chosen: object) -> int:
        raise error

    monkeypatch.setattr(entry, "_dispatch", fail)
    return entry.main(["run"])


def test_every_wrong_key_of_a_group_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("file", [ConfigError("a", "is wrong"), ConfigError("b", "is wrong too")])
    assert exits(monkeypatch, ExceptionGroup("tasks", [inner])) == 2
    assert capsys.readouterr().err == "error: a: is wrong\nerror: b: is wrong too\n"


def test_a_fault_that_is_not_the_configs_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exits(monkeypatch, ListenError("127.0.0.1", 1, "in use")) == 1
    assert exits(monkeypatch, KeyboardInterrupt()) == 130


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        exits(monkeypatch, ZeroDivisionError())
    with pytest.raises(ExceptionGroup):
        exits(monkeypatch, ExceptionGroup("tasks", [ZeroDivisionError()]))


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        entry.main(["--version"])
    assert capsys.readouterr().out == f"streamer {__version__}\n"


@pytest.mark.parametrize(
    "words", [[], ["draw"], ["token", "new", "x"], ["token", "new", "x", "--role", "god"], ["fly"]]
)
def test_wrong_words_are_explained_and_exit_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        entry.main(words)
    assert exited.value.code == 2
    assert "usage: streamer" in capsys.readouterr().err
