"""Linear layers in eight bits: fp8 or int8 with one scale per output row and one per token, or eight-bit weights alone.

Written by hand rather than taken from torchao; docs/decisions/0010-quantization-by-hand.md says why.
Letters in shapes: n rows (tokens), k input features, m output features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FP8 = torch.float8_e4m3fn
FP8_MAX, INT8_MAX = 448.0, 127.0
MIN_SCALE = 1e-12
SIDE_MULTIPLE = 16
"""torch._scaled_mm and torch._int_mm want both sides of a weight to be a multiple of this."""
PROBE_BOUND = 0.1
MAX_WEIGHT_ERROR = {FP8: 0.04, torch.int8: 0.05}
"""The largest relative error of a quantized weight that is accepted; Gaussian weights have 0.026 and 0.011."""


def quantize_to_eight_bits(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Quantize each row of [n, k] by its own largest magnitude; return [n, k] in ``dtype`` and scales [n, 1] float32.

    ``dtype`` is FP8 or int8. Values times scales give back the rows, up to rounding.
    """
    if use_triton(x):
        from streamer.generator.klein.kernels.quantize_rows import quantize_rows

        return quantize_rows(x, dtype == torch.int8)
    largest = FP8_MAX if dtype == FP8 else INT8_MAX
    scale = (x.abs().amax(dim=1, keepdim=True).float() / largest).clamp(min=MIN_SCALE)
    scaled = x.float() / scale
    return (scaled.to(FP8) if dtype == FP8 else scaled.round().to(torch.int8)), scale


def use_triton(x: Tensor) -> bool:
    """Tell whether Triton kernels may be used; inside torch.compile the plain operations are what gets fused."""
    return x.is_cuda and find_spec("triton") is not None and not torch.compiler.is_compiling()


class EightBitLinear(nn.Module):  # type: ignore[misc, unused-ignore]
    """A linear layer that stores its weight in eight bits, and multiplies in eight bits unless ``weight_only``."""

    weight: Tensor
    """[m, k] in ``quantized_dtype``."""
    scale: Tensor
    """[1, m] float32: one scale per output feature."""
    unit_scale: Tensor
    """[] float32: 1, for products whose scales are applied later."""

    def __init__(self, weight: Tensor, dtype: torch.dtype, weight_only: bool) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.quantized_dtype, self.weight_only = dtype, weight_only
        stored, scale = quantize_to_eight_bits(weight, dtype)
        self.register_buffer("weight", stored)
        self.register_buffer("scale", scale.t().contiguous())
        self.register_buffer("unit_scale", torch.ones((), device=weight.device))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply [..., k] in a wide type; return [..., m] in the same type."""
        if self.weight_only:
            return F.linear(x, self.dequantize(x.dtype))
        rows, scale = quantize_to_eight_bits(x.reshape(-1, self.in_features), self.quantized_dtype)
        return self.matmul(rows, scale, x.dtype).view(*x.shape[:-1], self.out_features)

    def matmul(self, rows: Tensor, scale: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Multiply quantized rows [n, k] with scales [n, 1]; return [n, m] in ``dtype``, in ``out`` if given.

        Where the device has no product in eight bits, the same numbers are multiplied in float32.
        """
        if rows.is_cuda and self.quantized_dtype == FP8:
            # use_fast_accum: Hopper's fp8 units otherwise leave the tensor core every few steps, at half the speed.
            return torch._scaled_mm(
                rows, self.weight.t(), scale_a=scale, scale_b=self.scale, out_dtype=dtype, use_fast_accum=True, out=out
            )
        if use_triton(rows):
            from streamer.generator.klein.kernels.int8_matmul import int8_matmul

            out = torch.empty(rows.shape[0], self.out_features, dtype=dtype, device=rows.device) if out is None else out
            return int8_matmul(rows, self.weight, scale, self.scale, out)
        if rows.is_cuda:
            product = (torch._int_mm(rows, self.weight.t()).float() * scale * self.scale).to(dtype)
        else:
            product = ((rows.float() @ self.weight.float().t()) * scale * self.scale).to(dtype)
        return product if out is None else out.copy_(product)

    def matmul_unscaled(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        """Multiply quantized rows [n, k] without any scales; return [n, m] in ``unscaled_dtype``.

        Whoever reads the result multiplies both scales in; products of few rows are faster that way.
        """
        if self.quantized_dtype == torch.int8:
            return (
                torch._int_mm(rows, self.weight.t()) if out is None else torch._int_mm(rows, self.weight.t(), out=out)
            )
        if not rows.is_cuda:
            product = rows.float() @ self.weight.float().t()
            return product if out is None else out.copy_(product)
        return torch._scaled_mm(
            rows,
            self.weight.t(),
            scale_a=self.unit_scale,
            scale_b=self.unit_scale,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
            out=out,
        )

    @property
    def unscaled_dtype(self) -> torch.dtype:
        """The type that ``matmul_unscaled`` returns."""
        if self.quantized_dtype == torch.int8:
            return torch.int32
        return torch.bfloat16 if self.weight.is_cuda else torch.float32

    def dequantize(self, dtype: torch.dtype) -> Tensor:
        """Return the weight [m, k] in a wide type."""
        return self.weight.to(dtype) * self.scale.t().to(dtype)

    def dequantize_rows(self, rows: slice) -> Tensor:
        """Return some rows of the weight in float32."""
        return self.weight[rows].float() * self.scale[0, rows, None]

    def set_rows(self, first: int, weight: Tensor) -> None:
        """Quantize rows [n, k] as at the start, and store them from row ``first`` on; nothing moves in memory."""
        stored, scale = quantize_to_eight_bits(weight, self.quantized_dtype)
        rows = slice(first, first + len(weight))
        self.weight[rows].copy_(stored)
        self.scale[0, rows].copy_(scale[:, 0])

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.quantized_dtype}, weight_only={self.weight_only}"


