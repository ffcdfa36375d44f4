"""The schema of config.yaml, assembled from the stages' own Options, and the reader that names key, line and fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.commands.automations import Automations
from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import NamedTriggerTable
from streamer.commands.options import CommandOptions
from streamer.generator.config import WorkerOptions
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.twitch.config import TwitchConfig
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.bans import StrikeOptions
from streamer.moderation.raid_mode import RaidModeOptions
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.game_mode import GameModeOptions
from streamer.pipeline.scheduler import QueueOptions
from streamer.storage.privacy import PrivacyOptions
from streamer.storage.store import StoreOptions


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


class Server(Section):
    """Where the program listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8710
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    expose: bool = False


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


def printable(host: str) -> str:
    """Write a host as it stands in a link: one that answers, and IPv6 in brackets."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # nosec B104
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
