"""The program is killed in the middle of an evening: whoever waited gets their picture after the restart."""

from __future__ import annotations

from pathlib import Path

from tests.support.real_program import CONFIG, Remote, client, command, environment, free_port, wait_until_ready


async def test_after_a_kill_what_waited_is_drawn_once(tmp_path: Path) -> None:
    config, port = tmp_path / "config.yaml", free_port()
    config.write_text(CONFIG, "utf-8")
    environ, remote = (
        environment(tmp_path / "home", port, config),
        Remote(f"http://127.0.0.1:{port}", tmp_path, tmp_path),
    )
    async with client(remote.url) as remote.client:
        with command("run", environ=environ, log=tmp_path / "first") as process:
            wait_until_ready(remote.url)
            await remote.shown("!meme cat | one", role="viewer")
            waiting = await remote.say("!meme dog | two", role="viewer", name="ben")
            assert waiting["outcome"] == "queued"
            (row,) = (await remote.status())["pending"]
            assert 0 < row["wait_s"] <= 31
            process.kill()
            process.wait()
        with command("run", environ=environ, log=tmp_path / "second"):
            wait_until_ready(remote.url)
            assert (await remote.ended(waiting["id"]))["state"] == "shown"
            again = await remote.say("!meme dog | two", role="viewer", name="ben", id=waiting["id"])
            assert again["outcome"] == "duplicate"
