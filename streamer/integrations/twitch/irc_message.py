"""Parses Twitch's dialect of IRC: lines in, messages out, no sockets.

https://dev.twitch.tv/docs/chat/irc/ and https://ircv3.net/specs/extensions/message-tags
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_LINE = 16_384
"""In characters: twice what the tags and the text of one line may take together."""

_ESCAPES = (("\\:", ";"), ("\\s", " "), ("\\r", "\r"), ("\\n", "\n"))


@dataclass(frozen=True, slots=True)
class IrcMessage:
    """One line: ``nick`` is the sender, empty for the server; the last of ``params`` may contain spaces."""

    command: str
    params: tuple[str, ...] = ()
    nick: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the last parameter."""
        return self.params[-1] if self.params else ""


def lines_of(frame: bytes) -> Iterator[str]:
    """Split a websocket frame into its lines; bad UTF-8 becomes U+FFFD."""
    for line in frame.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        if line.strip():
            yield line


def parse(line: str) -> IrcMessage | None:
    """Parse one line; None when it is not an IRC message."""
    if len(line) > LONGEST_LINE:
        return None
    rest, tags, nick = line.lstrip(" "), {}, ""
    if rest.startswith("@"):
        raw, _, rest = rest[1:].partition(" ")
        tags = dict(_tag(item) for item in raw.split(";") if item)
    rest = rest.lstrip(" ")
    if rest.startswith(":"):
        prefix, _, rest = rest[1:].partition(" ")
        nick = prefix.partition("!")[0] if "!" in prefix else ""
    head, colon, trailing = f" {rest}".partition(" :")
    words = head.split(" ")
    command, *params = [word for word in words if word] or [""]
    if not (command.isascii() and command.isalnum()):
        return None
    return IrcMessage(command.upper(), (*params, trailing) if colon else tuple(params), nick, tags)


def _tag(item: str) -> tuple[str, str]:
    key, _, value = item.partition("=")
    return key, _unescape(value) if "\\" in value else value


def _unescape(value: str) -> str:
    # The specification drops a backslash before any other character and at the end.
    return "\\".join(map(_without_escapes, value.split("\\\\")))


def _without_escapes(part: str) -> str:
    for escape, char in _ESCAPES:
        part = part.replace(escape, char)
    return part.replace("\\", "")
