"""config.yaml: wrong keys and values are named with their line, and the shipped file explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from streamer import paths, plugins
from streamer.config import TABLES, Config, LayerConfig, ServerConfig, load
from streamer.config_file import read
from streamer.config_messages import models_in
from streamer.errors import ConfigError
from streamer.integrations import network

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


def test_a_small_file_lies_over_the_shipped_one(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, "server: {port: 9000}\ncommands: {bg: {cooldown_s: 10}, sticker: null}\n"), {})
    shipped, _ = load(SHIPPED, {})
    assert (config.server.port, config.server.host) == (9000, "127.0.0.1")
    assert config.commands["bg"] == shipped.commands["bg"].model_copy(update={"cooldown_s": 10})
    assert set(shipped.commands) - set(config.commands) == {"sticker"}
    assert config.model_copy(update={"server": shipped.server, "commands": shipped.commands}) == shipped


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "triggers:\npolicy:\ncommands:\nserver:\nobs:\n"])
def test_an_empty_file_or_section_changes_nothing(tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, text), {})[0] == load(SHIPPED, {})[0]


def test_a_list_replaces_the_shipped_one(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, "policy: [{use: role}]\ncommands: {bg: {aliases: [draw]}}\n"), {})
    assert [use.use for use in config.policy] == ["role"]
    assert config.commands["bg"].aliases == ("draw",)


def test_an_entry_of_another_kind_takes_nothing_from_the_shipped_one(tmp_path: Path) -> None:
    text = "commands: {sticker: {kind: help}}\nlayers: {background: {use: popup}}\n"
    config, _ = load(written(tmp_path, text), {})
    assert config.commands["sticker"].layer is None
    assert config.layers["background"] == LayerConfig(use="popup")


def test_a_file_in_the_users_folder_need_not_exist_but_any_other_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "default_config", lambda: tmp_path / "config.yaml")
    assert load(tmp_path / "config.yaml", {})[0] == load(SHIPPED, {})[0]
    assert "nothing.yaml" in str(errors_of(tmp_path / "nothing.yaml")[0])
    (tmp_path / "config.yaml").symlink_to(tmp_path / "moved-away.yaml")
    assert "No such file" in str(errors_of(tmp_path / "config.yaml")[0])


def test_the_defaults_in_the_code_are_those_of_the_shipped_file() -> None:
    """A key that somebody's file leaves out means the same, whether the shipped file mentions it or not."""
    shipped, document = load(SHIPPED, {})
    free = {*TABLES, "policy", "generator"}
    defaults = Config(commands={}, layers={})
    assert shipped.model_dump(exclude=free) == defaults.model_dump(exclude=free)
    assert shipped.generator.model_dump(exclude={"backends"}) == defaults.generator.model_dump(exclude={"backends"})
    for name, options in shipped.generator.backends.items():
        assert document.check(plugins.options_of("backend", name), options) == plugins.options_of("backend", name)()
    for use in shipped.policy:
        assert (
            document.check(plugins.options_of("rule", use.use), use.options()) == plugins.options_of("rule", use.use)()
        )


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
    wanted = {key for model in all_models() for key in model.model_fields}
    assert wanted - documented() == set()


def test_the_shipped_file_is_plain_yaml_without_surprises() -> None:
    """Editors read it by the rules of YAML 1.1: they must find the same in it."""
    assert yaml.safe_load(SHIPPED.read_text(encoding="utf-8")) == read(SHIPPED).data


