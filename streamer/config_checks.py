"""Checks what one section of config.yaml says about another, and names the line at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import NamedTriggers
from streamer.commands.parser import Commands
from streamer.config import Config, load
from streamer.config_file import Document, Location
from streamer.errors import ConfigError
from streamer.generator.render.layout import layout_names
from streamer.interfaces import KeySource, RewardSeller, Source
from streamer.overlay.layer_options import check_layers
from streamer.paths import Place
from streamer.types import Actor, ImageRequest, Refusal, Role, Trigger


def checked_config(where: Place, environ: Mapping[str, str]) -> tuple[Config, Document]:
    """Load the config file and check the names in it that need nothing else to be built."""
    config, document = load(where.config, environ)
    check_names(config, document, where.web, where.home / "layouts")
    return config, document


def check_names(config: Config, document: Document, web: Path, own_layouts: Path) -> None:
    """Check that the layers, layouts and commands that are named exist."""
    try:
        check_layers(config.layers, web)
    except ConfigError as error:
        raise document.relocated(error) from None
    for index, after in enumerate(config.obs.after if config.obs is not None else ()):
        if unknown := [name for name in after.commands if name not in config.commands]:
            fix = f"known commands: {', '.join(config.commands)}"
            raise document.error(("obs", "after", index, "commands"), f"there is no command '{unknown[0]}'", fix)
    layouts = layout_names(own_layouts)
    for name, command in config.commands.items():
        if command.layer is not None and command.layer not in config.layers:
            fix = f"known layers: {', '.join(config.layers)}"
            raise document.error(("commands", name, "layer"), f"there is no layer '{command.layer}'", fix)
        if command.layout is not None and command.layout not in layouts:
            fix = f"known layouts: {', '.join(layouts)}"
            raise document.error(("commands", name, "layout"), f"there is no layout '{command.layout}'", fix)


def check_known(what: str, names: Iterable[str], known: Iterable[str], document: Document, at: Location) -> None:
    """Refuse a name that nothing in the file has."""
    for name in names:
        if name not in known:
            raise document.error(at, f"there is no {what} '{name}'", f"known: {', '.join(known)}")


def named(config: Config, document: Document, table: Commands, sources: Sequence[Source]) -> NamedTriggers:
    """Build the named triggers; what any of them, or any key, would type must be a command."""
    named = NamedTriggers(config.named_triggers, config.prefix)
    for name, line in named.lines():
        _check_line(line, table, document, ("named_triggers", name), "")
    for occasion, name in config.when.items():
        if name not in named.names:
            _check_line(name, table, document, ("when", occasion), f", or a name: {', '.join(named.names)}")
    for name, trigger in config.named_triggers.items():
        if trigger.layer is not None and trigger.layer not in config.layers:
            problem, fix = f"there is no layer '{trigger.layer}'", f"known layers: {', '.join(config.layers)}"
            raise document.error(("named_triggers", name, "layer"), problem, fix)
    for index, source in enumerate(sources):
        for name in source.names() if isinstance(source, KeySource) else ():
            if name not in named.names:
                _check_line(name, table, document, ("triggers", index), f", or a name: {', '.join(named.names)}")
    for key, name in config.obs.hotkeys.keys.items() if config.obs is not None else ():
        if name not in named.names:
            at = ("obs", "hotkeys", "keys", key)
            _check_line(name, table, document, at, f", or a name: {', '.join(named.names)}")
    return named


def check_sold(outputs: Sequence[object], events: Sequence[EventTrigger], table: Commands, document: Document) -> None:
    """Refuse to sell a line that draws nothing: there would be no picture to earn the price with."""
    for index, output in enumerate(outputs):
        if isinstance(output, RewardSeller):
            for where, line in output.lines().items():
                _check_offer(line, table, document, ("outputs", index, *where))
    for index, occasion in enumerate(events):
        _check_offer(occasion.command, table, document, ("events", index, "command"))


def _check_offer(line: str, table: Commands, document: Document, at: Location) -> None:
    words = line.replace("{text}", "harbour").replace("{name}", "Ann").replace("{count}", "1")
    _check_line(words, table, document, at, "")
    order = table.interpret(Trigger("check", "config", words, Actor("check", "check", Role.BROADCASTER), 0.0))
    if not isinstance(order, ImageRequest):
        raise document.error(at, f"'{line}' draws nothing", "sell a command that draws, like: !bg {text}")


def _check_line(line: str, table: Commands, document: Document, at: Location, otherwise: str) -> None:
    """Refuse a line that would do nothing when its key is pressed on air."""
    order = table.interpret(Trigger("check", "config", line, Actor("check", "check", Role.BROADCASTER), 0.0))
    if order is None:
        known = table.help(Role.BROADCASTER)
        raise document.error(at, f"'{line}' is no command", f"begin with one of: {known}{otherwise}")
    if isinstance(order, Refusal):
        raise document.error(at, f"'{line}' would be refused", order.reason)
