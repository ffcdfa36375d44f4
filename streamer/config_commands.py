"""The commands that help with writing config.yaml: ``streamer init``, ``config show`` and ``config schema``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from streamer import paths, standard_streams
from streamer.errors import ConfigError


def init(environ: Mapping[str, str]) -> int:
    """Write the user's config.yaml unless there is one, and say where it is and what to do next."""
    config = paths.place(environ).config
    starter = paths.STARTER_CONFIG.read_text(encoding="utf-8").replace("SHIPPED", str(paths.SHIPPED_CONFIG))
    try:
        if config.exists():
            print(f"Exists:   {config} (nothing was changed)")
        else:
            config.parent.mkdir(parents=True, exist_ok=True)
            # The path of the shipped file may hold bytes that the locale C leaves undecoded.
            with config.open("x", encoding="utf-8", errors="surrogateescape") as file:
                file.write(starter)
            print(f"Written:  {config}")
    except OSError as error:
        fix = "name another place: streamer init --config FILE"
        raise ConfigError(str(config), error.strerror or "cannot be written", fix=fix) from error
    is_found = paths.place({}).config == config
    print(f"Next:     edit it, then: streamer run{'' if is_found else f' --config {shlex.quote(str(config))}'}")
    return 0


def show(environ: Mapping[str, str]) -> int:
    """Print the settings that apply, each with where it comes from."""
    from streamer import app, config_checks, config_merge

    where = paths.place(environ)
    config, document = config_checks.checked_config(where, environ)
    app.check(config, document)
    print(f"# your file: {where.config}{'' if where.config.exists() else ' (not there yet)'}")
    print(f"# shipped:   {paths.SHIPPED_CONFIG}")
    print(*config_merge.show(document, ascii_only=standard_streams.is_ascii_only()), sep="\n")
    return 0


def schema() -> int:
    """Print the JSON schema of config.yaml."""
    from streamer.config import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=standard_streams.is_ascii_only()))
    return 0
