"""Composition root: builds each part from the config; server.py runs them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI
from pydantic import BaseModel

from streamer import __version__, plugins
from streamer.api import (
    controls,
    drafts,
    health,
    models,
    moderation,
    panel,
    pictures,
    problem_details,
    requests,
    stage,
    triggers,
)
from streamer.api.auth import TokenRole, TokenTable, standing_tokens
from streamer.api.connection_guard import vouch
from streamer.api.dependencies import ApiContext
from streamer.api.origin_guard import OriginGuard, allowed
from streamer.api.v1 import faults
from streamer.api.v1 import routes as picture_api
from streamer.api.v1.draws import TenantDraws
from streamer.api.v1.links import Links
from streamer.api.v1.picture_api import PictureApi
from streamer.api.v1.tenants import Tenants
from streamer.commands.event_triggers import EventTriggers
from streamer.commands.options import CommandOptions, Sampling
from streamer.commands.parser import Commands
from streamer.commands.styles import loras_of
from streamer.config import WILDCARDS, Config, Use, selections
from streamer.config_checks import check_known, check_sold, checked_triggers
from streamer.config_file import Document
from streamer.errors import BackendUnavailable, ConfigError
from streamer.generator.backend_choice import BackendChoice, choose, options_of_model
from streamer.generator.config import WorkerSetup
from streamer.generator.gpus import GpuMonitor
from streamer.generator.ipc import PROCEDURAL, BackendUse, JudgeUse
from streamer.generator.lora.files import check_here
from streamer.generator.pool import Pool
from streamer.generator.pool_channel import PoolChannel
from streamer.generator.restart_policy import CrashingRequests
from streamer.integrations import network
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.blocked_terms import BlockedTerms
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.integrations.twitch.subscriptions import scopes_of_events
from streamer.interfaces import Abilities, Output, Reporting, Rule, Source
from streamer.moderation.policy import Policy, implements
from streamer.overlay import server
from streamer.overlay.hub import Hub
from streamer.paths import Place, file_to_edit
from streamer.pipeline.admit import TriggerTables
from streamer.pipeline.dry_run import DryRunConfig
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.pacing import AirTime
from streamer.pipeline.pipeline import Channel, Pipeline, build_channel
from streamer.pipeline.scheduler import Scheduler
from streamer.pipeline.show import ShowConfig, ShowParts, new_show
from streamer.pipeline.stage import Stage
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store
from streamer.types import Lora

if TYPE_CHECKING:
    from streamer.integrations.obs.build import Obs

log = logging.getLogger(__name__)

KEEPERS = ("archive", "evening")
"""The outputs that keep copies of pictures."""
LONGEST_BODY = 65_536
"""In bytes. No route takes more than a line of text, and a body is read before the token is checked."""


@dataclass(frozen=True, slots=True)
class App:
    """Everything that build() built, before it runs."""

    config: Config
    choice: BackendChoice
    store: Store
    generator: Pool
    channel: Channel
    pipeline: Pipeline
    asgi: Callable[..., Awaitable[None]]
    tokens: TokenTable
    tenants: Tenants
    panel_url: str
    overlay_url: str
    twitch: Account
    terms: BlockedTerms


def build(
    config: Config, document: Document, where: Place, environ: Mapping[str, str], extra: tuple[Use, ...] = ()
) -> App:
    """Build every part, with the extra sources of the command line; nothing runs yet."""
    store = Store.at(where.home, config.store)
    config_file = file_to_edit(where)
    twitch = Account(where.home, config.twitch, twitch_scopes(config, document), config_file)
    choice = choose(config.generator.use)
    generator = build_generator(config, document, where, choice, _sizes(config))
    policy = Policy(rules(config, document))
    hub, metrics, on_air = Hub(config.layers), Metrics(), Stage(tuple(config.layers))
    tokens = TokenTable(standing_tokens(where.home, environ))
    overlay_url = overlay_url_of(config.server.url, tokens)
    obs = _obs(config, where, environ, overlay_url_of(url_for_obs(config), tokens), hub, on_air)
    table = commands(config, document)
    sources, outputs = _sources_and_outputs(config, document, extra, _shared(where, twitch, store, policy))
    check_sold(outputs, config.events, table, document)
    tables = TriggerTables(
        named=checked_triggers(config, document, table, sources),
        events=EventTriggers(config.events, config.prefix),
        automations=config.when,
    )
    reporting = [twitch, *(output for output in outputs if isinstance(output, Reporting))]
    if obs is not None:
        sources, outputs = [*sources, obs.source], [*outputs, obs.output]
    show = new_show(
        ShowParts(
            commands=table,
            policy=policy,
            scheduler=Scheduler(config.queue),
            stage=on_air,
            hub=hub,
            metrics=metrics,
            generator=PoolChannel(generator),
            store=store,
            outputs=outputs,
            program_view=obs.screenshot if obs is not None else None,
            reporting=[*sources, *reporting],
        ),
        show_config(config),
    )
    channel = build_channel(show, tables)
    by_key = _picture_api(config, channel, choice, _sampling(config, document))
    context = ApiContext(
        channel,
        store,
        tokens,
        config.server.url,
        overlay_url,
        where.web,
        where.home,
        config_file,
        by_key,
        GpuMonitor(),
        config.server.exposed,
    )
    api = _guarded(_http_api(context, hub, metrics), config)
    panel_url = panel_url_of(config.server.url, tokens.standing[TokenRole.OPERATOR])
    return App(
        config, choice, store, generator, channel, Pipeline(channel, sources, outputs), api, tokens, by_key.tenants,
        panel_url, overlay_url, twitch, BlockedTerms(twitch, policy.import_terms),
    )  # fmt: skip


def _picture_api(config: Config, channel: Channel, choice: BackendChoice, sampling: Sampling) -> PictureApi:
    """Build what programs draw with by key."""
    own_sizes = tuple(f"{width}x{height}" for width, height in reversed(_sizes(config)))
    options = config.picture_api.model_copy(update={"sizes": config.picture_api.sizes or own_sizes})
    generator = channel.show.generator
    chosen = choice.name if choice.model is None else choice.model.name

    def models() -> tuple[str, ...]:
        active = generator.active
        return (active["backend"] if "fallback" in active else chosen, *options.also_called)

    draws = TenantDraws(channel, sampling, options.longest_wait_s)
    usage = channel.show.store.tenants
    return PictureApi(options, Tenants(options), draws, usage, models, Links(options.url_minutes * 60))


def _shared(where: Place, twitch: Account, store: Store, policy: Policy) -> dict[str, object]:
    """Gather the parts that plug-ins may ask for by name."""
    return {
        "twitch": twitch,
        "store": store,
        "policy": policy,
        "reward_commands": RewardCommands(),
        "pseudonyms": Pseudonyms(where.home),
        "config_file": file_to_edit(where),
    }


def _sources_and_outputs(
    config: Config, document: Document, extra: tuple[Use, ...], shared: Mapping[str, object]
) -> tuple[list[Source], list[Output]]:
    """Create the sources of the file and of the command line, and the outputs."""
    sources = [
        *selections("trigger", ("triggers",), config.triggers),
        *selections("trigger", ("command line",), extra),
    ]
    outputs = selections("output", ("outputs",), config.outputs)
    return plugins.create_all(sources, document, shared), plugins.create_all(outputs, document, shared)


def _guarded(api: FastAPI, config: Config) -> OriginGuard:
    server_config = config.server
    names = server_config.allowed_hosts
    if server_config.host not in WILDCARDS:
        names = (*names, server_config.host)
    return OriginGuard(api, allowed(server_config.port, names, server_config.public_url))


def show_config(config: Config) -> ShowConfig:
    """Gather what config.yaml says about the show."""
    return ShowConfig(
        approval=config.approval,
        strikes=config.strikes,
        privacy=config.privacy,
        raid_mode=config.raid,
        game_mode=config.generator.parked,
        air_times={name: AirTime(layer.at_least_s, layer.at_least_busy_s) for name, layer in config.layers.items()},
        air_time_s={command.layer: command.seconds for command in _pictures(config) if command.layer},
        patience_s=config.queue.expires_s,
        same_s=config.queue.same_s,
    )


def _http_api(context: ApiContext, hub: Hub, metrics: Metrics) -> FastAPI:
    """Put the pages and routes together."""
    api = FastAPI(
        title="streamer", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
        max_body_size=LONGEST_BODY,
    )  # fmt: skip
    api.state.context = context
    problem_details.install(api, lambda: metrics.malformed("http"), {faults.PREFIX: faults.answer})
    for module in (
        triggers,
        controls,
        stage,
        requests,
        drafts,
        pictures,
        moderation,
        models,
        panel,
        health,
        picture_api,
    ):
        api.include_router(module.router)
    api.include_router(drafts.sockets)
    tokens = context.tokens
    api.routes.extend(
        server.routes(
            hub,
            lambda token: tokens.opens(token, TokenRole.OVERLAY),
            context.web,
            lambda page: vouch(page, TokenRole.OVERLAY),
        )
    )
    return api


def _obs(
    config: Config, where: Place, environ: Mapping[str, str], overlay_url: str, hub: Hub, stage: Stage
) -> Obs | None:
    """Build the connection to OBS, if config.yaml has a section for it."""
    if config.obs is None:
        return None
    # Only here: a program without OBS needs no obsws-python.
    from streamer.integrations.obs import build

    def pages() -> list[str]:
        return [page.obs for page in hub.pages.describe()]

    overlay = build.OverlayPages(config.layers, overlay_url)
    return build.build_obs(config.obs, overlay, where.home, environ, pages, stage.current)


def build_generator(
    config: Config, document: Document, where: Place, choice: BackendChoice, sizes: tuple[tuple[int, int], ...]
) -> Pool:
    """Build whatever draws pictures, with the options of every backend checked."""
    backend = chosen_backend(config, document, choice)
    judges = _judges(config, document, backend)
    loras = style_loras(config, document)
    setup = WorkerSetup(config.generator.process, backend, sizes, where.own, tuple(judges), loras=loras)
    shared = {"worker_setup": setup, "home": where.home}
    process = config.generator.process
    crashing = CrashingRequests(process.poison_after, process.poison_for_s)
    return Pool(plugins.create_all(slot_selections(config), document, shared), process.deadline_s, crashing)


def slot_selections(config: Config) -> list[plugins.Selection]:
    """Return the slots of the file; without any, there is the process on this computer."""
    return selections("slot", ("generator", "slots"), config.generator.slots or (Use(use="local"),))


def style_loras(config: Config, document: Document) -> tuple[Lora, ...]:
    """Return the LoRAs of all styles; each that is not on the hub must be a good file here."""
    found: list[Lora] = []
    for name, style in config.styles.items():
        try:
            check_here(loras_of(style.lora, ""))
        except BackendUnavailable as error:
            raise document.error(("styles", name, "lora"), error.problem, error.fix) from None
        found += loras_of(style.lora, f"styles.{name}.lora")
    return tuple(found)


def chosen_backend(config: Config, document: Document, choice: BackendChoice) -> BackendUse:
    """Return the backend that draws with its options; the name of a model wins over the model among them."""
    plugins.options_model("backend", choice.name, document, ("generator", "use"))
    judges_itself = getattr(_checked_backends(config, document).get(choice.name), "policy_judge", False)
    options = {**config.generator.backends.get(choice.name, {}), **options_of_model(choice)}
    return BackendUse(choice.name, options, ("policy_judge",) if judges_itself else ())


def _checked_backends(config: Config, document: Document) -> dict[str, BaseModel]:
    """Check the options of every backend that the file names, whichever one draws."""
    checked = {}
    for name, options in config.generator.backends.items():
        at = ("generator", "backends", name)
        checked[name] = document.check(plugins.options_model("backend", name, document, at), options, at)
    return checked


def check(config: Config, document: Document) -> None:
    """Raise the ConfigErrors that build() would raise, as far as they show without the state folder."""
    choice = choose(config.generator.use)
    plugins.options_model("backend", choice.name, document, ("generator", "use"))
    _checked_backends(config, document)
    style_loras(config, document)
    table = commands(config, document)
    rules(config, document)
    lists = {"trigger": config.triggers, "output": config.outputs}
    uses = [use for seam, entries in lists.items() for use in selections(seam, (f"{seam}s",), entries)]
    judges = selections("judge", ("generator", "judges"), config.generator.judges)
    for selection in (*uses, *judges, *slot_selections(config)):
        plugins.checked_options(selection, document)
    check_sold((), config.events, table, document)
    checked_triggers(config, document, table, ())


def _judges(config: Config, document: Document, backend: BackendUse) -> list[JudgeUse]:
    """Check the judges' options; without a rule that acts on them their scores would change nothing."""
    uses = config.generator.judges
    if (uses or backend.opinions) and not any(rule.use == "picture" for rule in config.policy):
        fix = "add {use: picture} to policy"
        raise document.error(("generator", "judges"), "no rule acts on what the judges find", fix)
    if not uses:
        log.warning("no judge is set (generator.judges): no model checks pictures before they go on air")
    judges = []
    for selection in selections("judge", ("generator", "judges"), uses):
        options = plugins.checked_options(selection, document)
        judges.append(JudgeUse(selection.name, selection.options, not getattr(options, "second_opinion", False)))
    return judges


