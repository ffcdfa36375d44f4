"""What all judges from a transformers checkpoint share: errors that say what to do, and labels that must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from streamer.errors import BackendUnavailable, in_words


@contextmanager
def checkpoint_errors(model: str) -> Iterator[None]:
    """Turn what loading raises into one error with a fix."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BackendUnavailable(f"{error.name} is not installed", fix='pip install "streamer[klein]"') from error
    except (OSError, ValueError, ImportError) as error:
        if "timm" in str(error).casefold() and find_spec("timm") is None:
            raise BackendUnavailable(f"{model} is a checkpoint of timm", fix="pip install timm") from error
        said = in_words(error).splitlines()[0][:200]
        raise BackendUnavailable(
            f"{model} cannot be loaded: {said}",
            fix="connect once to download it, or set model to a folder of config, preprocessor and safetensors",
        ) from error


def classes_of(known: Mapping[int, str], labels: Mapping[str, str], model: str) -> dict[int, str]:
    """Map each output of a checkpoint that the labels name to its class; a label it does not know is an error."""
    indices = {label.casefold(): index for index, label in known.items()}
    if unknown := [label for label in labels if label.casefold() not in indices]:
        raise BackendUnavailable(
            f"{model} has no label {', '.join(unknown)}", fix=f"it has: {', '.join(known.values())}"
        )
    return {indices[label.casefold()]: name for label, name in labels.items()}
