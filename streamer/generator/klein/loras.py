"""The LoRAs that Klein draws with: merged into each block as it is loaded, or kept ready for the styles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from torch import nn

from streamer.generator.backend import Report
from streamer.generator.klein.checkpoint_files import read_transformer_config
from streamer.generator.lora.download import find_lora
from streamer.generator.lora.files import LoraHeader, named
from streamer.generator.lora.fit import require_flux2_fit
from streamer.generator.lora.flux2 import Flux2Layers, flux2_layers
from streamer.generator.lora.switch import LoraSwitch, Masters
from streamer.generator.lora.weights import LoraWeights, LowRank, merged_rows, read_flux2
from streamer.types import Lora


class KleinLoras:
    """What is merged for good before a block is quantized, and what styles switch on and off later."""

    def __init__(self, merged: dict[str, list[LowRank]], styles: dict[Lora, LoraWeights]) -> None:
        self._merged, self._styles = merged, styles
        self._masters = Masters(frozenset(layer for weights in styles.values() for layer in weights))
        self._waiting = set(merged) | self._masters.layers

    def prepare(self, name: str, module: nn.Module) -> None:
        """Merge into the layers of a module that is loaded and not yet quantized; ``name`` is its own."""
        for leaf, layer in list(module.named_modules()):
            path = f"{name}.{leaf}" if name else leaf
            if path not in self._waiting:
                continue
            self._waiting.remove(path)
            if changes := self._merged.pop(path, None):
                for first, rows in merged_rows(layer.weight.data, changes, layer.weight.device):
                    layer.weight.data[first : first + len(rows)].copy_(rows)
            self._masters.keep(path, layer.weight.data)

    def switch(self, transformer: nn.Module) -> LoraSwitch | None:
        """Return what changes the style's LoRAs of a transformer that is loaded; None if no style has one."""
        assert not self._waiting, f"not merged: {sorted(self._waiting)[:3]}"
        device = next(transformer.parameters()).device
        return LoraSwitch(transformer, self._masters, self._styles, device) if self._styles else None


def find_loras(
    folder: Path, model: str, session: Iterable[Lora], styles: Iterable[Lora], report: Report
) -> KleinLoras | None:
    """Find, check and read every LoRA for the model in a folder; None if there are none.

    Raises BackendUnavailable that names the option of the first one that cannot be used.
    """
    session, styles = list(session), list(dict.fromkeys(styles))
    if not session and not styles:
        return None
    layers = flux2_layers(read_transformer_config(folder))
    headers = {lora: _find(lora, layers, model, report) for lora in (*session, *styles)}
    merged: dict[str, list[LowRank]] = {}
    for lora in session:
        for layer, changes in read_flux2(headers[lora], layers).items():
            merged.setdefault(layer, []).extend(change.weighted(lora.weight) for change in changes)
    return KleinLoras(merged, {lora: read_flux2(headers[lora], layers) for lora in styles})


def _find(lora: Lora, layers: Flux2Layers, model: str, report: Report) -> LoraHeader:
    header = find_lora(lora, report)
    with named(lora):
        require_flux2_fit(header, layers, model)
    return header
