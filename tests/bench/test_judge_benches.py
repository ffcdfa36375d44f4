"""The benches of judges run to their last line on any machine; what they measure there means nothing yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

# Tiny models are slower on several threads, far slower on a busy machine.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(bench: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"bench.{bench}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=110, env=ONE_THREAD)
    assert done.returncode == 0, done.stderr[-2000:]
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert last["bench"] == bench
    return last


def test_the_set_is_labelled_balanced_over_languages_and_free_of_repeats() -> None:
    lines = [json.loads(line) for line in (ROOT / "bench" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({line["text"] for line in lines}) == len(lines) >= 300
    assert Counter(line["language"] for line in lines) == {"en": len(lines) // 2, "ru": len(lines) // 2}
    assert {line["label"] for line in lines} == {"allow", "flag"}
    assert all(0 < len(line["text"]) <= 300 for line in lines)


def test_the_gate_is_evaluated_on_the_whole_set() -> None:
    metrics = run("evaluate_judge", "--judge", "words")["metrics"]
    assert metrics["prompts"] >= 300
    assert metrics["false_alarms"]["harmless"] <= 0.02
    assert set(metrics["caught_by_language"]) == {"en", "ru"}
    assert all(0 <= row["precision"] <= 1 and 0 <= row["recall"] <= 1 for row in metrics["curve"])


def test_the_policy_judge_is_evaluated_and_measured(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from streamer.generator.klein.testing import make_checkpoint

    few = tmp_path / "few.jsonl"
    whole = (ROOT / "bench" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    few.write_text("\n".join([*whole[:4], *whole[-4:]]), encoding="utf-8")
    folder = make_checkpoint(tmp_path / "tiny")
    judged = run(
        "evaluate_judge", "--judge", "policy_judge", "--model", str(folder), "--device", "cpu", "--set", str(few)
    )
    assert judged["metrics"]["prompts"] == 8
    assert len(judged["metrics"]["curve"]) == 8, "random weights give every text another score"
    measured = run("policy_judge", "--model", "tiny", "--runs", "1")["metrics"]
    assert measured["alone_ms"]["p50"] > 0
    assert measured["question_tokens"] > 0
