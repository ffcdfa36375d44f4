"""Look over a diffusers folder before anything is loaded: whatever is wrong is one sentence with file, cause and fix.

Only names, sizes, headers and small JSON files are read, so that this takes milliseconds for 35 GB, and nothing heavy
is imported. No pipeline is known here: model_index.json says which components a folder has and what is in each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import BackendUnavailable
from streamer.generator.backend import one_line

INDEX = "model_index.json"
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("*.model",), ("vocab.txt",), ("tekken.json",))
"""The file sets, each of which is a whole tokenizer."""
PROCESSOR_CONFIGS = ("preprocessor_config.json", "processor_config.json", "tokenizer_config.json")
CHAT_TEMPLATES = ("chat_template.jinja", "chat_template.json")
LFS_HEAD = b"version https://git-lfs"
LARGEST_HEADER = 100_000_000
"""In bytes, as the safetensors library limits it."""
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
WEIGHTS_FILES = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
WHAT_TO_GIVE = "give the folder of a model in the diffusers layout, or a hub id (owner/name)"


@dataclass(frozen=True, slots=True)
class PipelineIndex:
    """What model_index.json says: the pipeline's class, the class of each component folder, and the settings."""

    folder: Path
    pipeline: str
    components: Mapping[str, str]
    settings: Mapping[str, Any]


def read_index(folder: Path) -> PipelineIndex:
    """Read model_index.json; raise BackendUnavailable if the folder is no diffusers model."""
    with _explained(folder):
        if not (folder / INDEX).exists():
            raise BackendUnavailable(
                f"{folder} is not a diffusers model: {INDEX} is missing", fix=_other_folder(folder)
            )
        content = _read_json(folder / INDEX)
    pipeline = content.get("_class_name")
    if not isinstance(pipeline, str):
        raise BackendUnavailable(f"{folder / INDEX} names no pipeline (_class_name)", fix=_replace(folder / INDEX))
    # A component is [library, class]; [null, null] stands for one that is left out.
    components = {name: str(value[1]) for name, value in content.items() if _is_component(value)}
    settings = {name: value for name, value in content.items() if not isinstance(value, list)}
    return PipelineIndex(folder, pipeline, components, settings)


def check_components(index: PipelineIndex, names: Iterable[str] | None = None) -> None:
    """Raise BackendUnavailable that names the first missing or damaged file of these components, or of all."""
    for name in index.components if names is None else names:
        if name not in index.components:
            raise BackendUnavailable(f"{index.folder / INDEX} names no {name}", fix="use a model that has one")
        with _explained(index.folder / name):
            _check_component(index.folder / name, index.components[name])


def check_weights(folder: Path) -> None:
    """Raise BackendUnavailable unless every safetensors file of a folder is there and whole."""
    with _explained(folder):
        files = set(folder.glob("*.safetensors"))
        for index in sorted(folder.glob("*.safetensors.index*.json")):
            shards = _shards(index)
            # The files of another variant (fp16) may have been left out on purpose.
            if not files or not files.isdisjoint(shards):
                _require_shards(shards)
        if not files:
            raise _without_weights(folder)
        for file in sorted(files):
            _check_safetensors(file)


def read_config(folder: Path) -> dict[str, Any]:
    """Return the config.json of a component's folder; raise BackendUnavailable if it cannot be read."""
    with _explained(folder):
        return _read_json(folder / "config.json")


def check_file(path: Path) -> None:
    """Raise BackendUnavailable unless one safetensors file is there and whole."""
    with _explained(path):
        _check_safetensors(path)


