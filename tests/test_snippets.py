"""Every YAML snippet of the documentation works as a config.yaml of its own."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer import app
from streamer.config import load
from streamer.config_checks import checked_config
from streamer.paths import SHIPPED_CONFIG, place
from streamer.storage import secret_files
from tests.support.paths import ROOT

SNIPPET = re.compile(r"^(?P<indent> *)```ya?ml\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)


def snippets() -> Iterator[tuple[str, str]]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        content = page.read_text(encoding="utf-8")
        for found in SNIPPET.finditer(content):
            line = content.count("\n", 0, found.start()) + 1
            yield f"{page.relative_to(ROOT)}:{line}", textwrap.dedent(found["text"])


SNIPPETS = dict(snippets())


@pytest.mark.parametrize("place_of", SNIPPETS)
def test_a_snippet_is_a_file_of_its_own(tmp_path: Path, place_of: str) -> None:
    (path := tmp_path / "config.yaml").write_text(SNIPPETS[place_of], encoding="utf-8")
    where = place({"STREAMER_HOME": str(tmp_path / "home"), "STREAMER_CONFIG": str(path)})
    secret_files.write(secret_files.path_in(where.home, "gpu-pc"), b"token-of-a-worker")
    config, document = checked_config(where, {})
    assert config != load(SHIPPED_CONFIG, {})[0], "it changes nothing"
    assert "words" in [use.use for use in config.policy], "whoever copies it loses the text filter"
    # The text filter takes a second to build, and no snippet depends on it.
    rules = tuple(use for use in config.policy if use.use != "words")
    app.build(config.model_copy(update={"policy": rules}), document, where, {})


def test_there_are_snippets() -> None:
    assert {name.partition(":")[0] for name in SNIPPETS} >= {"README.md", "docs/hotkeys.md", "docs/obs.md"}
