"""The composition root: every part is built from the config, and a wrong option is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import app, config_checks
from streamer.config import Use
from streamer.errors import ConfigError
from tests.support.embedded import place, wrong
from tests.support.real_program import CONFIG


def test_options_of_a_backend_that_is_not_in_use_are_checked_too(tmp_path: Path) -> None:
    (error,) = wrong(tmp_path, CONFIG + "generator: {backends: {procedural: {colour: red}}}\n")
    assert error.key == "generator.backends.procedural.colour"
    (error,) = wrong(tmp_path, CONFIG + "generator: {use: crayons}\n")
    assert "procedural" in str(error)


def test_a_wrong_source_on_the_command_line_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    where = place(tmp_path)
    config, document = config_checks.checked_config(where, {})
    with pytest.raises(ConfigError, match="command line"):
        app.build(config, document, where, {}, (Use(use="replay", path="/no/such/file"),))


def test_links_can_be_opened_whatever_the_address_is(tmp_path: Path) -> None:
    where = place(tmp_path, CONFIG + "server: {host: 0.0.0.0, expose: true}\n")
    config, document = config_checks.checked_config(where, {})
    built = app.build(config, document, where, {"STREAMER_OPERATOR_TOKEN": "op"})
    assert built.panel_url == "http://127.0.0.1:8710/#op"
    assert built.overlay_url.startswith("http://127.0.0.1:8710/overlay#")
    config = config.model_copy(update={"server": config.server.model_copy(update={"public_url": "https://p.example/"})})
    assert app.build(config, document, where, {}).overlay_url.startswith("https://p.example/overlay#")


def test_judges_that_nobody_would_heed_do_not_start(tmp_path: Path) -> None:
    (error,) = wrong(tmp_path, with_judges(CONFIG, "[{use: nudenet}]"))
    assert (error.key, error.fix) == ("generator.judges", "add {use: picture} to policy")
    own = "generator: {use: klein, backends: {klein: {policy_judge: true}}}\n"
    assert wrong(tmp_path, own + CONFIG)[0].fix == "add {use: picture} to policy"


@pytest.mark.parametrize("judge", ["{use: nudenet, hold: {A: 50}}", "{use: nonsense}", "{use: clip, modle: x}"])
def test_a_wrong_judge_is_named_with_its_place(tmp_path: Path, judge: str) -> None:
    heeded = CONFIG.replace("policy:", "policy:\n  - {use: picture}", 1)
    (error,) = wrong(tmp_path, with_judges(heeded, f"[{judge}]"))
    assert error.key.startswith("generator.judges.0")


def with_judges(config: str, judges: str) -> str:
    return f"generator: {{judges: {judges}}}\n{config}"


def test_a_login_is_asked_for_by_outputs_and_rules_only_add_to_it(tmp_path: Path) -> None:
    config, document = config_checks.checked_config(place(tmp_path), {})
    assert app.twitch_scopes(config, document) == {}
    with_replies = CONFIG + "outputs: [{use: chat_reply}]\n"
    config, document = config_checks.checked_config(place(tmp_path, with_replies), {})
    assert set(app.twitch_scopes(config, document)) == {"user:write:chat", "moderator:read:blocked_terms"}
