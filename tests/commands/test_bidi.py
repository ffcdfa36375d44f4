"""The order of display: letters of one direction stay together, and a line begins where its first letter says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.commands.bidi import DirectedRun, display_order, display_runs
from streamer.text import is_mixed

MIXED = st.text(st.sampled_from("abc דשא بتث 123 .,-+$%() ٣٤ é\u0301\u064b\u200c"), max_size=30)


@pytest.mark.parametrize("line", ["", "harbour at night", "гавань 123", "日本 und ½"])
def test_a_line_from_left_to_right_is_one_run(line: str) -> None:
    assert display_runs(line) == [DirectedRun(line, False)]
    assert not is_mixed(line)


# Compared with python-bidi on 20,000 random lines; only brackets may differ.
@pytest.mark.parametrize(
    ("line", "displayed"),
    [
        ("שלום", ["שלום"]),
        ("car שלום בית", ["car ", "שלום בית"]),
        ("car שלום bus", ["car ", "שלום", " bus"]),
        ("שלום car בית", [" בית", "car", "שלום "]),
        ("שלום 123 בית", [" בית", "123", "שלום "]),
        ("שלום 1,5 %", [" %", "1,5", "שלום "]),
        ("שלום 12%", ["12%", "שלום "]),
        ("abc 123 שלום", ["abc 123 ", "שלום"]),
        ("ثمن 123", ["123", "ثمن "]),
        ("fu א ck", ["fu ", "א", " ck"]),
        ("א ck ב fu", ["fu", " ב ", "ck", "א "]),
        ("(שלום)", ["(שלום)"]),
        ("می\u200cخواهم!", ["می\u200cخواهم!"]),
    ],
)
def test_runs_stand_as_people_read_them(line: str, displayed: list[str]) -> None:
    assert [run.text for run in display_runs(line)] == displayed


@given(MIXED)
def test_no_letter_is_lost_and_each_run_is_a_piece_of_the_line(line: str) -> None:
    runs = display_runs(line)
    assert sorted(display_order(line)) == sorted(line)
    assert all(run.text in line for run in runs)
