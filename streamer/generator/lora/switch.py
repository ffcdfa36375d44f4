"""Changes the LoRAs that a network draws with, in place: compiled code and captured graphs read the same memory.

The weights as loaded are kept, and each change is merged from them: nothing adds up, and without LoRAs every bit is as
it was. docs/decisions/0026-lora-in-place.md says why they are not computed beside the layers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from streamer.errors import BackendError, BackendUnavailable
from streamer.generator.lora.files import named
from streamer.generator.lora.main_memory import MainMemory
from streamer.generator.lora.places import places_of
from streamer.generator.lora.weights import LoraWeights, LowRank, merged_rows
from streamer.types import Lora

Loras = tuple[Lora, ...]


@dataclass(slots=True)
class Masters:
    """The weights [m, k] as loaded of the layers that some style's LoRA changes, by name."""

    layers: frozenset[str]
    weights: dict[str, Tensor] = field(default_factory=dict)
    _memory: MainMemory = field(default_factory=MainMemory)

    def keep(self, layer: str, weight: Tensor) -> None:
        """Copy a weight into main memory, if a style changes it."""
        if layer in self.layers:
            self.weights[layer] = self._memory.keep(weight.flatten(1))

    def move_to(self, device: torch.device) -> None:
        """Keep them on the device instead: changing LoRAs then takes a twentieth of the time."""
        self.weights = {name: weight.to(device) for name, weight in self.weights.items()}
        self._memory = MainMemory()

    @property
    def gb(self) -> float:
        """Their size in 10^9 bytes."""
        return sum(weight.nbytes for weight in self.weights.values()) / 1e9


class LoraSwitch:
    """Draw with the LoRAs of one style or another; ``current`` are those in use, None after a failure."""

    def __init__(
        self, network: nn.Module, masters: Masters, loras: Mapping[Lora, LoraWeights], device: torch.device
    ) -> None:
        """``device`` computes, also where parts of the network wait in main memory."""
        self._network, self._masters, self._loras, self._device = network, masters, loras, device
        self.current: Loras | None = ()

    @property
    def masters_in(self) -> str:
        """Say where the weights as loaded are kept."""
        on_gpu = any(weight.is_cuda for weight in self._masters.weights.values())
        return "GPU memory" if on_gpu else "main memory"

    @torch.inference_mode()
    def use(self, loras: Loras) -> bool:
        """Merge these LoRAs, and none else, into the network; return whether that changed it.

        Raises BackendError for one that was not named at the start.
        """
        if loras == self.current:
            return False
        if unknown := [lora.path for lora in loras if lora not in self._loras]:
            raise BackendError(f"the LoRA {unknown[0]} is not loaded", fix="start the program again")
        touched = self._layers_of(loras) | (
            self._masters.layers if self.current is None else self._layers_of(self.current)
        )
        self.current = None
        for layer in sorted(touched):
            self._write(layer, [change for lora in loras for change in self._changes(lora, layer)])
        self.current = loras
        return True

    def move_masters_if_half_stays_free(self) -> None:
        """Keep the weights as loaded on a GPU that has so much memory."""
        if self._device.type == "cuda" and _stays_half_free(self._device, self._masters.gb):
            self._masters.move_to(self._device)

    def try_each(self) -> str:
        """Use each LoRA once; say how many milliseconds it takes to begin with it, by its option.

        Raises BackendUnavailable for a LoRA with which a layer cannot be held in eight bits.
        """
        took = []
        for lora in self._loras:
            took.append(f"{lora.option} in {self.time((lora,)):.0f} ms")
            with named(lora):
                self._require_held(lora)
            self.use(())
        return f"{', '.join(took)}, from {self.masters_in}"

    def time(self, loras: Loras) -> float:
        """Return how many milliseconds it takes to change to these LoRAs."""
        _wait_for(self._device)
        began = time.perf_counter()
        self.use(loras)
        _wait_for(self._device)
        return (time.perf_counter() - began) * 1000

    @torch.inference_mode()
    def _require_held(self, lora: Lora) -> None:
        """Raise BackendUnavailable if eight bits cannot hold a layer that a LoRA changes."""
        for layer in self._layers_of((lora,)):
            changes, master = self._changes(lora, layer), self._masters.weights[layer]
            places = list(places_of(self._network, layer, len(master)))
            for first, merged in merged_rows(master, changes, self._device):
                if not all(place.holds(merged, first) for place in places):
                    raise BackendUnavailable(
                        f"with {lora.path} x {lora.weight:g} the layer {layer} does not fit into eight bits",
                        fix="set generator.backends.klein.precision to bfloat16, or lower the weight",
                    )

    def _layers_of(self, loras: Loras) -> set[str]:
        return {layer for lora in loras for layer in self._loras[lora]}

    def _changes(self, lora: Lora, layer: str) -> Sequence[LowRank]:
        return [change.weighted(lora.weight) for change in self._loras[lora].get(layer, ())]

    def _write(self, layer: str, changes: Sequence[LowRank]) -> None:
        """Merge one layer, a few rows at a time, so that hardly any memory is needed beside it."""
        master = self._masters.weights[layer]
        places = list(places_of(self._network, layer, len(master)))
        for first, merged in merged_rows(master, changes, self._device):
            for place in places:
                place.write(merged, first)


def use_loras(switch: LoraSwitch | None, loras: Loras) -> bool:
    """Draw with these LoRAs from now on; return whether that changed the network.

    Raises BackendError for one that was not named at the start; without a switch that is any.
    """
    if switch is not None:
        return switch.use(loras)
    if loras:
        raise BackendError(f"the LoRA {loras[0].path} is not loaded", fix="start the program again")
    return False


def active_loras(always: Iterable[Lora], switching: str) -> dict[str, str]:
    """Name the LoRAs of every picture, and what changing those of styles costs."""
    merged = ", ".join(f"{lora.path} x {lora.weight:g}" for lora in always)
    return {name: said for name, said in (("loras", merged), ("style_loras", switching)) if said}


def _stays_half_free(device: torch.device, gb: float) -> bool:
    free, total = torch.cuda.mem_get_info(device)
    return free - gb * 1e9 >= total / 2


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
