"""Shared by the judges that load a transformers checkpoint: errors with a fix, and labels that must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from streamer import installation
from streamer.errors import BackendUnavailable, in_words


@contextmanager
def checkpoint_errors(model: str) -> Iterator[None]:
    """Turn whatever loading raises into BackendUnavailable with a fix."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BackendUnavailable(f"{error.name} is not installed", fix=installation.add_extra("klein")) from error
    except (OSError, ValueError, ImportError) as error:
        if "timm" in str(error).casefold() and find_spec("timm") is None:
            raise BackendUnavailable(f"{model} is a timm checkpoint", fix=installation.add_package("timm")) from error
        problem = in_words(error).splitlines()[0][:200]
        raise BackendUnavailable(
            f"{model} cannot be loaded: {problem}",
            fix="go online once to download it, or set model to a folder with config, preprocessor and safetensors",
        ) from error


def classes_of(known: Mapping[int, str], labels: Mapping[str, str], model: str) -> dict[int, str]:
    """Map each output of a checkpoint that ``labels`` names to its class; an unknown label is an error."""
    indices = {label.casefold(): index for index, label in known.items()}
    if unknown := [label for label in labels if label.casefold() not in indices]:
        raise BackendUnavailable(
            f"{model} has no label {', '.join(unknown)}", fix=f"it has: {', '.join(known.values())}"
        )
    return {indices[label.casefold()]: name for label, name in labels.items()}
