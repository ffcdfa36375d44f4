"""The schema of config.yaml, assembled from the options of each part, and the function that loads the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer import paths, plugins
from streamer.api.connection_limits import LimitOptions
from streamer.api.origin_guard import canonical_host, canonical_url
from streamer.api.v1.options import PictureApiOptions
from streamer.commands.automations import Automations
from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import NamedTriggerTable
from streamer.commands.options import CommandOptions
from streamer.commands.styles import Style
from streamer.config_file import Document, Location, read
from streamer.config_merge import overlay
from streamer.generator.config import WorkerOptions
from streamer.integrations import network
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.twitch.config import TwitchConfig
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.bans import StrikeOptions
from streamer.moderation.raid_mode import RaidModeOptions
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.game_mode import GameModeOptions
from streamer.pipeline.queue_options import QueueOptions
from streamer.plugins import Selection
from streamer.storage.privacy import PrivacyOptions
from streamer.storage.store import StoreOptions

JsonSchema = dict[str, Any]

SCHEMA_VERSION = "https://json-schema.org/draft/2020-12/schema"
THIRD_PARTY = r"\."
"""A name with a dot is a third-party module; its options are not known here."""

VARIABLES = {"host": "STREAMER_HOST", "port": "STREAMER_PORT"}
"""The environment variables that replace a key of the section server."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WILDCARDS = ("0.0.0.0", "::")  # nosec B104
"""Addresses to listen on that mean every address of this computer."""


