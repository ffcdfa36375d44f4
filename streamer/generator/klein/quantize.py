"""Linear layers in eight bits: fp8 or int8 with one scale per output row and one per token, or eight-bit weights alone.

Written by hand rather than taken from torchao; docs/decisions/0010-quantisation-by-hand.md says why.
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
SMALLEST = 1e-12
MULTIPLE = 16
"""torch._scaled_mm and torch._int_mm want both sides of a weight to be a multiple of this."""
PROBE_BOUND = 0.1
WORST = {FP8: 0.04, torch.int8: 0.05}
"""The largest relative error of a quantised weight that is accepted; Gaussian weights give 0.026 and 0.011."""


def rows_to_eight_bits(x: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Quantise each row by its own largest value: [n, k] gives eight bits [n, k] and float32 scales [n, 1]."""
    if fast_kernels(x):
        from streamer.generator.klein.kernels.quantize_rows import quantize_rows

        return quantize_rows(x, kind == torch.int8)
    largest = FP8_MAX if kind == FP8 else INT8_MAX
    scale = (x.abs().amax(dim=1, keepdim=True).float() / largest).clamp(min=SMALLEST)
    scaled = x.float() / scale
    return (scaled.to(FP8) if kind == FP8 else scaled.round().to(torch.int8)), scale


def fast_kernels(x: Tensor) -> bool:
    """Tell whether to use Triton here; inside torch.compile the plain operations are what gets fused."""
    return x.is_cuda and find_spec("triton") is not None and not torch.compiler.is_compiling()


class EightBitLinear(nn.Module):  # type: ignore[misc, unused-ignore]
    """A linear layer whose weight is stored, and unless ``weight_only`` also multiplied, in eight bits."""

    weight: Tensor
    scale: Tensor
    one: Tensor

    def __init__(self, weight: Tensor, kind: torch.dtype, weight_only: bool) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.kind, self.weight_only = kind, weight_only
        stored, scale = rows_to_eight_bits(weight, kind)
        self.register_buffer("weight", stored)
        self.register_buffer("scale", scale.t().contiguous())
        self.register_buffer("one", torch.ones((), device=weight.device))

    def forward(self, x: Tensor) -> Tensor:
        if self.weight_only:
            return F.linear(x, self.wide(x.dtype))
        rows = x.reshape(-1, self.in_features)
        return self.product(*rows_to_eight_bits(rows, self.kind), x.dtype).view(*x.shape[:-1], self.out_features)

    def product(self, rows: Tensor, scale: Tensor, dtype: torch.dtype, out: Tensor | None = None) -> Tensor:
        """Multiply rows that are quantised already, into ``out`` if given; in eight bits where the device can."""
        if rows.is_cuda and self.kind == FP8:
            # use_fast_accum: Hopper's fp8 units otherwise leave the tensor core every few steps, at half the speed.
            return torch._scaled_mm(
                rows, self.weight.t(), scale_a=scale, scale_b=self.scale, out_dtype=dtype, use_fast_accum=True, out=out
            )
        if fast_kernels(rows):
            from streamer.generator.klein.kernels.int8_matmul import int8_matmul

            out = torch.empty(rows.shape[0], self.out_features, dtype=dtype, device=rows.device) if out is None else out
            return int8_matmul(rows, self.weight, scale, self.scale, out)
        if rows.is_cuda:
            made = (torch._int_mm(rows, self.weight.t()).float() * scale * self.scale).to(dtype)
        else:
            made = ((rows.float() @ self.weight.float().t()) * scale * self.scale).to(dtype)
        return made if out is None else out.copy_(made)

    def raw(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        """Multiply and leave both scales to whoever reads the result: products of few rows are faster so."""
        if self.kind == torch.int8:
            return (
                torch._int_mm(rows, self.weight.t()) if out is None else torch._int_mm(rows, self.weight.t(), out=out)
            )
        if not rows.is_cuda:
            made = rows.float() @ self.weight.float().t()
            return made if out is None else out.copy_(made)
        return torch._scaled_mm(
            rows,
            self.weight.t(),
            scale_a=self.one,
            scale_b=self.one,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
            out=out,
        )

    @property
    def raw_dtype(self) -> torch.dtype:
        """The type ``raw`` gives."""
        if self.kind == torch.int8:
            return torch.int32
        return torch.bfloat16 if self.weight.is_cuda else torch.float32

    def wide(self, dtype: torch.dtype) -> Tensor:
        """Give the weight back in a wide type."""
        return self.weight.to(dtype) * self.scale.t().to(dtype)

    def wide_rows(self, rows: slice) -> Tensor:
        """Give some rows of the weight back in float32."""
        return self.weight[rows].float() * self.scale[0, rows, None]

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.kind}, weight_only={self.weight_only}"


@dataclass(slots=True)
class Quantizer:
    """Fuse and quantise each block as it arrives, and count what took effect."""

    fused_qkv: bool
    kind: torch.dtype | None
    weight_only: bool = False
    quantised: int = 0
    kept: list[str] = field(default_factory=list)

    def __call__(self, block: nn.Module) -> None:
        if self.fused_qkv:
            fuse_qkv(block)
        if self.kind is not None:
            self._quantise(block, self.kind)

    def _quantise(self, block: nn.Module, kind: torch.dtype) -> None:
        for name, linear in [(n, m) for n, m in block.named_modules() if fits(m)]:
            small = EightBitLinear(linear.weight, kind, self.weight_only)
            if weight_error(linear.weight, small) > WORST[kind]:
                # Some rows have outliers that eight bits cannot hold; such a layer stays as it is.
                self.kept.append(f"{type(block).__name__}.{name}")
                continue
            path, _, leaf = name.rpartition(".")
            setattr(block.get_submodule(path), leaf, small)
            self.quantised += 1


def fits(module: nn.Module) -> bool:
    """Tell whether a module is a linear layer that eight-bit units can take."""
    return (
        isinstance(module, nn.Linear)
        and module.bias is None
        and module.in_features % MULTIPLE == 0
        and module.out_features % MULTIPLE == 0
    )


def weight_error(weight: Tensor, small: EightBitLinear) -> float:
    """Give the relative error that eight bits made, over the whole weight; NaN never passes a comparison."""
    wide = small.weight.to(torch.float32) * small.scale.t()
    return float((wide - weight).norm() / weight.float().norm().clamp(min=SMALLEST))


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
    """Count the eight-bit layers that really stand in the modules: a flag that was set proves nothing."""
    return sum(
        isinstance(m, EightBitLinear) and m.weight.element_size() == 1 for root in modules for m in root.modules()
    )


def all_eight_bit(*blocks: nn.Module) -> bool:
    """Tell whether every linear layer of these blocks is multiplied in eight bits; one kept wide breaks the chain."""
    layers = [m for block in blocks for m in block.modules() if isinstance(m, nn.Linear | EightBitLinear)]
    return bool(layers) and all(isinstance(layer, EightBitLinear) and not layer.weight_only for layer in layers)


@torch.inference_mode()
def works(kind: torch.dtype, device: torch.device) -> bool:
    """Try one small product on the device: which chips have which eight-bit products changes from torch to torch."""
    seeded = torch.Generator("cpu").manual_seed(0)
    x, weight = (torch.randn(64, 64, generator=seeded).to(device, torch.bfloat16) for _ in range(2))
    try:
        made = EightBitLinear(weight, kind, False)(x)
    except (RuntimeError, NotImplementedError):
        return False
    truth = x.float() @ weight.float().t()
    return bool((made.float() - truth).norm() / truth.norm() < PROBE_BOUND)
