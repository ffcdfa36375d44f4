"""Judges pictures with CLIP or SigLIP: compares them with descriptions of what must not be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.judge import BLOCK_SCORES, HOLD_SCORES, ImageJudgeOptions
from streamer.generator.judges._checkpoint import checkpoint_errors
from streamer.moderation.thresholds import Scores, Share


class Options(ImageJudgeOptions):
    """Which checkpoint, and which description stands for which class."""

    model: str = Field(
        "openai/clip-vit-base-patch32", description="Hugging Face id or folder of a CLIP or SigLIP checkpoint"
    )
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, cuda, cuda:1 ...")
    concepts: Mapping[str, str] = Field(
        {
            "sexual": "a photo of a naked person",
            "gore": "a photo of a badly wounded person with a lot of blood",
            "extremism": "a flag of a violent extremist movement",
        },
        min_length=1,
        description="description of each class, in English",
    )
    harmless: tuple[str, ...] = Field(
        ("a photo", "a drawing", "a landscape", "a person with clothes on"),
        min_length=1,
        description="descriptions of harmless pictures; a concept counts when it fits better",
    )
    hold: Mapping[str, Share] = Field(
        {"sexual": 0.4, "gore": 0.4, "extremism": 0.4},
        description=f"{HOLD_SCORES}; measure before you trust it",
    )
    block: Mapping[str, Share] = Field({"sexual": 0.8, "gore": 0.8}, description=BLOCK_SCORES)


class Clip:
    """Score how much closer a picture is to each concept than to the harmless descriptions."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._model: Any = None
        self._processor: Any = None
        self._text_features: Any = None

    @property
    def version(self) -> str:
        """Name the checkpoint."""
        return self._options.model

    def load(self) -> None:
        """Load the checkpoint and encode the descriptions once."""
        with checkpoint_errors(self._options.model):
            import torch
            from transformers import AutoModel, AutoProcessor

            self._processor = AutoProcessor.from_pretrained(self._options.model)
            model = AutoModel.from_pretrained(self._options.model, use_safetensors=True)
            self._model = model.to(self._options.device).eval()
        if not hasattr(self._model, "get_image_features"):
            raise BackendUnavailable(f"{self._options.model} is not a CLIP or SigLIP checkpoint")
        descriptions = [*self._options.concepts.values(), *self._options.harmless]
        with torch.inference_mode():
            # SigLIP was trained with every text padded to the full length.
            inputs = self._processor.tokenizer(descriptions, return_tensors="pt", padding="max_length", truncation=True)
            self._text_features = _normalized(self._model.get_text_features(**inputs.to(self._options.device)))

    def look(self, pixels: Pixels) -> Scores:
        """Compare the picture with each concept and all harmless descriptions, independent of the other concepts."""
        import torch

        with torch.inference_mode():
            inputs = self._processor.image_processor(images=pixels, return_tensors="pt").to(self._options.device)
            logits = (_normalized(self._model.get_image_features(**inputs)) @ self._text_features.T)[0].float()
            logits = logits * self._model.logit_scale.exp().float()
        count = len(self._options.concepts)
        scores = [torch.cat([logits[index : index + 1], logits[count:]]).softmax(0)[0].item() for index in range(count)]
        return dict(zip(self._options.concepts, scores, strict=True))


def _normalized(features: Any) -> Any:
    """Scale each feature vector to length 1."""
    features = getattr(features, "pooler_output", features)
    return features / features.norm(dim=-1, keepdim=True)


def create(options: Options) -> Clip:
    """Make the judge."""
    return Clip(options)
