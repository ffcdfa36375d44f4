"""Each bad folder is one sentence with file, cause and fix, whatever pipeline it is for; nothing heavy is needed."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import BackendUnavailable
from streamer.generator import checkpoint_check
from streamer.generator.checkpoint_check import (
    check_components,
    check_weights,
    folder_meant,
    read_index,
    readable,
    require_chat_template,
)

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4070000000\n"
COMPONENTS = {
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": [None, None],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "T5Tokenizer"],
    "tokenizer_3": ["transformers", "ByT5Tokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
FILES = {
    "feature_extractor": ("preprocessor_config.json",),
    "scheduler": ("scheduler_config.json",),
    "text_encoder": ("config.json", "model.safetensors"),
    "text_encoder_2": ("config.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors"),
    "tokenizer": ("tokenizer_config.json", "vocab.json", "merges.txt"),
    "tokenizer_2": ("tokenizer_config.json", "spiece.model"),
    "tokenizer_3": ("tokenizer_config.json",),
    "unet": ("config.json", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors"),
    "vae": ("config.json", "diffusion_pytorch_model.safetensors"),
}


def safetensors(data: bytes = b"\0\0\0\0") -> bytes:
    header = json.dumps({"x": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A whole folder of another pipeline than this program has, with a T5 in two files and weights in two variants."""
    folder = tmp_path / "sdxl"
    contents = {".json": b"{}", ".safetensors": safetensors(), ".txt": b"a b\n", ".model": b"\n\x0e"}
    for component, names in FILES.items():
        (folder / component).mkdir(parents=True)
        for name in names:
            (folder / component / name).write_bytes(contents[Path(name).suffix])
    shards = {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}
    (folder / "text_encoder_2/model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    index = {"_class_name": "SomePipeline", "_diffusers_version": "1", "force_zeros": True, **COMPONENTS}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def sentence(folder: Path) -> str:
    with pytest.raises(BackendUnavailable) as caught:
        check_components(read_index(folder))
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_folder_passes_and_its_index_is_read(model: Path) -> None:
    index = read_index(model)
    check_components(index)
    assert index.pipeline == "SomePipeline"
    assert set(index.components) == set(FILES)
    assert index.settings["force_zeros"] is True


@pytest.mark.parametrize("component", FILES)
def test_every_file_of_every_component_is_missed(model: Path, component: str) -> None:
    for name in FILES[component]:
        if name == "diffusion_pytorch_model.fp16.safetensors":
            continue  # the other variant is enough
        path = model / component / name
        content = path.read_bytes()
        path.unlink()
        for variant in path.parent.glob("*.fp16.*"):
            variant.unlink()
        assert f"{model / component}" in sentence(model)
        path.write_bytes(content)


@pytest.mark.parametrize("content", [POINTER, b""])
def test_every_pointer_and_every_empty_file_is_found(model: Path, content: bytes) -> None:
    says = "is a pointer of Git LFS" if content else "is empty"
    for path in [path for path in model.rglob("*.*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(content)
        assert f"{path} {says}" in sentence(model)
        path.write_bytes(whole)


def test_only_the_named_components_are_checked(model: Path) -> None:
    shutil.rmtree(model / "unet")
    index = read_index(model)
    check_components(index, ("vae", "scheduler"))
    with pytest.raises(BackendUnavailable, match=r"unet.config\.json is missing"):
        check_components(index, ("vae", "unet"))
    with pytest.raises(BackendUnavailable, match="names no transformer"):
        check_components(index, ("transformer",))


def test_one_variant_of_the_weights_is_enough_even_if_the_other_one_was_split(model: Path) -> None:
    (model / "unet/diffusion_pytorch_model.safetensors").unlink()
    index = model / "unet/diffusion_pytorch_model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "diffusion_pytorch_model-1-of-1.safetensors"}}')
    check_components(read_index(model))
    (model / "unet/diffusion_pytorch_model.fp16.safetensors").unlink()
    assert "1 of 1 weight files are missing" in sentence(model)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (safetensors(b"1234")[:-1], "is cut off: it has"),
        (safetensors()[:20], "is cut off: 20 bytes are there, and its header alone has"),
        (safetensors() + b"\0", "is too long"),
        (b"<!doctype html>" * 99, "no safetensors header"),
        (b"\x05" + bytes(7) + b"{nope", "no safetensors header"),
        (b"\x08" + bytes(7) + b'{"a": 1}', "no safetensors header"),
        (b"\x1b" + bytes(7) + b'{"a":{"data_offsets":["x"]}}', "no safetensors header"),
        (b"\x02" + bytes(7) + b"{}", ""),
    ],
)
def test_weights_are_as_long_as_their_header_says(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    if not says:
        check_weights(tmp_path)
        return
    with pytest.raises(BackendUnavailable, match=says):
        check_weights(tmp_path)


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda rest: struct.pack("<Q", len(rest)) + rest))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("weights")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(BackendUnavailable):
        check_weights(folder)