class Section(BaseModel):
    """A part of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Use(BaseModel):
    """One plug-in of a list: its name, and options that the plug-in itself checks."""

    model_config = ConfigDict(frozen=True, extra="allow")
    use: str

    def options(self) -> Mapping[str, object]:
        """Return everything beside the name."""
        return self.model_extra or {}


def selections(seam: str, key: Location, uses: Sequence[Use]) -> list[Selection]:
    """Return the plug-ins of one list, each with the seam it belongs to and the place where it stands."""
    return [Selection(seam, use.use, use.options(), (*key, index)) for index, use in enumerate(uses)]


class ServerConfig(Section):
    """Where the program listens."""

    host: str = Field("127.0.0.1", description="address to listen on; 127.0.0.1 accepts only this computer")
    port: int = Field(
        8710, ge=0, le=65535, description="port of the panel (http://127.0.0.1:8710/) and of the overlay (/overlay)"
    )
    public_url: Annotated[str, AfterValidator(canonical_url)] | None = Field(
        None,
        description="address at which OBS reaches the program through a reverse proxy or tunnel, like "
        "https://pictures.example or https://example.org/streamer",
    )
    allowed_hosts: tuple[Annotated[str, AfterValidator(canonical_host)], ...] = Field(
        (), description="other host names that browsers may use to reach this server, like [gpu-box.local]"
    )
    expose: bool = Field(
        False,
        description="true: other computers may reach the program; required if host is not a loopback address",
    )
    open_browser: bool = Field(
        True, description="true: the very first start opens the panel in your browser; false: it only prints the link"
    )
    limits: LimitOptions = Field(
        LimitOptions(), description="what anybody who reaches the port may ask for; they keep panic fast in an attack"
    )

    @property
    def exposed(self) -> bool:
        """Tell whether other computers may reach the program, directly or by its public address."""
        return self.expose or self.public_url is not None

    @property
    def url(self) -> str:
        """Return where clients reach the server: ``public_url``, else this computer's address in the local network."""
        if self.public_url:
            return self.public_url
        lan = network.lan_address(self.host) if self.host in WILDCARDS else None
        return _http(lan, self.port) if lan else self.local_url

    @property
    def local_url(self) -> str:
        """Return an address that works on this computer, whatever the public one is."""
        return _http({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)  # nosec B104


def _http(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class GeneratorConfig(Section):
    """Which backend draws, with what, and which judges look at the result."""

    use: str = Field(
        "auto",
        description="auto: klein on an NVIDIA GPU with the extra installed, otherwise procedural; or the name "
        "of a backend, or of a model: streamer models lists them",
    )
    process: WorkerOptions = Field(
        WorkerOptions(), description="the child process that draws; the stream goes on when it crashes"
    )
    parked: GameModeOptions = Field(
        GameModeOptions(),
        description="while the GPU is released: by !free, by a key named free, or by the panel's button",
    )
    slots: tuple[Use, ...] = Field(
        (), description="where pictures are drawn, one at a time in each place; empty: in the process above alone"
    )
    backends: Mapping[str, Mapping[str, object]] = Field({}, description="options of the backends, by name")
    judges: tuple[Use, ...] = Field(
        (),
        description="models that check pictures before they go on air; without one, only the text rules check "
        "what chat asks for. While a judge cannot load, every viewer's picture is held",
    )


class LayerConfig(LayerOptions):
    """One overlay layer; ``at_least_s`` is how long a viewer's picture is safe from the next one while few wait."""

    at_least_s: float = Field(
        0.0,
        ge=0,
        description="seconds before the next viewer's picture may replace a viewer's picture; yours never wait",
    )
    at_least_busy_s: float = Field(
        2.0,
        ge=0,
        description="while many wait, at_least_s falls as far as this, so that more people see theirs; the same as "
        "at_least_s keeps it as it is",
    )


class Config(Section):
    """Everything that config.yaml may say."""

    server: ServerConfig = Field(ServerConfig(), description="where the program listens")
    generator: GeneratorConfig = Field(GeneratorConfig(), description="what draws the pictures")
    twitch: TwitchConfig = Field(TwitchConfig(), description="Twitch beyond reading chat: rewards, replies and more")
    triggers: tuple[Use, ...] = Field((), description="where requests come from")
    named_triggers: NamedTriggerTable = Field({}, description="what keys, decks, pads and desktop shortcuts can press")
    when: Automations = Field({}, description="what runs by itself when an event happens")
    policy: tuple[Use, ...] = Field(
        (), description="who may ask for what; the rules run in this order until one refuses"
    )
    prefix: str = Field("!", min_length=1, max_length=3, description="what a command starts with")
    commands: Mapping[str, CommandOptions] = Field(description="what people may type")
    styles: Mapping[str, Style] = Field({}, description="what !style can switch on")
    layers: Mapping[str, LayerConfig] = Field(description="what the overlay shows, one entry for each layer")
    queue: QueueOptions = Field(QueueOptions(), description="how many requests may wait")
    approval: ApprovalOptions = Field(
        ApprovalOptions(), description="when a moderator checks a viewer's picture before it goes on air"
    )
    privacy: PrivacyOptions = Field(PrivacyOptions(), description="how long data about people is kept")
    strikes: StrikeOptions = Field(
        StrikeOptions(),
        description="who is banned automatically: viewers whose texts are refused repeatedly for their content",
    )
    raid: RaidModeOptions = Field(
        RaidModeOptions(),
        description="raid mode: while a crowd floods chat, viewers' pictures are held and chat is slowed down",
    )
    store: StoreOptions = Field(StoreOptions(), description="how much history is kept in the state folder")
    outputs: tuple[Use, ...] = Field((), description="where else events are sent")
    picture_api: PictureApiOptions = Field(
        PictureApiOptions(), description="what programs may do that draw by key, at /v1"
    )
    events: tuple[EventTrigger, ...] = Field(
        (), description="lines that the program types when something happens on the platform"
    )
    obs: ObsOptions | None = Field(None, description="OBS: where it runs, and what to do there")


TABLES = frozenset(key for key, field in Config.model_fields.items() if get_origin(field.annotation) is Mapping)
"""The sections whose keys are free names."""


def load(path: Path, environ: Mapping[str, str]) -> tuple[Config, Document]:
    """Read the user's file over the shipped one, and check the result.

    The file in the user's config folder need not exist. STREAMER_HOST and STREAMER_PORT replace what the files say.
    """
    document = _with_variables(_read_over_shipped(path), environ)
    config = document.check(Config, document.data)
    server = config.server
    if server.host not in LOOPBACK and not server.expose:
        problem = f"{server.host} lets other computers reach the program"
        raise document.error(("server", "host"), problem, f"if you want that, set server.expose: true in {path}")
    return config, document


@cache
def _read_shipped() -> Document:
    return read(paths.SHIPPED_CONFIG)


def _read_over_shipped(path: Path) -> Document:
    shipped = _read_shipped()
    # A link that leads nowhere is no missing file: its owner has settings somewhere.
    if path == paths.default_config() and not path.exists() and not path.is_symlink():
        return overlay(shipped, Document(str(path), {}, {}), TABLES)
    if path.exists() and path.samefile(paths.SHIPPED_CONFIG):
        return shipped
    return overlay(shipped, read(path), TABLES)


def _with_variables(document: Document, environ: Mapping[str, str]) -> Document:
    """Let the environment replace the address; a section that is no mapping stays, to be refused."""
    server = document.data.get("server", {})
    names = {key: name for key, name in VARIABLES.items() if environ.get(name)}
    if not names or not isinstance(server, Mapping):
        return document
    values = {key: int(value) if (value := environ[name]).isdecimal() else value for key, name in names.items()}
    data = {**document.data, "server": {**server, **values}}
    return replace(document, data=data, variables={("server", key): name for key, name in names.items()})


def json_schema() -> JsonSchema:
    """Return the JSON schema of a user's config.yaml for editors, with the options of every plug-in that ships."""
    document = Config.model_json_schema()
    definitions: JsonSchema = document["$defs"]
    for seam, (owner, key) in {
        "trigger": (document, "triggers"),
        "rule": (document, "policy"),
        "output": (document, "outputs"),
        "judge": (definitions["GeneratorConfig"], "judges"),
        "slot": (definitions["GeneratorConfig"], "slots"),
    }.items():
        definitions[f"use.{seam}"] = _use_of(seam, definitions)
        owner["properties"][key]["items"] = {"$ref": f"#/$defs/use.{seam}"}
    generator = definitions["GeneratorConfig"]["properties"]
    generator["use"] |= _names("backend", "auto")
    backends = plugins.names("backend")
    definitions |= {f"backend.{name}": _options("backend", name, definitions) for name in backends}
    generator["backends"] |= {
        "properties": {name: {"$ref": f"#/$defs/backend.{name}"} for name in backends},
        "propertyNames": _names("backend"),
    }
    definitions.pop("Use", None)
    _make_partial(document, definitions)
    return {"$schema": SCHEMA_VERSION, **document, "title": "config.yaml of streamer"}


def _make_partial(document: JsonSchema, definitions: JsonSchema) -> None:
    """Require nothing that the shipped file has, and allow empty sections and entries; lists replace, as they stand."""
    for key, section in document["properties"].items():
        _allow_null(section, definitions)
        if key in TABLES:
            _allow_null(section["additionalProperties"], definitions)
    for schema in _mappings(document, definitions, set()):
        schema.pop("required", None)


def _allow_null(schema: JsonSchema, definitions: JsonSchema) -> None:
    # A second branch of anyOf would hide from editors at which key inside a mistake stands.
    schema = definitions.get(schema.get("$ref", "").removeprefix("#/$defs/"), schema)
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    else:
        schema["type"] = [schema["type"], "null"]


def _mappings(schema: JsonSchema, definitions: JsonSchema, seen: set[str]) -> Iterator[JsonSchema]:
    """Yield each schema that no list stands above."""
    yield schema
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name and name not in seen:
        seen.add(name)
        yield from _mappings(definitions[name], definitions, seen)
    further = schema.get("additionalProperties")
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), further]
    for part in inner:
        if isinstance(part, dict):
            yield from _mappings(part, definitions, seen)


