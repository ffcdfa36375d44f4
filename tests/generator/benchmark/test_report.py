"""The table, the Markdown and the JSON say the same, with machine, versions and whether weights were random."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from streamer.generator.benchmark import report
from streamer.generator.benchmark.results import Floor, Machine, Results, Row


def test_the_table_has_a_line_for_each_row_and_the_reason_of_each_that_is_missing(results: Results) -> None:
    about, weights, floor, blank, head, stock, ours, skipped = report.table(results).splitlines()
    assert about.startswith("NVIDIA H200, 151 GB, driver 580.82.07, XEON, Linux x86_64, streamer 0.1.0, torch 2.11.0")
    assert "Random weights" in weights
    assert floor == "Floor: the arithmetic of a picture at the peak published for this card."
    assert not blank
    assert stock.split() == ["klein-4b", "1024x1024", "stock,", "bfloat16", "4", "509", "515", "1.96", "12.2", "-", "-",
                             "-"]  # fmt: skip
    assert ours.split() == ["klein-4b", "1024x1024", "fp8", "(auto)", "4", "172", "178", "5.76", "12.2", "98.0", "57%",
                            "2.96"]  # fmt: skip
    assert len({line.index(word) for line, word in ((head, "steps"), (stock, "4  "), (ours, "4  "))}) <= 2
    assert skipped == "skipped: flux2-dev-turbo 1024x1024: needs 117 GB"


def test_real_weights_are_not_called_random_and_a_measured_peak_is_named(
    machine: Machine, row: Callable[..., Row]
) -> None:
    measured = Floor(98.0, "peak measured here by one large product and one large copy", measured=True)
    text = report.table(Results(machine).with_outcome(row(random=False, floor=measured)))
    assert "Random" not in text
    assert "peak measured here" in text


def test_the_markdown_is_a_table_that_can_be_pasted(results: Results) -> None:
    lines = report.markdown(results).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(results.rows)
    assert len({line.count("|") for line in table}) == 1
    assert "- flux2-dev-turbo 1024x1024: needs 117 GB" in lines
    assert "RTX" not in report.markdown(results)


def test_what_was_measured_before_a_precision_was_chosen_is_told_once(results: Results) -> None:
    stock, ours = results.rows
    times = "fp8 33.9, int8 41.2 ms a step; attention: cudnn 9.0"
    measured = replace(ours, active={"measured": times})
    told = f"Chosen for klein-4b by one step at 1024x1024 on this card: {times}."
    found = replace(results, rows=(stock, measured, measured))
    assert report.table(found).splitlines().count(told) == 1
    assert told in report.markdown(found).splitlines()


def test_the_floor_on_another_card_is_a_line_below_the_table(machine: Machine, row: Callable[..., Row]) -> None:
    other = Floor(301.0, "peak published for that card, fp8 as int8", measured=False)
    found = Results(machine).with_outcome(replace(row(), elsewhere={"A100-SXM4-80GB": other}))
    told = (
        "Floor on A100-SXM4-80GB (peak published for that card, fp8 as int8): klein-4b 1024x1024 fp8, 4 steps: 301 ms."
    )
    assert told in report.table(found).splitlines()
    assert told in report.markdown(found).splitlines()
    assert json.loads(report.as_json(found))["rows"][0]["floor_ms_elsewhere"] == {"A100-SXM4-80GB": 301.0}


def test_columns_in_which_nothing_stands_are_left_out(machine: Machine, row: Callable[..., Row]) -> None:
    painted = Results(machine).with_outcome(row(40.0, model="procedural", floor=None))
    for text in (report.table(painted), report.markdown(painted)):
        assert "p95 ms" in text
        assert "floor ms" not in text
        assert "times stock" not in text


def test_a_machine_without_a_gpu_is_named_without_a_driver(machine: Machine) -> None:
    line = report.machine_line(replace(machine, card="no NVIDIA GPU", memory_gb=None, driver=""))
    assert line.startswith("no NVIDIA GPU, XEON, Linux")


def test_the_json_holds_every_time_and_where_the_floor_is_from(results: Results) -> None:
    content = json.loads(report.as_json(results))
    stock, ours = content["rows"]
    assert content["random_weights"] is True
    assert content["machine"]["versions"]["torch"] == "2.11.0+cu130"
    assert (stock["stock"], ours["stock"]) == (True, False)
    assert ours["times_ms"] == [171.0, 172.0, 178.0]
    assert (ours["floor_ms"], ours["floor_source"]) == (98.0, "peak published for this card")
    assert ours["times_as_fast_as_stock"] == pytest.approx(509 / 172)
    assert content["skipped"][0]["reason"] == "needs 117 GB"


def test_nothing_measured_is_no_empty_table(machine: Machine) -> None:
    nothing = Results(machine)
    assert "p50" not in report.table(nothing) + report.markdown(nothing)


@pytest.mark.parametrize(("value", "text"), [(0.123, "0.12"), (4.06, "4.1"), (40.5, "40.5"), (1525.4, "1,525")])
def test_milliseconds_have_as_many_digits_as_they_are_worth(value: float, text: str) -> None:
    assert report.ms(value) == text
