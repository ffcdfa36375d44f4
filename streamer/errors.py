"""The tree of exceptions: outcomes are values, so only faults are raised.

StreamerError
├── ConfigError        config.yaml, the environment or an option is wrong; names the key, the line and the fix
├── PluginError        a module named by ``use:`` is missing, or does not offer what its seam asks for
├── StoreError         the state directory or its database cannot be used
├── ListenError        the address cannot be bound
├── ObsError           OBS did not do what was asked of it
│   ├── ObsAway              there is no OBS to ask: not running, gone meanwhile, no answer in time, a wrong password
│   └── ObsRefused           OBS answered that it will not, with obs-websocket's own code
├── TwitchError        Twitch did not do what was asked of its API; status 0 means that it could not be reached
│   ├── LoginError           nobody is logged in, or the login has ended; only a new login helps
│   └── MissingScope         the login does not cover this; the feature stops, the others go on
└── BackendError       a picture could not be drawn; the request fails, the program goes on
    ├── BackendUnavailable   the backend cannot run on this machine at all (no weights, no GPU, no memory)
    ├── BackendDied          the generator process ended or was killed while drawing
    └── Unsupported          this backend cannot do what the request asks (an edit, say)
"""

from __future__ import annotations

from collections.abc import Mapping


def in_words(error: BaseException) -> str:
    """Return what an exception says, or its name when it says nothing: a TimeoutError never does."""
    return str(error).strip() or type(error).__name__


class StreamerError(Exception):
    """Stand at the root of everything this program raises on purpose."""


class ConfigError(StreamerError):
    """Say which key is wrong, where it stands, and what would be right."""

    def __init__(self, key: str, problem: str, *, line: int | None = None, fix: str = "", path: str = "") -> None:
        super().__init__(key, problem)
        self.key, self.problem, self.line, self.fix, self.path = key, problem, line, fix, path

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line) if part)
        head = f"{place}: " if place else ""
        return f"{head}{self.key}: {self.problem}" + (f"; {self.fix}" if self.fix else "")


class PluginError(StreamerError):
    """Say which plug-in of which kind cannot be used, and why."""

    def __init__(self, kind: str, name: str, problem: str) -> None:
        super().__init__(kind, name, problem)
        self.kind, self.name, self.problem = kind, name, problem

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}': {self.problem}"


class StoreError(StreamerError):
    """Say which path of the state directory cannot be used, and why."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class ListenError(StreamerError):
    """Say which address is taken, by whom if known, and which key changes it."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(host, port, problem)
        self.host, self.port, self.problem = host, port, problem

    def __str__(self) -> str:
        return (
            f"cannot listen on {self.host}:{self.port}: {self.problem}; "
            "set server.port in config.yaml or STREAMER_PORT to a free one"
        )


class ObsError(StreamerError):
    """OBS did not do what was asked of it."""


class ObsAway(ObsError):
    """Say why there is no OBS to ask, in words for a streamer."""


class ObsRefused(ObsError):
    """Say which request OBS refused; ``code`` is obs-websocket's status, like 600 for what is not there."""

    def __init__(self, request: str, code: int, problem: str) -> None:
        super().__init__(request, code, problem)
        self.request, self.code, self.problem = request, code, problem

    def __str__(self) -> str:
        return f"OBS refused {self.request} ({self.code}): {self.problem}"


class TwitchError(StreamerError):
    """Say what Twitch answered; ``body`` is the JSON of the answer, if it was any."""

    def __init__(self, status: int, problem: str, body: Mapping[str, object] | None = None) -> None:
        super().__init__(status, problem)
        self.status, self.problem, self.body = status, problem, body or {}

    def __str__(self) -> str:
        return f"Twitch: {self.problem}" + (f" ({self.status})" if self.status else "")


class LoginError(TwitchError):
    """Say why nobody is logged in, and what to run."""

    def __init__(self, problem: str) -> None:
        super().__init__(401, problem)

    def __str__(self) -> str:
        return self.problem


class MissingScope(TwitchError):
    """The login does not cover what was asked."""


class BackendError(StreamerError):
    """Say why a picture could not be drawn; carries a fix where there is one."""

    def __init__(self, problem: str, *, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem, self.fix = problem, fix

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}" if self.fix else self.problem


class BackendUnavailable(BackendError):
    """The backend cannot run on this machine at all."""


class BackendDied(BackendError):
    """The generator process ended while it was drawing."""


class Unsupported(BackendError):
    """This backend cannot do what the request asks."""
