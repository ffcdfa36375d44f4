"""Full-size models with random weights, which take as long as the real ones and need no download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer.generator.pipelines.loading import PipelineSource

KLEIN: Mapping[str, str] = {"klein-4b": "4b", "klein-9b": "9b", "klein-9b-kv": "9b"}
"""The architecture in klein/testing.py of a model's name."""
FAMILIES: Mapping[str, str] = {
    "flux2-dev-turbo": "flux2", "sdxl-turbo": "sdxl", "pixart-sigma": "pixart", "sana-sprint": "sana",
    "z-image-turbo": "zimage",
}  # fmt: skip
"""The family in pipelines/testing.py of a model's name."""


def can_build(model: str) -> bool:
    """Tell whether a model can be built around random weights."""
    return model in KLEIN or model in FAMILIES


def model_for(model: str, folder: Path) -> str:
    """Return what a backend's option ``model`` is to be; what has to be read from files is written to the folder."""
    if model not in KLEIN:
        return model
    from streamer.generator.klein.testing import make_empty_checkpoint

    return str(make_empty_checkpoint(folder, KLEIN[model], kv=_is_kv(model)))


def parts_for(model: str) -> dict[str, Any]:
    """Return what a backend's create() is given beside its options, so that its weights are random."""
    if model in KLEIN:
        from streamer.generator.klein.testing import read_randomly

        return {"read": read_randomly}
    from streamer.generator.pipelines.testing import random_source

    return {"source": random_source(FAMILIES[model])}


def stock_source(model: str) -> PipelineSource:
    """Return a source of the stock pipeline around random weights."""
    from streamer.generator.klein import testing
    from streamer.generator.pipelines.loading import DTYPES, PipelineSource
    from streamer.generator.pipelines.testing import random_source

    if model not in KLEIN:
        return random_source(FAMILIES[model])

    def build(_checkpoint: object, device: Any, precision: str, _memory_gb: float) -> tuple[Any, bool]:
        made = testing.make_pipeline(KLEIN[model], dtype=DTYPES[precision], device=str(device), kv=_is_kv(model))
        return made, False

    return PipelineSource(random_source("").find, build)


def _is_kv(model: str) -> bool:
    return model.endswith("-kv")
