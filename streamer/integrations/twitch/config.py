"""What config.yaml says about Twitch, shared by every plug-in that talks to it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer.integrations.twitch.http import HttpAddress

SOURCE = "twitch"
"""The name of this source in triggers, notices and retractions."""

# Logins of chat bots that many channels use; the lists in config.yaml start from these.
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


class EmoteOptions(BaseModel):
    """Whether to remove the names of third-party emotes from what viewers type, and where the lists are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    strip: bool = Field(True, description="true: remove them; skipped while these services do not answer")
    seventv_url: HttpAddress = Field("https://7tv.io/v3", description="7TV's emote lists")
    bttv_url: HttpAddress = Field("https://api.betterttv.net/3", description="BetterTTV's emote lists")
    ffz_url: HttpAddress = Field(
        "https://api.frankerfacez.com/v1", description="FrankerFaceZ's emote lists, and the id of each channel"
    )


class TwitchConfig(BaseModel):
    """The application at Twitch, and the addresses of Twitch; a test server can stand in for each address."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    client_id: str = Field(
        "",
        pattern=r"^[a-z0-9]*$",
        description="id of your Public application at dev.twitch.tv/console/apps; it is not a secret",
    )
    id_url: HttpAddress = Field(
        "https://id.twitch.tv/oauth2", description="Twitch's login server; change it only for tests"
    )
    helix_url: HttpAddress = Field("https://api.twitch.tv/helix", description="Twitch's API; change it only for tests")
    emotes: EmoteOptions = Field(
        EmoteOptions(),
        description="names of 7TV, BetterTTV and FrankerFaceZ emotes: plain words in chat, noise in a prompt",
    )
    eventsub_url: str = Field(
        "wss://eventsub.wss.twitch.tv/ws",
        pattern=r"^wss?://[^\s]+$",
        description="Twitch's event server; change it only for tests",
    )
