"""What is said once about Twitch, and holds for every plug-in that talks to it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer.integrations.twitch.http import HttpAddress
from streamer.integrations.twitch.third_party_emotes import EmoteOptions


class TwitchConfig(BaseModel):
    """The application at Twitch, and where Twitch is; a test server can stand in for each address."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    client_id: str = Field("", pattern=r"^[a-z0-9]*$", description="id of a Public application; no secret")
    id_url: HttpAddress = Field("https://id.twitch.tv/oauth2", description="where logins are made and renewed")
    helix_url: HttpAddress = Field("https://api.twitch.tv/helix", description="the API")
    emotes: EmoteOptions = EmoteOptions()
    eventsub_url: str = Field(
        "wss://eventsub.wss.twitch.tv/ws", pattern=r"^wss?://[^\s]+$", description="where events come from"
    )


KNOWN_BOTS = (
    "nightbot",
    "streamelements",
    "streamlabs",
    "moobot",
    "fossabot",
    "wizebot",
    "sery_bot",
    "soundalerts",
)
