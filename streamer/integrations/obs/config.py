"""The section ``obs`` of config.yaml."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


def _safe_hotkey(name: str) -> str:
    # The name exists once per scene and all of them fire: this crashed OBS 29 with a corrupted heap.
    if name == "OBSBasic.SelectScene":
        raise ValueError("would switch to every scene at once; use scene: instead")
    return name


class ObsSection(BaseModel):
    """A section of config.yaml: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShowSource(ObsSection):
    """Show a source of a scene for some seconds."""

    source: str = Field(min_length=1, description="name of the source")
    scene: str | None = Field(None, description="scene or group that contains it; null: the one on air")
    seconds: Seconds = Field(5.0, description="seconds until it is hidden again")


class EnableFilter(ObsSection):
    """Switch a filter of a source or scene on, for some seconds or permanently."""

    source: str = Field(min_length=1, description="name of the source or scene that has the filter")
    name: str = Field(min_length=1, description="name of the filter")
    seconds: Seconds | None = Field(None, description="seconds until it is switched off again; left out: it stays on")


class AfterAction(ObsSection):
    """One action in OBS after a picture has gone on air."""

    commands: tuple[str, ...] = Field(
        (), description="commands whose pictures start the action; left out: every command"
    )
    scene: str | None = Field(None, min_length=1, description="switch to this scene")
    back_after_s: Seconds | None = Field(
        None, description="seconds until OBS switches back, if that scene is still on air; left out: it stays"
    )
    show: ShowSource | None = Field(None, description="show a source for a while")
    filter: EnableFilter | None = Field(None, description="switch a filter on")
    hotkey: Annotated[str, AfterValidator(_safe_hotkey)] | None = Field(
        None, min_length=1, description="trigger one of OBS's own hotkeys, by its internal name"
    )

    @model_validator(mode="after")
    def _exactly_one_action(self) -> AfterAction:
        if sum(action is not None for action in (self.scene, self.show, self.filter, self.hotkey)) != 1:
            raise ValueError("must name exactly one of scene, show, filter and hotkey")
        if self.back_after_s is not None and self.scene is None:
            raise ValueError("back_after_s goes with scene")
        return self


class HotkeySceneOptions(ObsSection):
    """Hotkeys that are bound in OBS: a scene that is never on air, with one hidden item for each hotkey."""

    scene: str = Field(
        "streamer hotkeys",
        min_length=1,
        description='name of a scene that is never shown; bind "Show streamer: panic" there',
    )
    keys: Mapping[str, str] = Field(
        {}, description="name of each item, and what it runs: a name of named_triggers, or a line"
    )


def _is_ip(host: str) -> bool:
    """Tell whether a text is an IP address; that of IPv6 has colons which separate no port."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


_ADDRESS = re.compile(r"(?:(?P<scheme>wss?)://)?(?P<host>\[[^\]]+\]|[^:/\s]+)(?::(?P<port>\d+))?/?", re.IGNORECASE)


class ObsOptions(ObsSection):
    """Where OBS is, and what the program does in it."""

    @model_validator(mode="before")
    @classmethod
    def _whole_address(cls, given: object) -> object:
        """Take an address with its port, as OBS and other programs show it, apart."""
        if not isinstance(given, Mapping) or not isinstance(given.get("host"), str) or _is_ip(given["host"]):
            return given
        if (address := _ADDRESS.fullmatch(given["host"].strip())) is None:
            raise ValueError(f"host: {given['host']!r} is no name or address; write it like 192.168.1.5 or gaming-pc")
        if (address["scheme"] or "ws").lower() == "wss":
            raise ValueError("OBS's WebSocket server has no TLS; write ws:// or the host alone")
        port = int(address["port"]) if address["port"] else None
        if port is not None and given.get("port", port) != port:
            raise ValueError(f"host says port {port} and port says {given['port']}; leave one of them out")
        return {**given, "host": address["host"].strip("[]")} | ({"port": port} if port else {})

    host: str = Field("127.0.0.1", min_length=1, description="computer that OBS runs on")
    port: int = Field(4455, ge=1, le=65535, description="the port in Tools > WebSocket Server Settings")
    install: bool = Field(False, description="true: put the overlay into OBS, and repair it, whenever OBS connects")
    scenes: tuple[str, ...] = Field(
        (), description="scenes that get the overlay; left out: those that have it, otherwise the one on air"
    )
    program_picture: bool = Field(
        False, description="true: commands with reference: program may use what viewers see as the picture to edit"
    )
    picture_of: str | None = Field(
        None,
        min_length=1,
        description="capture this source or scene, a camera for example, instead of everything on air",
    )
    after: tuple[AfterAction, ...] = Field(
        (), description="what to do in OBS after a picture goes on air, one action in each entry"
    )
    hotkeys: HotkeySceneOptions = Field(
        HotkeySceneOptions(), description="hotkeys that are bound in OBS (Settings > Hotkeys)"
    )
