"""Safetensors straight onto the device: only the tensors a module names, each block finished as soon as it is whole."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from streamer.errors import BackendUnavailable

READERS = 4
AHEAD = 12
"""Tensors being read at once; few, because whatever is read ahead stands on the device unquantised."""

Finish = Callable[[nn.Module], None]
"""Called with each block once its weights are in: the moment to fuse and quantise, before the next block arrives."""


def fill(
    module: nn.Module,
    folder: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    finish: Finish | None = None,
    rename: str = "",
    share: Callable[[float], None] = lambda _: None,
) -> None:
    """Load a module that stands on the meta device; ``rename`` is what the checkpoint puts before its names."""
    files = tensor_files(folder)
    wanted = sorted(_names(module), key=_block_of)
    missing = [name for name in wanted if rename + name not in files]
    if missing:
        raise BackendUnavailable(
            f"{folder} lacks {len(missing)} tensors, the first is {rename}{missing[0]}",
            fix="download the model again, or give the folder of a complete FLUX.2 Klein checkpoint",
        )
    done = 0
    for block, names in groupby(_read(files, wanted, rename, device, dtype), key=lambda item: _block_of(item[0])):
        for name, tensor in names:
            place(module, name, tensor)
            done += 1
        if finish is not None and block:
            finish(module.get_submodule(block))
        share(done / len(wanted))


def tensor_files(folder: Path) -> dict[str, Path]:
    """Say which file holds which tensor; safetensors only, because a pickle can run code."""
    indexes = sorted(folder.glob("*.safetensors.index.json"))
    if indexes:
        weight_map: dict[str, str] = json.loads(indexes[0].read_text(encoding="utf-8"))["weight_map"]
        return {name: folder / file for name, file in weight_map.items()}
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as archive:
            files.update(dict.fromkeys(archive.keys(), path))
    if not files:
        raise BackendUnavailable(
            f"no .safetensors file in {folder}", fix="give a model in the diffusers layout saved as safetensors"
        )
    return files


def place(module: nn.Module, name: str, tensor: Tensor) -> None:
    """Put one tensor where a dotted name says, in place of what stood on the meta device."""
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    if leaf in owner._parameters:
        owner._parameters[leaf] = nn.Parameter(tensor, requires_grad=False)
    else:
        owner._buffers[leaf] = tensor


def _read(
    files: dict[str, Path], names: list[str], rename: str, device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in order while a few threads read ahead; copies from the page cache need more than one."""

    def read(name: str) -> Tensor:
        with safe_open(files[rename + name], framework="pt") as archive:
            tensor = archive.get_tensor(rename + name)
        return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)

    with ThreadPoolExecutor(READERS, thread_name_prefix="weights") as pool:
        pending: deque[tuple[str, Future[Tensor]]] = deque()
        for name in names:
            pending.append((name, pool.submit(read, name)))
            if len(pending) >= AHEAD:
                first, future = pending.popleft()
                yield first, future.result()
        for first, future in pending:
            yield first, future.result()


def _names(module: nn.Module) -> list[str]:
    """List what a checkpoint must hold: parameters and the buffers that are saved."""
    return list(module.state_dict(keep_vars=True))


def _block_of(name: str) -> str:
    """Give the repeated block a tensor belongs to ("layers.3"), or an empty string."""
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 and parts[1].isdigit() else ""
