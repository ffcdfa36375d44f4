"""Twitch's dialect of IRC as values: lines in, messages out, no sockets.

https://dev.twitch.tv/docs/chat/irc/ and https://ircv3.net/specs/extensions/message-tags
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_LINE = 16_384
"""Twice what the tags and the text of one line may take together."""

_ESCAPES = {"\\:": ";", "\\s": " ", "\\\\": "\\", "\\r": "\r", "\\n": "\n"}


@dataclass(frozen=True, slots=True)
class IrcMessage:
    """One line: ``nick`` is who sent it, empty for the server; the last of ``params`` may hold spaces."""

    command: str
    params: tuple[str, ...] = ()
    nick: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the last parameter."""
        return self.params[-1] if self.params else ""


def lines_of(frame: bytes) -> Iterator[str]:
    """Split a websocket frame, which may carry several lines, into its lines; bad UTF-8 becomes U+FFFD."""
    for line in frame.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        if line.strip():
            yield line


def parse(line: str) -> IrcMessage | None:
    """Read one line; None when it is not one."""
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
    return key, _unescaped(value) if "\\" in value else value


def _unescaped(value: str) -> str:
    # A backslash before any other character, or at the end, is dropped: so says the specification.
    parts, place = [], 0
    while (found := value.find("\\", place)) >= 0:
        pair = value[found : found + 2]
        parts += [value[place:found], _ESCAPES.get(pair, pair[1:])]
        place = found + 2
    return "".join((*parts, value[place:]))