def _use_of(seam: str, definitions: JsonSchema) -> JsonSchema:
    """Describe one entry of a list of plug-ins: its ``use`` decides which options it may have."""
    variants = []
    for name in plugins.names(seam):
        options = _options(seam, name, definitions)
        options["properties"] = {"use": {"const": name}, **options.get("properties", {})}
        options["required"] = ["use", *options.get("required", [])]
        definitions[f"{seam}.{name}"] = options
        variants.append({
            "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
            "then": {"$ref": f"#/$defs/{seam}.{name}"},
        })  # fmt: skip
    return {
        "type": "object",
        "properties": {"use": {"description": "name of the plug-in"} | _names(seam)},
        "required": ["use"],
        "allOf": variants,
    }


def _options(seam: str, name: str, definitions: JsonSchema) -> JsonSchema:
    """Return the schema of a plug-in's options; the models inside it become definitions of their own."""
    prefix = f"{seam}.{name}."
    options = plugins.options_of(seam, name).model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    for model, definition in options.pop("$defs", {}).items():
        definitions[prefix + model] = definition
    return options


def _names(seam: str, *more: str) -> JsonSchema:
    old_names = [old for of_seam, old in plugins.RENAMED if of_seam == seam]
    return {"anyOf": [{"enum": [*more, *plugins.names(seam), *old_names]}, {"type": "string", "pattern": THIRD_PARTY}]}
