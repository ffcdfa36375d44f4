"""The models that one word selects, and what they are like on this machine."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from streamer.api.dependencies import OPERATOR, Context
from streamer.generator.model_table import ModelHere, machine_in_words, memory_here, models_here

router = APIRouter(prefix="/api/v1", tags=["desk"], dependencies=[OPERATOR])


class ModelOut(BaseModel):
    """One model; sizes are 10^9 bytes, ``seconds`` is what a picture took here, null until it was measured."""

    name: str
    here: str
    seconds: float | None
    earning_streams: str
    steps: int
    size: str
    edits: bool
    memory: str
    download: float
    licence: str


class ModelsOut(BaseModel):
    """The machine, and every model that config.yaml can name by one word."""

    machine: str
    models: list[ModelOut]


@router.get("/models")
async def models(context: Context) -> ModelsOut:
    """List the models that ``generator.use`` may name: licence, memory, and how they do on this machine."""
    name, memory_gb = await asyncio.to_thread(memory_here)
    rows = await asyncio.to_thread(models_here, context.home, name, memory_gb)
    return ModelsOut(machine=machine_in_words(name, memory_gb), models=[_model(row) for row in rows])


def _model(row: ModelHere) -> ModelOut:
    model = row.model
    return ModelOut(
        name=model.name,
        here=row.fit.value,
        seconds=row.seconds,
        earning_streams=row.may,
        steps=model.steps,
        size="x".join(map(str, model.native)),
        edits=model.edits,
        memory=row.memory,
        download=model.download,
        licence=row.licence,
    )
