"""Random checkpoints in the diffusers layout, which tests and benchmarks load instead of real weights."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinKVPipeline,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
DIFFUSERS_FILE = "diffusion_pytorch_model.safetensors"
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

TRANSFORMER = {
    "tiny": {"num_layers": 2, "num_single_layers": 2, "num_attention_heads": 2, "joint_attention_dim": 96},
    "wide": {"num_layers": 2, "num_single_layers": 2, "num_attention_heads": 2, "joint_attention_dim": 768},
    "4b": {"num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24, "joint_attention_dim": 7680},
    "9b": {"num_layers": 8, "num_single_layers": 24, "num_attention_heads": 32, "joint_attention_dim": 12288},
}
TEXT = {
    "tiny": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 30,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "vocab_size": 512,
    },
    "wide": {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 30,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 128,
        "vocab_size": 512,
    },
    "4b": {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
    "9b": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
    },
}
TINY_VAE = {"block_out_channels": (16, 16, 32, 32), "norm_num_groups": 8, "layers_per_block": 1, "sample_size": 64}


def make_checkpoint(
    path: Path, model: str = "tiny", *, dtype: torch.dtype = torch.float32, seed: int = 0, kv: bool = False
) -> Path:
    """Write random weights of the named architecture to ``path`` as a diffusers folder, and return the folder.

    "tiny" is for the CPU. "wide" is tiny except for heads of 128 in the text model, which the kernels need.
    "4b" and "9b" are the published sizes, for measuring on a GPU: 16 and 35 GB in bfloat16.
    """
    make_pipeline(model, dtype=dtype, seed=seed, kv=kv).save_pretrained(path, safe_serialization=True)
    return path


def make_empty_checkpoint(path: Path, model: str, *, kv: bool = False) -> Path:
    """Write a checkpoint whose files have the real names, headers and sizes, and nothing in them; return the folder.

    Where files may have holes it takes no room on the disk. ``read_randomly`` makes up what is read from it.
    """
    pipeline = make_pipeline(model, dtype=torch.bfloat16, device="meta", kv=kv)
    pipeline.save_config(path)
    for name in ("tokenizer", "scheduler"):
        getattr(pipeline, name).save_pretrained(path / name)
    for name, file in (("transformer", DIFFUSERS_FILE), ("vae", DIFFUSERS_FILE), ("text_encoder", "model.safetensors")):
        part = getattr(pipeline, name)
        (part.config.save_pretrained if name == "text_encoder" else part.save_config)(path / name)
        _write_header(path / name / file, part)
    return path


def _write_header(file: Path, module: nn.Module) -> None:
    """Write a safetensors header for a module's tensors, and leave the rest of the file empty."""
    # A tied tensor has two names and is saved once.
    tensors = {id(tensor): (name, tensor) for name, tensor in reversed(module.state_dict(keep_vars=True).items())}
    entries, end = {}, 0
    for name, tensor in reversed(tensors.values()):
        begin, end = end, end + tensor.numel() * tensor.element_size()
        kind = {torch.bfloat16: "BF16", torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        entries[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [begin, end]}
    header = json.dumps(entries).encode()
    with file.open("wb") as opened:
        opened.write(len(header).to_bytes(8, "little") + header)
        opened.truncate(8 + len(header) + end)


def read_randomly(
    files: Mapping[str, Path], names: list[str], prefix: str, device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[str, Tensor]]:
    """Yield random tensors of the shapes that the files' headers name, as networks are initialized."""
    for name in names:
        with safe_open(files[prefix + name], framework="pt") as archive:
            shape = archive.get_slice(prefix + name).get_shape()
        yield name, _random_tensor(name, shape, device, dtype)


def _random_tensor(name: str, shape: list[int], device: torch.device, dtype: torch.dtype) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64, device=device)
    tensor = torch.empty(shape, dtype=dtype, device=device)
    if name.endswith("running_var"):
        return tensor.uniform_(0.5, 2.0)
    if len(shape) > 1:
        bound = math.prod(shape[1:]) ** -0.5
        return tensor.uniform_(-bound, bound)
    return tensor.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.1)


def make_pipeline(
    model: str = "tiny", *, dtype: torch.dtype = torch.float32, seed: int = 0, device: str = "cpu", kv: bool = False
) -> Flux2KleinPipeline | Flux2KleinKVPipeline:
    """Build the stock pipeline, or the KV one, around random weights of the named architecture."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.random.fork_rng(devices=[]), torch.device(device):
            torch.manual_seed(seed)
            transformer = Flux2Transformer2DModel(guidance_embeds=False, **TRANSFORMER[model]).eval()
            text = Qwen3ForCausalLM(Qwen3Config(max_position_embeddings=40960, rope_theta=1e6, **TEXT[model])).eval()
            vae = AutoencoderKLFlux2(**(TINY_VAE if model in ("tiny", "wide") else {})).eval()
            for module in (transformer, text, vae):
                randomize_constants(module)
    finally:
        torch.set_default_dtype(default)
    scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, shift=3.0, time_shift_type="exponential"
    )
    pipeline = (Flux2KleinKVPipeline if kv else Flux2KleinPipeline)(
        scheduler=scheduler,
        vae=vae,
        text_encoder=text,
        tokenizer=make_tokenizer(),
        transformer=transformer,
        is_distilled=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Build a byte-level tokenizer without merges: every byte is a token, so any text of any script works."""
    alphabet = {character: index for index, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    bytes_only = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, pad_token=SPECIAL[0], padding_side="right")
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def randomize_constants(module: nn.Module) -> None:
    """Randomize what is initialized to ones and zeros (norm weights, batch-norm statistics): nothing may be trivial."""
    module.requires_grad_(False)
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.3)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
        elif "norm" in name and tensor.ndim == 1:
            tensor.add_(torch.randn_like(tensor) * 0.1)
