"""A tiny random checkpoint stands in for the weights, which are a download; the way through transformers is real."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.judges.classifier import Options, create


def test_scores_are_what_transformers_own_pipeline_says(vit: Path, photo: Any) -> None:
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model, processor = AutoModelForImageClassification.from_pretrained(vit), AutoImageProcessor.from_pretrained(vit)
    with torch.inference_mode():
        logits = model(**processor(Image.fromarray(photo), return_tensors="pt")).logits[0]
    wanted = logits.softmax(-1)[1].item()
    judge = create(Options(model=str(vit)))
    judge.load()
    assert judge.look(photo) == {"sexual": pytest.approx(wanted, abs=1e-5)}


def test_labels_of_one_class_add_up(vit: Path, photo: Any) -> None:
    judge = create(Options(model=str(vit), labels={"sfw": "any", "nsfw": "any"}))
    judge.load()
    assert judge.look(photo) == {"any": pytest.approx(1.0)}


@pytest.mark.skipif(find_spec("timm") is not None, reason="with timm it can be loaded")
def test_a_checkpoint_of_timm_says_what_to_install(tmp_path: Path) -> None:
    cut = {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.5] * 3, "num_classes": 2, "interpolation": "bicubic"}
    config = {
        "architecture": "vit_tiny_patch16_384",
        "num_classes": 2,
        "pretrained_cfg": cut,
        "label_names": ["a", "b"],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackendUnavailable, match="pip install timm"):
        create(Options(model=str(tmp_path))).load()


def test_a_wrong_label_and_a_missing_folder_are_refused(vit: Path, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="it has: SFW, NSFW"):
        create(Options(model=str(vit), labels={"porn": "sexual"})).load()
    with pytest.raises(BackendUnavailable, match="cannot be loaded"):
        create(Options(model=str(tmp_path))).load()
