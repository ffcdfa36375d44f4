"""The scripted first evening goes well, and a step that fails is named, with pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import newcomer
from tests.support.browsers import CURRENT, require
from tests.support.paths import ROOT

pytestmark = pytest.mark.browser


def test_a_new_users_evening_goes_well_from_the_start_to_ctrl_c(tmp_path: Path) -> None:
    require(CURRENT)
    evening = subprocess.run(
        [sys.executable, "-m", "scripts.newcomer", "--shots", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    print(evening.stdout, evening.stderr)
    assert evening.returncode == 0
    result = json.loads(evening.stdout.splitlines()[-1])
    assert (result["newcomer"], result["steps"]) == ("ok", len(newcomer.STEPS))
    assert list(tmp_path.iterdir()) == []


async def test_the_first_step_that_fails_ends_the_evening_with_its_name_pictures_and_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require(CURRENT)

    async def opens_a_page(evening: newcomer.Newcomer) -> None:
        """A page opens"""
        evening.log.write_text("what the program printed")
        evening.panel = await evening.open("about:blank")

    async def finds_nothing(evening: newcomer.Newcomer) -> None:
        """Something is there"""
        newcomer.expect(False, "it is not there")

    assert await newcomer.run(tmp_path, (opens_a_page, finds_nothing, opens_a_page)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4, "the third step is left out"
    assert "FAILED" in lines[1]
    assert "Something is there: StepFailed: it is not there" in lines[1]
    assert json.loads(lines[-1])["step"] == "finds_nothing"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "panel.png"]
