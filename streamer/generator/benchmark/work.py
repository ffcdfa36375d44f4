"""Counts the arithmetic of one picture while a backend draws it: every product that its networks really compute.

A hook that all modules share switches the counting on, on whichever thread a backend draws, so that any backend made of
PyTorch modules can be counted. Norms, activations and additions are left out: they can be part of the products beside
them, and a floor must not count what can be avoided.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from streamer.generator.klein.quantize import EightBitLinear

aten = torch.ops.aten
EIGHT_BITS = {torch.float8_e4m3fn: "fp8", torch.int8: "int8"}


class Kind(StrEnum):
    """What kind of product something is; the values are what people read."""

    LINEAR = "linear"
    ATTENTION = "attention"
    CONVOLUTION = "convolution"


@dataclass(frozen=True, slots=True)
class Product:
    """One product: how many operations in which type, and how many bytes of weights it has to read."""

    kind: Kind
    dtype: str
    flops: int
    weight_bytes: int = 0


Work = Counter[Product]
"""How often each product is computed for one picture."""

_LINEAR = {aten.mm: 0, aten.addmm: 1, aten._scaled_mm: 0}
"""Products with weights, and which argument is multiplied by them, which are the one behind it."""
_SCALED_ATTENTION = (
    aten._scaled_dot_product_efficient_attention, aten._scaled_dot_product_flash_attention,
    aten._scaled_dot_product_cudnn_attention, aten._scaled_dot_product_flash_attention_for_cpu,
)  # fmt: skip
_ATTENTION = {
    **dict.fromkeys(_SCALED_ATTENTION, 0), aten._flash_attention_forward: 0, aten._efficient_attention_forward: 0,
    aten.bmm: 0, aten.baddbmm: 1,
}  # fmt: skip
_CONVOLUTION = {aten.convolution: 0, aten._convolution: 0}
_KINDS: dict[Any, tuple[Kind, int]] = {
    operator: (kind, place)
    for kind, operators in ((Kind.LINEAR, _LINEAR), (Kind.ATTENTION, _ATTENTION), (Kind.CONVOLUTION, _CONVOLUTION))
    for operator, place in operators.items()
}


@contextmanager
def counted() -> Iterator[Work]:
    """Count what is computed inside modules meanwhile, in every thread; nothing may be compiled or captured yet."""
    counter = _Counter()
    hooks = [
        register_module_forward_pre_hook(counter.enter),
        register_module_forward_hook(counter.leave, always_call=True),
    ]
    try:
        yield counter.work
    finally:
        for hook in hooks:
            hook.remove()


def tflop_by_kind(work: Work) -> dict[str, float]:
    """Return the operations of one picture by kind, in 10^12."""
    totals: dict[str, float] = {}
    for product, count in work.items():
        totals[product.kind] = totals.get(product.kind, 0.0) + count * product.flops / 1e12
    return totals


class _Counter:
    """Switch a mode on with a thread's outermost module and off behind it."""

    def __init__(self) -> None:
        self.work: Work = Counter()
        self._local = threading.local()

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        depth = getattr(self._local, "depth", 0)
        if depth == 0:
            self._local.mode = _Mode(self.work)
            self._local.mode.__enter__()
        self._local.depth = depth + 1
        if isinstance(module, EightBitLinear):
            # Its kernels are no operators of PyTorch, and without them it multiplies wide numbers.
            self.work[_eight_bit_product(module, inputs[0])] += 1
            self._local.mode.paused = True

    def leave(self, module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(module, EightBitLinear):
            self._local.mode.paused = False
        self._local.depth -= 1
        if self._local.depth == 0:
            self._local.mode.__exit__(None, None, None)


class _Mode(TorchDispatchMode):  # type: ignore[misc, unused-ignore]
    """See every operator that PyTorch runs, and note the products among them."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work, self.paused = work, False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, operator = kwargs or {}, func._overloadpacket
        if operator not in _KINDS and operator not in flop_registry:
            with self:
                # Inference mode leaves whole layers in one operator.
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        output = func(*args, **kwargs)
        if operator in _KINDS and not self.paused:
            self._work[_product(operator, args, kwargs, output)] += 1
        return output


def _product(operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Product:
    kind, place = _KINDS[operator]
    weights = 0 if kind is Kind.ATTENTION else _bytes(args[place + 1])
    return Product(kind, dtype_name(args[place].dtype), _flops(operator)(*args, **kwargs, out_val=output), weights)


def _flops(operator: Any) -> Callable[..., int]:
    """Return the formula for an operator: PyTorch's own, but for attention."""
    if operator in _SCALED_ATTENTION:
        return _attention_flops
    formula: Callable[..., int] = flop_registry[operator]
    return formula


def _attention_flops(query: Tensor, key: Tensor, value: Tensor, *_: object, **__: object) -> int:
    """Count both products of [batch, heads, rows, size]; PyTorch's older formulas refuse fewer heads of keys."""
    batch, heads, rows, size = query.shape
    return int(2 * batch * heads * rows * key.shape[2] * (size + value.shape[3]))


def _eight_bit_product(module: EightBitLinear, inputs: Tensor) -> Product:
    """Return what one eight-bit layer computes; with eight-bit weights alone the product itself is wide."""
    flops = 2 * inputs.numel() * module.out_features
    dtype = dtype_name(inputs.dtype) if module.weight_only else EIGHT_BITS[module.quantized_dtype]
    return Product(Kind.LINEAR, dtype, flops, _bytes(module.weight))


def _bytes(weights: Tensor) -> int:
    return weights.numel() * weights.element_size()


def dtype_name(dtype: torch.dtype) -> str:
    """Return a type's name as cards.yaml has it."""
    return EIGHT_BITS.get(dtype, str(dtype).removeprefix("torch."))
