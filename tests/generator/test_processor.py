"""How fast the processor is: measured once, remembered, and what is offered by it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from streamer.generator import models, processor
from streamer.generator.processor import Processor

MODEL = models.shipped()["sdxs-512"]


def test_it_is_measured_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = processor.known(tmp_path)
    assert first.rate > 0
    assert first.cores >= 1
    assert first.name
    monkeypatch.setattr(processor, "measure", lambda: pytest.fail("measured again"))
    assert processor.known(tmp_path) == first


def test_measuring_again_keeps_the_higher_rate_and_what_models_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = processor.known(tmp_path)
    processor.remember_picture(tmp_path, MODEL.name, 1.25)
    for rate, kept in [(first.rate / 2, first.rate), (first.rate * 2, first.rate * 2)]:
        monkeypatch.setattr(processor, "measure", lambda rate=rate: Processor(first.name, first.cores, rate))
        found = processor.known(tmp_path, again=True)
        assert (found.rate, dict(found.pictures)) == (kept, {MODEL.name: 1.25})


@pytest.mark.parametrize("content", ["", "[]", '{"name": "x"}', '{"name": "another", "cores": 1, "rate": 1}'])
def test_a_note_of_another_processor_or_a_broken_one_is_made_again(tmp_path: Path, content: str) -> None:
    (tmp_path / processor.FILE).write_text(content)
    assert processor.known(tmp_path).rate > 1
    assert json.loads((tmp_path / processor.FILE).read_bytes())["name"] != "another"


def test_what_a_model_really_took_wins_over_the_estimate(tmp_path: Path) -> None:
    estimated = processor.expected(processor.known(tmp_path), MODEL)
    assert not estimated.measured
    assert str(estimated).startswith("about ")
    processor.remember_picture(tmp_path, MODEL.name, 1.25)
    measured = processor.expected(processor.known(tmp_path), MODEL)
    assert (measured.seconds, measured.measured, str(measured)) == (1.25, True, "1.2 s a picture")


def test_the_estimate_is_arithmetic_over_rate() -> None:
    assert processor.expected(Processor("p", 4, rate=1000.0), MODEL).seconds == pytest.approx(MODEL.arithmetic)


def test_a_real_model_is_offered_where_the_processor_is_fast_enough() -> None:
    slow, fast = Processor("old", 2, rate=20.0), Processor("new", 16, rate=1000.0)
    assert processor.offer(slow) == ""
    assert processor.offer(fast).startswith("sdxs-512 would draw on this processor in about 0.5 s a picture: ")


def test_a_folder_that_cannot_be_written_costs_the_note_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert processor.known(tmp_path / "missing").rate > 0
    assert (caplog.text, (tmp_path / "missing").exists()) == ("", False)
    (tmp_path / processor.FILE).mkdir()
    with caplog.at_level(logging.WARNING):
        assert processor.known(tmp_path).rate > 0
    assert "cannot be remembered" in caplog.text