def require_chat_template(tokenizer: Path) -> None:
    """Raise BackendUnavailable for a tokenizer without chat template, for pipelines that put prompts into one."""
    with _explained(tokenizer):
        config = _read_json(tokenizer / "tokenizer_config.json")
        if not config.get("chat_template") and not any((tokenizer / name).is_file() for name in CHAT_TEMPLATES):
            raise BackendUnavailable(
                f"{tokenizer} has no chat template, without which prompts are read differently",
                fix="add chat_template.jinja from the model's page on the hub",
            )


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Name the folder whose files a library cannot read; it raises anything then, as for a text in place of a number.

    Only for what reads files and does not touch the device, whose faults another start may heal.
    """
    try:
        yield
    except BackendUnavailable:
        raise
    except Exception as error:
        again = "install what it names" if isinstance(error, ImportError) else "download them again"
        raise BackendUnavailable(
            f"the files in {folder} cannot be used: {one_line(error)}", fix=f"{again}, or choose another model"
        ) from error


def folder_meant(folder: Path) -> str:
    """Name a diffusers folder near a wrong one, if there is any: below, above, or a snapshot of the hub's cache."""
    indexes = [path / INDEX for path in (folder, folder.parent)]
    indexes += [path for pattern in (f"*/{INDEX}", f"snapshots/*/{INDEX}") for path in sorted(folder.glob(pattern))]
    return next((f"give {path.parent}" for path in indexes if path.is_file()), "")


def _check_component(folder: Path, class_name: str) -> None:
    """Check one folder by the kind of its class."""
    if "Tokenizer" in class_name:
        # ByT5 counts bytes and has no vocabulary.
        _check_tokenizer(folder, TOKENIZERS if "ByT5" not in class_name else ((),))
    elif class_name.endswith("Scheduler"):
        _read_json(folder / "scheduler_config.json")
    elif class_name.endswith(("Processor", "FeatureExtractor")):
        names = [name for name in PROCESSOR_CONFIGS if (folder / name).exists()]
        _read_json(folder / (names or PROCESSOR_CONFIGS)[0])
    else:
        _read_json(folder / "config.json")
        check_weights(folder)


def _check_tokenizer(folder: Path, file_sets: tuple[tuple[str, ...], ...]) -> None:
    """Check that the config and the files of one of these sets are there and whole."""
    _read_json(folder / "tokenizer_config.json")
    found = ([sorted(folder.glob(name)) for name in names] for names in file_sets)
    paths = next((paths for paths in found if all(paths)), None)
    if paths is None:
        raise BackendUnavailable(f"{folder} has no tokenizer: tokenizer.json is missing", fix=_complete(folder))
    for path in (path for matches in paths for path in matches):
        _check_ends(path)


def _check_ends(path: Path) -> None:
    """Look at both ends of a large file: reading all of a tokenizer would take a third of a second."""
    with path.open("rb") as file:
        head = file.read(1024)
        file.seek(max(0, path.stat().st_size - 1024))
        tail = file.read()
    _refuse_pointer(path, head)
    if not head or (path.suffix == ".json" and (head.lstrip()[:1], tail.rstrip()[-1:]) != (b"{", b"}")):
        raise BackendUnavailable(f"{path} is {'cut off or no JSON' if head else 'empty'}", fix=_replace(path))


def _shards(index: Path) -> list[Path]:
    """Return the files that an index names."""
    weight_map = _read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BackendUnavailable(f"{index} names no files (weight_map)", fix=_replace(index))
    return sorted({index.parent / str(name) for name in weight_map.values()})


def _require_shards(shards: list[Path]) -> None:
    missing = [shard for shard in shards if not shard.is_file()]
    if missing:
        raise BackendUnavailable(
            f"{len(missing)} of {len(shards)} weight files are missing in {missing[0].parent}, "
            f"the first is {missing[0].name}",
            fix=_complete(missing[0]),
        )


def _without_weights(folder: Path) -> BackendUnavailable:
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        return BackendUnavailable(
            f"{folder} has only {pickles[0]}, a format that can run code", fix="use a model saved as safetensors"
        )
    return BackendUnavailable(f"no .safetensors file in {folder}", fix=_complete(folder))


