"""Random models of Stable Diffusion's kind in the diffusers layout, for tests and benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DEISMultistepScheduler,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel

from streamer.generator.klein.testing import make_tokenizer, randomize_constants

DOWN, UP = ("DownBlock2D", "CrossAttnDownBlock2D"), ("CrossAttnUpBlock2D", "UpBlock2D")
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
UNET: dict[str, dict[str, Any]] = {
    "tiny": {
        "block_out_channels": (32, 64), "layers_per_block": 1, "attention_head_dim": 8, "norm_num_groups": 8,
        "down_block_types": DOWN, "up_block_types": UP, "mid_block_type": None, "cross_attention_dim": 32,
        "sample_size": 8,
    },
    # As other programs that draw with it describe it; its published file has 9 % more weights.
    "sdxs": {
        "block_out_channels": (320, 640, 1280), "layers_per_block": 1, "mid_block_type": None, "sample_size": 64,
        "down_block_types": (DOWN[0], DOWN[1], DOWN[1]), "up_block_types": (UP[0], UP[0], UP[1]),
        "cross_attention_dim": 768,
    },
    "sd-turbo": {
        "block_out_channels": (320, 640, 1280, 1280), "layers_per_block": 2, "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True, "cross_attention_dim": 1024, "sample_size": 64,
    },
}  # fmt: skip
CLIP: dict[str, dict[str, Any]] = {
    "tiny": {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "vocab_size": 512,
    },
    "sdxs": {
        "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "vocab_size": 49408,
    },
    "sd-turbo": {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16,
        "vocab_size": 49408, "hidden_act": "gelu",
    },
}  # fmt: skip
KL: dict[str, dict[str, Any]] = {
    "tiny": {"block_out_channels": (16,) * 4, "norm_num_groups": 8, "layers_per_block": 1},
    "full": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
}
TAESD: dict[str, dict[str, Any]] = {
    "tiny": {
        "encoder_block_out_channels": (16,) * 4, "decoder_block_out_channels": (16,) * 4,
        "num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4,
    },
    "full": {},
}  # fmt: skip


def make_pipeline(family: str, size: str = "tiny") -> Any:
    """Build the stock pipeline of a family ("sdxs", "sd-turbo" or "lcm") around random weights, in float32.

    "tiny" is for tests; "full" has the published sizes, of the first two families.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = "tiny" if size == "tiny" else family
        conditioned = {"time_cond_proj_dim": 32} if family == "lcm" else {}
        parts = {
            "unet": UNet2DConditionModel(**UNET[shape], **conditioned, in_channels=4, out_channels=4),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**CLIP[shape], max_position_embeddings=77)),
            "vae": make_tiny_decoder(size) if family == "sdxs" else _autoencoder(size),
        }
        for part in parts.values():
            randomize_constants(part.eval().requires_grad_(False))
    tokenizer = make_tokenizer()
    tokenizer.model_max_length = 77
    tokenizer.bos_token, tokenizer.eos_token = "<|im_start|>", "<|im_end|>"
    kind = LatentConsistencyModelPipeline if family == "lcm" else StableDiffusionPipeline
    pipeline = kind(
        **parts, tokenizer=tokenizer, scheduler=_scheduler(family), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def make_tiny_decoder(size: str = "tiny") -> Any:
    """Build an autoencoder like TAESD."""
    return AutoencoderTiny(**TAESD[size]).eval().requires_grad_(False)


def make_checkpoint(path: Path, family: str, size: str = "tiny") -> Path:
    """Write a random pipeline to a folder, and return the folder."""
    make_pipeline(family, size).save_pretrained(path, safe_serialization=True)
    return path


def _autoencoder(size: str) -> Any:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return AutoencoderKL(**KL[size], **blocks, latent_channels=4)


def _scheduler(family: str) -> Any:
    if family == "lcm":
        return LCMScheduler(**NOISE)
    if family == "sdxs":
        return DEISMultistepScheduler(**NOISE)
    return EulerDiscreteScheduler(**NOISE, timestep_spacing="trailing")
