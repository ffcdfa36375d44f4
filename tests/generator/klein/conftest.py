"""A tiny checkpoint, and both ways of drawing with it: this engine and the stock pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEXT_TOKENS = 64
SIDE_PX = 64


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

    def load_it(dtype: Any = torch.float32, shrink: Callable[[Any], None] = lambda block: None) -> Any:
        return load(
            checkpoint,
            device=torch.device("cpu"),
            dtype=dtype,
            shrink=shrink,
            decoder=None,
            report=lambda doing, share: None,
        )

    return load_it


@pytest.fixture
def make_engine(load_model: Callable[..., Any]) -> Callable[..., Any]:
    """Build an engine on the checkpoint."""
    from streamer.generator.klein.engine import Engine

    def make(dtype: Any = None, shrink: Callable[[Any], None] = lambda block: None, **settings: Any) -> Any:
        model = load_model(shrink=shrink) if dtype is None else load_model(dtype, shrink)
        return Engine(model, **{"text_tokens": TEXT_TOKENS, "reference_px": SIDE_PX, **settings})

    return make


@pytest.fixture
def stock(checkpoint: Path) -> Callable[..., Any]:
    """Draw with diffusers' own pipeline: a function that gives its latents or its pixels."""
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
