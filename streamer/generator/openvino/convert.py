"""From the networks of a diffusers folder to OpenVINO's files, once; the folder of those files is kept and reused."""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.checkpoint_check import readable
from streamer.generator.openvino.int8 import compress
from streamer.generator.openvino.options import Weights

log = logging.getLogger(__name__)

FORMAT = 1
"""Counts up when networks are written differently: files of before are then made again."""
NETWORK = "openvino_model.xml"
COMPLETE = "complete.json"
PARTS = ("text_encoder", "unet", "vae_decoder", "vae_encoder")
LATENTS = 16
"""Rows and columns of latents that networks are traced with; they take any other size as well."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the networks come from: a diffusers folder, the folder of the autoencoder, and the variant of the files."""

    folder: Path
    vae: Path
    variant: str | None = None


def converted(source: Source, weights: Weights, home: Path, report: Report) -> Path:
    """Return the folder with OpenVINO's files of a model, making it if it is not there or not whole.

    Raises BackendUnavailable with a fix for weights that cannot be read and a disk without room.
    """
    folder = home / f"{_short_name(source.folder)}-{_digest(source, weights)}"
    if is_whole(folder):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    # Written beside it and renamed: a start that is broken off leaves nothing that looks whole.
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _require_room(source, home)
        for number, (part, convert) in enumerate(_CONVERTERS.items()):
            report(f"converting the {part.replace('_', ' ')}", number / len(_CONVERTERS))
            _save(convert(source), partial / part, weights)
            gc.collect()
        sizes = {str(file.relative_to(partial)): file.stat().st_size for file in partial.glob("*/*")}
        (partial / COMPLETE).write_text(json.dumps(sizes), encoding="utf-8")
        for outdated in home.glob(f"{_short_name(source.folder)}-*"):
            if outdated != partial:
                shutil.rmtree(outdated, ignore_errors=True)
        partial.rename(folder)
    except OSError as error:
        raise BackendUnavailable(
            f"the converted model cannot be stored in {home}: {error.strerror or error}",
            fix="make room there, or set STREAMER_HOME to a folder on a larger disk",
        ) from error
    return folder


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds everything that was written into it."""
    try:
        sizes: dict[str, int] = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def autoencoder_class(folder: Path) -> Any:
    """Return the class of the autoencoder in a folder: a tiny one, or Stable Diffusion's own."""
    with readable(folder):
        name = json.loads((folder / "config.json").read_text(encoding="utf-8"))["_class_name"]
    return AutoencoderTiny if name == AutoencoderTiny.__name__ else AutoencoderKL


