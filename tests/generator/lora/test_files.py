"""What a LoRA's path means, and what its file says, without torch."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.lora.files import HubFile, check_here, locate, only_file, read_header
from streamer.types import Lora
from tests.support.lora_files import FLUX2_4B, layer, write_tensors

NAME = "transformer.blocks.0.to_q"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("someone/ink", HubFile("someone/ink")),
        ("https://huggingface.co/someone/ink", HubFile("someone/ink")),
        ("someone/ink/v2.safetensors", HubFile("someone/ink", "v2.safetensors")),
        ("someone/ink/old/v1.safetensors", HubFile("someone/ink", "old/v1.safetensors")),
        ("https://huggingface.co/someone/ink/blob/main/v2.safetensors", HubFile("someone/ink", "v2.safetensors")),
        (
            "https://hf.co/someone/ink/resolve/main/v2.safetensors?download=true",
            HubFile("someone/ink", "v2.safetensors"),
        ),
    ],
)
def test_what_is_not_here_is_on_the_hub(path: str, file: HubFile) -> None:
    """Ids, addresses of pages and of files."""
    assert locate(path) == file


def test_a_file_and_a_folder_with_one_are_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also relative to where the program was started, and below the user's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "loras").mkdir()
    file = write_tensors(tmp_path / "loras" / "ink.safetensors", FLUX2_4B)
    for path in (str(file), "loras/ink.safetensors", "loras", "~/loras/ink.safetensors", f" {file} "):
        assert locate(path) in (file, Path("loras/ink.safetensors"))


@pytest.mark.parametrize(
    "path",
    ["", " ", "nowhere.safetensors", "a/nowhere.safetensors", "ink", "C:\\ink.safetensors", "../x/y.safetensors"],
)
def test_what_is_nowhere_is_named(path: str) -> None:
    """With what may be given."""
    with pytest.raises(BackendUnavailable, match=r"there is no file .*; give a \.safetensors file, or a hub id"):
        locate(path)


def test_of_several_files_one_must_be_meant() -> None:
    """The usual name wins; otherwise the names are listed."""
    assert only_file(["a.safetensors"], "x") == "a.safetensors"
    assert only_file(["a.safetensors", "pytorch_lora_weights.safetensors"], "x") == "pytorch_lora_weights.safetensors"
    with pytest.raises(BackendUnavailable, match=r"x has 2 files: a, b; name one of them, like x/a"):
        only_file(["b", "a"], "x")
    with pytest.raises(BackendUnavailable, match=r"x has no \.safetensors file"):
        only_file([], "x")


def test_a_damaged_file_is_named_with_its_option(tmp_path: Path) -> None:
    """As a model's files are, and by the key of config.yaml."""
    whole = write_tensors(tmp_path / "ink.safetensors", FLUX2_4B)
    check_here([Lora(str(whole)), Lora("someone/on-the-hub")])
    whole.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(BackendUnavailable, match=r"^styles\.ink\.lora: .*ink\.safetensors is cut off: it has"):
        check_here([Lora(str(whole), 1.0, "styles.ink.lora")])
    (pickled := tmp_path / "ink.pt").write_bytes(b"x")
    with pytest.raises(BackendUnavailable, match=r"ink\.pt is no \.safetensors file, and other formats can run code"):
        check_here([Lora(str(pickled))])


def test_halves_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    """The rank must be the same, and a vector is no half."""
    for shapes in (
        {"a.lora_A.weight": (2, 8), "a.lora_B.weight": (8, 4)},
        {"a.lora_A.weight": (2,), "a.lora_B.weight": (8, 2)},
    ):
        path = write_tensors(tmp_path / "odd.safetensors", shapes)
        with pytest.raises(BackendUnavailable, match="do not fit together"):
            read_header(path)


@pytest.mark.parametrize(
    ("settings", "alpha", "scale"),
    [
        (None, None, 1.0),
        (None, 2.0, 0.5),
        ({"lora_alpha": 8, "r": 4}, None, 2.0),
        ({"lora_alpha": 8, "use_rslora": True}, None, 8 / math.sqrt(4)),
        ({"lora_alpha": 8, "alpha_pattern": {"to_q": 1}}, None, 0.25),
        ({"lora_alpha": 8, "alpha_pattern": {"to_k": 1, "^blocks.0": 1}}, None, 2.0),
        ({"lora_alpha": 8, "alpha_pattern": {"^blocks.0.to_q": 1}}, None, 0.25),
        ({"lora_alpha": 8}, 2.0, 0.5),
    ],
)
def test_a_scale_is_alpha_by_rank(
    settings: dict[str, object] | None, alpha: float | None, scale: float, tmp_path: Path
) -> None:
    """Alpha is a tensor of the layer, or a setting that diffusers writes; without any the scale is one."""
    written = {f"transformer.{name}": value for name, value in (settings or {}).items()}
    metadata = {"lora_adapter_metadata": json.dumps(written), "format": "pt"} if settings else None
    header = read_header(write_tensors(tmp_path / "a.safetensors", layer(NAME, 8, 8, rank=4), metadata))
    assert header.rank_of(NAME) == 4
    assert header.scale_of(NAME, alpha) == scale


@pytest.mark.parametrize(
    "written", ["{", "[]", "3", '{"transformer.lora_alpha": "x"}', '{"transformer.alpha_pattern": ["("]}', '{"a": 1}']
)
def test_unreadable_settings_count_as_none(written: str, tmp_path: Path) -> None:
    """They are a note of the program that wrote the file."""
    path = write_tensors(tmp_path / "a.safetensors", layer(NAME, 8, 8), {"lora_adapter_metadata": written})
    assert read_header(path).scale_of(NAME, None) == 1.0
