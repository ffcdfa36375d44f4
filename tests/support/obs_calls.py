"""Requests to a real OBS, without a client in between."""

from __future__ import annotations

from streamer.integrations.obs.connection import ObsAnswer
from tests.support.real_obs import RealObs


class DirectCalls:
    """Send requests to the real OBS as ``ObsClient.call`` would."""

    def __init__(self, real: RealObs) -> None:
        self._real = real

    async def __call__(self, request: str, data: ObsAnswer | None = None) -> ObsAnswer:
        return self._real.ask(request, **(data or {}))
