"""A tiny checkpoint, both ways of drawing with it (this engine and the stock pipeline), and Triton's interpreter.

Without a GPU the kernels run in the interpreter, which must be chosen before Triton is first imported.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEXT_TOKENS = 64
SIDE_PX = 64
NEED_TRITON = ("klein/kernels/", "klein/fused/test_text_encoder.py", "klein/fused/test_vae_decoder.py")


def choose_interpreter() -> str | None:
    """Turn the interpreter on, or return the reason why that is impossible."""
    missing = [name for name in ("torch", "triton", "diffusers") if importlib.util.find_spec(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    import torch

    if torch.cuda.is_available():
        return "on a GPU machine tests/gpu compares the compiled kernels with the same references"
    if "triton" in sys.modules and os.environ.get("TRITON_INTERPRET") != "1":
        return "Triton was imported without TRITON_INTERPRET=1"
    os.environ["TRITON_INTERPRET"] = "1"
    return None


OBSTACLE = choose_interpreter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(part in item.path.as_posix() for part in NEED_TRITON):
            item.add_marker(pytest.mark.torch)
            if OBSTACLE is not None:
                item.add_marker(pytest.mark.skip(reason=OBSTACLE))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the diffusers layout, the same in every run."""
    pytest.importorskip("torch")
    from streamer.generator.klein.testing import make_checkpoint

    return make_checkpoint(tmp_path_factory.mktemp("klein") / "tiny")


@pytest.fixture
def load_model(checkpoint: Path) -> Callable[..., Any]:
    """Load the checkpoint through the real loader, in a precision, with blocks treated as asked."""
    import torch

    from streamer.generator.klein.loading import load

    def load_it(dtype: Any = torch.float32, finish_block: Callable[[Any], None] = lambda block: None) -> Any:
        return load(
            checkpoint,
            device=torch.device("cpu"),
            dtype=dtype,
            finish_block=finish_block,
            decoder=None,
            report=lambda doing, share: None,
        )

    return load_it


@pytest.fixture
def make_engine(load_model: Callable[..., Any]) -> Callable[..., Any]:
    """Build an engine on the checkpoint."""
    from streamer.generator.klein.engine import Engine

    def make(dtype: Any = None, finish_block: Callable[[Any], None] = lambda block: None, **settings: Any) -> Any:
        model = load_model(finish_block=finish_block) if dtype is None else load_model(dtype, finish_block)
        return Engine(model, **{"text_tokens": TEXT_TOKENS, "reference_px": SIDE_PX, **settings})

    return make


@pytest.fixture
def stock(checkpoint: Path) -> Callable[..., Any]:
    """Draw with diffusers' own pipeline: a function that returns its latents or its pixels."""
    import numpy as np
    import torch
    from diffusers import Flux2KleinPipeline

    from streamer.generator.klein.noise import noise_of

    def draw(job: Any, dtype: Any = torch.float32, output: str = "np", image: Any = None) -> Any:
        pipeline = Flux2KleinPipeline.from_pretrained(checkpoint, dtype=dtype)
        pipeline.set_progress_bar_config(disable=True)
        made = pipeline(
            prompt=job.prompt,
            image=image,
            height=job.height,
            width=job.width,
            num_inference_steps=job.steps,
            guidance_scale=1.0,
            latents=noise_of(job.seed, 128, job.height // 16, job.width // 16, dtype, torch.device("cpu")),
            max_sequence_length=TEXT_TOKENS,
            output_type="latent" if output == "latent" else "pil",
        ).images
        return made if output == "latent" else np.asarray(made[0])

    return draw
