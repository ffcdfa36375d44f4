"""YAML is read with the line of each key, and what cannot be read is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from streamer.config_file import read
from streamer.errors import ConfigError


def document(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return caught.value


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    error = error_of(document(tmp_path, "server: {port: 9000}\nserver: {port: 1}\n"))
    assert "appears twice, the second time on line 2" in str(error)


@pytest.mark.parametrize("text", ["nonsense", "- a list", "a: [", "a: !!python/object:os.system x", "\x00", "[" * 3000])
def test_what_is_not_a_mapping_is_one_clear_error(tmp_path: Path, text: str) -> None:
    error = error_of(document(tmp_path, text))
    assert str(tmp_path) in str(error)


def test_a_missing_file_names_the_path(tmp_path: Path) -> None:
    error = error_of(tmp_path / "nothing.yaml")
    assert "nothing.yaml" in str(error)


def test_a_huge_file_is_refused_before_it_is_read_as_yaml(tmp_path: Path) -> None:
    error = error_of(document(tmp_path, "a: " + "x" * 1_100_000))
    assert "larger" in str(error)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_a_file_that_says_nothing_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert read(document(tmp_path, text)).data == {}


def test_line_numbers_reach_into_lists(tmp_path: Path) -> None:
    found = read(document(tmp_path, "server: {port: 9000}\npolicy:\n  - use: role\n  - use: length\n    longest: no\n"))
    assert found.lines[("policy", 1, "longest")] == 5


def value_of(tmp_path: Path, word: str) -> object:
    return read(document(tmp_path, f"key: {word}\n")).data["key"]


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "Yes", "OFF", "y", "n", "12:30", "2024-01-02", "1_000", "0b1"]
)
def test_only_the_words_of_yaml_1_2_are_more_than_text(tmp_path: Path, word: str) -> None:
    assert value_of(tmp_path, word) == word


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None), ("010", 10), ("0o10", 8),
        ("0x1F", 31), ("1e3", 1000.0), ("-.5", -0.5), (".inf", float("inf")), ("-7", -7), ('"7"', "7"),
    ],
)  # fmt: skip
def test_numbers_truth_and_nothing_are_read(tmp_path: Path, word: str, value: object) -> None:
    assert value_of(tmp_path, word) == value
    assert type(value_of(tmp_path, word)) is type(value)


def test_keys_are_texts_whatever_they_look_like(tmp_path: Path) -> None:
    found = read(document(tmp_path, "1: a\ntrue: b\nno: c\n~: d\nnested: {0x10: e}\n"))
    assert found.data == {"1": "a", "true": "b", "no": "c", "~": "d", "nested": {"0x10": "e"}}
    assert found.lines[("true",)] == 2
    assert found.lines[("nested", "0x10")] == 5


def test_a_merge_of_mappings_is_not_a_key_that_stands_twice(tmp_path: Path) -> None:
    found = read(document(tmp_path, "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\n"))
    assert found.data["other"] == {"a": 1, "b": 3}


class Texts(BaseModel):
    name: str = ""
    names: tuple[str, ...] = ()
    sure: bool = False


@pytest.mark.parametrize(
    ("text", "key", "line", "says"),
    [
        ("sure: true\nname: 007\n", "name", 2, 'YAML takes 007 for a number; put it in quotes: "007"'),
        ("name: 1e3\n", "name", 1, 'put it in quotes: "1e3"'),
        ("name: true\n", "name", 1, 'YAML takes true for true or false; put it in quotes: "true"'),
        ("name: null\n", "name", 1, 'YAML takes null for nothing; put it in quotes: "null"'),
        ("name:\nsure: true\n", "name", 1, "the text is missing"),
        ("names:\n  - ann\n  - 1488\n", "names.1", 3, 'put it in quotes: "1488"'),
        ("name: [a]\n", "name", 1, "must be a text, not a list"),
        ("names: ann\n", "names", 1, "must be a list, not 'ann'; begin each entry with '- '"),
        ("sure: maybe\n", "sure", 1, "must be true or false, not 'maybe'"),
    ],
)
def test_a_word_that_yaml_takes_for_something_else_says_how_to_write_a_text(
    tmp_path: Path, text: str, key: str, line: int, says: str
) -> None:
    found = read(document(tmp_path, text))
    with pytest.raises(ExceptionGroup) as caught:
        found.check(Texts, found.data)
    (error,) = caught.value.exceptions
    assert isinstance(error, ConfigError)
    assert (error.key, error.line) == (key, line)
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a:\n\tb: 1\n", 2, "plain spaces instead of tabs"),
        ("a: 1\n---\na: 2\n", 2, "expected a single document in the stream but found another document"),
        ("a: {b: 1,, c: 2}\n", 1, "check the indentation"),
    ],
)
def test_what_is_no_yaml_names_the_line_and_what_to_look_at(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError, match="is not YAML there") as caught:
        read(document(tmp_path, text))
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("on", True), ("no", False), ("off", False)])
def test_whoever_says_yes_where_true_is_meant_is_understood(tmp_path: Path, word: str, value: bool) -> None:
    found = read(document(tmp_path, f"sure: {word}\n"))
    assert found.check(Texts, found.data).sure is value


@pytest.mark.parametrize(
    ("encoding", "line", "says"),
    [
        ("cp1251", 2, "0xea"), ("koi8-r", 2, "is not UTF-8"), ("utf-16", 1, "is UTF-16"), ("utf-16-le", 1, "UTF-16"),
        ("utf-16-be", 1, "UTF-16"),
    ],
)  # fmt: skip
def test_another_encoding_is_named_with_its_line(tmp_path: Path, encoding: str, line: int, says: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("a: b\nc: кот\n".encode(encoding))
    error = error_of(path)
    assert (error.line, says in error.problem) == (line, True)
    assert "save it as UTF-8" in error.fix


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("a: кот\n".encode("utf-8-sig"))
    assert read(path).data == {"a": "кот"}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: \x07", 2), ("a: 1\nb: !!bool maybe", 2), ("a: 1\nb: !!int x", 2), ("a: 1\n? [b]\n: 2", 2),
     ("a: 1\nb: &b [*b]", None), ("a: " + "9" * 5000, None)],
)  # fmt: skip
def test_what_yaml_cannot_mean_is_one_clear_error(tmp_path: Path, text: str, line: int | None) -> None:
    assert error_of(document(tmp_path, text)).line == line
