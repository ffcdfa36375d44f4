"""Modules are found by file name or dotted name; what is wrong with one is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import plugins
from streamer.errors import PluginError

RULES = "streamer.moderation.policy"


def test_a_package_lists_its_modules() -> None:
    assert {"cooldown", "length", "words"} <= set(plugins.names_in(RULES))


def test_a_name_and_a_dotted_name_lead_to_the_same_module() -> None:
    assert plugins.find_in(RULES, "rule", "length") is plugins.find_in(
        RULES, "rule", "streamer.moderation.rules.length"
    )


def test_an_unknown_name_lists_the_known_ones_and_those_that_stand_for_one() -> None:
    with pytest.raises(PluginError, match=r"use one of: any, .*cooldown"):
        plugins.find_in(RULES, "rule", "nothing", also=("any",))


def test_a_missing_package_whose_name_begins_alike_is_not_taken_for_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alike_but_longer.py").write_text("import alike")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="needs the package 'alike'"):
        plugins.find_in(RULES, "rule", "alike_but_longer.rule")
