"""The keys of one channel in tables that several channels share."""

from __future__ import annotations

from dataclasses import dataclass

# No platform has it in an id, and names are shown without control characters.
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class ChannelKeys:
    """Puts the channel's name before each key. The only channel of a store has no name, and its keys are plain."""

    channel: str = ""

    def key(self, text: str) -> str:
        """Return the stored key of a layer, a person or a setting of this channel."""
        return f"{self.channel}{SEPARATOR}{text}" if self.channel else text

    def text(self, key: str) -> str | None:
        """Return what a stored key stands for, None when it is another channel's."""
        channel, separator, text = key.rpartition(SEPARATOR)
        return text if channel == self.channel and bool(separator) == bool(self.channel) else None


ONLY_CHANNEL = ChannelKeys()