def _sizes(config: Config) -> tuple[tuple[int, int], ...]:
    """Return every size that a command draws, smallest first: these are warmed up."""
    return tuple(
        sorted({(command.width, command.height) for command in _pictures(config)}, key=lambda size: size[0] * size[1])
    )


def _pictures(config: Config) -> list[CommandOptions]:
    """Return the commands that draw."""
    return [command for command in config.commands.values() if command.draws]


def rules(config: Config, document: Document) -> list[Rule]:
    """Build the policy chain, in the order of the file."""
    if not any(use.use == "words" for use in config.policy):
        log.warning("policy has no rule 'words': nothing reads what viewers ask for before it is drawn")
    rules: list[Rule] = plugins.create_all(selections("rule", ("policy",), config.policy), document)
    for index, rule in enumerate(rules):
        if implements(rule, "styles"):
            check_known("style", rule.styles, config.styles, document, ("policy", index))
        if implements(rule, "commands"):
            check_known("command", rule.commands, config.commands, document, ("policy", index))
    return rules


def commands(config: Config, document: Document) -> Commands:
    """Build the table of commands."""
    try:
        return Commands(
            config.commands, styles=config.styles, expires_after_s=config.queue.gives_up_s, prefix=config.prefix,
            sampling=_sampling(config, document),
        )  # fmt: skip
    except ConfigError as error:
        raise document.relocated(error) from None


