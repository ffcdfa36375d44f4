"""Builds the parts that deal with OBS from the config, for the running program and for the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from streamer.integrations.obs import loader_page, password
from streamer.integrations.obs.client import ObsClient
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.desired_sources import (
    DesiredSource,
    LayerShape,
    ObsCanvas,
    SourceKind,
    groups,
    images,
    pages,
)
from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.installer import Installer
from streamer.integrations.obs.known_sources import KnownSources
from streamer.integrations.obs.plugin import Obs, ObsParts
from streamer.types import Frame


def build_obs(
    options: ObsOptions,
    layers: Mapping[str, LayerShape],
    home: Path,
    environ: Mapping[str, str],
    overlay_url: str,
    connected: Callable[[], Sequence[str]],
    shown: Callable[[str], Frame | None],
) -> Obs:
    """Build everything for the running program; ``connected`` and ``shown`` are those of obs.Parts."""
    to_obs = build_client(options, home, environ)
    files = picture_files(home, layers)
    if to_obs.here:
        # Also for an OBS whose WebSocket server is off: its pages may wait for this start.
        addresses(layers, home, overlay_url, same_machine=True)
    puts = build_installer(to_obs, layers, home, overlay_url, files)
    return Obs(ObsParts(options, to_obs, puts, files, connected, shown))


def build_client(options: ObsOptions, home: Path, environ: Mapping[str, str]) -> ObsClient:
    """Build the link; ConfigError when the password's file is open to others."""
    password.read(home, environ)
    return ObsClient(options.host, options.port, lambda: password.read(home, environ))


def build_installer(
    to_obs: ObsClient, layers: Mapping[str, LayerShape], home: Path, overlay_url: str, files: PictureFiles | None = None
) -> Installer:
    """Build what puts sources into OBS; ``files`` are those of the running program, if there is one."""
    pictures = files or picture_files(home, layers)

    def plan(kind: SourceKind, canvas: ObsCanvas) -> list[DesiredSource]:
        if kind is SourceKind.BROWSER:
            return pages(layers, canvas, addresses(layers, home, overlay_url, same_machine=to_obs.here))
        pictures.prepare()
        return images(layers, canvas, pictures.current())

    return Installer(to_obs.call, plan, KnownSources(home / "obs" / "sources.json"), same_machine=to_obs.here)


def picture_files(home: Path, layers: Iterable[str]) -> PictureFiles:
    """Build the files that stand in for pages where OBS has no browser."""
    return PictureFiles(home / "obs" / "pictures", layers)


def addresses(
    layers: Mapping[str, LayerShape], home: Path, overlay_url: str, *, same_machine: bool
) -> Mapping[str, str | Path]:
    """Say what each browser source loads: a page on disk where OBS can read it, else the server itself."""
    urls = {key: url_of(overlay_url, names) for key, names in groups(layers).items()}
    if not same_machine:
        return urls
    return {key: loader_page.write(home / "obs", key, url) for key, url in urls.items()}


def url_of(overlay_url: str, layers: Sequence[str]) -> str:
    """Name the layers in the overlay's address, before the fragment with its token."""
    address, _, token = overlay_url.partition("#")
    return f"{address}?layers={quote(','.join(layers), safe=',')}#{token}"
