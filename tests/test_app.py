"""The composition root: every part is built from the config, and a wrong option is named with its line."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from streamer import app, config_checks, paths
from streamer.config import ServerConfig, Use
from streamer.errors import ConfigError, leaves
from streamer.generator.backend_choice import choose
from streamer.integrations import network
from streamer.integrations.obs.config import ObsOptions
from streamer.types import Actor, ImageRequest, Role, Trigger
from tests.support.embedded import build, place, wrong
from tests.support.real_program import CONFIG


def test_options_of_a_backend_that_is_not_in_use_are_checked_too(tmp_path: Path) -> None:
    (error,) = wrong(tmp_path, CONFIG + "generator: {backends: {procedural: {colour: red}}}\n")
    assert error.key == "generator.backends.procedural.colour"
    (error,) = wrong(tmp_path, CONFIG + "generator: {use: crayons}\n")
    assert "procedural" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "triggers: [{use: twich}]\n",
        "triggers: [{use: twitch, chanel: ann}]\n",
        "outputs: [{use: archive, foldr: x}]\n",
        "generator: {use: crayons}\n",
        "generator: {backends: {klien: {}}}\n",
        "generator: {judges: [{use: nudenet, treshold: 1}]}\n",
        "policy: [{use: cooldown, users: 45}]\n",
        "policy: [{use: scene, scenes: {Game: {styles: [nowhere]}}}]\n",
        "commands: {bg: {aliases: [meme]}}\n",
        "styles: {ink: {prompt: '{prompt}', lora: [a/b, nowhere.safetensors]}}\n",
        "named_triggers: {lake: lake}\n",
        "when: {raid: lake}\n",
        "events: [{event: raid, command: '!undo'}]\n",
    ],
)
def test_what_build_would_refuse_is_found_without_building(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    where = paths.place({"STREAMER_HOME": str(tmp_path / "home"), "STREAMER_CONFIG": str(tmp_path / "config.yaml")})
    config, document = config_checks.checked_config(where, {})
    refusals = []
    for refuse in (partial(app.check, config, document), partial(app.build, config, document, where, {})):
        with pytest.raises((ConfigError, ExceptionGroup)) as caught:
            refuse()
        refusals.append([str(error) for error in leaves(caught.value)])
    assert refusals[0] == refusals[1]
    assert "config.yaml:1: " in refusals[0][0]


def test_a_wrong_source_on_the_command_line_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    where = place(tmp_path)
    config, document = config_checks.checked_config(where, {})
    with pytest.raises(ConfigError, match="command line"):
        app.build(config, document, where, {}, (Use(use="replay", path="/no/such/file"),))


def test_links_can_be_opened_whatever_the_address_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = place(tmp_path, CONFIG + "server: {host: 0.0.0.0, expose: true}\n")
    config, document = config_checks.checked_config(where, {})
    monkeypatch.setattr(network, "lan_address", lambda _: "192.168.1.5")
    built = app.build(config, document, where, {"STREAMER_OPERATOR_TOKEN": "op"})
    assert built.panel_url == "http://192.168.1.5:8710/#op"
    assert built.overlay_url.startswith("http://192.168.1.5:8710/overlay#")
    assert app.url_for_obs(config) == "http://127.0.0.1:8710"
    away = config.model_copy(update={"obs": ObsOptions(host="192.168.1.9")})
    assert app.url_for_obs(away) == "http://192.168.1.5:8710"
    config = config.model_copy(update={"server": ServerConfig(public_url="https://p.example/")})
    assert app.url_for_obs(config) == "https://p.example"
    assert app.build(config, document, where, {}).overlay_url.startswith("https://p.example/overlay#")


def test_judges_that_nobody_would_heed_do_not_start(tmp_path: Path) -> None:
    (error,) = wrong(tmp_path, with_judges(CONFIG, "[{use: nudenet}]"))
    assert (error.key, error.fix) == ("generator.judges", "add {use: picture} to policy")
    own = "generator: {use: klein, backends: {klein: {policy_judge: true}}}\n"
    assert wrong(tmp_path, own + CONFIG)[0].fix == "add {use: picture} to policy"
    build(place(tmp_path, own.replace("true", "off") + CONFIG))


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


@pytest.mark.parametrize(
    ("generator", "steps", "guidance"),
    [
        ("{use: procedural}", 4, 1.0),
        ("{use: sdxl-turbo}", 1, 0.0),
        ("{use: pixart-sigma}", 20, 4.5),
        ("{use: diffusers, backends: {diffusers: {model: somebody/else, steps: 9, guidance: 2}}}", 9, 2.0),
    ],
)
def test_a_command_that_says_nothing_else_draws_as_the_model_is_made_for(
    tmp_path: Path, generator: str, steps: int, guidance: float
) -> None:
    (tmp_path / "config.yaml").write_text(f"generator: {generator}\n", encoding="utf-8")
    where = paths.place({"STREAMER_HOME": str(tmp_path / "home"), "STREAMER_CONFIG": str(tmp_path / "config.yaml")})
    config, document = config_checks.checked_config(where, {})
    request = app.commands(config, document).interpret(
        Trigger("1", "test", "!bg a harbour", Actor("7", "ann", Role.BROADCASTER), 100.0)
    )
    assert isinstance(request, ImageRequest)
    assert (request.params.num_inference_steps, request.params.guidance_scale) == (steps, guidance)


def test_a_models_name_wins_over_the_backends_own_model(tmp_path: Path) -> None:
    text = CONFIG + "generator: {use: klein-9b, backends: {klein: {model: some/other, device: cpu}}}\n"
    config, document = config_checks.checked_config(place(tmp_path, text), {})
    use = app.chosen_backend(config, document, choose(config.generator.use))
    assert use.name == "klein"
    assert (use.options["model"], use.options["device"]) == ("black-forest-labs/FLUX.2-klein-9B", "cpu")
