"""What each command of the command line does, in words for a terminal."""

from __future__ import annotations

import asyncio
import getpass
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx

from streamer import app, paths, server
from streamer import doctor as examine
from streamer.api.auth import INCLUDED_ROLES, TokenRole, TokenTable, digest, new_token, standing_tokens
from streamer.commands.parser import Commands
from streamer.config import Config, Use
from streamer.errors import BackendError, ConfigError, ListenError
from streamer.generator.backend_choice import choose
from streamer.integrations.obs import build, password
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.device_login import poll, request_code
from streamer.interfaces import Generator, Health, HealthState
from streamer.moderation.policy import Policy
from streamer.pipeline.dry_run import DryRun, DryRunConfig, as_json, summary
from streamer.storage.audit import parse_since, read_audit
from streamer.storage.privacy import Privacy
from streamer.storage.store import Store
from streamer.triggers import replay
from streamer.types import Actor, Frame, ImageRequest, Role, Trigger

OBS_WITHIN_S = 5.0


async def run(environ: Mapping[str, str], *, twitch: str | None = None, extra: tuple[Use, ...] = ()) -> int:
    """Start everything and stay until told to stop."""
    if twitch is not None:
        extra = (*extra, Use.model_validate({"use": "twitch", "channel": twitch}))
    where = paths.place(environ)
    config, document = app.configured(where, environ)
    listening = server.listen(config.server.host, config.server.port)
    with listening:
        built = app.build(config, document, where, environ, extra)
        _say_hello(built, where, [use.use for use in (*config.triggers, *extra)])
        await server.serve(built, listening, _tell_progress(built.generator))
    print("stopped")
    return 0


async def demo(environ: Mapping[str, str], chat: Path | None, speed: float) -> int:
    """Run with a recorded chat evening as one more source."""
    options = {"use": "replay", "path": str(chat) if chat else "demo", "speed": speed, "loop": True}
    return await run(environ, extra=(Use.model_validate(options),))


async def draw(environ: Mapping[str, str], prompt: str, output: Path, word: str, seed: int | None) -> int:
    """Draw one picture as the running program would, without the running program."""
    where = paths.place(environ)
    config, document = app.configured(where, environ)
    request = _request(app.commands(config, document), f"{config.prefix}{word} {prompt}", word)
    if seed is not None:
        request = replace(request, params=replace(request.params, seed=seed))
    size = (request.params.width, request.params.height)
    generator = app.build_generator(config, document, where, choose(config.generator.use), sizes=(size,))
    running = asyncio.create_task(generator.run())
    try:
        told = _tell_progress(generator)
        while not (health := generator.health()).draws:
            told(health)
            if health.state is HealthState.FAILED:
                raise BackendError(health.detail)
            await asyncio.sleep(0.05)
        started = time.perf_counter()
        async with aclosing(generator.draw(request)) as items:
            frame = [item async for item in items if isinstance(item, Frame)][-1]
        taken = time.perf_counter() - started
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await asyncio.to_thread(output.write_bytes, frame.data)
    print(f"{output}: {frame.width}x{frame.height}, seed {request.params.seed}, {taken * 1000:.0f} ms")
    return 0


def _request(commands: Commands, line: str, word: str) -> ImageRequest:
    """Let the command table turn the prompt into a request, exactly as it does for chat."""
    trigger = Trigger(f"draw-{time.time_ns()}", "draw", line, Actor("draw", "draw", Role.BROADCASTER), 0.0)
    request = commands.interpret(trigger)
    if not isinstance(request, ImageRequest):
        raise ConfigError("--as", f"'{word}' is no command that draws", fix="name one of the commands in config.yaml")
    return request


def rehearse(environ: Mapping[str, str], chat: Path, draw_s: float, as_lines: bool) -> int:
    """Say what would have become of a recorded chat."""
    where = paths.place(environ)
    config, document = app.configured(where, environ)
    house = DryRunConfig(
        app.commands(config, document), Policy(app.rules(config, document)), config.queue, config.approval,
        config.strikes, config.raid, {name: layer.at_least_s for name, layer in config.layers.items()}, draw_s,
    )  # fmt: skip
    outcomes = DryRun(house).run(replay.read(str(chat)))
    if as_lines:
        for outcome in outcomes:
            print(json.dumps(as_json(outcome), ensure_ascii=False))
    else:
        print(summary(outcomes))
    return 0


async def audit(environ: Mapping[str, str], since: str, output: Path) -> int:
    """Write who asked what, every verdict and what was on air when, as JSON lines."""
    where = paths.place(environ)
    rows = await asyncio.to_thread(read_audit, where.home / "streamer.db", parse_since(since, time.time()))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    await asyncio.to_thread(output.write_text, lines, "utf-8")
    print(f"{output}: {len(rows)} lines")
    return 0


async def forget(environ: Mapping[str, str], user_id: str) -> int:
    """Remove everything that is kept about somebody: through the running program if there is one."""
    where = paths.place(environ)
    config, document = app.configured(where, environ)
    if (count := await _forgotten_by_running(config, where, environ, user_id)) is not None:
        print(f"{count} requests forgotten")
        return 0
    store = Store.at(where.home, config.store)
    await store.open()
    try:
        privacy = Privacy(store, config.privacy)
        await privacy.restore()
        forgotten = await privacy.forget(user_id)
        for output in app.keepers(config, document, store):
            await output.publish(forgotten)
        await privacy.finish(forgotten)
        await asyncio.to_thread(build.picture_files(where.home, config.layers).replace_all, {})
    finally:
        await store.close()
    print(f"{len(forgotten.request_ids)} requests forgotten")
    return 0


