"""Random checkpoints of several families in the diffusers layout, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderDC,
    AutoencoderKL,
    AutoencoderKLFlux2,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    SanaSprintPipeline,
    SanaTransformer2DModel,
    SCMScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Gemma2Config,
    Gemma2Model,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    PixtralVisionConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

from streamer.generator.backend import Report
from streamer.generator.klein.testing import TEXT, TINY_VAE, make_tokenizer, randomize_constants
from streamer.generator.models import find
from streamer.generator.pipelines.loading import DTYPES, Checkpoint, PipelineSource

SDXL_VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4, "scaling_factor": 0.13025,
}  # fmt: skip
VAE = {
    "tiny": {"block_out_channels": (16, 16, 16, 16), "norm_num_groups": 8, "layers_per_block": 1, "sample_size": 64},
    "full": {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "sample_size": 1024},
}
UNET = {
    "tiny": {
        "block_out_channels": (16, 32), "layers_per_block": 1, "attention_head_dim": (2, 4), "norm_num_groups": 8,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "transformer_layers_per_block": (1, 1),
        "cross_attention_dim": 64, "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 80,
        "sample_size": 32,
    },
    "full": {
        "block_out_channels": (320, 640, 1280), "layers_per_block": 2, "attention_head_dim": (5, 10, 20),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10), "cross_attention_dim": 2048, "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816, "sample_size": 128,
    },
}  # fmt: skip
CLIP = {
    "tiny": (
        {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
        {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
    ),
    "full": (
        {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
        {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20},
    ),
}
PIXART = {
    "tiny": {
        "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 16, "caption_channels": 32,
        "cross_attention_dim": 32, "sample_size": 8,
    },
    "full": {
        "num_layers": 28, "num_attention_heads": 16, "attention_head_dim": 72, "caption_channels": 4096,
        "cross_attention_dim": 1152, "sample_size": 128, "interpolation_scale": 2,
    },
}  # fmt: skip
T5 = {
    "tiny": {"d_model": 32, "d_ff": 64, "num_layers": 2, "num_heads": 2, "d_kv": 16, "vocab_size": 512},
    "full": {"d_model": 4096, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "d_kv": 64, "vocab_size": 32128},
}
SANA = {
    "tiny": {
        "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 16, "num_cross_attention_heads": 2,
        "cross_attention_head_dim": 16, "cross_attention_dim": 32, "caption_channels": 32, "sample_size": 8,
        "in_channels": 4, "out_channels": 4,
    },
    "full": {
        "num_layers": 20, "num_attention_heads": 70, "attention_head_dim": 32, "num_cross_attention_heads": 20,
        "cross_attention_head_dim": 112, "cross_attention_dim": 2240, "caption_channels": 2304, "sample_size": 32,
        "in_channels": 32, "out_channels": 32,
    },
}  # fmt: skip
GEMMA = {
    "tiny": {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 512,
    },
    "full": {
        "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26, "num_attention_heads": 8,
        "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 256000,
    },
}  # fmt: skip
DC = {
    "tiny": {
        "latent_channels": 4, "encoder_block_out_channels": (16, 16), "decoder_block_out_channels": (16, 16),
        "encoder_layers_per_block": (1, 1), "decoder_layers_per_block": (1, 1), "attention_head_dim": 8,
        "encoder_block_types": ("ResBlock", "EfficientViTBlock"),
        "decoder_block_types": ("ResBlock", "EfficientViTBlock"),
        "encoder_qkv_multiscales": ((), (5,)), "decoder_qkv_multiscales": ((), (5,)),
    },
    "full": {
        "latent_channels": 32, "attention_head_dim": 32,
        "encoder_block_types": ("ResBlock",) * 3 + ("EfficientViTBlock",) * 3,
        "decoder_block_types": ("ResBlock",) * 3 + ("EfficientViTBlock",) * 3,
        "encoder_block_out_channels": (128, 256, 512, 512, 1024, 1024),
        "decoder_block_out_channels": (128, 256, 512, 512, 1024, 1024),
        "encoder_layers_per_block": (2, 2, 2, 3, 3, 3), "decoder_layers_per_block": (3, 3, 3, 3, 3, 3),
        "encoder_qkv_multiscales": ((), (), (), (5,), (5,), (5,)),
        "decoder_qkv_multiscales": ((), (), (), (5,), (5,), (5,)), "scaling_factor": 0.41407,
    },
}  # fmt: skip
ZIMAGE: dict[str, dict[str, Any]] = {
    "tiny": {
        "dim": 64, "n_layers": 2, "n_refiner_layers": 1, "n_heads": 2, "n_kv_heads": 2, "cap_feat_dim": 32,
        "axes_dims": [8, 12, 12], "axes_lens": [512, 64, 64],
    },
    "full": {},
}  # fmt: skip
FLUX2: dict[str, dict[str, Any]] = {
    "tiny": {"num_layers": 1, "num_single_layers": 2, "num_attention_heads": 2, "joint_attention_dim": 96},
    "full": {"num_layers": 8, "num_single_layers": 48, "num_attention_heads": 48, "joint_attention_dim": 15360},
}
MISTRAL: dict[str, dict[str, Any]] = {
    "tiny": {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 30, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "vocab_size": 512, "max_position_embeddings": 1024,
    },
    "full": {
        "hidden_size": 5120, "intermediate_size": 32768, "num_hidden_layers": 40, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 131072, "max_position_embeddings": 131072,
    },
}  # fmt: skip
PIXTRAL: dict[str, dict[str, Any]] = {
    "tiny": {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 16,
        "image_size": 28, "patch_size": 14,
    },
    "full": {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "head_dim": 64, "image_size": 1540, "patch_size": 14,
    },
}  # fmt: skip


def make_pipeline(family: str, size: str = "tiny", *, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Any:
    """Build the stock pipeline of a family around random weights.

    Families are "flux2", "sdxl", "pixart", "sana" and "zimage"; "tiny" is for the CPU, "full" has the published sizes.
    """
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(devices=[]), torch.device(device):
            torch.manual_seed(0)
            parts = _FAMILIES[family](size)
            for part in parts["modules"].values():
                randomize_constants(part.eval())
    finally:
        torch.set_default_dtype(default)
    # Schedulers compute with numpy, and so cannot be made on a GPU.
    pipeline = parts["pipeline"](**parts["modules"], **parts["others"]())
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def random_source(family: str, size: str = "full") -> PipelineSource:
    """Return a source of one listed model whose weights are random, for the backend: nothing is read or downloaded."""

    def find_row(model: str, report: Report) -> Checkpoint:
        return Checkpoint(model, Path(), find(model))

    def build(checkpoint: Checkpoint, device: torch.device, precision: str, memory_gb: float) -> tuple[Any, bool]:
        return make_pipeline(family, size, dtype=DTYPES[precision], device=str(device)), False

    return PipelineSource(find_row, build)


def make_checkpoint(path: Path, family: str, *, variant: str | None = None) -> Path:
    """Write a tiny random pipeline to a folder, and return the folder."""
    make_pipeline(family).save_pretrained(path, safe_serialization=True, variant=variant)
    return path


def _sdxl(size: str) -> dict[str, Any]:
    first, second = CLIP[size]
    common = {"vocab_size": 49408 if size == "full" else 512, "max_position_embeddings": 77}
    projected = second["hidden_size"] if size == "full" else 32
    return {
        "pipeline": StableDiffusionXLPipeline,
        "modules": {
            "vae": AutoencoderKL(**SDXL_VAE, **VAE[size]),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**common, **first)),
            "text_encoder_2": CLIPTextModelWithProjection(
                CLIPTextConfig(**common, **second, projection_dim=projected, hidden_act="gelu")
            ),
            "unet": UNet2DConditionModel(
                **UNET[size], in_channels=4, out_channels=4, use_linear_projection=True, addition_embed_type="text_time"
            ),
        },
        "others": lambda: {
            "tokenizer": _tokenizer(77),
            "tokenizer_2": _tokenizer(77),
            "scheduler": EulerAncestralDiscreteScheduler(
                beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
            ),
        },
    }


def _pixart(size: str) -> dict[str, Any]:
    return {
        "pipeline": PixArtSigmaPipeline,
        "modules": {
            "vae": AutoencoderKL(**SDXL_VAE, **VAE[size]),
            "text_encoder": T5EncoderModel(T5Config(**T5[size], feed_forward_proj="gated-gelu")),
            "transformer": PixArtTransformer2DModel(
                **PIXART[size], in_channels=4, out_channels=8, patch_size=2, norm_type="ada_norm_single",
                norm_elementwise_affine=False, use_additional_conditions=False,
            ),
        },
        "others": lambda: {"tokenizer": _tokenizer(300), "scheduler": DPMSolverMultistepScheduler()},
    }  # fmt: skip


def _sana(size: str) -> dict[str, Any]:
    return {
        "pipeline": SanaSprintPipeline,
        "modules": {
            "vae": AutoencoderDC(**DC[size]),
            "text_encoder": Gemma2Model(Gemma2Config(**GEMMA[size])),
            "transformer": SanaTransformer2DModel(
                **SANA[size], patch_size=1, guidance_embeds=True, guidance_embeds_scale=0.1,
                qk_norm="rms_norm_across_heads",
            ),
        },
        "others": lambda: {"tokenizer": _tokenizer(300), "scheduler": SCMScheduler()},
    }  # fmt: skip


def _zimage(size: str) -> dict[str, Any]:
    text = TEXT["4b" if size == "full" else "tiny"]
    vae: dict[str, Any] = {**SDXL_VAE, **VAE[size], "latent_channels": 16, "scaling_factor": 0.3611}
    return {
        "pipeline": ZImagePipeline,
        "modules": {
            "vae": AutoencoderKL(**vae, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
            "text_encoder": Qwen3ForCausalLM(Qwen3Config(max_position_embeddings=40960, **text)),
            "transformer": ZImageTransformer2DModel(**ZIMAGE[size]),
        },
        "others": lambda: {
            "tokenizer": _tokenizer(512),
            "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        },
    }


def _flux2(size: str) -> dict[str, Any]:
    config = Mistral3Config(
        text_config=MistralConfig(**MISTRAL[size]), vision_config=PixtralVisionConfig(**PIXTRAL[size])
    )
    return {
        "pipeline": Flux2Pipeline,
        "modules": {
            "vae": AutoencoderKLFlux2(**(TINY_VAE if size == "tiny" else {})),
            "text_encoder": Mistral3ForConditionalGeneration(config),
            "transformer": Flux2Transformer2DModel(**FLUX2[size]),
        },
        "others": lambda: {
            "tokenizer": _tokenizer(1024),
            "scheduler": FlowMatchEulerDiscreteScheduler(
                use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, shift=3.0, time_shift_type="exponential"
            ),
        },
    }


def _tokenizer(longest: int) -> PreTrainedTokenizerFast:
    tokenizer = make_tokenizer()
    tokenizer.model_max_length = longest
    tokenizer.bos_token, tokenizer.eos_token = "<|im_start|>", "<|im_end|>"
    return tokenizer


_FAMILIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "flux2": _flux2,
    "sdxl": _sdxl,
    "pixart": _pixart,
    "sana": _sana,
    "zimage": _zimage,
}
