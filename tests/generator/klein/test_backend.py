"""The Klein backend as the generator process uses it: on the CPU, with a tiny checkpoint."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from PIL import Image

from streamer.errors import BackendError, BackendUnavailable, Unsupported
from streamer.generator.backend import StepCallback
from streamer.generator.backends import klein
from streamer.generator.klein import backend as backend_module
from streamer.generator.klein.backend import active_optimizations, quantizer_for
from streamer.generator.klein.checkpoint_files import read_transformer_config
from streamer.generator.klein.optimizations import DeviceInfo, Optimizations
from streamer.generator.lora.testing import make_lora
from streamer.types import Actor, ImageRequest, Lane, Lora, RequestKind, Role, SamplingParams

pytestmark = pytest.mark.torch

SIZES = ((96, 64), (64, 64))


@pytest.fixture
def make(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Make a loaded and warmed backend."""
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    for variable in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))

    def made(**options: Any) -> Any:
        backend = klein.create(options_for(checkpoint, **options))
        backend.load(lambda doing, share: None)
        backend.warm_up(SIZES, lambda doing, share: None)
        return backend

    return made


def options_for(checkpoint: Path, **more: Any) -> klein.Options:
    return klein.Options(**{"model": str(checkpoint), "device": "cpu", "text_tokens": 64, **more})


def request(width: int = 96, height: int = 64, steps: int = 4, reference: bytes | None = None) -> ImageRequest:
    return ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(width, height, steps, 1.0, 7),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9, reference=reference,
    )  # fmt: skip


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "orange").save(file, "PNG")
    return file.getvalue()


def test_steps_then_one_picture(make: Callable[..., Any]) -> None:
    """Four steps with previews, then the picture, in the size asked for."""
    *steps, picture = make().draw(request())
    assert [step.step for step in steps] == [1, 2, 3, 4]
    assert all(step.pixels is not None for step in steps)
    assert picture.pixels().shape == (64, 96, 3)
    assert picture.jpeg(88) is None


def test_it_draws_before_it_is_fast_and_the_same_after(make: Callable[..., Any]) -> None:
    """Pictures are the same before and after the last warm-up step."""
    backend = make()
    assert "warm-up steps left" in backend.active()["fast_sizes"]
    early = last(backend.draw(request())).pixels()
    reported: list[tuple[str, float]] = []
    while backend.idle(lambda doing, share: reported.append((doing, share))):
        pass
    assert reported[-1] == ("size 64x64", 1.0)
    assert backend.active()["fast_sizes"] == "96x64, 64x64"
    assert np.array_equal(last(backend.draw(request())).pixels(), early)
    assert not backend.idle(lambda doing, share: None)


def test_a_size_nobody_announced_becomes_fast_in_idle_moments(make: Callable[..., Any]) -> None:
    """A shape that was drawn once, such as an edit, is prepared for the next time."""
    backend = make(warm_in_background=False)
    last(backend.draw(request(reference=png(80, 64))))
    backend.idle(lambda doing, share: None)
    assert "96x64 editing 80x64" in backend.active()["fast_sizes"]


def test_an_edit_differs_from_a_drawing(make: Callable[..., Any]) -> None:
    """The picture to edit changes the result."""
    backend = make()
    plain = last(backend.draw(request())).pixels()
    assert not np.array_equal(plain, last(backend.draw(request(reference=png(64, 64)))).pixels())


@pytest.mark.parametrize(
    ("data", "message"), [(b"no picture", "cannot be read"), (png(8, 8), "8x8"), (png(900, 64), "900x64")]
)
def test_an_unusable_reference_is_told(make: Callable[..., Any], data: bytes, message: str) -> None:
    """Garbage, too small and too long each get their own sentence."""
    with pytest.raises(BackendError, match=message):
        last(make().draw(request(reference=data)))


def test_fifty_steps_are_not_for_a_distilled_model(make: Callable[..., Any]) -> None:
    """The error names a mistake that other pipelines' defaults invite."""
    with pytest.raises(Unsupported, match="four steps"):
        last(make().draw(request(steps=50)))


