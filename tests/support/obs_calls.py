"""An OBS that only remembers what it was asked."""

from __future__ import annotations

from streamer.integrations.obs.connection import ObsAnswer
from tests.support.real_obs import RealObs


class Calls:
    """Ask the real OBS from a test without a link."""

    def __init__(self, real: RealObs) -> None:
        self._real = real

    async def __call__(self, request: str, data: ObsAnswer | None = None) -> ObsAnswer:
        return self._real.ask(request, **(data or {}))