async def _forgotten_by_running(
    config: Config, where: paths.Place, environ: Mapping[str, str], user_id: str
) -> int | None:
    """Let the running program forget somebody, since it knows more than the disk; None when none runs here."""
    token = standing_tokens(where.home, environ)[TokenRole.OPERATOR]
    address = f"{app.base_url(config)}/api/v1/people/{quote(user_id, safe='')}"
    try:
        # A long time to read: it answers when the pictures in the streamer's folders are gone.
        async with httpx.AsyncClient(timeout=httpx.Timeout(600, connect=10)) as client:
            answer = await client.delete(address, headers={"authorization": f"Bearer {token}"})
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        raise ListenError(config.server.host, config.server.port, f"something there answers {answer.status_code}")
    return int(answer.json()["requests"])


def doctor(environ: Mapping[str, str]) -> int:
    """Print every finding with its fix; exit 1 when something stands in the way of running."""
    findings = examine.examine(environ)
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:<4} {finding.what:<{width}}  {finding.found}")
        if finding.fix:
            print(f"     {'':<{width}}  fix: {finding.fix}")
    return 1 if any(finding.mark == "bad" for finding in findings) else 0


async def login(environ: Mapping[str, str]) -> int:
    """Log in to Twitch by a code that is confirmed in any browser; ask for what the config uses and nothing else."""
    where = paths.place(environ)
    config, document = app.configured(where, environ)
    wanted = app.scopes(config, document)
    account = Account(where.home, config.twitch, wanted)
    try:
        code = await request_code(config.twitch, account.http, wanted)
        print(f"Open      {code.url}\nand enter {code.code}")
        asked = ", ".join(f"{scope} ({feature})" for scope, feature in wanted.items())
        print(f"It asks for: {asked or 'nothing but your name'}")
        print("Waiting ...", flush=True)
        await account.tokens.store(await poll(config.twitch, account.http, wanted, code))
        access = await account.tokens.validate()
    finally:
        await account.close()
    print(f"Logged in as {access.login}. A running program takes the login up by itself.")
    return 0


async def obs_install(environ: Mapping[str, str], scenes: Sequence[str], *, place: bool) -> int:
    """Put the overlay into the OBS that runs now, or mend it there; the program itself need not run."""
    where = paths.place(environ)
    config, _ = app.configured(where, environ)
    options = config.obs or ObsOptions()
    overlay_url = app.overlay_address(config, TokenTable(standing_tokens(where.home, environ)))
    client = build.build_client(options, where.home, environ)
    async with client.running() as events:
        await client.wait_until_ready(events, OBS_WITHIN_S)
        installer = build.build_installer(client, build.OverlayPages(config.layers, overlay_url), where.home)
        report = await installer.install(scenes or options.scenes, place=place)
    for line in report.changes or ("Everything is there, and as it should be",):
        print(line)
    for problem in report.problems:
        print(f"Note: {problem}")
    if config.obs is None and report.kind is SourceKind.IMAGE:
        print("Note: pictures reach OBS only while the program is connected to it: add a section obs: to config.yaml")
    return 0


def obs_password(environ: Mapping[str, str]) -> int:
    """Keep the password of OBS's WebSocket server where only its owner can read it."""
    where = paths.place(environ)
    given = getpass.getpass("Password (OBS: Tools > WebSocket Server Settings > Show Connect Info): ")
    print(f"Kept in {password.write(where.home, given.strip())}. A running program takes it up by itself.")
    return 0


async def token(environ: Mapping[str, str], action: str, name: str, role: str) -> int:
    """Make, list or revoke access tokens."""
    where = paths.place(environ)
    config, _ = app.configured(where, environ)
    store = Store.at(where.home, config.store)
    await store.open()
    try:
        if action == "new":
            made = new_token()
            await store.tokens.add(digest(made), TokenRole(role), name)
            panel = (
                f"Panel: {app.base_url(config)}/#{made}\n"
                if TokenRole.MODERATOR in INCLUDED_ROLES[TokenRole(role)]
                else ""
            )
            print(f"{made}\n{panel}This is shown once. A program that runs knows it in a second.")
        elif action == "list":
            for issued in await store.tokens.all():
                made_on = time.strftime("%Y-%m-%d %H:%M", time.localtime(issued.created_at))
                print(f"{issued.name}\t{issued.role}\t{made_on}")
        else:
            print(f"{await store.tokens.delete(name)} revoked")
    finally:
        await store.close()
    return 0


def _say_hello(built: app.App, where: paths.Place, sources: list[str]) -> None:
    print(f"Config:   {where.config}")
    print(f"State:    {where.home}")
    print(f"Backend:  {built.choice.name} ({built.choice.why})")
    print(f"Sources:  {', '.join(sources) or 'none yet (try: streamer run --twitch YOUR_CHANNEL)'}")
    print(f"Panel:    {built.panel_url}")
    print(f"Overlay:  {built.overlay_url}", flush=True)


def _tell_progress(generator: Generator) -> server.Told:
    """Print a line whenever the generator does something new, and what is really active when it is ready."""
    last = ""

    def tell(health: Health) -> None:
        nonlocal last
        line = f"{health.state}: {health.detail}" if health.detail else health.state
        if health.state is not HealthState.BUSY and line != last:
            print(f"Generator {line}", flush=True)
            last = line
            if health.state is HealthState.READY:
                print(
                    "Active:   " + ", ".join(f"{what} {value}" for what, value in generator.active.items()), flush=True
                )

    return tell
