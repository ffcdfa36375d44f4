"""What the OBS source, output and screenshot share: the client, the options, and what is known about OBS right now."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamer.errors import ObsError, StoreError
from streamer.integrations.obs.client import ObsClient
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.obs.events import ObsState
from streamer.integrations.obs.installer import InstallReport

UNEXPECTED = (ObsError, LookupError, TypeError, ValueError, OSError, StoreError)
"""OBS refuses, disappears, or sends an answer that no known OBS sends; or a file for it cannot be written."""


@dataclass(slots=True)
class ObsSession:
    """The state of one OBS; belongs to the event loop.

    ``installed`` is None until OBS was set up and from the moment it begins to change its scene collection.
    """

    options: ObsOptions
    client: ObsClient
    state: ObsState = field(default_factory=ObsState)
    installed: InstallReport | None = None
    collection_changing: bool = False

    @property
    def fed_by_files(self) -> bool:
        """Tell whether pictures go into OBS as files, because it has no browser source."""
        return self.installed is not None and self.installed.kind is SourceKind.IMAGE

    def source_name(self, layer: str) -> str | None:
        """Return the name of the source that shows a layer, None if there is none."""
        return None if self.installed is None else self.installed.layers.get(layer)
