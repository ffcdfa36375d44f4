"""Run any text judge on a labelled set of prompts: precision and recall by threshold, class and language.

    python -m bench.evaluate_judge --judge words                      the text filter as config.yaml sets it
    python -m bench.evaluate_judge --judge text --options '{"model": "FOLDER", "labels": {"toxic": "toxic"}}'
    python -m bench.evaluate_judge --judge moderation_api             needs STREAMER_MODERATION_KEY
    python -m bench.evaluate_judge --judge policy_judge --model FOLDER_OF_KLEIN

bench/prompts.jsonl is worded neutrally and contains nothing about minors: the word rules always block that class.
A set of other lines ({"text", "language", "label": "allow"|"flag", "category"}) can be given with --set.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import ROOT, finish, spread
from streamer import app, plugins
from streamer.config import load
from streamer.moderation.policy import Policy
from streamer.types import Actor, Hold, ImageRequest, Lane, RequestKind, Role, SamplingParams

HELD = 0.5
"""The score of a text that a judge without scores holds; a refused text scores 1."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One line of the set; ``flag`` means that it must not go on air unseen."""

    text: str
    language: str
    flag: bool
    category: str


Score = Callable[[str], float]


def main() -> None:
    """Judge every prompt; print the curve, then the result as the last line."""
    asked = arguments()
    prompts = read(Path(asked.set))
    score = SCORES[asked.judge](asked)
    scores, took = [], []
    for prompt in prompts:
        began = time.perf_counter()
        scores.append(score(prompt.text))
        took.append((time.perf_counter() - began) * 1e3)
    rows = curve(prompts, scores)
    for row in rows:
        print(f"{row['threshold']:>9.4f}  precision {row['precision']:.3f}  recall {row['recall']:.3f}")
    best = max(rows, key=lambda row: row["f1"])
    at = asked.threshold if asked.threshold is not None else best["threshold"]
    metrics = {
        "judge": asked.judge, "prompts": len(prompts), "best": best, "threshold": at, "ms": spread(took),
        "caught": shares(prompts, scores, at, flag=True, key=lambda one: one.category),
        "false_alarms": shares(prompts, scores, at, flag=False, key=lambda one: one.category),
        "caught_by_language": shares(prompts, scores, at, flag=True, key=lambda one: one.language),
        "curve": rows,
    }  # fmt: skip
    finish("evaluate_judge", metrics, [])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", required=True, choices=sorted(SCORES))
    parser.add_argument("--set", default=str(ROOT / "bench" / "prompts.jsonl"))
    parser.add_argument("--options", default="{}", help="the judge's options as JSON")
    parser.add_argument(
        "--config", default=str(ROOT / "config.yaml"), help="the config file whose rules --judge words uses"
    )
    parser.add_argument("--model", default="", help="folder of a Klein checkpoint, for policy_judge")
    parser.add_argument("--device", default="auto", help="device for policy_judge")
    parser.add_argument(
        "--threshold", type=float, help="for the shares by class; default: the threshold with the best F1"
    )
    return parser.parse_args()


def read(path: Path) -> list[Prompt]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Prompt(line["text"], line["language"], line["label"] == "flag", line["category"]) for line in lines]


def curve(prompts: Sequence[Prompt], scores: Sequence[float]) -> list[dict[str, float]]:
    """Return precision, recall and F1 at up to twenty of the scores as thresholds."""
    different = sorted({score for score in scores if score > 0}) or [1.0]
    steps = max(1, len(different) // 20)
    wanted = sum(prompt.flag for prompt in prompts)
    rows = []
    for threshold in different[::steps]:
        hits = [prompt.flag for prompt, score in zip(prompts, scores, strict=True) if score >= threshold]
        precision, recall = sum(hits) / max(1, len(hits)), sum(hits) / max(1, wanted)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rows.append({"threshold": threshold, "precision": round(precision, 4), "recall": round(recall, 4),
                     "f1": round(f1, 4)})  # fmt: skip
    return rows


def shares(
    prompts: Sequence[Prompt], scores: Sequence[float], at: float, *, flag: bool, key: Callable[[Prompt], str]
) -> dict[str, float]:
    """Return the share of prompts that score at least the threshold, by class or language."""
    found: dict[str, list[bool]] = {}
    for prompt, score in zip(prompts, scores, strict=True):
        if prompt.flag is flag:
            found.setdefault(key(prompt), []).append(score >= at)
    return {name: round(sum(hits) / len(hits), 4) for name, hits in found.items()}


def words(asked: argparse.Namespace) -> Score:
    """Use the `words` rules of a config file."""
    config, document = load(Path(asked.config), {})
    only = config.model_copy(update={"policy": tuple(use for use in config.policy if use.use == "words")})
    policy = Policy(app.rules(only, document))

    def score(text: str) -> float:
        found = policy.check(request(text), 0.0)
        return 0.0 if found is None else HELD if isinstance(found, Hold) else 1.0

    return score


def reader(asked: argparse.Namespace) -> Score:
    """Use the text classifier in generator/judges; its highest class score counts."""
    options = plugins.options_of("judge", "text").model_validate_json(asked.options)
    judge: Any = plugins.create("judge", "text", options)
    judge.load()
    return lambda text: max(judge.read(text).values(), default=0.0)


def remote(asked: argparse.Namespace) -> Score:
    """Use the moderation service; a failed call ends the evaluation."""
    options = plugins.options_of("rule", "moderation_api").model_validate_json(asked.options)
    judge: Any = plugins.create("rule", "moderation_api", options)
    return lambda text: max(asyncio.run(judge.judge_text(request(text))).scores.values(), default=0.0)


def policy(asked: argparse.Namespace) -> Score:
    """Use the text encoder of a Klein checkpoint; a text that is too long counts as held."""
    import torch

    from streamer.generator.klein.device import find_device
    from streamer.generator.klein.loading import load as load_model
    from streamer.generator.klein.policy_judge import CLASS, PolicyJudge, load_head
    from streamer.moderation.thresholds import Thresholds

    folder, device = Path(asked.model), find_device(asked.device)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    model = load_model(folder, device=device, dtype=dtype, finish_block=lambda block: None, decoder=None,
                       report=lambda doing, share: None)  # fmt: skip
    head = load_head(folder / "text_encoder", model.tokenizer, device=device, dtype=dtype)
    judge = PolicyJudge(model, head, Thresholds())

    def score(text: str) -> float:
        judge.start(text)
        return judge.answer().scores.get(CLASS, HELD)

    return score


SCORES: dict[str, Callable[[argparse.Namespace], Score]] = {
    "words": words,
    "text": reader,
    "moderation_api": remote,
    "policy_judge": policy,
}


def request(text: str) -> ImageRequest:
    params, actor = SamplingParams(1280, 720, 4, 1.0, 1), Actor("1", "somebody", Role.VIEWER)
    return ImageRequest(
        "r", "bg", RequestKind.BACKGROUND, "background", text, text, params, actor, Lane.CHAT, 0.0, 30.0
    )


if __name__ == "__main__":
    main()
