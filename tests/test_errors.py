"""The exceptions: one tree, written down as it is, with sentences that name the fix."""

from __future__ import annotations

import inspect
import subprocess

import pytest

from streamer import errors
from streamer.errors import (
    ApiError,
    BackendError,
    BackendUnavailable,
    ConfigError,
    ListenError,
    PluginError,
    StoreError,
    in_words,
    shell_line,
)

CLASSES = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, Exception)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_exception_stands_in_the_tree_of_the_docstring(error: type[Exception]) -> None:
    assert issubclass(error, errors.StreamerError)
    assert error.__name__ in (errors.__doc__ or "")


def test_a_command_can_be_pasted_whatever_stands_in_it() -> None:
    words = ["chmod", "600", "/home/ann's pictures/#1 & $HOME"]
    line = f"printf '%s\\n' {shell_line(words, windows=False)}"
    shell = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert shell.stdout.splitlines() == words
    assert shell_line(["curl", "-H", "a b", "x"], windows=True) == 'curl -H "a b" x'


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConfigError("queue.limit", "must be a number", line=7, fix="write 50", path="config.yaml"),
         "config.yaml:7: queue.limit: must be a number; write 50"),
        (ConfigError("queue.limit", "must be a number"), "queue.limit: must be a number"),
        (PluginError("rule", "x", "there is none"), "rule 'x': there is none"),
        (StoreError("/home/x", "is full"), "/home/x: is full"),
        (ListenError("127.0.0.1", 8710, "in use"),
         "cannot listen on 127.0.0.1:8710: in use; set server.port in config.yaml or STREAMER_PORT to a free one"),
        (ApiError("http://127.0.0.1:8710", "answers 401", "stop it"),
         "the program at http://127.0.0.1:8710 answers 401; stop it"),
        (ApiError("", "is silent", "stop it"), "the program at an unknown address is silent; stop it"),
        (BackendError("no memory", fix="close the game"), "no memory; close the game"),
        (BackendUnavailable("no GPU"), "no GPU"),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_with_its_fix(error: Exception, sentence: str) -> None:
    assert str(error) == sentence


def test_an_error_that_says_nothing_is_told_by_its_name() -> None:
    assert in_words(TimeoutError()) == "TimeoutError"
    assert in_words(BackendError("no memory")) == "no memory"
