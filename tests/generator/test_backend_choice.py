from pathlib import Path

import pytest

from streamer import installation
from streamer.errors import PluginError
from streamer.generator.backend_choice import (
    BackendChoice,
    backend_names,
    choose,
    choose_for,
    gpu_visible,
    load_backend_module,
    missing_libraries,
    options_of_model,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dev").mkdir()
    return tmp_path


def test_a_named_backend_is_taken_as_it_is() -> None:
    assert choose("my_package.backend").name == "my_package.backend"


def test_the_name_of_a_model_selects_its_backend_and_the_model() -> None:
    choice = choose("sdxl-turbo")
    assert (choice.name, options_of_model(choice)) == ("diffusers", {"model": "sdxl-turbo"})
    choice = choose("Klein-9B")
    assert (choice.name, options_of_model(choice)) == ("klein", {"model": "black-forest-labs/FLUX.2-klein-9B"})
    assert options_of_model(choose("klein")) == {}


def test_an_unknown_name_is_told_the_models_as_well() -> None:
    with pytest.raises(PluginError, match="sdxl-turbo"):
        load_backend_module("sdxl-turbbo")


def test_auto_takes_klein_where_the_gpu_and_the_libraries_are() -> None:
    assert choose_for([], gpu=True) == BackendChoice("klein", "found an NVIDIA GPU and the klein extra")


def test_auto_without_a_gpu_says_so() -> None:
    choice = choose_for(["torch"], gpu=False)
    assert choice == BackendChoice("procedural", "no NVIDIA GPU found; drawing with the procedural backend")


def test_auto_without_the_libraries_names_them_and_the_fix() -> None:
    choice = choose_for(["torch", "diffusers"], gpu=True)
    assert choice.name == "procedural"
    assert "not torch, diffusers" in choice.why
    assert installation.add_extra("klein") in choice.why


def test_auto_decides_something_on_this_machine() -> None:
    assert choose("auto").name in {"klein", "procedural"}


def test_what_is_missing_is_found_without_importing() -> None:
    assert missing_libraries(lambda name: None) == ["torch", "diffusers", "transformers"]
    assert missing_libraries(lambda name: object()) == []


@pytest.mark.parametrize(("device", "visible"), [("nvidia0", True), ("nvidiactl", False), ("null", False)])
def test_a_gpu_is_known_by_its_device_file(root: Path, device: str, visible: bool) -> None:
    (root / "dev" / device).touch()
    assert gpu_visible(root, "linux") is visible


def test_a_gpu_inside_wsl_has_no_device_file_but_a_library(root: Path) -> None:
    (root / "dev/dxg").touch()
    assert not gpu_visible(root, "linux")
    (root / "usr/lib/wsl/lib").mkdir(parents=True)
    (root / "usr/lib/wsl/lib/libcuda.so.1").touch()
    assert gpu_visible(root, "linux")


def test_on_windows_the_drivers_own_tool_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "C:/Windows/System32/nvidia-smi.exe")
    assert gpu_visible(platform="win32")
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not gpu_visible(platform="win32")


def test_a_dotted_name_is_somebody_elses_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    assert load_backend_module("support.scripted_backend").create


@pytest.mark.parametrize("name", ["no_such_backend", "no_such_package.module"])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(PluginError) as caught:
        load_backend_module(name)
    assert all(known in str(caught.value) for known in ["auto", *backend_names()])


def test_a_module_that_is_no_backend_is_refused() -> None:
    with pytest.raises(PluginError, match="must offer Options and create"):
        load_backend_module("streamer.errors")


def test_a_backend_that_needs_a_missing_package_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needy_package").mkdir()
    (tmp_path / "needy_package/backend.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="needs the package 'no_such_library', which is not installed"):
        load_backend_module("needy_package.backend")
