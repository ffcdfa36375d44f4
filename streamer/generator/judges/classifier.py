"""Judges pictures with any transformers image-classification checkpoint, such as Falconsai/nsfw_image_detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from streamer.generator.backend import Pixels
from streamer.generator.judge import BLOCK_SCORES, HOLD_SCORES, ImageJudgeOptions
from streamer.generator.judges._checkpoint import checkpoint_errors, classes_of
from streamer.moderation.thresholds import Scores, Share


class Options(ImageJudgeOptions):
    """Which checkpoint, and what its labels mean."""

    model: str = Field(
        "Falconsai/nsfw_image_detection",
        description="Hugging Face id or folder; Marqo/nsfw-image-detection-384 is smaller and needs: pip install timm",
    )
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, cuda, cuda:1 ...")
    labels: Mapping[str, str] = Field(
        {"nsfw": "sexual"},
        description="maps a label of the checkpoint to a class for hold and block; capitals do not matter",
    )
    hold: Mapping[str, Share] = Field({"sexual": 0.25}, description=HOLD_SCORES)
    block: Mapping[str, Share] = Field({"sexual": 0.5}, description=BLOCK_SCORES)


class Classifier:
    """Score a picture with one checkpoint."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._model: Any = None
        self._processor: Any = None
        self._classes: dict[int, str] = {}

    @property
    def version(self) -> str:
        """Name the checkpoint."""
        return self._options.model

    def load(self) -> None:
        """Load the checkpoint; it must have every label of the options."""
        with checkpoint_errors(self._options.model):
            from transformers import AutoImageProcessor, AutoModelForImageClassification

            self._processor = AutoImageProcessor.from_pretrained(self._options.model)
            model = AutoModelForImageClassification.from_pretrained(self._options.model, use_safetensors=True)
            self._model = model.to(self._options.device).eval()
        self._classes = classes_of(self._model.config.id2label, self._options.labels, self._options.model)

    def look(self, pixels: Pixels) -> Scores:
        """Add up the probabilities of each class's labels."""
        import torch

        with torch.inference_mode():
            inputs = self._processor(images=pixels, return_tensors="pt").to(self._options.device)
            probabilities = self._model(**inputs).logits[0].float().softmax(-1).tolist()
        scores: dict[str, float] = {}
        for index, name in self._classes.items():
            scores[name] = min(1.0, scores.get(name, 0.0) + probabilities[index])
        return scores


def create(options: Options) -> Classifier:
    """Make the judge."""
    return Classifier(options)
