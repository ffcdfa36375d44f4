"""Each bad checkpoint is one sentence with the file, the cause and the fix, said before anything is loaded."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from safetensors.torch import load_file, save_file

from streamer.errors import BackendUnavailable
from streamer.generator.backends.klein import Options
from streamer.generator.ipc import BackendUse
from streamer.generator.klein import loading
from streamer.generator.klein.backend import KleinBackend
from streamer.generator.klein.checkpoint_files import check_checkpoint
from tests.support.generation import ready, running

pytestmark = pytest.mark.torch

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4070000000\n"


@pytest.fixture
def bad(checkpoint: Path, tmp_path: Path) -> Path:
    """Copy the tiny checkpoint, for a test to damage it."""
    return Path(shutil.copytree(checkpoint, tmp_path / "model"))


def weights(folder: Path) -> Path:
    return next(folder.glob("*.safetensors"))


def cut(path: Path, size: int = -1) -> None:
    path.write_bytes(path.read_bytes()[:size])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def shard(folder: Path, missing: int) -> None:
    """Split the weights of a folder in three files with an index, and leave some of them out."""
    tensors = load_file(weights(folder))
    weights(folder).unlink()
    index: dict[str, str] = {}
    for part in range(3):
        name = f"model-{part + 1}-of-3.safetensors"
        chosen = dict(list(tensors.items())[part::3])
        index |= dict.fromkeys(chosen, name)
        if part >= missing:
            save_file(chosen, folder / name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def rename(folder: Path, pipeline: str) -> None:
    """Turn a folder into one of another pipeline: other parts, and none of Klein's transformer."""
    change(folder / "model_index.json", _class_name=pipeline, unet=["diffusers", "UNet2DConditionModel"])
    shutil.rmtree(folder / "transformer")


def without_template(folder: Path) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").unlink(missing_ok=True)


