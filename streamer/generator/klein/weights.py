"""Read safetensors straight onto the device: only the tensors that a module names, block by block."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from streamer.errors import BackendUnavailable

READERS = 4
READ_AHEAD = 12
"""Tensors being read at once; few, because whatever is read ahead is on the device and not yet quantized."""

FinishBlock = Callable[[nn.Module], None]
"""Fuse and quantize one block in place; called once its weights are loaded, before the next block arrives."""
OnProgress = Callable[[float], None]
"""Take the share of the work that is done, 0 to 1."""
ReadTensors = Callable[[Mapping[str, Path], list[str], str, torch.device, torch.dtype], Iterator[tuple[str, Tensor]]]
"""Yield the named tensors in order on the device; its arguments are those of read_files."""


def read_files(
    files: Mapping[str, Path], names: list[str], prefix: str, device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in order while a few threads read ahead; one thread is too slow even from the page cache.

    ``files`` says which file holds a tensor; ``prefix`` is what stands before its name there.
    """

    def read(name: str) -> Tensor:
        with safe_open(files[prefix + name], framework="pt") as archive:
            tensor = archive.get_tensor(prefix + name)
        return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)

    with ThreadPoolExecutor(READERS, thread_name_prefix="weights") as pool:
        pending: deque[tuple[str, Future[Tensor]]] = deque()
        for name in names:
            pending.append((name, pool.submit(read, name)))
            if len(pending) >= READ_AHEAD:
                first, future = pending.popleft()
                yield first, future.result()
        for first, future in pending:
            yield first, future.result()


def fill(
    module: nn.Module,
    folder: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    finish_block: FinishBlock | None = None,
    prefix: str = "",
    on_progress: OnProgress = lambda _: None,
    read: ReadTensors = read_files,
) -> None:
    """Load the tensors of a module that is on the meta device, floats converted to ``dtype``.

    ``prefix`` is what the checkpoint puts before the module's names; ``read`` gets the tensors. Raises
    BackendUnavailable if a tensor is missing.
    """
    files = tensor_files(folder)
    names = sorted(_tensor_names(module), key=_block_of)
    missing = [name for name in names if prefix + name not in files]
    if missing:
        raise BackendUnavailable(
            f"{folder} lacks {len(missing)} tensors, the first is {prefix}{missing[0]}",
            fix="download the model again, or give the folder of a complete FLUX.2 Klein checkpoint",
        )
    done = 0
    for block, tensors in groupby(read(files, names, prefix, device, dtype), key=lambda item: _block_of(item[0])):
        for name, tensor in tensors:
            _check_shape(module, name, tensor, folder)
            set_tensor(module, name, tensor)
            done += 1
        if finish_block is not None and block:
            finish_block(module.get_submodule(block))
        on_progress(done / len(names))


def _check_shape(module: nn.Module, name: str, tensor: Tensor, folder: Path) -> None:
    """Raise BackendUnavailable for weights of another model than the config beside them describes."""
    path, _, leaf = name.rpartition(".")
    expected = getattr(module.get_submodule(path), leaf).shape
    if tensor.shape != expected:
        raise BackendUnavailable(
            f"{name} in {folder} is {list(tensor.shape)}, and its config.json says {list(expected)}",
            fix="the weights belong to another model than the config: download the whole model again",
        )


def tensor_files(folder: Path) -> dict[str, Path]:
    """Map each tensor's name to the file that holds it; only safetensors are read, because a pickle can run code."""
    indexes = sorted(folder.glob("*.safetensors.index.json"))
    if indexes:
        weight_map: dict[str, str] = json.loads(indexes[0].read_text(encoding="utf-8"))["weight_map"]
        return {name: folder / file for name, file in weight_map.items()}
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as archive:
            files.update(dict.fromkeys(archive.keys(), path))
    return files


def set_tensor(module: nn.Module, name: str, tensor: Tensor) -> None:
    """Replace the meta tensor that a dotted name refers to."""
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    if leaf in owner._parameters:
        owner._parameters[leaf] = nn.Parameter(tensor, requires_grad=False)
    else:
        owner._buffers[leaf] = tensor


def _tensor_names(module: nn.Module) -> list[str]:
    """List what a checkpoint must hold: the parameters and the buffers that are saved."""
    return list(module.state_dict(keep_vars=True))


def _block_of(name: str) -> str:
    """Return the repeated block that a tensor belongs to ("layers.3"), or an empty string."""
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) > 2 and parts[1].isdigit() else ""
