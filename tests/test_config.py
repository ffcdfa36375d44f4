"""config.yaml: wrong keys and values are named with their line, and the shipped file explains itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from streamer import plugins
from streamer.config import Config, Layer, Server, load
from streamer.config_file import models_in, read
from streamer.errors import ConfigError

SHIPPED = Path(__file__).parent.parent / "config.yaml"

SMALL = """\
server: {port: 9000}
commands:
  bg: {kind: background, layer: background}
layers:
  background: {use: background}
"""


def errors_of(path: Path) -> list[ConfigError]:
    with pytest.raises((ConfigError, ExceptionGroup)) as caught:
        load(path, {})
    error = caught.value
    together = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return [each for each in together if isinstance(each, ConfigError)]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_loads() -> None:
    config, document = load(SHIPPED, {})
    assert config.commands["bg"].width == 1280
    assert document.lines[("server",)] > 1


def test_a_small_file_gets_defaults(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, SMALL), {})
    assert (config.server.port, config.server.host, config.prefix) == (9000, "127.0.0.1", "!")


def test_an_unknown_key_is_named_with_line_and_neighbours(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, SMALL + "queue:\n  limt: 3\n"))
    assert (error.key, error.line) == ("queue.limt", 7)
    assert "did you mean 'limit'?" in str(error)
    assert "per_viewer" in str(error)


def test_an_unknown_key_deep_inside_lists_the_keys_of_its_own_section(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, SMALL.replace("layer: background}", "layer: background, widht: 640}")))
    assert (error.key, error.line) == ("commands.bg.widht", 3)
    assert "did you mean 'width'?" in error.fix
    (error,) = errors_of(written(tmp_path, SMALL + "generator: {process: {deadlin_s: 3}}\n"))
    assert "deadline_s" in error.fix


def test_every_wrong_value_is_reported_in_one_go(tmp_path: Path) -> None:
    text = SMALL.replace("9000", "90000") + "queue: {limit: many}\n"
    assert [error.key for error in errors_of(written(tmp_path, text))] == ["server.port", "queue.limit"]


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, SMALL + "server: {port: 1}\n"))
    assert "stands twice" in str(error)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "a: !!python/object:os.system x", "\x00", "[" * 3000])
def test_what_is_not_a_mapping_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (error,) = errors_of(written(tmp_path, text))
    assert str(tmp_path) in str(error)


def test_a_missing_file_names_the_path(tmp_path: Path) -> None:
    (error,) = errors_of(tmp_path / "nothing.yaml")
    assert "nothing.yaml" in str(error)


def test_a_huge_file_is_refused_before_it_is_read_as_yaml(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, "a: " + "x" * 1_100_000))
    assert "larger" in str(error)


def test_line_numbers_reach_into_lists(tmp_path: Path) -> None:
    document = read(written(tmp_path, SMALL + "policy:\n  - use: role\n  - use: length\n    longest: no\n"))
    assert document.lines[("policy", 1, "longest")] == 9


def keys_of(model: type[BaseModel]) -> set[str]:
    """Collect every key of a model and of the models inside it."""
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            names |= keys_of(inner)
    return names


def documented() -> set[str]:
    """Collect every key of the shipped file that is explained on its own line or on the line above."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    found = set()
    for above, line in zip(["", *lines], lines, strict=False):
        explained = " # " in line or above.strip().startswith("# ")
        keys = re.findall(r"([a-z_]+):(?:\s|$)", line.split(" # ")[0])
        found |= set(keys) if explained else set()
    return found


def test_every_key_is_explained_in_the_shipped_file() -> None:
    models: list[type[BaseModel]] = [Config, Server, Layer]
    for seam in plugins.SEAMS:
        models += [plugins.options_of(seam, name) for name in plugins.names(seam)]
    wanted = set().union(*(keys_of(model) for model in models))
    assert wanted - documented() == set()


def test_the_shipped_file_is_plain_yaml_without_surprises() -> None:
    data = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert isinstance(data["prefix"], str)
    assert all(isinstance(name, str) for name in data["commands"])
