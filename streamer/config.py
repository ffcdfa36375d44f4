"""The schema of config.yaml, assembled from the options of each part, and the function that loads the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.commands.automations import Automations
from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import NamedTriggerTable
from streamer.commands.options import CommandOptions
from streamer.config_file import Document, Location, read
from streamer.generator.config import WorkerOptions
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.twitch.config import TwitchConfig
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.bans import StrikeOptions
from streamer.moderation.raid_mode import RaidModeOptions
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.game_mode import GameModeOptions
from streamer.pipeline.scheduler import QueueOptions
from streamer.plugins import Selection
from streamer.storage.privacy import PrivacyOptions
from streamer.storage.store import StoreOptions

LOOPBACK = ("127.0.0.1", "localhost", "::1")


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


class Server(Section):
    """Where the program listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8710
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    expose: bool = False

    @property
    def url(self) -> str:
        """Return where clients reach the server: ``public_url``, or else an address that works on this computer."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # nosec B104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class Generator(Section):
    """Which backend draws, with what, and which judges look at the result."""

    use: str = "auto"
    process: WorkerOptions = WorkerOptions()
    parked: GameModeOptions = GameModeOptions()
    backends: Mapping[str, Mapping[str, object]] = {}
    judges: tuple[Use, ...] = ()


class Layer(LayerOptions):
    """One overlay layer; ``at_least_s`` is how long a viewer's picture is safe from the next one."""

    at_least_s: Annotated[float, Field(ge=0)] = 0.0


class Config(Section):
    """Everything that config.yaml may say."""

    server: Server = Server()
    generator: Generator = Generator()
    twitch: TwitchConfig = TwitchConfig()
    triggers: tuple[Use, ...] = ()
    named_triggers: NamedTriggerTable = {}
    when: Automations = {}
    policy: tuple[Use, ...] = ()
    prefix: Annotated[str, Field(min_length=1, max_length=3)] = "!"
    commands: Mapping[str, CommandOptions]
    styles: Mapping[str, str] = {}
    layers: Mapping[str, Layer]
    queue: QueueOptions = QueueOptions()
    approval: ApprovalOptions = ApprovalOptions()
    privacy: PrivacyOptions = PrivacyOptions()
    strikes: StrikeOptions = StrikeOptions()
    raid: RaidModeOptions = RaidModeOptions()
    store: StoreOptions = StoreOptions()
    outputs: tuple[Use, ...] = ()
    events: tuple[EventTrigger, ...] = ()
    obs: ObsOptions | None = None


def load(path: Path, environ: Mapping[str, str]) -> tuple[Config, Document]:
    """Read and check a whole config file; STREAMER_HOST and STREAMER_PORT replace what the file says."""
    document = read(path)
    config = document.check(Config, document.data)
    return config.model_copy(update={"server": _overridden(config.server, environ, document)}), document


def _overridden(server: Server, environ: Mapping[str, str], document: Document) -> Server:
    """Apply the environment; refuse an address that other machines reach unless ``expose`` confirms it."""
    variables = {"host": environ.get("STREAMER_HOST"), "port": environ.get("STREAMER_PORT")}
    changes = {key: value for key, value in variables.items() if value}
    server = document.check(Server, {**server.model_dump(), **changes}, ("server",))
    if server.host not in LOOPBACK and not server.expose:
        problem = f"{server.host} lets every machine of the network in"
        raise document.error(("server", "host"), problem, "set server.expose: true if that is meant")
    return server
