"""Tiny random checkpoints of the kinds that the judges load, in the layout of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a tokenizer of a few English and Russian words."""
    pytest.importorskip("transformers", reason="these judges need the klein extra")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = ["[PAD]", "[UNK]", "[END]", "a", "photo", "drawing", "of", "cat", "lake", "кот", "озеро"]
    vocabulary = {word: index for index, word in enumerate(known)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(single="$A [END]", special_tokens=[("[END]", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", eos_token="[END]", model_max_length=16
    )


@pytest.fixture(scope="session")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a classifier of two labels."""
    torch = pytest.importorskip("torch", reason="these judges need the klein extra")
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(1)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8,
        id2label={0: "SFW", 1: "NSFW"}, label2id={"SFW": 0, "NSFW": 1},
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def photo() -> Any:
    return np.random.default_rng(3).integers(0, 256, (90, 160, 3), dtype=np.uint8)
