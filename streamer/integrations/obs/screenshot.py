"""Takes a picture of what viewers see, for commands that redraw it."""

from __future__ import annotations

import asyncio
import base64
import binascii

from streamer.errors import BackendError, ObsError, Unsupported
from streamer.integrations.obs.connection import ObsAnswer
from streamer.integrations.obs.session import ObsSession

TIMEOUT_S = 1.5
WIDTH = 1280
"""Pixels; OBS keeps the aspect ratio."""
JPEG_QUALITY = 95


class ProgramScreenshot:
    """Take screenshots of the scene on air, or of the source that config.yaml names."""

    def __init__(self, session: ObsSession) -> None:
        self._session = session

    @property
    def open(self) -> bool:
        """Tell whether a screenshot is possible now."""
        return self._session.options.program_picture and self._session.client.ready

    async def picture(self) -> bytes:
        """Return what viewers see now as a JPEG, 1280 pixels wide; raises BackendError without one."""
        if not self._session.options.program_picture:
            raise Unsupported("the streamer has not switched this on")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._take()
        except (TimeoutError, ObsError):
            raise Unsupported("what is on air cannot be captured: OBS did not answer") from None
        except (LookupError, TypeError, binascii.Error) as error:
            raise BackendError(f"OBS sent no picture: {error!r}") from error

    async def _take(self) -> bytes:
        call, source = self._session.client.call, self._session.options.picture_of
        if source is None:
            source = (await call("GetSceneList"))["currentProgramSceneName"]
        request: ObsAnswer = {
            "sourceName": source, "imageFormat": "jpg", "imageWidth": WIDTH, "imageCompressionQuality": JPEG_QUALITY
        }  # fmt: skip
        data_url = str((await call("GetSourceScreenshot", request))["imageData"])
        return base64.b64decode(data_url.partition(",")[2], validate=True)
