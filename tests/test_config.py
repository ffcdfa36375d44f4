"""config.yaml: wrong keys and values are named with their line, and the shipped file explains itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from streamer import plugins
from streamer.config import Config, LayerConfig, ServerConfig, load
from streamer.config_file import models_in
from streamer.errors import ConfigError

SHIPPED = Path(__file__).parent.parent / "config.yaml"

SMALL = """\
server: {port: 9000}
commands:
  bg: {kind: background, layer: background}
layers:
  background: {use: background}
"""

OTHER = SMALL.replace("server: {port: 9000}\n", "")


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
    models: list[type[BaseModel]] = [Config, ServerConfig, LayerConfig]
    for seam in plugins.SEAMS:
        models += [plugins.options_of(seam, name) for name in plugins.names(seam)]
    wanted = set().union(*(keys_of(model) for model in models))
    assert wanted - documented() == set()


def test_the_shipped_file_is_plain_yaml_without_surprises() -> None:
    data = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert isinstance(data["prefix"], str)
    assert all(isinstance(name, str) for name in data["commands"])


def test_host_and_port_can_come_from_the_environment(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, SMALL), {"STREAMER_HOST": "::1", "STREAMER_PORT": "9123"})
    assert (config.server.host, config.server.port) == ("::1", 9123)


def test_a_wrong_port_in_the_environment_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        load(written(tmp_path, SMALL), {"STREAMER_PORT": "many"})
    assert "server.port" in str(caught.value.exceptions[0])


def test_an_open_address_needs_a_second_word(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, OTHER + "server: {host: 0.0.0.0}\n"))
    assert "server.expose" in error.fix
    config, _ = load(written(tmp_path, OTHER + "server: {host: 0.0.0.0, expose: true}\n"), {})
    assert config.server.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (ServerConfig(), "http://127.0.0.1:8710"),
        (ServerConfig(host="0.0.0.0", port=80), "http://127.0.0.1:80"),
        (ServerConfig(host="::"), "http://[::1]:8710"),
        (ServerConfig(host="fe80::1"), "http://[fe80::1]:8710"),
        (ServerConfig(public_url="https://p.example/"), "https://p.example"),
    ],
)
def test_the_url_of_a_server_can_be_opened(server: ServerConfig, url: str) -> None:
    assert server.url == url
