"""A tiny random CLIP stands in for the weights, which are a download; the way through transformers is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.judges.clip import Options, create


@pytest.fixture(scope="module")
def folder(words: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"eos_token_id": 2, "pad_token_id": 0, "bos_token_id": 1}
    text = {**small, **ends, "vocab_size": len(words), "max_position_embeddings": 16}
    config = CLIPConfig(text_config=text, vision_config={**small, "image_size": 32, "patch_size": 8}, projection_dim=8)
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("clip")
    CLIPModel(config).save_pretrained(path)
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPProcessor(CLIPImageProcessor(**sizes), words).save_pretrained(path)
    return path


OPTIONS: dict[str, Any] = {"concepts": {"cat": "a cat", "lake": "a lake"}, "harmless": ("a photo", "a drawing")}


def test_each_concept_is_compared_with_what_is_harmless_as_stock_clip_does(folder: Path, photo: Any) -> None:
    import torch
    from transformers import CLIPModel, CLIPProcessor

    judge = create(Options(model=str(folder), **OPTIONS))
    judge.load()
    scores = judge.look(photo)
    model, processor = CLIPModel.from_pretrained(folder), CLIPProcessor.from_pretrained(folder)
    for concept, words in OPTIONS["concepts"].items():
        texts = [words, *OPTIONS["harmless"]]
        read = processor(text=texts, images=photo, return_tensors="pt", padding="max_length", truncation=True)
        with torch.inference_mode():
            wanted = model(**read).logits_per_image[0].softmax(-1)[0].item()
        assert scores[concept] == pytest.approx(wanted, abs=1e-4)


def test_a_checkpoint_that_is_not_clip_is_refused(vit: Path) -> None:
    with pytest.raises(BackendUnavailable):
        create(Options(model=str(vit), **OPTIONS)).load()