@dataclass(slots=True)
class Quantizer:
    """Fuse and quantize each block as it is loaded, and count what took effect.

    ``dtype`` is FP8 or int8; None leaves weights wide.
    """

    fused_qkv: bool
    dtype: torch.dtype | None
    weight_only: bool = False
    quantized: int = 0
    """The number of layers that were quantized."""
    kept_wide: list[str] = field(default_factory=list)
    """The layers whose weights eight bits cannot hold, as "Block.layer"."""

    def __call__(self, block: nn.Module) -> None:
        """Fuse and quantize one block in place."""
        if self.fused_qkv:
            fuse_qkv(block)
        if self.dtype is not None:
            self._quantize_block(block, self.dtype)

    def _quantize_block(self, block: nn.Module, dtype: torch.dtype) -> None:
        for name, linear in [(name, module) for name, module in block.named_modules() if can_quantize(module)]:
            quantized = EightBitLinear(linear.weight, dtype, self.weight_only)
            if weight_error(linear.weight, quantized) > MAX_WEIGHT_ERROR[dtype]:
                # Some rows have outliers that eight bits cannot hold; such a layer stays as it is.
                self.kept_wide.append(f"{type(block).__name__}.{name}")
                continue
            path, _, leaf = name.rpartition(".")
            setattr(block.get_submodule(path), leaf, quantized)
            self.quantized += 1


def can_quantize(module: nn.Module) -> bool:
    """Tell whether a module is a linear layer that eight-bit units can multiply."""
    return (
        isinstance(module, nn.Linear)
        and module.bias is None
        and module.in_features % SIDE_MULTIPLE == 0
        and module.out_features % SIDE_MULTIPLE == 0
    )


def weight_error(weight: Tensor, quantized: EightBitLinear) -> float:
    """Compute the relative error of a quantized weight as a whole; it may be NaN, which passes no comparison."""
    wide = quantized.weight.to(torch.float32) * quantized.scale.t()
    return float((wide - weight).norm() / weight.float().norm().clamp(min=MIN_SCALE))


def fuse_qkv(block: nn.Module) -> None:
    """Join the three projections of each attention into one, and drop the separate ones, which diffusers keeps."""
    fuse: Callable[[], None] | None = getattr(getattr(block, "attn", None), "fuse_projections", None)
    if fuse is None or not getattr(block.attn, "_supports_qkv_fusion", False):
        return
    fuse()
    block.attn.requires_grad_(False)
    for name in ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj"):
        if hasattr(block.attn, name):
            delattr(block.attn, name)


def count_eight_bit(*modules: nn.Module) -> int:
    """Count the eight-bit layers that are really in the modules: a flag that was set proves nothing."""
    return sum(
        isinstance(module, EightBitLinear) and module.weight.element_size() == 1
        for root in modules
        for module in root.modules()
    )


def all_eight_bit(*blocks: nn.Module) -> bool:
    """Tell whether every linear layer of these blocks multiplies in eight bits; one kept wide breaks the chain."""
    layers = [
        module for block in blocks for module in block.modules() if isinstance(module, nn.Linear | EightBitLinear)
    ]
    return bool(layers) and all(isinstance(layer, EightBitLinear) and not layer.weight_only for layer in layers)


@torch.inference_mode()
def eight_bit_matmul_works(dtype: torch.dtype, device: torch.device) -> bool:
    """Try one small product on the device: which chips have which eight-bit products depends on the torch version."""
    seeded = torch.Generator("cpu").manual_seed(0)
    x, weight = (torch.randn(64, 64, generator=seeded).to(device, torch.bfloat16) for _ in range(2))
    try:
        product = EightBitLinear(weight, dtype, False)(x)
    except (RuntimeError, NotImplementedError):
        return False
    truth = x.float() @ weight.float().t()
    return bool((product.float() - truth).norm() / truth.norm() < PROBE_BOUND)
