"""A mido backend over TCP for tests: the port's name is the address of who plays; mido itself reads the bytes."""

from __future__ import annotations

from typing import Any

from mido.sockets import SocketPort

PLAYERS: list[tuple[str, int]] = []
"""Who can be listened to now; a pad is unplugged by taking it out."""


def get_devices(**_: object) -> list[dict[str, Any]]:
    return [{"name": f"Test pad {port}", "is_input": True, "is_output": False} for _, port in PLAYERS]


class Input(SocketPort):  # type: ignore[misc]
    """Connect to the player of that name."""

    def __init__(self, name: str, **_: object) -> None:
        host, port = next(one for one in PLAYERS if name.endswith(str(one[1])))
        super().__init__(host, port)

    def _close(self) -> None:
        for one in (self._rfile, self._wfile, self._socket):
            one.close()
