"""Make a pipeline fast in short steps between pictures: each optimization stays only if it computes the same."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from streamer.generator.backend import device_is_lost
from streamer.generator.klein.torch_compile import RECOMPILE_LIMIT
from streamer.generator.pipelines.captured import CapturedForward
from streamer.generator.pipelines.loading import denoiser_of
from streamer.generator.pipelines.options import OptimizationName

log = logging.getLogger(__name__)

BOUND = 0.03
"""The largest relative error of a network's output in 16 bits: another order of adding alone makes 0.01."""
TEXT_BOUND = 0.05
HOPPER, AMPERE = (9, 0), (8, 0)
Inputs = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Optimization:
    """One thing to try: which networks it changes, how to put it in and how to take it out again."""

    name: OptimizationName
    networks: Sequence[Any]
    put_in: Callable[[], object]
    take_out: Callable[[], object]
    bound: float = BOUND


class SpeedUp:
    """Try one optimization after the other; ``results`` says of each how far it was from stock, or why it is off.

    Every step runs on the thread that draws.
    """

    def __init__(self, pipeline: Any, device: torch.device, without: Collection[str] = ()) -> None:
        self._networks = [denoiser_of(pipeline), pipeline.vae.decoder, *text_encoders_of(pipeline)]
        self._inputs: dict[Any, Inputs] = {}
        self.results: dict[str, str] = {}
        planned = [one for one in _planned(pipeline, device) if one.name not in without]
        self._steps, self._used = deque(planned), list[Optimization]()

    @property
    def steps_left(self) -> int:
        """The number of optimizations still to try."""
        return len(self._steps)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what each network is given meanwhile, first, to compare with later."""

        def note(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._inputs.setdefault(module, (_copied(args), _copied(kwargs)))

        hooks = [network.register_forward_pre_hook(note, with_kwargs=True) for network in self._networks]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @torch.no_grad()
    def next_step(self) -> str:
        """Try one optimization; return its name. Raises whatever says that the device is lost."""
        one = self._steps.popleft()
        try:
            stock = [self._output(network) for network in one.networks]
            one.put_in()
            error = max(
                relative_error(self._output(network), truth) for network, truth in zip(one.networks, stock, strict=True)
            )
            passed = error <= one.bound
            self.results[one.name] = f"error {error:.1g}" if passed else f"wrong by {error:.1g}"
        except Exception as error:
            if device_is_lost(error):
                raise
            log.warning("%s is not used here: %s", one.name, error)
            self.results[one.name] = f"failed: {type(error).__name__}"
            passed = False
        if passed:
            self._used.append(one)
        else:
            one.take_out()
        return one.name

    def take_all_out(self) -> None:
        """Go back to how diffusers does it."""
        while self._used:
            self._used.pop().take_out()
        self._steps.clear()

    def _output(self, module: Any) -> Tensor:
        """Run a network on what it was given, and return the first tensor that it gives."""
        args, kwargs = self._inputs[module]
        output = module(*_copied(args), **_copied(kwargs))
        while not isinstance(output, Tensor):
            output = next(iter(output.values())) if isinstance(output, Mapping) else output[0]
        return output.clone()


def relative_error(actual: Tensor, truth: Tensor) -> float:
    """Return the size of the difference relative to the truth; infinite where a number is not finite."""
    difference = (actual.float() - truth.float()).norm() / truth.float().norm().clamp_min(1e-12)
    return float(difference) if bool(torch.isfinite(difference)) else float("inf")


def text_encoders_of(pipeline: Any) -> list[Any]:
    """Return the networks that read the prompt."""
    found = (getattr(pipeline, name, None) for name in ("text_encoder", "text_encoder_2", "text_encoder_3"))
    return [encoder for encoder in found if encoder is not None]


def _planned(pipeline: Any, device: torch.device) -> list[Optimization]:
    """List what is worth trying with a pipeline on a device, in the order in which one builds on the other."""
    denoiser, decoder = denoiser_of(pipeline), pipeline.vae.decoder
    planned = []
    if device.type == "cuda":
        planned += _attention(denoiser, torch.cuda.get_device_capability(device))
    if hasattr(denoiser, "fuse_qkv_projections"):
        fuse, unfuse = denoiser.fuse_qkv_projections, denoiser.unfuse_qkv_projections
        planned.append(Optimization("fused_qkv", [denoiser], fuse, unfuse))
    if device.type != "cuda":
        return planned
    if hasattr(pipeline, "unet"):
        planned.append(_channels_last(denoiser))
    planned += [_compiled_blocks(denoiser), _compiled_decoder(decoder), _captured("graphs", [denoiser, decoder], BOUND)]
    return [*planned, _captured("text_graphs", text_encoders_of(pipeline), TEXT_BOUND)]


def _attention(denoiser: Any, capability: tuple[int, int]) -> list[Optimization]:
    if capability < AMPERE or not hasattr(denoiser, "set_attention_backend"):
        return []
    backend = "_native_cudnn" if capability >= HOPPER else "_native_flash"
    put_in, take_out = (partial(denoiser.set_attention_backend, name) for name in (backend, "native"))
    return [Optimization("attention", [denoiser], put_in, take_out)]


def _channels_last(unet: Any) -> Optimization:
    put_in, take_out = (
        partial(unet.to, memory_format=layout) for layout in (torch.channels_last, torch.contiguous_format)
    )
    return Optimization("channels_last", [unet], put_in, take_out)


def _captured(name: OptimizationName, networks: Sequence[Any], bound: float) -> Optimization:
    """Capture whole networks: small ones take longer to be told what to do than to do it."""
    captured = [CapturedForward(network) for network in networks]

    def put_in() -> None:
        for one in captured:
            one.put_in()

    def take_out() -> None:
        for one in captured:
            one.take_out()

    return Optimization(name, networks, put_in, take_out, bound)


def _compiled_blocks(denoiser: Any) -> Optimization:
    """Compile the blocks that repeat: as fast as compiling all, and built in a seventh of the time."""

    def compile_blocks() -> None:
        torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT
        for block in repeated_blocks(denoiser):
            # A second shape makes them take any: prompts of some models have no fixed length.
            block.compile(fullgraph=True, dynamic=None)

    def uncompile_blocks() -> None:
        for block in repeated_blocks(denoiser):
            block._compiled_call_impl = None

    return Optimization("compile", [denoiser], compile_blocks, uncompile_blocks)


def repeated_blocks(denoiser: Any) -> list[Any]:
    """Return the blocks that diffusers names, or else those of every list of several of the same class."""
    named = getattr(denoiser, "_repeated_blocks", None)
    if named:
        return [module for module in denoiser.modules() if type(module).__name__ in named]
    lists = [module for module in denoiser.modules() if isinstance(module, torch.nn.ModuleList)]
    return [
        block for blocks in lists if len(blocks) > 1 and len({type(one) for one in blocks}) == 1 for block in blocks
    ]


def _compiled_decoder(decoder: Any) -> Optimization:
    stock = decoder.forward

    def compile_decoder() -> None:
        decoder.to(memory_format=torch.channels_last)
        # The forward pass, not the module: what captures it must see through to it.
        decoder.forward = torch.compile(stock, fullgraph=True, dynamic=None)

    def restore() -> None:
        decoder.to(memory_format=torch.contiguous_format)
        decoder.forward = stock

    return Optimization("decoder", [decoder], compile_decoder, restore)


def _copied(values: Any) -> Any:
    """Copy tensors wherever they are in tuples, lists and dictionaries: captured graphs overwrite what they get."""
    if isinstance(values, Tensor):
        return values.clone()
    if isinstance(values, Mapping):
        return {key: _copied(value) for key, value in values.items()}
    if isinstance(values, (tuple, list)):
        return type(values)(_copied(value) for value in values)
    return values
