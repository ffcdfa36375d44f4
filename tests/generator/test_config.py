from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import PROCEDURAL, BackendUse, JudgeUse

OPTIONS = WorkerOptions(preview_width=24, trusted_preview_width=200)
JUDGE, SECOND_OPINION = JudgeUse("nudenet", {}), JudgeUse("clip", {}, always=False)


def setup(backend: BackendUse = PROCEDURAL, *judges: JudgeUse) -> WorkerSetup:
    return WorkerSetup(OPTIONS, backend, ((64, 48),), Path("home"), judges)


def test_a_preview_cannot_be_set_larger_than_32_pixels() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 32"):
        WorkerOptions(preview_width=33)
    with pytest.raises(ValidationError, match="less than or equal to 512"):
        WorkerOptions(trusted_preview_width=513)


def test_trusted_previews_are_sharp_only_without_a_judge() -> None:
    assert setup().preview_widths == (24, 200)
    assert setup(PROCEDURAL, JUDGE).preview_widths == (24, 24)
    assert setup(BackendUse("klein", {}, ("policy_judge",))).preview_widths == (24, 24)


def test_judges_that_are_always_asked_are_expected_and_so_are_those_of_the_backend() -> None:
    klein = BackendUse("klein", {}, ("policy_judge",))
    assert setup(klein, JUDGE, SECOND_OPINION).expected_judges == ("nudenet", "policy_judge")


def test_the_first_message_carries_the_backend_in_use_and_not_the_configured_one() -> None:
    begin = setup(BackendUse("klein", {}), JUDGE).begin(PROCEDURAL)
    assert (begin.backend, begin.sizes, begin.jpeg_quality) == (PROCEDURAL, ((64, 48),), 88)
    assert (begin.own_layouts, begin.judges) == (Path("home/layouts"), (JUDGE,))