def test_loras_are_named_and_a_draft_is_merged(make: Callable[..., Any], checkpoint: Path, tmp_path: Path) -> None:
    """A draft draws in two steps what the LoRA of every picture draws in as many; the status names both kinds."""
    path = make_lora(tmp_path / "fast.safetensors", read_transformer_config(checkpoint), rank=2)
    draft = make(speed="draft", draft_lora=str(path), optimize="off")
    session = make(lora=[str(path)], optimize="off")
    two = request(steps=2)
    assert np.array_equal(last(draft.draw(two)).pixels(), last(session.draw(two)).pixels())
    assert not np.array_equal(last(draft.draw(two)).pixels(), last(make(optimize="off").draw(two)).pixels())
    assert draft.active()["loras"] == session.active()["loras"] == f"{path} x 1"


def test_warming_up_is_not_disturbed_by_a_style(checkpoint: Path, tmp_path: Path) -> None:
    """A style may be on when idle work goes on: what is prepared then serves every style."""
    path = make_lora(tmp_path / "ink.safetensors", read_transformer_config(checkpoint), rank=2)
    style = Lora(str(path), 1.0, "styles.ink.lora")
    backend: Any = klein.create(options_for(checkpoint))
    backend.expect_loras([style])
    backend.load(lambda doing, share: None)
    backend.warm_up(SIZES, lambda doing, share: None)
    styled, plain = replace(request(), loras=(style,)), request()
    early = [last(backend.draw(wanted)).pixels() for wanted in (plain, styled)]
    while backend.idle(lambda doing, share: None):
        last(backend.draw(styled))
    late = [last(backend.draw(wanted)).pixels() for wanted in (plain, styled)]
    assert all(np.array_equal(*pair) for pair in zip(early, late, strict=True))
    assert backend.active()["style_loras"].startswith("styles.ink.lora in ")


