"""Measure what image judges cost: real architectures with random weights, on the CPU and on a GPU.

    python -m bench.picture_judges --size 1024x1024 --runs 20

The time does not depend on the values of the weights. The judges take turns on the same picture.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from bench.report import finish, spread
from streamer.generator.backend import Pixels
from streamer.generator.judge import ImageJudge, highest_scores, tiles
from streamer.generator.judges import classifier, clip
from streamer.generator.klein.testing import make_tokenizer
from streamer.moderation.thresholds import Scores

VITS = {"vit-tiny 384": (192, 3, 384), "vit-base 224": (768, 12, 224)}
"""Width, heads and picture side; the shapes of Marqo's and Falconsai's classifiers."""
CLIPS = {"clip-base 224": (768, 12, 12, 32), "clip-large 224": (1024, 24, 16, 14)}
"""Width, layers, heads and patch side of the vision tower."""


def main() -> None:
    """Build, measure, print the result as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1024x1024")
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    picture = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with tempfile.TemporaryDirectory() as folder:
        judges = {f"{name} {device}": judge for device in devices for name, judge in loaded(Path(folder), device)}
    took: dict[str, list[float]] = {}
    for turn in range(asked.runs + 2):
        for name, judge in judges.items():
            for grids in ((), (2,)):
                ms = timed(judge, picture, grids)
                if turn >= 2:
                    took.setdefault(f"{name}, {1 + sum(n * n for n in grids)} looks", []).append(ms)
    finish(
        "picture_judges",
        {"size": asked.size, "gpu": torch.cuda.get_device_name() if len(devices) > 1 else "none",
         "threads": torch.get_num_threads(), "look_ms": {name: spread(ms) for name, ms in took.items()}},
        [],
    )  # fmt: skip


def loaded(folder: Path, device: str) -> Iterator[tuple[str, ImageJudge]]:
    for name, shape in VITS.items():
        options = classifier.Options(model=vit(folder / name, *shape), device=device)
        yield name, ready(classifier.create(options))
    for name, (width, layers, heads, patch) in CLIPS.items():
        model = contrastive(folder / name, width, layers, heads, patch)
        yield name, ready(clip.create(clip.Options(model=model, device=device)))


def ready(judge: Any) -> ImageJudge:
    judge.load()
    assert isinstance(judge, ImageJudge)
    return judge


def vit(folder: Path, width: int, heads: int, side: int) -> str:
    if not folder.exists():
        config = ViTConfig(
            hidden_size=width, num_attention_heads=heads, intermediate_size=4 * width, image_size=side,
            id2label={0: "SFW", 1: "NSFW"}, label2id={"SFW": 0, "NSFW": 1},
        )  # fmt: skip
        ViTForImageClassification(config).save_pretrained(folder)
        ViTImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    return str(folder)


def contrastive(folder: Path, width: int, layers: int, heads: int, patch: int) -> str:
    if not folder.exists():
        tokenizer = make_tokenizer()
        sees = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers,
                "num_attention_heads": heads, "patch_size": patch, "image_size": 224}  # fmt: skip
        reads = {"vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
                 "num_attention_heads": 2, "max_position_embeddings": 77,
                 "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>")}  # fmt: skip
        tokenizer.model_max_length = 77
        CLIPModel(CLIPConfig(text_config=reads, vision_config=sees)).save_pretrained(folder)
        CLIPProcessor(CLIPImageProcessor(), tokenizer).save_pretrained(folder)
    return str(folder)


def timed(judge: ImageJudge, picture: Pixels, grids: tuple[int, ...]) -> float:
    began = time.perf_counter()
    scores: Scores = highest_scores([judge.look(np.ascontiguousarray(part)) for part in tiles(picture, grids)])
    assert scores
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
