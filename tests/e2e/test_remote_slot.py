"""The whole program draws on another computer: a chat line becomes a picture on the overlay, and a panic stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from streamer.storage import secret_files
from tests.support.embedded import place, served
from tests.support.real_program import CONFIG
from tests.support.remote_worker import TOKEN, listening
from tests.support.waiting import until

SLOT = "generator: {{slots: [{{use: remote, url: 'ws://127.0.0.1:{port}', token_file: gpu}}]}}\n"


async def test_a_chat_line_is_drawn_there_and_painted_here_and_a_panic_stops_it(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker:
        where = place(tmp_path, SLOT.format(port=worker.port) + CONFIG)
        secret_files.write(secret_files.path_in(where.home, "gpu"), TOKEN.encode())
        async with served(where) as program:
            request_id = await program.say("!bg a stormy harbour", "viewer", "zoe")
            await until(lambda: request_id in program.page.painted_at)
            state = (await program.client.get("/api/v1/status")).json()
            assert state["generator"]["state"] == "ready"
            assert state["generator"]["detail"].startswith("the worker at ws://127.0.0.1")
            (drawing,) = program.app.generator.slots
            await program.say("!bg endless rain", "viewer", "ben")
            await until(lambda: drawing.health().state == "busy" or len(program.page.painted_at) > 1)
            await program.client.post("/api/v1/panic")
            await until(lambda: program.page.cleared_at > 0)
            async with asyncio.timeout(20):
                while not drawing.free:
                    await drawing.change()
