"""The set of ages: readable lines, terms by id, and what the shipped filter does with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.ages import SHIPPED_SET, Line, lines, spelled_out, wrong

LANGUAGES = {"en", "de", "fr", "es", "pt", "pl", "tr", "ru", "uk"}


def test_the_shipped_set_is_judged_rightly_but_for_a_few_ages() -> None:
    tried = list(lines(SHIPPED_SET))
    assert {line.language for line in tried} == LANGUAGES
    failed = wrong(tried)
    assert [line for line in failed if not line.must_stop] == []
    assert len(failed) * 20 <= sum(line.must_stop for line in tried)


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.tsv"
    path.write_text("# note\nstop\ten\t12 yo {plum-1}\nperhaps\ten\tboat\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 3: write stop or pass"):
        list(lines(path))


def test_terms_stand_as_ids() -> None:
    assert spelled_out("12 yo {plum-1}", {"plum-1": "purple"}) == "12 yo purple"
    with pytest.raises(ValueError, match="no term 'plum-2'"):
        spelled_out("{plum-2}", {"plum-1": "purple"})


def test_what_is_judged_wrongly_is_returned() -> None:
    harmless = Line(must_stop=True, language="en", text="a harbour at night")
    assert wrong([harmless, Line(must_stop=False, language="en", text="my 12 year old cat")]) == [harmless]