@pytest.mark.parametrize("content", ["[" * 100_000, "{", "[]", "\ufeff{", "1", '"x"'])
def test_no_text_in_a_config_raises_anything_else(model: Path, content: str) -> None:
    (model / "unet/config.json").write_text(content, encoding="utf-8")
    assert "config.json is not" in sentence(model)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ("{}", r"names no pipeline \(_class_name\)"),
        ('{"_class_name": ["pipeline", "Own"]}', r"names no pipeline \(_class_name\)"),
        ("{", "is not JSON"),
        ('{"weight_map": 1}', r"names no pipeline"),
    ],
)
def test_an_index_without_a_pipeline_is_told(model: Path, index: str, says: str) -> None:
    (model / "model_index.json").write_text(index)
    with pytest.raises(BackendUnavailable, match=says):
        read_index(model)


def test_the_folder_that_was_probably_meant_is_named(model: Path) -> None:
    for wrong in (model.parent, model / "unet"):
        with pytest.raises(BackendUnavailable, match=r"model_index\.json is missing") as caught:
            read_index(wrong)
        assert caught.value.fix == f"give {model}"


def test_the_folder_of_the_hubs_cache_leads_to_its_snapshot(tmp_path: Path, model: Path) -> None:
    snapshot = tmp_path / "models--owner--name" / "snapshots" / "abc"
    shutil.copytree(model, snapshot)
    assert folder_meant(tmp_path / "models--owner--name") == f"give {snapshot}"


def test_a_single_file_of_another_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "klein-fp8.safetensors").write_bytes(safetensors())
    with pytest.raises(BackendUnavailable) as caught:
        read_index(tmp_path)
    assert caught.value.fix.startswith("klein-fp8.safetensors alone is made for other programs: give the folder of")


def cached(tmp_path: Path, model: Path) -> tuple[Path, Path]:
    """Lay a model out as the hub's cache does; return its snapshot and the blob of its VAE's weights."""
    repo = tmp_path / "models--owner--name"
    snapshot = Path(shutil.copytree(model, repo / "snapshots" / "abc"))
    blob, link = repo / "blobs" / "1f", snapshot / "vae/diffusion_pytorch_model.safetensors"
    blob.parent.mkdir()
    link.replace(blob)
    link.symlink_to(blob)
    return snapshot, blob


def test_a_damaged_file_of_the_hubs_cache_is_to_be_deleted_where_it_is(tmp_path: Path, model: Path) -> None:
    snapshot, blob = cached(tmp_path, model)
    check_components(read_index(snapshot))
    blob.write_bytes(blob.read_bytes()[:-1])
    assert sentence(snapshot).endswith(f"download it again: delete {blob}, go online and start again")


@pytest.mark.parametrize("missing", ["model_index.json", "vae/config.json"])
def test_an_unfinished_download_is_finished_online(tmp_path: Path, model: Path, missing: str) -> None:
    snapshot, _ = cached(tmp_path, model)
    (snapshot / missing).unlink()
    assert sentence(snapshot).endswith("go online and start again to finish the download")


def test_a_link_to_nowhere_is_a_missing_file(tmp_path: Path, model: Path) -> None:
    snapshot, blob = cached(tmp_path, model)
    blob.unlink()
    assert "diffusion_pytorch_model.safetensors is missing" in sentence(snapshot)


def test_what_the_system_refuses_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(checkpoint_check, "_read_json", refused)
    assert "model_index.json cannot be read: Permission denied; let this user read" in sentence(model)


@pytest.mark.parametrize(
    ("write", "passes"),
    [
        (lambda folder: (folder / "chat_template.jinja").write_text("{{ messages }}"), True),
        (lambda folder: (folder / "tokenizer_config.json").write_text('{"chat_template": "x"}'), True),
        (lambda folder: None, False),
        (lambda folder: (folder / "tokenizer_config.json").unlink(), False),
    ],
)
def test_a_chat_template_may_stand_in_two_places(model: Path, write: Callable[[Path], Any], passes: bool) -> None:
    write(model / "tokenizer")
    if passes:
        require_chat_template(model / "tokenizer")
        return
    with pytest.raises(BackendUnavailable, match=r"has no chat template|tokenizer_config\.json is missing"):
        require_chat_template(model / "tokenizer")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TypeError("'str' is no number"), "x cannot be used: TypeError: 'str' is no number; download them again, or"),
        (RuntimeError("2 faults:\n a\n b"), "x cannot be used: RuntimeError: 2 faults: a b; download them again, or"),
        (ImportError("needs sentencepiece"), "ImportError: needs sentencepiece; install what it names, or choose"),
        (BackendUnavailable("too few layers"), "too few layers"),
    ],
)
def test_whatever_a_library_raises_over_files_names_their_folder(error: Exception, says: str) -> None:
    with pytest.raises(BackendUnavailable) as caught, readable(Path("x")):
        raise error
    assert says in str(caught.value)