Damage = Callable[[Path], Any]
CASES: dict[str, tuple[Damage, str]] = {
    "pointer": (lambda m: weights(m / "vae").write_text(POINTER), r"vae.*is a pointer of Git LFS.*git lfs pull"),
    "json pointer": (lambda m: (m / "vae/config.json").write_text(POINTER), r"config\.json is a pointer of Git LFS"),
    "tokenizer pointer": (lambda m: (m / "tokenizer/tokenizer.json").write_text(POINTER), r"tokenizer\.json is a po"),
    "empty": (lambda m: weights(m / "transformer").write_bytes(b""), r"transformer.*is empty; download it again"),
    "cut off": (lambda m: cut(weights(m / "text_encoder")), r"text_encoder.* is cut off: it has [\d,]+ bytes, and"),
    "cut in the header": (lambda m: cut(weights(m / "vae"), 100), r"vae.* is cut off: 100 bytes are there, and"),
    "too long": (lambda m: lengthen(weights(m / "vae")), r"vae.* is too long: it has [\d,]+ bytes"),
    "a web page": (lambda m: weights(m / "vae").write_text("<!doctype html>" * 9), r"no safetensors header"),
    "a broken header": (lambda m: weights(m / "vae").write_bytes(b"\x05\0\0\0\0\0\0\0{nope"), r"no safetensors header"),
    "a strange header": (lambda m: weights(m / "vae").write_bytes(b'\x08\0\0\0\0\0\0\0{"a": 1}'), r"no safetensors h"),
    "a missing shard": (lambda m: shard(m / "transformer", 1), r"1 of 3 weight files are missing.*model-1-of-3"),
    "an index of nothing": (
        lambda m: (m / "vae/x.safetensors.index.json").write_text("{}"), r"names no files \(weight_map\)"),
    "no weights": (lambda m: weights(m / "vae").unlink(), r"no \.safetensors file in .*vae"),
    "a pickle": (lambda m: weights(m / "vae").rename(m / "vae/model.bin"), r"has only model\.bin, a format"),
    "no tokenizer": (lambda m: (m / "tokenizer/tokenizer.json").unlink(), r"has no tokenizer"),
    "no template": (lambda m: without_template(m / "tokenizer"), r"has no chat template"),
    "no scheduler": (lambda m: shutil.rmtree(m / "scheduler"), r"scheduler_config\.json is missing"),
    "no index": (lambda m: (m / "model_index.json").unlink(), r"model_index\.json is missing"),
    "no template file": (lambda m: (m / "tokenizer/tokenizer_config.json").unlink(), r"_config\.json is missing"),
    "a cut tokenizer": (lambda m: cut(m / "tokenizer/tokenizer.json", 900), r"tokenizer\.json is cut off or no JSON"),
    "another pipeline": (
        lambda m: rename(m, "StableDiffusionXLPipeline"), r"holds a StableDiffusionXLPipeline; the klein ba"),
    "a base model": (lambda m: change(m / "model_index.json", is_distilled=False), r"is a base model, which needs fif"),
    "a pipeline without a VAE": (lambda m: change(m / "model_index.json", vae=[None, None]), r"json names no vae"),
    "a part that is left out": (lambda m: shutil.rmtree(m / "vae"), r"vae.config\.json is missing; download or copy"),
    "no JSON": (lambda m: (m / "transformer/config.json").write_text("{"), r"config\.json is not JSON"),
    "a list": (lambda m: (m / "transformer/config.json").write_text("[]"), r"config\.json is not a JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_one_sentence_with_its_fix(case: str, bad: Path) -> None:
    damage, sentence = CASES[case]
    damage(bad)
    with pytest.raises(BackendUnavailable, match=sentence) as caught:
        check_checkpoint(bad)
    assert "\n" not in str(caught.value)
    assert caught.value.fix


def test_a_good_checkpoint_passes_whole_and_in_shards(bad: Path) -> None:
    check_checkpoint(bad)
    shard(bad / "transformer", 0)
    check_checkpoint(bad)


def test_nothing_is_loaded_of_a_checkpoint_whose_last_part_is_damaged(
    bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(weights(bad / "vae"))
    monkeypatch.setattr(loading, "fill", lambda *_, **__: pytest.fail("weights were loaded"))
    with pytest.raises(BackendUnavailable, match="cut off"):
        KleinBackend(Options(model=str(bad), device="cpu")).load(lambda doing, share: None)


def test_another_decoder_is_looked_over_too(bad: Path, checkpoint: Path) -> None:
    cut(weights(bad / "vae"))
    with pytest.raises(BackendUnavailable, match="cut off"):
        KleinBackend(Options(model=str(checkpoint), device="cpu", decoder=str(bad))).load(lambda doing, share: None)


def test_weights_of_another_model_are_named_by_their_shape(bad: Path) -> None:
    config = bad / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_attention_heads": 4}))
    with pytest.raises(BackendUnavailable, match=r"transformer is \[.*\], and its config\.json says \["):
        KleinBackend(Options(model=str(bad), device="cpu")).load(lambda doing, share: None)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("tokenizer/tokenizer.json", '{"version": "9.9"}', "tokenizer cannot be used: "),
        (
            "scheduler/scheduler_config.json",
            '{"_class_name": "X", "shift": "x"}',
            "scheduler cannot be used: TypeError",
        ),
        ("transformer/config.json", '{"num_layers": "two"}', "transformer cannot be used: TypeError"),
        ("transformer/config.json", '{"attention_head_dim": 0}', "transformer cannot be used: "),
        ("vae/config.json", '{"latent_channels": -1}', "vae cannot be used: RuntimeError"),
        (
            "text_encoder/config.json",
            '{"use_cache": 3}',
            "text_encoder cannot be used: .*'use_cache': TypeError: Field",
        ),
    ],
)
def test_what_the_libraries_cannot_read_is_one_sentence_too(
    bad: Path, file: str, content: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "fill", lambda *_, **__: pytest.fail("weights were loaded"))
    (bad / file).write_text(content)
    with pytest.raises(BackendUnavailable, match=says) as caught:
        KleinBackend(Options(model=str(bad), device="cpu")).load(lambda doing, share: None)
    assert "\n" not in str(caught.value)


def test_a_bad_folder_is_named_before_torch_is_imported(bad: Path) -> None:
    cut(weights(bad / "vae"))
    code = (
        "import sys\nfrom streamer.generator.backends import klein\n"
        f"try: klein.create(klein.Options(model={str(bad)!r}))\n"
        "except klein.BackendUnavailable as error: print(error.problem)\n"
        "print({'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    problem, imported = run.stdout.splitlines()
    assert "is cut off" in problem
    assert imported == "set()", run.stderr


async def test_the_real_process_says_it_at_once_and_without_a_traceback(
    bad: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut(weights(bad / "vae"))
    use = BackendUse("klein", {"model": str(bad), "device": "cpu"})
    with caplog.at_level(logging.INFO):
        async with running(tmp_path, backend=use) as generator:
            await ready(generator)
            assert generator.restarts == {"load": 1}
            assert re.search(r"cannot start: \S+vae\S+ is cut off: .*; download it again", generator.active["fallback"])
    assert "Traceback" not in caplog.text
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        generator.active["fallback"]
    ]
