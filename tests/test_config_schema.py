"""The JSON schema for editors: it accepts the shipped file with every example in it, and refuses a typing error."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from streamer import cli, plugins
from streamer.config import json_schema
from tests.support.paths import ROOT
from tests.support.real_program import CONFIG

VALIDATOR = Draft202012Validator(json_schema())


def faults(text: str) -> list[str]:
    """Return where the schema finds something wrong."""
    errors = VALIDATOR.iter_errors(yaml.safe_load(text))
    return [".".join(map(str, error.absolute_path)) for error in errors]


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_shipped_file_fits() -> None:
    assert faults((ROOT / "config.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (("policy:", "quueue: {}\npolicy:"), ""),
        (("layer: background,", "layr: background,"), "commands.bg"),
        (("- {use: length, longest: 100}", "- {use: length, longst: 100}"), "policy.1"),
        (("- {use: length, longest: 100}", "- {use: length, longest: many}"), "policy.1.longest"),
        (("- {use: role}", "- {use: rolle}"), "policy.0.use"),
        (("use: popup", "use: 5"), "layers.meme.use"),
        (("policy:", "triggers: [{use: twitch, chanel: harbour}]\npolicy:"), "triggers.0"),
        (("policy:", "generator: {backends: {procedural: {colour: red}}}\npolicy:"), "generator.backends.procedural"),
        (("policy:", "generator: {judges: [{use: clip, modle: x}]}\npolicy:"), "generator.judges.0"),
        (("policy:", "outputs: [{use: archive, folder: 5}]\npolicy:"), "outputs.0.folder"),
    ],
)
def test_a_mistake_is_marked_where_it_stands(changed: tuple[str, str], where: str) -> None:
    assert faults(CONFIG) == []
    assert faults(CONFIG.replace(*changed, 1)) == [where]


@pytest.mark.parametrize(
    "text",
    ["", "server: {port: 9000}", "commands: {bg: {cooldown_s: 10}, sticker: null}", "layers: {meme: {position: left}}",
     "triggers:\npolicy:\nobs:\ncommands:\n", "named_triggers: {x: '!bg y', back: null}", "when: {online: null}",
     "generator: {backends: {klein: {optimize: auto}}}"],
)  # fmt: skip
def test_a_file_says_only_what_it_changes(text: str) -> None:
    assert faults(text or "{}") == []


@pytest.mark.parametrize("text", ["outputs: [{}]", "events: [{event: raid}]", "obs: {after: [{show: {}}]}"])
def test_what_stands_in_a_list_is_complete(text: str) -> None:
    assert faults(text) != []


def test_a_plugin_of_somebody_else_may_have_any_options() -> None:
    assert faults(CONFIG.replace("- {use: role}", "- {use: their.rule, colour: red}")) == []


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_the_options_of_every_plugin_are_in_it(seam: str) -> None:
    text = json.dumps(json_schema())
    for name in plugins.names(seam):
        for key in plugins.options_of(seam, name).model_fields:
            assert f'"{key}"' in text


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def described(value: Any) -> list[dict[str, Any]]:
    """Collect every object with properties in a schema."""
    if isinstance(value, list):
        return [found for inner in value for found in described(inner)]
    if not isinstance(value, dict):
        return []
    return [value] * ("properties" in value and "type" in value) + [
        found for inner in value.values() for found in described(inner)
    ]


def test_every_key_has_a_description() -> None:
    missing = {
        f"{owner.get('title', '')}.{key}"
        for owner in described(json_schema())
        for key, value in owner["properties"].items()
        if "description" not in value and key != "use" and owner.get("title") != "Backends"
    }
    assert missing == set()
