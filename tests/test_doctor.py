"""The doctor: a line for each thing it looked at, and a fix for each that is not right."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from streamer import cli, doctor, installation
from streamer.generator import processor
from streamer.generator.klein.measured_choice import Measurement, remember
from streamer.generator.processor import Processor
from streamer.storage import secret_files
from tests.support.lora_files import FLUX2_4B, FLUX2_9B, Shapes, write_tensors
from tests.support.nvidia_smi import put_tool
from tests.support.real_program import CONFIG, Remote, environment, free_port


def findings(environ: dict[str, str]) -> dict[str, doctor.CheckResult]:
    return {finding.subject: finding for finding in doctor.examine(environ)}


def test_a_machine_without_a_gpu_is_told_what_draws_and_why(tmp_path: Path, config_file: Path) -> None:
    found = findings(environment(tmp_path / "home", free_port(), config_file))
    assert {"python", "config", "state", "backend", "captions", "port", "obs"} <= set(found)
    assert found["config"].mark == found["port"].mark == "ok"
    assert found["backend"].detail.startswith(("procedural: ", "klein: "))


def test_everything_that_is_not_ok_comes_with_a_fix(tmp_path: Path, config_file: Path) -> None:
    for finding in doctor.examine(environment(tmp_path / "home", free_port(), config_file)):
        assert finding.mark in ("ok", "note", "bad")
        assert finding.mark == "ok" or finding.fix, finding


def test_a_broken_config_is_a_finding_and_not_a_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text(CONFIG + "quueue: {}\n", encoding="utf-8")
    assert cli.doctor(environment(tmp_path / "home", free_port(), broken)) == 1
    assert "did you mean 'queue'" in capsys.readouterr().out


def test_what_would_stop_the_start_is_found_by_the_doctor(tmp_path: Path) -> None:
    (broken := tmp_path / "config.yaml").write_text("policy:\n  - {use: cooldown, users: 45}\n", encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), broken))["config"]
    assert (found.mark, "policy.0.users: there is no such key; did you mean 'user_s'?" in found.detail) == ("bad", True)


def test_a_worker_on_another_computer_is_asked_and_the_reason_comes_with_a_fix(tmp_path: Path) -> None:
    port = free_port()
    slot = f"{{use: remote, url: 'ws://127.0.0.1:{port}', token_file: gpu-pc}}"
    (file := tmp_path / "config.yaml").write_text(f"generator: {{slots: [{slot}]}}\n", encoding="utf-8")
    environ = environment(tmp_path / "home", free_port(), file)
    missing = findings(environ)["worker"]
    assert (missing.mark, "secrets/gpu-pc is not there" in missing.detail) == ("bad", True)
    secret_files.write(secret_files.path_in(tmp_path / "home", "gpu-pc"), b"token")
    away = findings(environ)["worker"]
    assert (away.mark, "nothing listens there" in away.detail) == ("bad", True)
    assert "two-computers.md" in away.fix


def test_the_key_of_a_picture_server_is_looked_at_and_the_server_is_not_asked(tmp_path: Path) -> None:
    (file := tmp_path / "config.yaml").write_text("generator: {use: openai_images}\n", encoding="utf-8")
    environ = environment(tmp_path / "home", free_port(), file)
    missing = findings(environ)["picture key"]
    assert (missing.mark, "secrets/openai_images is missing" in missing.detail) == ("bad", True)
    (key := tmp_path / "home" / "secrets" / "openai_images").parent.mkdir(parents=True)
    key.touch(0o600)
    key.write_text("sk-secret", encoding="utf-8")
    found = findings(environ)["picture key"]
    assert (found.mark, found.detail) == ("ok", "prompts go to https://api.openai.com/v1; who asked does not")


@pytest.mark.parametrize("use", ["klein", "diffusers", "openvino"])
def test_a_model_that_cannot_be_loaded_is_found_without_loading_it(tmp_path: Path, use: str) -> None:
    (tmp_path / "model" / "vae").mkdir(parents=True)
    (tmp_path / "model" / "model_index.json").write_text('{"_class_name": 1}')
    file = tmp_path / "config.yaml"
    file.write_text(f"generator: {{use: {use}, backends: {{{use}: {{model: {tmp_path / 'model'}}}}}}}\n")
    found = findings(environment(tmp_path / "home", free_port(), file))["model"]
    assert (found.mark, found.detail) == (
        "bad",
        f"{tmp_path / 'model/model_index.json'} names no pipeline (_class_name)",
    )


@pytest.mark.parametrize(
    ("use", "shapes", "mark", "says"),
    [
        ("klein-4b", FLUX2_4B, "ok", "lora.safetensors"),
        ("klein-4b", FLUX2_9B, "bad", "styles.ink.lora: FILE was made for FLUX.2-klein-9B, not for black-forest-labs"),
        ("procedural", FLUX2_4B, "note", "this backend draws without the LoRAs of styles: FILE"),
    ],
)
def test_loras_are_checked_as_models_are(use: str, shapes: Shapes, mark: str, says: str, tmp_path: Path) -> None:
    path = write_tensors(tmp_path / "lora.safetensors", shapes)
    style = f"styles: {{ink: {{prompt: '{{prompt}}', lora: '{path}'}}, "
    text = CONFIG.replace("styles: {", style) + f"generator: {{use: {use}}}\n"
    (config := tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), config))["lora"]
    assert found.mark == mark
    assert says.replace("FILE", str(path)) in found.detail


def test_a_running_program_is_no_fault(tmp_path: Path, config_file: Path, served: Remote) -> None:
    port = int(served.url.rpartition(":")[2])
    found = findings(environment(tmp_path / "home", port, config_file))["port"]
    assert (found.mark, "streamer is already running there" in found.detail) == ("note", True)


def test_a_port_that_another_program_has_is_bad(tmp_path: Path, config_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = findings(environment(tmp_path / "home", other.getsockname()[1], config_file))["port"]
    assert found.mark == "bad"


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path, config_file: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = findings(environment(tmp_path / "file" / "home", free_port(), config_file))["state"]
    assert (found.mark, "STREAMER_HOME" in found.fix) == ("bad", True)


def test_hotkeys_without_their_library_are_named(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + 'triggers: [{use: hotkey, keys: {"<f9>": "!clear"}}]\n', encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), config))["hotkey"]
    assert found.mark == "ok" or found.fix == installation.add_extra("hotkey")


@pytest.mark.parametrize(
    ("use", "memory", "mark", "says"),
    [
        ("klein-4b", "24564 MiB", "ok", "klein-4b on NVIDIA Test with 26 GB: fits"),
        ("klein-4b", "8192 MiB", "ok", "fits (16.5 GB bfloat16, 11 GB fp8, 11 GB int8, 8.5 GB small, 6.5 GB tiny)"),
        ("klein-4b", "6144 MiB", "bad", "does not fit"),
        ("sdxl-turbo", "24564 MiB", "note", "does not allow a stream that earns money"),
        ("sana-sprint", "24564 MiB", "note", "may not allow"),
        ("pixart-sigma", "12282 MiB", "ok", "one part at a time"),
    ],
)
def test_the_model_is_compared_with_the_gpu_and_its_licence_is_named(
    use: str, memory: str, mark: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path, f'echo "NVIDIA Test, {memory}, {memory}, 580.82.07, 8.9"', monkeypatch)
    (config := tmp_path / "config.yaml").write_text(CONFIG + f"generator: {{use: {use}}}\n", encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), config))["model"]
    assert found.mark == mark
    assert says in found.detail
    assert found.mark == "ok" or "streamer models" in found.fix


def test_what_was_measured_on_this_card_is_shown(tmp_path: Path) -> None:
    """The times of the chosen model, with the card on which they were taken, and of no other model."""
    home, hub = tmp_path / "home", "black-forest-labs/FLUX.2-klein-4B"
    (config := tmp_path / "config.yaml").write_text(CONFIG + "generator: {use: klein-4b}\n", encoding="utf-8")
    remember(home, f"H200, driver 580, torch 2.11, {hub}, 0.1.0", Measurement({"fp8": 20.0}, {"cudnn": 5.0}))
    remember(home, "H200, driver 580, torch 2.11, another/model, 0.1.0", Measurement({"int8": 1.0}, {"sdpa": 1.0}))
    found = [line for line in doctor.examine(environment(home, free_port(), config)) if line.subject == "measured"]
    assert [line.detail for line in found] == [
        f"fp8 25.0 ms a step; attention: cudnn 5.0 (H200, driver 580, torch 2.11, {hub}, 0.1.0)"
    ]


@pytest.mark.parametrize(("rate", "mark", "says"), [(1000.0, "note", "fast enough"), (20.0, "ok", "too slow")])
def test_a_processor_that_is_fast_enough_is_offered_a_real_model(
    rate: float, mark: str, says: str, tmp_path: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Processor("Test", 8, rate)
    monkeypatch.setattr(processor, "measure", lambda: measured)
    monkeypatch.setattr(processor, "_identity", lambda: ("Test", 8))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = findings(environment(tmp_path / "home", free_port(), config_file))["processor"]
    assert (found.mark, says in found.detail, "sdxs-512" in found.detail) == (mark, True, True)
    assert found.mark == "ok" or "set generator.use to sdxs-512" in found.fix
    assert processor.known(tmp_path / "home") == measured


def test_a_model_for_the_processor_is_named_with_its_licence(tmp_path: Path) -> None:
    (config := tmp_path / "config.yaml").write_text(CONFIG + "generator: {use: sd-turbo}\n", encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), config))["model"]
    assert found.mark == "note"
    assert found.detail.startswith("sd-turbo: draws on the processor")
    assert "may not allow" in found.detail


def test_nothing_is_said_of_a_model_that_nobody_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_tool(tmp_path, 'echo "NVIDIA Test, 24564 MiB, 24000 MiB, 580.82.07, 8.9"', monkeypatch)
    text = CONFIG + "generator: {use: diffusers, backends: {diffusers: {model: some/other}}}\n"
    (config := tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert "model" not in findings(environment(tmp_path / "home", free_port(), config))