def _check_safetensors(path: Path) -> None:
    """Compare the size of a file with what its header promises."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        _refuse_pointer(path, head + file.read(len(LFS_HEAD) - 8))
        length = int.from_bytes(head, "little")
        # A header that is longer than the file is a cut file or no safetensors; what a header begins with tells.
        file.seek(8)
        begins = file.read(1) == b"{" and length <= LARGEST_HEADER
        whole = begins and length <= size - 8
        file.seek(8)
        expected = _promised_size(file.read(length)) if whole else None
    if begins and not whole:
        raise BackendUnavailable(
            f"{path} is cut off: {size:,} bytes are there, and its header alone has {length:,}", fix=_replace(path)
        )
    if expected is None:
        problem = "empty" if size == 0 else "damaged: it has no safetensors header"
        raise BackendUnavailable(f"{path} is {problem}", fix=_replace(path))
    if size != expected:
        problem = "cut off" if size < expected else "too long"
        raise BackendUnavailable(
            f"{path} is {problem}: it has {size:,} bytes, and its header promises {expected:,}", fix=_replace(path)
        )


def _promised_size(header: bytes) -> int | None:
    """Return the size of the whole file by its header; None if that is no header of safetensors."""
    try:
        entries: dict[str, Any] = json.loads(header)
        ends = [int(entry["data_offsets"][1]) for name, entry in entries.items() if name != "__metadata__"]
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError):
        return None
    return 8 + len(header) + max(ends, default=0)


def _read_json(path: Path) -> dict[str, Any]:
    """Return an object from a JSON file."""
    content = path.read_bytes()
    _refuse_pointer(path, content)
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BackendUnavailable(f"{path} is {_not_json(content, error)}", fix=_replace(path)) from None
    if not isinstance(parsed, dict):
        raise BackendUnavailable(f"{path} is not a JSON object", fix=_replace(path))
    return parsed


def _not_json(content: bytes, error: Exception) -> str:
    return f"not JSON: {error}" if content.strip() else "empty"


def _refuse_pointer(path: Path, head: bytes) -> None:
    """Raise for the few lines that git leaves in place of a large file."""
    if head.startswith(LFS_HEAD):
        raise BackendUnavailable(
            f"{path} is a pointer of Git LFS, not the file itself", fix="run: git lfs pull, in the model's folder"
        )


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system says about a file into BackendUnavailable."""
    try:
        yield
    except FileNotFoundError as error:
        path = Path(error.filename or folder)
        raise BackendUnavailable(f"{path} is missing", fix=_complete(path)) from None
    except OSError as error:
        raise BackendUnavailable(
            f"{error.filename or folder} cannot be read: {error.strerror or error}",
            fix="let this user read the whole folder, and check the disk",
        ) from None


def _is_component(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(word, str) for word in value)


def _in_hub_cache(path: Path) -> bool:
    return "snapshots" in path.parts and any(part.startswith("models--") for part in path.parts)


def _complete(path: Path) -> str:
    """Say how to get a missing file."""
    if _in_hub_cache(path):
        return "go online and start again to finish the download"
    return "download or copy the whole folder again: at least this file of it was left out"


def _replace(path: Path) -> str:
    """Say how to get a whole file in place of a damaged one; the hub's cache holds links to the files themselves."""
    if _in_hub_cache(path):
        return f"download it again: delete {path.resolve()}, go online and start again"
    return "download it again: delete the file first, since a complete download is not repeated"


def _other_folder(folder: Path) -> str:
    """Say what to give in place of a folder without model_index.json."""
    if folder.parent.name == "snapshots" and _in_hub_cache(folder):
        return _complete(folder)
    single = next((path.name for path in sorted(folder.glob("*")) if path.suffix in WEIGHTS_FILES), None)
    alone = f"{single} alone is made for other programs: " if single else ""
    return folder_meant(folder) or f"{alone}{WHAT_TO_GIVE}"
