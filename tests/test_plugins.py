"""Plug-ins are found by file name or dotted name, and a wrong name says what there is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from streamer import plugins
from streamer.config_file import Document
from streamer.errors import PluginError
from streamer.plugins import Selection


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "their").mkdir()
    (tmp_path / "their" / "__init__.py").write_text("")
    (tmp_path / "their" / "rule.py").write_text(
        "from pydantic import BaseModel\nclass Options(BaseModel): ...\ndef create(options): return 'made'\n"
    )
    (tmp_path / "their" / "empty.py").write_text("")
    (tmp_path / "their" / "needy.py").write_text("import no_such_package_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "their"]:
        del sys.modules[name]


def test_a_file_name_is_a_plugin_name() -> None:
    assert plugins.find("rule", "length").__name__ == "streamer.moderation.rules.length"


@pytest.mark.usefixtures("foreign")
def test_a_dotted_name_is_somebody_elses_module() -> None:
    assert plugins.create("rule", "their.rule", plugins.options_of("rule", "their.rule")()) == "made"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match=r"there is no such plug-in; use one of: .*cooldown.*length"):
        plugins.find("rule", "no_such_rule")


@pytest.mark.usefixtures("foreign")
def test_a_module_without_create_is_refused() -> None:
    with pytest.raises(PluginError, match="must offer Options and create"):
        plugins.find("rule", "their.empty")


@pytest.mark.usefixtures("foreign")
def test_a_missing_package_is_told_apart_from_a_missing_plugin() -> None:
    with pytest.raises(PluginError, match="needs the package 'no_such_package_at_all'"):
        plugins.find("rule", "their.needy")


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_every_plugin_on_disk_keeps_its_seams_contract(seam: str) -> None:
    for name in plugins.names(seam):
        options = plugins.options_of(seam, name)
        assert issubclass(options, BaseModel), name
        assert options.model_config.get("frozen"), name
        assert options.model_config.get("extra") == "forbid", name


class Nothing(BaseModel):
    """Options of a plug-in that has none."""


def test_a_plugin_gets_the_shared_parts_that_its_create_names_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("somebody.output")
    module.Options = BaseModel  # type: ignore[attr-defined]
    module.create = lambda options, store: (options, store)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "somebody", ModuleType("somebody"))
    monkeypatch.setitem(sys.modules, "somebody.output", module)
    options = Nothing()
    assert plugins.create("output", "somebody.output", options, {"store": 1, "twitch": 2}) == (options, 1)
    assert plugins.scopes_of("output", "somebody.output", options) == {}
    module.scopes = lambda options: {"user:write:chat": "replies"}  # type: ignore[attr-defined]
    assert plugins.scopes_of("output", "somebody.output", options) == {"user:write:chat": "replies"}


def test_a_package_lists_its_modules() -> None:
    assert {"cooldown", "length", "words"} <= set(plugins.names("rule"))


def test_a_name_and_a_dotted_name_lead_to_the_same_module() -> None:
    assert plugins.find("rule", "length") is plugins.find("rule", "streamer.moderation.rules.length")


def test_an_unknown_name_lists_the_known_ones_and_those_that_stand_for_one() -> None:
    with pytest.raises(PluginError, match=r"use one of: any, .*cooldown"):
        plugins.find("rule", "nothing", also=("any",))


def test_a_missing_package_whose_name_begins_alike_is_not_taken_for_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alike_but_longer.py").write_text("import alike")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="needs the package 'alike'"):
        plugins.find("rule", "alike_but_longer.rule")


def test_an_old_name_still_works_and_says_the_new_one_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    document = Document("mine.yaml", {}, {("policy", 0, "use"): 7})
    old, new = (Selection("rule", name, {}, ("policy", 0)) for name in ("ban", "blocklist"))
    (built,) = plugins.create_all([old], document)
    assert type(built) is type(plugins.create_all([new], document)[0])
    (record,) = caplog.records
    assert record.getMessage().startswith("mine.yaml:7: policy.0.use: 'ban' is now called 'blocklist'")