class _Unet(nn.Module):  # type: ignore[misc, unused-ignore]
    """A UNet that takes the sinusoids of its time step: in 16 bits OpenVINO would compute them wrong by far."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self._unet = unet
        unet.get_time_embed = lambda sample, timestep: timestep

    def forward(
        self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, timestep_cond: Tensor | None = None
    ) -> Tensor:
        """Map latents, sinusoids and text to the predicted noise."""
        found: Tensor = self._unet(
            sample, timestep, encoder_hidden_states, timestep_cond=timestep_cond, return_dict=False
        )[0]
        return found


class _Called(nn.Module):  # type: ignore[misc, unused-ignore]
    """A network reduced to one tensor in, one tensor out."""

    def __init__(self, network: Any, call: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self._network, self._call = network, call

    def forward(self, values: Tensor) -> Tensor:
        """Call the network."""
        return self._call(self._network, values)


def _unet(source: Source) -> ov.Model:
    folder = source.folder / "unet"
    unet = _load(UNet2DConditionModel, folder, source.variant)
    config = unet.config
    example: dict[str, Tensor] = {
        "sample": torch.zeros(1, config.in_channels, LATENTS, LATENTS),
        "timestep": torch.zeros(1, config.block_out_channels[0]),
        "encoder_hidden_states": torch.zeros(1, 77, config.cross_attention_dim),
    }
    if config.time_cond_proj_dim is not None:
        example["timestep_cond"] = torch.zeros(1, config.time_cond_proj_dim)
    return _trace(_Unet(unet), example)


def _text_encoder(source: Source) -> ov.Model:
    encoder = _load(CLIPTextModel, source.folder / "text_encoder", source.variant)
    return _trace(_Called(encoder, lambda network, ids: network(ids)[0]), {"values": torch.zeros(1, 77).long()})


def _vae_decoder(source: Source) -> ov.Model:
    vae = _vae(source)
    latents = torch.zeros(1, vae.config.latent_channels, LATENTS, LATENTS)
    decode = _Called(vae, lambda network, values: network.decode(values, return_dict=False)[0])
    return _trace(decode, {"values": latents})


def _vae_encoder(source: Source) -> ov.Model:
    """Convert what turns pictures into latents, or into their means and deviations."""
    vae = _vae(source)
    if isinstance(vae, AutoencoderTiny):
        encode = _Called(vae, lambda network, values: network.encode(values, return_dict=False)[0])
    else:
        encode = _Called(vae, lambda network, values: network._encode(values))
    return _trace(encode, {"values": torch.zeros(1, 3, 8 * LATENTS, 8 * LATENTS)})


def _vae(source: Source) -> Any:
    return _load(autoencoder_class(source.vae), source.vae, source.variant)


_CONVERTERS: Mapping[str, Callable[[Source], ov.Model]] = dict(
    zip(PARTS, (_text_encoder, _unet, _vae_decoder, _vae_encoder), strict=True)
)


def _load(kind: Any, folder: Path, variant: str | None) -> Any:
    """Load one network in float32 on the host."""
    has_variant = variant is not None and any(folder.glob(f"*.{variant}.safetensors"))
    with readable(folder):
        network = kind.from_pretrained(
            folder, dtype=torch.float32, variant=variant if has_variant else None, use_safetensors=True,
            local_files_only=True,
        )  # fmt: skip
    return network.eval().requires_grad_(False)


def _trace(network: nn.Module, example: Mapping[str, Tensor]) -> ov.Model:
    """Convert a network by tracing it; ``example`` has what its forward pass takes, in order."""
    with warnings.catch_warnings(), torch.no_grad():
        # Tracing warns of every branch of Python, also of those that no size of a picture reaches.
        warnings.simplefilter("ignore")
        # Checking a trace means to make it again, and to run the network twice more.
        traced = torch.jit.trace(network, example_inputs=tuple(example.values()), check_trace=False)
        model = ov.convert_model(traced)
    for port, name in zip(model.inputs, example, strict=True):
        port.get_tensor().set_names({name})
    return model


def _save(network: ov.Model, folder: Path, weights: Weights) -> None:
    if weights == "int8":
        compress(network)
    folder.mkdir()
    ov.save_model(network, folder / NETWORK, compress_to_fp16=True)


def _require_room(source: Source, home: Path) -> None:
    """Raise OSError for a disk that cannot hold the weights in 16 bits, which is the most that is written."""
    needed = sum(file.stat().st_size for part in ("unet", "text_encoder") for file in _weight_files(source, part))
    free = shutil.disk_usage(home).free
    if needed > free:
        raise OSError(f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free")


def _weight_files(source: Source, part: str) -> list[Path]:
    return sorted((source.folder / part).glob("*.safetensors"))


def _digest(source: Source, weights: Weights) -> str:
    """Return a short name for what would be written: other files, weights or code give another one."""
    files = [file for part in ("unet", "text_encoder") for file in _weight_files(source, part)]
    files += sorted(source.vae.glob("*.safetensors"))
    # A file of the hub's cache is a link to one that is named by its content.
    noted = [(file.name, file.resolve().name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    told = json.dumps([FORMAT, weights, source.variant, noted])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _short_name(folder: Path) -> str:
    """Name the folder so that people know what it is: the hub's cache calls a model by its commit."""
    is_snapshot = folder.parent.name == "snapshots"
    return (folder.parent.parent.name if is_snapshot else folder.name).removeprefix("models--")
