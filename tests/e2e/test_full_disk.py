"""The disk fills up during the show: the panel says so at once, the picture on air stays, and it heals by itself."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.real_program import Remote, client, command, environment, free_port, wait_until_ready


def store(status: dict[str, Any]) -> dict[str, str]:
    """Return the line of the store in the panel's Health."""
    (line,) = (part for part in status["sources"] if part["name"] == "store")
    return dict(line)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of a running process")
async def test_a_disk_that_takes_no_more_is_told_and_the_show_goes_on_when_there_is_space_again(
    tmp_path: Path, config_file: Path
) -> None:
    import resource

    environ = environment(tmp_path / "home", port := free_port(), config_file)
    remote = Remote(f"http://127.0.0.1:{port}", tmp_path / "home", tmp_path / "log")
    with command("run", environ=environ, log=remote.log) as process:
        await asyncio.to_thread(wait_until_ready, remote.url)
        async with client(remote.url) as remote.client:
            before = await remote.shown("!bg harbour")
            assert store(await remote.until(lambda status: store(status)["detail"]))["state"] == "ready"

            # No file grows any more, as on a full disk; what SQLite has reserved already is used up at once.
            full = (remote.home / "streamer.db-wal").stat().st_size
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
            for number in range(50):
                if (await remote.say(f"!bg lake {number}"))["outcome"] == "refused":
                    break
            failed = store(await remote.until(lambda status: store(status)["state"] == "failed"))
            assert "no picture goes on air" in failed["detail"]
            assert (await remote.status())["on_air"]["background"] is not None
            metrics = (await remote.client.get("/metrics")).text
            assert "streamer_store_failures_total 0.0" not in metrics
            assert "streamer_disk_free_bytes" in metrics

            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await remote.until(lambda status: store(status)["state"] == "ready")
            assert await remote.shown("!bg desert") != before