def test_short_memory_steps_down_and_says_so(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of memory once: the picture is drawn smaller, has the size asked for, and the status says so."""
    backend = make(warm_in_background=False)
    starve(backend, monkeypatch, times=1)
    assert last(backend.draw(request(160, 96))).pixels().shape == (96, 160, 3)
    assert backend.active()["memory"] == "smaller pictures"
    assert last(backend.draw(request(160, 96))).pixels().shape == (96, 160, 3)


def test_shorter_memory_drops_the_fast_paths(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of memory twice: smaller pictures and nothing prepared."""
    backend = make(warm_in_background=False)
    starve(backend, monkeypatch, times=2)
    assert last(backend.draw(request())).pixels().shape == (64, 96, 3)
    assert backend.active()["memory"] == "smaller pictures, plain PyTorch"
    assert backend.active()["fast_sizes"] == "none yet"


def test_no_memory_at_all_gives_up(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of memory whatever is tried: the backend is unavailable, and the program falls back."""
    backend = make()
    starve(backend, monkeypatch, times=99)
    with pytest.raises(BackendUnavailable, match="too small even for a small picture"):
        last(backend.draw(request()))


def test_a_lost_device_is_passed_on(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that persist on the device reach the process, which exits."""
    backend = make()

    def broken(job: Any) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
        yield

    monkeypatch.setattr(backend._engine, "draw", broken)
    with pytest.raises(RuntimeError, match="CUDA error"):
        last(backend.draw(request()))


def test_the_status_names_what_is_active(make: Callable[..., Any], checkpoint: Path) -> None:
    """Device, model, precision and counts, all as text."""
    active = make(precision="fp8").active()
    assert active["device"] == "CPU"
    assert active["model"] == str(checkpoint)
    assert active["precision"] == "fp8"
    assert int(active["eight_bit_layers"]) > 0
    assert all(isinstance(value, str) for value in active.values())


def test_a_text_that_is_too_long_loses_words_and_its_style_stays(make: Callable[..., Any]) -> None:
    """The picture is that of the shorter prompt, the status counts it, and the author is to be told."""
    backend, style = make(warm_in_background=False), ", film noir"
    words = "lighthouse " * 60
    asked = replace(request(), words=words, prompt=words + style, template="{text}" + style)
    picture = last(backend.draw(asked))
    assert backend.left_out_words
    assert backend.active()["shortened"] == "1 texts longer than text_tokens"
    fits = backend._fitter._fits
    kept = next(count for count in range(60, 0, -1) if fits(" ".join(["lighthouse"] * count) + style))
    shorter = " ".join(["lighthouse"] * kept) + style
    assert 0 < kept < 60
    same = last(backend.draw(replace(request(), words="", prompt=shorter)))
    assert np.array_equal(picture.pixels(), same.pixels())
    assert not backend.left_out_words


def test_closing_gives_the_model_back(make: Callable[..., Any]) -> None:
    """After close nothing can be drawn, and nothing breaks."""
    backend = make()
    backend.close()
    with pytest.raises(BackendUnavailable, match="not loaded"):
        last(backend.draw(request()))


def test_without_a_gpu_auto_is_unavailable(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU would need minutes for a picture, so it is used only when asked for by name."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendUnavailable, match="no usable GPU"):
        klein.create(options_for(checkpoint, device="auto")).load(lambda doing, share: None)


def test_a_device_that_nobody_measured_draws_plainly_and_the_status_says_so(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Described as AMD's; the processor computes the picture."""
    radeon = DeviceInfo("hip", "Radeon RX 7900 XTX", memory_gb=24)
    monkeypatch.setattr(backend_module, "describe_device", lambda device: radeon)
    backend = make(warm_in_background=False)
    active = backend.active()
    assert active["device"] == "Radeon RX 7900 XTX (hip), not measured"
    assert (active["precision"], active["attention"]) == ("bfloat16", "sdpa")
    assert {active[name] for name in ("graphs", "kernels", "compile", "gpu_jpeg")} == {"off: not measured on hip"}
    assert last(backend.draw(request())).pixels().shape == (64, 96, 3)


def test_a_model_that_is_nowhere_says_what_to_give() -> None:
    """A folder that does not exist is not looked for on the hub."""
    with pytest.raises(BackendUnavailable, match="there is no folder"):
        klein.create(klein.Options(model="./nowhere", device="cpu")).load(lambda doing, share: None)


def test_the_status_tells_a_failed_check_from_a_passed_one() -> None:
    """The status gives the reason for an optimization that was asked for and is not used."""
    optimizations = Optimizations("fp8", "fp8", fused_qkv=True, kernels=True, compile=True, graphs=True, gpu_jpeg=True)
    shown = active_optimizations(
        optimizations, {"kernels": "error 0.005", "fp8 attention": "wrong by 0.2", "jpeg": "failed: OSError"}
    )
    assert shown == {
        "precision": "fp8",
        "attention": "off: wrong by 0.2",
        "fused_qkv": "on",
        "kernels": "on",
        "graphs": "on",
        "gpu_jpeg": "off: failed: OSError",
    }


def test_a_precision_decides_how_blocks_are_quantized() -> None:
    """The name says the type, and whether only the weights are stored in it."""
    assert quantizer_for(Optimizations("int8-weights")).weight_only
    assert not quantizer_for(Optimizations("int8")).weight_only


def test_where_eight_bit_products_fail_wider_ones_are_taken(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that cannot multiply in fp8 tries int8, and one that can neither draws in bfloat16."""
    monkeypatch.setattr(
        "streamer.generator.klein.choice.eight_bit_matmul_works", lambda dtype, device: dtype is torch.int8
    )
    assert make(precision="fp8").active()["precision"] == "int8"
    monkeypatch.setattr("streamer.generator.klein.choice.eight_bit_matmul_works", lambda dtype, device: False)
    assert make(precision="fp8").active()["precision"] == "bfloat16"


@pytest.mark.parametrize("memory", ["small", "tiny"])
def test_a_text_model_on_the_host_draws_the_same_picture(make: Callable[..., Any], memory: str) -> None:
    """Where the weights are changes no number, for a new prompt and for a remembered one."""
    usual, saving = make(), make(memory=memory)
    truth = last(usual.draw(request())).pixels()
    for _ in range(2):
        assert np.array_equal(last(saving.draw(request())).pixels(), truth)
    assert saving.active()["memory"] == memory


def last(items: Any) -> Any:
    *_, picture = items
    assert not isinstance(picture, StepCallback)
    return picture


def starve(backend: Any, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the engine run out of memory that many times after a picture's first step."""
    logging.getLogger("streamer.generator.klein.backend").setLevel(logging.ERROR)
    left, draw = [times], backend._engine.draw

    def starving(job: Any) -> Any:
        for item in draw(job):
            if left[0]:
                left[0] -= 1
                raise torch.OutOfMemoryError("CUDA out of memory")
            yield item

    monkeypatch.setattr(backend._engine, "draw", starving)
