"""Judges texts with any transformers text-classification checkpoint, while the picture is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from streamer.generator.judge import BLOCK_SCORES, HOLD_SCORES
from streamer.generator.judges._checkpoint import checkpoint_errors, classes_of
from streamer.moderation.thresholds import Scores, Share, Thresholds


class Options(Thresholds):
    """Which checkpoint, and what its labels mean."""

    model: str = Field(
        "unitary/multilingual-toxic-xlm-roberta",
        description="Hugging Face id or folder of a text-classification checkpoint",
    )
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, cuda, cuda:1 ...")
    labels: Mapping[str, str] = Field(
        {"toxic": "toxic"},
        description="maps a label of the checkpoint to a class for hold and block; capitals do not matter",
    )
    several: Literal["auto", "yes", "no"] = Field(
        "auto", description="yes or no: several labels may be true at once; auto: as the checkpoint says"
    )
    hold: Mapping[str, Share] = Field({"toxic": 0.5}, description=HOLD_SCORES)
    block: Mapping[str, Share] = Field({"toxic": 0.9}, description=BLOCK_SCORES)


class TextClassifier:
    """Score a text with one checkpoint."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._model: Any = None
        self._tokenizer: Any = None
        self._classes: dict[int, str] = {}
        self._multi_label = False

    @property
    def version(self) -> str:
        """Name the checkpoint."""
        return self._options.model

    def load(self) -> None:
        """Load the checkpoint; it must have every label of the options."""
        with checkpoint_errors(self._options.model):
            from transformers import AutoModelForSequenceClassification, AutoTokenizer

            self._tokenizer = AutoTokenizer.from_pretrained(self._options.model)
            model = AutoModelForSequenceClassification.from_pretrained(self._options.model, use_safetensors=True)
            self._model = model.to(self._options.device).eval()
        config = self._model.config
        self._classes = classes_of(config.id2label, self._options.labels, self._options.model)
        multi_label = config.problem_type == "multi_label_classification" or config.num_labels == 1
        self._multi_label = multi_label if self._options.several == "auto" else self._options.several == "yes"

    def read(self, text: str) -> Scores:
        """Score each class by its most probable label."""
        import torch

        with torch.inference_mode():
            limit = min(self._tokenizer.model_max_length, 512)
            inputs = self._tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
            logits = self._model(**inputs.to(self._options.device)).logits[0].float()
        probabilities = (logits.sigmoid() if self._multi_label else logits.softmax(-1)).tolist()
        scores: dict[str, float] = {}
        for index, name in self._classes.items():
            scores[name] = max(scores.get(name, 0.0), probabilities[index])
        return scores


def create(options: Options) -> TextClassifier:
    """Make the judge."""
    return TextClassifier(options)
