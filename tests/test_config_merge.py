"""The user's file lies over the shipped one; errors name the user's lines, and each value says where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.config import load
from streamer.config_checks import checked_config
from streamer.config_file import Document, Location, read
from streamer.config_merge import overlay, show
from streamer.errors import ConfigError
from streamer.paths import place


def merged(tmp_path: Path, shipped: str, own: str) -> Document:
    files = []
    for name, text in (("shipped", shipped), ("own", own)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        files.append(read(path))
    return overlay(files[0], files[1], {"table"})


@pytest.mark.parametrize(
    ("shipped", "own", "result"),
    [
        ("a: {b: 1, c: 2}", "a: {c: 3, d: 4}", {"a": {"b": 1, "c": 3, "d": 4}}),
        ("a: {b: {c: 1, d: 2}}", "a: {b: {c: 3}}", {"a": {"b": {"c": 3, "d": 2}}}),
        ("a: [1, 2]", "a: [3]", {"a": [3]}),
        ("a: [1, 2]", "a: []", {"a": []}),
        ("a: [1, 2]", "a:", {"a": [1, 2]}),
        ("a: {b: 1}", "a:", {"a": {"b": 1}}),
        ("a: 1", "a:", {"a": None}),
        ("a: {b: 1}", "a: 5", {"a": 5}),
        ("a: null", "a: {b: 1}", {"a": {"b": 1}}),
        ("table: {x: {k: 1}, y: {k: 2}}", "table: {x: null}", {"table": {"y": {"k": 2}}}),
        ("table: {x: {kind: a, k: 1}}", "table: {x: {kind: b}}", {"table": {"x": {"kind": "b"}}}),
        ("table: {x: {kind: a, k: 1}}", "table: {x: {kind: a, j: 2}}", {"table": {"x": {"kind": "a", "k": 1, "j": 2}}}),
        ("table: {x: {use: a, k: 1}}", "table: {x: {use: b}}", {"table": {"x": {"use": "b"}}}),
        ("a: {use: x, k: 1}", "a: {use: y}", {"a": {"use": "y", "k": 1}}),
        ("table: {x: line}", "table: {x: {k: 1}}", {"table": {"x": {"k": 1}}}),
    ],
)
def test_mappings_merge_and_everything_else_replaces(
    tmp_path: Path, shipped: str, own: str, result: dict[str, object]
) -> None:
    assert merged(tmp_path, shipped, own).data == result


def errors_of(tmp_path: Path, text: str) -> list[ConfigError]:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    where = place({"STREAMER_HOME": str(tmp_path / "home"), "STREAMER_CONFIG": str(path)})
    with pytest.raises((ConfigError, ExceptionGroup)) as caught:
        checked_config(where, {})
    together = caught.value.exceptions if isinstance(caught.value, ExceptionGroup) else [caught.value]
    return [error for error in together if isinstance(error, ConfigError)]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("approval:\n  mode: maybe\n", 2, "approval.mode: must be one of off, on, auto, not 'maybe'"),
        ("approvl: {}\n", 1, "did you mean 'approval'?"),
        ("commands:\n  bg:\n    widht: 640\n", 3, "did you mean 'width'?"),
        ("commands:\n  bg: {layer: air}\n", 2, "there is no layer 'air'; known layers: background, meme, sticker"),
        ("prefix: 5\n", 1, 'put it in quotes: "5"'),
        (
            "commands:\n  meem: null\n",
            2,
            "commands.meem: is empty, and no shipped entry has this name to be removed; did you",
        ),
        ("styles:\n  zzz:\n", 2, "no shipped entry has this name to be removed; write something"),
        ("layers:\n  mem: {scale: 0.4}\n", 2, "layers.mem.use: is missing; did you mean 'meme'?"),
        ("commands:\n  oil: {kind: backgroud}\n", 2, "not 'backgroud'; did you mean 'background'?"),
        ("when: {stream_online: '!bg lake'}\n", 1, "when.stream_online: unknown event 'stream_online'; use one of"),
        (
            "server:\nport: 9000\n",
            2,
            "port: there is no such key here; it belongs below server or obs: indent it there",
        ),
        ("Server: {port: 9000}\n", 1, "did you mean 'server'?"),
        (
            "layers:\n  meme: null\n",
            None,
            "commands.meme.layer: there is no layer 'meme' (that is the shipped value); known layers: background",
        ),
    ],
)
def test_an_error_names_the_users_file_and_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    (error,) = errors_of(tmp_path, text)
    assert (error.path, error.line) == (str(tmp_path / "mine.yaml"), line)
    assert says in str(error)


def origins(lines: list[str]) -> dict[str, str]:
    return {text.strip(): origin for text, _, origin in (line.partition("  # ") for line in lines) if origin}


def test_each_value_is_shown_with_where_it_comes_from(tmp_path: Path) -> None:
    shipped = "server: {host: a, port: 1}\nlist: [1, 2]\nother: [3]\ntable: {x: {k: 1}}\n"
    document = merged(tmp_path, shipped, "server:\n  port: 2\nlist:\n  - use: b\n    k: [4]\ntable: {y: {k: no}}\n")
    assert origins(list(show(document))) == {
        "host: a": "shipped", "port: 2": "your file, line 2", "- use: b": "your file, line 4",
        "k: [4]": "your file, line 5", "other: [3]": "shipped", "k: 1": "shipped", "k: 'no'": "your file, line 6",
    }  # fmt: skip


def test_a_value_from_the_environment_names_the_variable(tmp_path: Path) -> None:
    (path := tmp_path / "config.yaml").write_text("server: {port: 9000}\n")
    _, document = load(path, {"STREAMER_PORT": "9001", "STREAMER_OPERATOR_TOKEN": "marmalade"})
    lines = list(show(document))
    assert origins(lines)["port: 9001"] == "environment: STREAMER_PORT"
    assert "marmalade" not in "\n".join(lines)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    own = "a: {api_key: marmalade, token: marmalade, password: 12, text_tokens: 64, empty_token: '', keys: {a: b}}\n"
    own += "b: ['https://ann:marmalade@host/x', 'https://host/?v=1&token=marmalade&w=2', 'https://host/a@b']\n"
    shown = "\n".join(show(merged(tmp_path, "", own)))
    assert "marmalade" not in shown
    assert "12" not in shown
    assert "text_tokens: 64 " in shown
    assert "https://(hidden)@host/x" in shown
    assert "https://host/?v=1&token=(hidden)&w=2" in shown
    assert "https://host/a@b" in shown


ODD: dict[Location, object] = {
    ("a",): ["on", "no", "1e3", "0o7", "12:30", "~", "null", "1", "", "#x", "a: b", "'", "фон", "\U0001f600", "1."],
    ("b",): {"no": 1e3, "1": None, "x": {}, "y": [], "z": [[], [1, [2]], {"a": [{"b": 1}]}], "фон": True},
}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_is_shown_can_be_read_again(tmp_path: Path, ascii_only: bool) -> None:
    data = {str(at[0]): value for at, value in ODD.items()}
    lines = show(Document("own.yaml", data, {}), ascii_only=ascii_only)
    (path := tmp_path / "again.yaml").write_text("\n".join(lines), encoding="ascii" if ascii_only else "utf-8")
    assert read(path).data == data
