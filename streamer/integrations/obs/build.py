"""Builds the parts that deal with OBS from the config, for the running program and for the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    group_layers,
    plan_images,
    plan_pages,
)
from streamer.integrations.obs.image_feed import ImageFeed
from streamer.integrations.obs.image_files import PictureFiles
from streamer.integrations.obs.installer import Installer
from streamer.integrations.obs.known_sources import KnownSources
from streamer.integrations.obs.output import ObsOutput
from streamer.integrations.obs.page_watchdog import PageWatchdog
from streamer.integrations.obs.screenshot import ProgramScreenshot
from streamer.integrations.obs.session import ObsSession
from streamer.integrations.obs.setup import ObsSetup
from streamer.integrations.obs.source import ObsSource
from streamer.types import Frame


@dataclass(frozen=True, slots=True)
class Obs:
    """The three roles in which the program meets OBS."""

    source: ObsSource
    output: ObsOutput
    screenshot: ProgramScreenshot


@dataclass(frozen=True, slots=True)
class OverlayPages:
    """What OBS is to show: the layers of config.yaml, and the overlay's address with its token in the fragment."""

    layers: Mapping[str, LayerShape]
    url: str


def build_obs(
    options: ObsOptions,
    overlay: OverlayPages,
    home: Path,
    environ: Mapping[str, str],
    pages: Callable[[], Sequence[str]],
    shown: Callable[[str], Frame | None],
) -> Obs:
    """Build everything for the running program.

    ``pages`` returns the OBS version of each connected overlay page, ``shown`` the picture on a layer.
    """
    client = build_client(options, home, environ)
    files = picture_files(home, overlay.layers)
    if client.same_machine:
        # Written even if OBS's WebSocket server is off: its pages on disk may wait for this start.
        page_addresses(overlay, home, same_machine=True)
    session = ObsSession(options, client)
    feed = ImageFeed(session, files, shown)
    installer = build_installer(client, overlay, home, files)
    setup = ObsSetup(session, installer, feed, PageWatchdog(session, pages))
    return Obs(ObsSource(session, setup), ObsOutput(session, feed), ProgramScreenshot(session))


def build_client(options: ObsOptions, home: Path, environ: Mapping[str, str]) -> ObsClient:
    """Build the client; raises ConfigError when others may read the password file."""
    password.read(home, environ)
    return ObsClient(options.host, options.port, lambda: password.read(home, environ))


def build_installer(
    client: ObsClient, overlay: OverlayPages, home: Path, files: PictureFiles | None = None
) -> Installer:
    """Build the installer; ``files`` are those of the running program, if there is one."""
    picture_paths = files or picture_files(home, overlay.layers)

    def plan(kind: SourceKind, canvas: ObsCanvas) -> list[DesiredSource]:
        if kind is SourceKind.BROWSER:
            addresses = page_addresses(overlay, home, same_machine=client.same_machine)
            return plan_pages(overlay.layers, canvas, addresses)
        picture_paths.prepare()
        return plan_images(overlay.layers, canvas, picture_paths.current())

    known_sources = KnownSources(home / "obs" / "sources.json")
    return Installer(client.call, plan, known_sources, same_machine=client.same_machine)


def picture_files(home: Path, layers: Iterable[str]) -> PictureFiles:
    """Build the picture files that replace the pages where OBS has no browser source."""
    return PictureFiles(home / "obs" / "pictures", layers)


def page_addresses(overlay: OverlayPages, home: Path, *, same_machine: bool) -> Mapping[str, str | Path]:
    """Return what each browser source loads: a page on disk where OBS can read it, else the server's page."""
    urls = {key: url_for_layers(overlay.url, names) for key, names in group_layers(overlay.layers).items()}
    if not same_machine:
        return urls
    return {key: loader_page.write(home / "obs", key, url) for key, url in urls.items()}


def url_for_layers(overlay_url: str, layers: Sequence[str]) -> str:
    """Add the layers to the overlay's address, before the fragment with its token."""
    address, _, token = overlay_url.partition("#")
    return f"{address}?layers={quote(','.join(layers), safe=',')}#{token}"
