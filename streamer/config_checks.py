"""Checks what one section of config.yaml says about another, and names the line at fault."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from streamer.commands.event_triggers import EventTrigger
from streamer.commands.named_triggers import NamedTriggers
from streamer.commands.parser import Commands
from streamer.config import Config, load
from streamer.config_file import Document, Location
from streamer.errors import ConfigError
from streamer.generator.render.layout import layout_names, load_layout
from streamer.interfaces import KeySource, RewardSeller, Source
from streamer.overlay.layer_options import check_layers
from streamer.paths import Place
from streamer.types import Actor, ImageRequest, Refusal, Role, Trigger


def checked_config(where: Place, environ: Mapping[str, str]) -> tuple[Config, Document]:
    """Load the config file and check the names in it that need nothing else to be built."""
    config, document = load(where.config, environ)
    check_names(config, document, where.web, where.own / "layouts")
    return config, document


def check_names(config: Config, document: Document, web: Path, own_layouts: Path) -> None:
    """Check that the layers, layouts and commands that the file names exist, and that the layouts can be used."""
    try:
        check_layers(config.layers, web)
    except ConfigError as error:
        raise document.relocated(error) from None
    for index, action in enumerate(config.obs.after if config.obs is not None else ()):
        check_known("command", action.commands, config.commands, document, ("obs", "after", index, "commands"))
    layouts = layout_names(own_layouts)
    for name, command in config.commands.items():
        check_known("layer", _given(command.layer), config.layers, document, ("commands", name, "layer"))
        check_known("layout", _given(command.layout), layouts, document, ("commands", name, "layout"))
        for layout in _given(command.layout):
            load_layout(layout, own_layouts)
    for name, trigger in config.named_triggers.items():
        check_known("layer", _given(trigger.layer), config.layers, document, ("named_triggers", name, "layer"))


def _given(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def check_known(kind: str, names: Iterable[str], known: Collection[str], document: Document, at: Location) -> None:
    """Raise a ConfigError for the first name that is not among the known ones."""
    for name in names:
        if name not in known:
            raise document.error(at, f"there is no {kind} '{name}'", f"known {kind}s: {', '.join(known)}")


def checked_triggers(
    config: Config, document: Document, commands: Commands, sources: Sequence[Source]
) -> NamedTriggers:
    """Build the named triggers; every line that they, a key or an event would type must be a command."""
    triggers = NamedTriggers(config.named_triggers, config.prefix)
    for name, line in triggers.lines():
        _check_line(line, commands, document, ("named_triggers", name))
    for at, name in _pressed(config, sources):
        if name not in triggers.names:
            _check_line(name, commands, document, at, f", or a name: {', '.join(triggers.names)}")
    return triggers


def _pressed(config: Config, sources: Sequence[Source]) -> Iterator[tuple[Location, str]]:
    """Yield what events and keys press, a name or a line, each with the place where it stands."""
    for event, name in config.when.items():
        yield ("when", event), name
    for index, source in enumerate(sources):
        if isinstance(source, KeySource):
            yield from ((("triggers", index), name) for name in source.names())
    if config.obs is not None:
        yield from ((("obs", "hotkeys", "keys", key), name) for key, name in config.obs.hotkeys.keys.items())


def check_sold(
    outputs: Sequence[object], events: Sequence[EventTrigger], commands: Commands, document: Document
) -> None:
    """Refuse to sell a line that draws nothing: there would be no picture to earn the price with."""
    for index, output in enumerate(outputs):
        if isinstance(output, RewardSeller):
            for key, line in output.lines().items():
                _check_draws(line, commands, document, ("outputs", index, *key))
    for index, event in enumerate(events):
        _check_draws(event.command, commands, document, ("events", index, "command"))


def _check_draws(line: str, commands: Commands, document: Document, at: Location) -> None:
    example = line.replace("{text}", "harbour").replace("{name}", "Ann").replace("{count}", "1")
    _check_line(example, commands, document, at)
    if not isinstance(commands.interpret(_typed(example)), ImageRequest):
        raise document.error(at, f"'{line}' draws nothing", "sell a command that draws, like: !bg {text}")


def _check_line(line: str, commands: Commands, document: Document, at: Location, alternative: str = "") -> None:
    """Refuse a line that would do nothing on air; ``alternative`` says what else may stand there."""
    meaning = commands.interpret(_typed(line))
    if meaning is None:
        known = commands.help(Role.BROADCASTER)
        raise document.error(at, f"'{line}' is not a command", f"begin with one of: {known}{alternative}")
    if isinstance(meaning, Refusal):
        raise document.error(at, f"'{line}' would be refused", meaning.reason)


def _typed(line: str) -> Trigger:
    """Type a line as the streamer."""
    return Trigger("check", "config", line, Actor("check", "check", Role.BROADCASTER), 0.0)
