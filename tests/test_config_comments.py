"""The shipped config.yaml explains each key with the words of its description, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from scripts.config_comments import CONFIG, switched_on, with_comments
from streamer import plugins
from streamer.config import Config, json_schema, load

TEXT = CONFIG.read_text(encoding="utf-8")


def test_the_comment_of_each_key_is_its_description_word_for_word() -> None:
    assert with_comments(TEXT) == TEXT, "run: python -m scripts.config_comments"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("port: 8710                     # port of", "port: 8710                     # door of"),
        ("  host: 127.0.0.1  ", "  host: 127.0.0.1\n"),
        ("#     tiles: []                  # cut", "#     tiles: []  # dice"),
        ("  judges: []                     # models", "  judges: []  # people"),
    ],
)
def test_a_comment_that_differs_is_written_anew(wrong: str, right: str) -> None:
    assert wrong in TEXT
    changed = TEXT.replace(wrong, right)
    assert changed != TEXT
    assert with_comments(changed) != changed


def test_prose_stays() -> None:
    prose = "# What people may type. "
    assert with_comments(TEXT.replace(prose, "# What chat may type. ")) == TEXT.replace(prose, "# What chat may type. ")


def test_the_prose_above_a_section_begins_with_its_description() -> None:
    for key, field in Config.model_fields.items():
        description = field.description or ""
        above = re.split(rf"\n{key}:(?: \[\]| {{}})?\n", TEXT)[0]
        block = " ".join(line.removeprefix("# ") for line in above.rpartition("\n\n")[2].splitlines())
        if key not in ("prefix", "obs"):
            assert block.startswith(description[0].upper() + description[1:]), (key, block)


def test_the_file_loads_with_every_example_switched_on(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(switched_on(TEXT), encoding="utf-8")
    config, document = load(path, {})
    lists = {"trigger": config.triggers, "rule": config.policy, "output": config.outputs,
             "judge": config.generator.judges}  # fmt: skip
    for seam, uses in lists.items():
        assert sorted(use.use for use in uses) == plugins.names(seam), seam
        for use in uses:
            document.check(plugins.options_of(seam, use.use), dict(use.options()))
    assert config.obs is not None
    assert config.events


def test_the_schema_accepts_every_example() -> None:
    errors = Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(switched_on(TEXT)))
    assert [error.message for error in errors] == []
