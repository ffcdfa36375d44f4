"""Fixtures that several folders of tests use: one running program for all of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready

if not Path("/dev/nvidiactl").exists():
    # Before anything imports Triton, which any test with torch in it may: without a GPU its kernels are interpreted.
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """Run ``streamer run`` once for the whole session, with the real generator process."""
    folder = tmp_path_factory.mktemp("served")
    config, port = folder / "config.yaml", free_port()
    config.write_text(CONFIG, encoding="utf-8")
    environ = environment(folder / "home", port, config)
    with command("run", environ=environ, log=folder / "log"):
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Remote(f"http://127.0.0.1:{port}", folder / "home", folder / "log")


@pytest.fixture
async def program(served: Remote) -> AsyncIterator[Remote]:
    """Give a test the running program, blank and open."""
    async with client(served.url) as speaking:
        served.client = speaking
        for path in ("panic", "resume"):
            (await speaking.post(f"/api/v1/{path}")).raise_for_status()
        yield served


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Write the tests' config and return its path."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def environ(tmp_path: Path, config_file: Path) -> dict[str, str]:
    """Return the environment of a program with a state folder and a port of its own."""
    return environment(tmp_path / "home", free_port(), config_file)
