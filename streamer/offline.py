"""What the running program does, done without it: draw one picture, rehearse a chat, forget one person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx

from streamer import app, plugins
from streamer.api.auth import TokenRole, standing_tokens
from streamer.commands.parser import Commands
from streamer.config import Config, selections
from streamer.config_file import Document
from streamer.errors import ApiError, BackendError, ConfigError
from streamer.generator.backend_choice import choose
from streamer.integrations.obs import build
from streamer.interfaces import Generator, Health, HealthState, Output
from streamer.moderation.policy import Policy
from streamer.paths import Place
from streamer.pipeline.dry_run import DryRun, DryRunConfig, LineOutcome
from streamer.storage.privacy import Privacy
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store
from streamer.triggers import replay
from streamer.types import Actor, Frame, ImageRequest, Role, Trigger

KEEPERS = ("archive", "evening")
"""The outputs that keep copies of pictures."""

FORGET_WITHIN_S = 600.0
"""The running program answers only when the pictures in the streamer's folders are deleted, too."""

HealthListener = Callable[[Health], None]


def request_of(commands: Commands, config: Config, word: str, prompt: str, seed: int | None) -> ImageRequest:
    """Let the command table turn a prompt into a request, exactly as it does for chat."""
    line = f"{config.prefix}{word} {prompt}"
    trigger = Trigger(f"draw-{time.time_ns()}", "draw", line, Actor("draw", "draw", Role.BROADCASTER), 0.0)
    request = commands.interpret(trigger)
    if not isinstance(request, ImageRequest):
        raise ConfigError("--as", f"no command '{word}' draws a picture", fix="name a drawing command of config.yaml")
    return request if seed is None else replace(request, params=replace(request.params, seed=seed))


async def draw(
    config: Config, document: Document, where: Place, request: ImageRequest,
    listener: Callable[[Generator], HealthListener],
) -> tuple[Frame, float]:  # fmt: skip
    """Start a generator, draw one request, and return the picture and the seconds that drawing took."""
    size = (request.params.width, request.params.height)
    generator = app.build_generator(config, document, where, choose(config.generator.use), sizes=(size,))
    running = asyncio.create_task(generator.run())
    try:
        await _ready(generator, listener(generator))
        started = time.perf_counter()
        async with aclosing(generator.draw(request)) as items:
            frame = [item async for item in items if isinstance(item, Frame)][-1]
        return frame, time.perf_counter() - started
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _ready(generator: Generator, update: HealthListener) -> None:
    """Report the state of a generator until it draws; raise BackendError when it never will."""
    while not (health := generator.health()).draws:
        update(health)
        if health.state is HealthState.FAILED:
            raise BackendError(health.detail)
        await asyncio.sleep(0.05)


def rehearse(config: Config, document: Document, chat: Path, draw_s: float) -> list[LineOutcome]:
    """Run a recorded chat through the rules and the queue without drawing; a picture takes ``draw_s`` seconds."""
    dry_run = DryRunConfig(
        commands=app.commands(config, document), policy=Policy(app.rules(config, document)), queue=config.queue,
        show=app.show_config(config), layers=config.layers, draw_s=draw_s,
    )  # fmt: skip
    return DryRun(dry_run).run(replay.read(str(chat)))


@asynccontextmanager
async def opened_store(config: Config, where: Place) -> AsyncIterator[Store]:
    """Open the store beside a program that may be running."""
    store = Store.at(where.home, config.store)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def forget(config: Config, document: Document, where: Place, user_id: str) -> int:
    """Delete everything that is kept about somebody; return the number of requests."""
    async with opened_store(config, where) as store:
        privacy = Privacy(store, config.privacy)
        await privacy.restore()
        forgotten = await privacy.forget(user_id)
        for output in _keepers(config, document, store):
            await output.publish(forgotten)
        await privacy.finish(forgotten)
        await asyncio.to_thread(build.picture_files(where.home, config.layers).replace_all, {})
    return len(forgotten.request_ids)


def _keepers(config: Config, document: Document, store: Store) -> list[Output]:
    """Build the outputs that keep copies."""
    outputs = selections("output", ("outputs",), config.outputs)
    shared = {"store": store, "pseudonyms": Pseudonyms(store.home)}
    return plugins.create_all([output for output in outputs if output.name in KEEPERS], document, shared)


async def forget_in_running_program(
    config: Config, where: Place, environ: Mapping[str, str], user_id: str
) -> int | None:
    """Ask the running program, which knows more than the disk; return None when no program runs here."""
    token = standing_tokens(where.home, environ)[TokenRole.OPERATOR]
    address = f"{config.server.url}/api/v1/people/{quote(user_id, safe='')}"
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(FORGET_WITHIN_S, connect=10)) as client:
            answer = await client.delete(address, headers={"authorization": f"Bearer {token}"})
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        raise ApiError(config.server.url, answer.status_code)
    return int(answer.json()["requests"])
