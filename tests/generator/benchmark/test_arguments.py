"""What can be typed behind ``streamer bench``, and what is said of the rest."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from streamer import cli
from streamer.generator.benchmark.arguments import add_arguments


def test_models_sizes_and_precisions_are_lists() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    asked = parser.parse_args(["klein-4b", "sdxl-turbo", "--size", "512x512", "1280X720", "--precision", "auto", "fp8"])
    assert asked.models == ["klein-4b", "sdxl-turbo"]
    assert asked.size == [(512, 512), (1280, 720)]
    assert asked.precision == ["auto", "fp8"]
    assert (asked.runs, asked.random, asked.stock, asked.json, asked.out) == (20, False, False, False, None)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--size", "1024"], "'1024' is no size; write 1024x1024"),
        (["--size", "16x16"], "each side 64 to 4096 pixels"),
        (["--runs", "0"], "'0' is no number of pictures; write 1 to 1000"),
        (["--precision", "fp9"], "invalid choice: 'fp9'"),
    ],
)
def test_a_wrong_argument_names_what_to_write(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["bench", *arguments])
    assert stopped.value.code == 2
    assert problem in capsys.readouterr().err


def test_the_parser_of_all_commands_does_not_wait_for_the_benchmark() -> None:
    code = (
        "import sys; from streamer import cli; cli.parser(); "
        "sys.exit('streamer.generator.benchmark.chart' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3], timeout=60)