def _sampling(config: Config, document: Document) -> Sampling:
    """Return what the model that draws is made for; commands that say nothing else are drawn so."""
    use = chosen_backend(config, document, choose(config.generator.use))
    options = plugins.options_model("backend", use.name, document, ("generator", "use")).model_validate(use.options)
    sampling = getattr(options, "sampling", None)
    return sampling if isinstance(sampling, Sampling) else Sampling()


def twitch_scopes(config: Config, document: Document) -> dict[str, str]:
    """Collect what a Twitch login must cover: the scopes that the selected plug-ins need, each with its feature."""
    needed = scopes_of_events(trigger.event for trigger in config.events)
    sources = selections("trigger", ("triggers",), config.triggers)
    outputs = selections("output", ("outputs",), config.outputs)
    needed = {**needed, **plugins.scopes([*sources, *outputs], document)}
    if not needed:
        return {}
    # Rules can use a login that exists anyway; nobody has to log in for them alone.
    return needed | plugins.scopes(selections("rule", ("policy",), config.policy), document)


def panel_url_of(url: str, token: str) -> str:
    """Return the address of the panel for a token; browsers never send what stands behind #."""
    return f"{url}/#{quote(token, safe='')}"


def url_for_obs(config: Config) -> str:
    """Return where OBS reaches the server: on this computer at an address that no network changes."""
    obs_is_here = config.obs is None or network.is_this_computer(config.obs.host)
    return config.server.local_url if obs_is_here and not config.server.public_url else config.server.url


def overlay_url_of(url: str, tokens: TokenTable) -> str:
    """Return the address of the overlay's page, with its token in the fragment."""
    return f"{url}/overlay#{quote(tokens.standing[TokenRole.OVERLAY], safe='')}"


def dry_run_config(config: Config, document: Document, draw_s: float) -> DryRunConfig:
    """Gather what a dry run takes from config.yaml; drawing a picture takes ``draw_s`` seconds."""
    return DryRunConfig(
        commands=commands(config, document), policy=Policy(rules(config, document)), queue=config.queue,
        show=show_config(config), layers=config.layers, draw_s=draw_s,
        abilities=Abilities(edits=choose(config.generator.use).name != PROCEDURAL.name),
    )  # fmt: skip


def keepers(config: Config, document: Document, store: Store) -> list[Output]:
    """Build the outputs that keep copies of pictures."""
    outputs = selections("output", ("outputs",), config.outputs)
    shared = {"store": store, "pseudonyms": Pseudonyms(store.home)}
    return plugins.create_all([output for output in outputs if output.name in KEEPERS], document, shared)
