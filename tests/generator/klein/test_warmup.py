"""An optimization is used only after it was verified; one that fails is reported and left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.klein import warmup
from streamer.generator.klein.denoise import stock_velocity
from streamer.generator.klein.engine import EngineJob
from streamer.generator.klein.optimizations import Optimizations
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.verify import BOUNDS, ErrorCheck, check_text_layers, relative_error
from streamer.generator.klein.warmup import WarmUp

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
JOB = EngineJob("a fox", 96, 64, seed=5)


def run(warm_up: WarmUp) -> list[tuple[str, float]]:
    done = []
    while warm_up.steps_left:
        done.append(warm_up.next_step())
    return done


def pixels_of(engine: Any, job: EngineJob = JOB) -> Any:
    *_, picture = engine.draw(job)
    return picture.pixels().astype(int)


def test_every_size_becomes_ready_largest_first(make_engine: Make) -> None:
    """Progress ends at one, doubled sizes count once."""
    engine = make_engine()
    done = run(WarmUp(engine, Optimizations(), [(64, 64), (96, 64), (64, 64)]))
    assert done == [("size 96x64", 0.5), ("size 64x64", 1.0)]
    assert [str(shape) for shape in engine.plans] == ["96x64", "64x64"]


def test_without_sizes_there_is_nothing_to_do(make_engine: Make) -> None:
    """A command table without pictures needs no warming up."""
    assert WarmUp(make_engine(), Optimizations(compile=True), []).steps_left == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own, in its compiler
def test_compiled_blocks_and_text_draw_the_same(make_engine: Make) -> None:
    """torch.compile of the repeated blocks passes its check and changes pictures by rounding at most."""
    engine = make_engine()
    plain = pixels_of(engine)
    warm_up = WarmUp(engine, Optimizations("float32", compile=True), [(96, 64)])
    run(warm_up)
    assert all(warm_up.results[name].startswith("error") for name in ("compile", "text"))
    assert np.abs(pixels_of(engine) - plain).max() <= 1


def test_a_wrong_implementation_is_not_used(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that errs more than its bound is dropped, and the pictures stay right."""
    engine = make_engine()
    plain = pixels_of(engine)
    right = stock_velocity(engine.model.transformer)
    wrong = lambda buffers: right(buffers) * 1.2  # noqa: E731
    monkeypatch.setattr("streamer.generator.klein.torch_compile.compiled_velocity", lambda transformer: wrong)
    monkeypatch.setattr(WarmUp, "_try_text", lambda self: None)
    warm_up = WarmUp(engine, replace(Optimizations(), compile=True), [(96, 64)])
    run(warm_up)
    assert warm_up.results["compile"] == "wrong by 0.2"
    assert np.array_equal(pixels_of(engine), plain)


def test_nan_is_never_right() -> None:
    """Comparing with NaN is False, so an implementation that returns NaN fails."""
    assert not ErrorCheck("kernels", float("nan"), BOUNDS["kernels"]).passed


def test_an_optimization_that_cannot_be_built_is_left_out(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No compiler on the machine: it is noted, and the size is ready all the same."""

    def broken(transformer: Any) -> Any:
        raise RuntimeError("no C compiler")

    monkeypatch.setattr("streamer.generator.klein.torch_compile.compiled_velocity", broken)
    engine = make_engine()
    monkeypatch.setattr(WarmUp, "_try_text", lambda self: None)
    warm_up = WarmUp(engine, replace(Optimizations(), compile=True), [(96, 64)])
    run(warm_up)
    assert warm_up.results["compile"] == "failed: RuntimeError"
    assert len(engine.plans) == 1


def test_a_lost_device_is_not_swallowed(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a CUDA error nothing can be trusted; the process must end."""

    def lost(transformer: Any) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr("streamer.generator.klein.torch_compile.compiled_velocity", lost)
    with pytest.raises(RuntimeError, match="CUDA error"):
        run(WarmUp(make_engine(), replace(Optimizations(), compile=True), [(96, 64)]))


def test_a_graph_keeps_its_function_alive() -> None:
    """A captured graph holds its function: freed weights would be overwritten under it."""
    from streamer.generator.klein.cuda_graphs import CapturedGraph

    class Graph:
        def replay(self) -> None:
            replayed.append(True)

    replayed: list[bool] = []
    function = lambda: None  # noqa: E731
    captured = CapturedGraph(Graph(), function)  # type: ignore[arg-type]
    captured()
    assert replayed
    assert captured.function is function


def test_text_is_judged_early_and_by_what_rounding_does(make_engine: Make) -> None:
    """The stock layers pass against themselves, disturbed ones fail after one layer."""
    from streamer.generator.klein.text_encoder import embed_tokens, rotary_and_mask, stock_layers

    engine = make_engine(finish_block=Quantizer(True, FP8))
    plain, encoder = stock_layers(engine.model.encoder), engine.model.encoder
    warm_up = WarmUp(engine, Optimizations(), [(64, 64)])
    warm_up._fill_text_buffers()
    states = embed_tokens(engine.text_buffers, encoder)
    inputs = rotary_and_mask(engine.text_buffers, encoder, states)
    assert all(check.passed for check in check_text_layers(plain, plain, states, inputs))
    disturbed = lambda *given: [states * 1.3 for states in plain(*given)]  # noqa: E731
    assert not check_text_layers(disturbed, plain, states, inputs)[0].passed


def test_the_jpeg_check_uses_a_picture_that_jpeg_keeps() -> None:
    """Ramps survive an ordinary encoder far inside the bound."""
    import io

    from PIL import Image

    picture = warmup.smooth_picture(torch.device("cpu"))
    file = io.BytesIO()
    Image.fromarray(picture.numpy()).save(file, "JPEG", quality=warmup.JPEG_QUALITY)
    shown = torch.from_numpy(np.array(Image.open(file)))
    assert relative_error(shown, picture) < BOUNDS["jpeg"] / 2


def test_where_kernels_cannot_be_used_blocks_are_compiled(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels raise (no Triton here): the compiled blocks and decoder take their place."""
    engine = make_engine()
    right, decoder = stock_velocity(engine.model.transformer), engine.decoder
    monkeypatch.setattr("streamer.generator.klein.torch_compile.compiled_velocity", lambda transformer: right)
    monkeypatch.setattr("streamer.generator.klein.torch_compile.compiled_decoder", lambda vae: decoder)
    monkeypatch.setitem(sys.modules, "streamer.generator.klein.fused.vae_decoder", None)
    monkeypatch.setattr(WarmUp, "_try_text", lambda self: None)
    warm_up = WarmUp(engine, Optimizations(kernels=True, compile=True, fast_decoder=True), [(96, 64)])
    run(warm_up)
    assert warm_up.results["kernels"] == "off: some layers are not in eight bits"
    assert warm_up.results["compile"] == "error 0"
    assert warm_up.results["decoder"].startswith("failed")
    assert warm_up.results["compiled decoder"] == "error 0"
