"""A tiny random checkpoint stands in for the weights, which are a download; the way through transformers is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streamer.generator.judges.text import Options, create


@pytest.fixture(scope="module")
def folder(words: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    path = tmp_path_factory.mktemp("bert")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16, id2label={0: "fine", 1: "toxic"}, label2id={"fine": 0, "toxic": 1},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(path)
    words.save_pretrained(path)
    return path


@pytest.mark.parametrize("several", ["yes", "no"])
def test_scores_are_what_the_checkpoint_says(folder: Path, several: Any) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(**tokenizer("a cat, озеро", return_tensors="pt")).logits[0]
    wanted = (logits.sigmoid() if several == "yes" else logits.softmax(-1))[1].item()
    judge = create(Options(model=str(folder), several=several))
    judge.load()
    assert judge.read("a cat, озеро") == {"toxic": pytest.approx(wanted, abs=1e-5)}


def test_a_text_longer_than_the_model_reads_is_cut(folder: Path) -> None:
    judge = create(Options(model=str(folder)))
    judge.load()
    assert 0 <= judge.read("cat " * 300)["toxic"] <= 1