def words_of(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Yield the texts that a key may hold by its schema; those of keys further inside are found with their models."""
    schema = definitions.get(schema.get("$ref", "").removeprefix("#/$defs/"), schema)
    yield from (word for word in (*schema.get("enum", ()), schema.get("const")) if isinstance(word, str))
    for inner in (*schema.get("anyOf", ()), schema.get("items")):
        if isinstance(inner, dict):
            yield from words_of(inner, definitions)


def choices() -> Iterator[tuple[str, Any, str]]:
    """Yield each key that takes one of some words, with its type and each of these words."""
    for model in dict.fromkeys(all_models()):
        for key, field in model.model_fields.items():
            annotation = field.rebuild_annotation()
            schema = TypeAdapter(annotation).json_schema()
            for word in words_of(schema, schema.get("$defs", {})):
                yield f"{model.__name__}.{key}", annotation, word


def all_models() -> Iterator[type[BaseModel]]:
    roots: list[type[BaseModel]] = [Config, ServerConfig, LayerConfig]
    roots += [plugins.options_of(seam, name) for seam in plugins.SEAMS for name in plugins.names(seam)]
    for root in roots:
        yield root
        yield from inner_models(root)


def inner_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            yield inner
            yield from inner_models(inner)


def test_every_word_that_a_key_may_hold_needs_no_quotes(tmp_path: Path) -> None:
    seen = set()
    for key, annotation, word in choices():
        value = read(written(tmp_path, f"plain: {word}\nlisted: [{word}]\n")).data
        assert value == {"plain": word, "listed": [word]}, key
        TypeAdapter(annotation).validate_python(word if not is_list(annotation) else [word])
        seen.add(f"{key} {word}")
    assert {
        "ApprovalOptions.mode on", "ApprovalOptions.mode off", "Options.optimize off", "Options.several no",
        "EventTrigger.event raid", "CommandOptions.role vip", "TextFilterOptions.kinds hate",
        "CommandOptions.kind ban", "Options.events shield_mode",
    } <= seen  # fmt: skip


def is_list(annotation: Any) -> bool:
    return TypeAdapter[Any](annotation).json_schema().get("type") == "array"


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
def test_a_mode_needs_no_quotes(tmp_path: Path, mode: str) -> None:
    config, _ = load(written(tmp_path, SMALL + f"approval: {{mode: {mode}}}\n"), {})
    assert config.approval.mode == mode


def test_host_and_port_can_come_from_the_environment(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, SMALL), {"STREAMER_HOST": "::1", "STREAMER_PORT": "9123"})
    assert (config.server.host, config.server.port) == ("::1", 9123)


def test_a_wrong_port_in_the_environment_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        load(written(tmp_path, SMALL), {"STREAMER_PORT": "many"})
    assert str(caught.value.exceptions[0]).startswith("STREAMER_PORT: must be a whole number")


def test_an_open_address_needs_a_second_word(tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, OTHER + "server: {host: 0.0.0.0}\n"))
    assert "server.expose" in error.fix
    config, _ = load(written(tmp_path, OTHER + "server: {host: 0.0.0.0, expose: true}\n"), {})
    assert config.server.host == "0.0.0.0"


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (ServerConfig(), "http://127.0.0.1:8710"),
        (ServerConfig(host="192.168.1.5"), "http://192.168.1.5:8710"),
        (ServerConfig(host="fe80::1"), "http://[fe80::1]:8710"),
        (ServerConfig(public_url="https://P.example:443/"), "https://p.example"),
        (ServerConfig(public_url="https://p.example/live show/"), "https://p.example/live%20show"),
    ],
)
def test_the_url_of_a_server_can_be_opened(server: ServerConfig, url: str) -> None:
    assert server.url == url


@pytest.mark.parametrize(("host", "local"), [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")])
def test_a_server_on_every_address_is_shown_by_the_one_in_the_network(
    host: str, local: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ServerConfig(host=host, port=80)
    assert server.local_url == local
    monkeypatch.setattr(network, "lan_address", lambda _: "192.168.1.5")
    assert server.url == "http://192.168.1.5:80"
    monkeypatch.setattr(network, "lan_address", lambda _: None)
    assert server.url == local


@pytest.mark.parametrize(
    ("server", "key"),
    [("{public_url: pictures.example}", "server.public_url"),
     ("{public_url: 'https://a/overlay'}", "server.public_url"),
     ("{allowed_hosts: ['http://a.local']}", "server.allowed_hosts.0")],
)  # fmt: skip
def test_an_address_that_nobody_could_use_is_named(server: str, key: str, tmp_path: Path) -> None:
    (error,) = errors_of(written(tmp_path, f"{OTHER}server: {server}\n"))
    assert error.key == key
