"""Send Chat Message: what a bot may say, and why Twitch drops it with a friendly 200."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.twitch_standin.helix import Call, Gate, Wrong
from tests.support.twitch_standin.people import World

LONGEST = 500
WINDOW_S = 30.0
ORDINARY, PRIVILEGED = 20, 100


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that a bot got into chat."""

    id: str
    sender_id: str
    text: str
    parent: str
    at: float


class Speech:
    """``sent`` holds what got through; ``drop`` the code and reason that the next messages are dropped with."""

    def __init__(self, gate: Gate, world: World) -> None:
        self._gate, self._world = gate, world
        self._numbers = itertools.count(1)
        self.sent: list[SentMessage] = []
        self.dropped: list[str] = []
        self.drop: deque[tuple[str, str]] = deque()

    def routes(self) -> list[Route]:
        """Return the routes, below /helix."""
        return [self._gate.route("chat/messages", "POST", self._send)]

    async def _send(self, call: Call) -> Response:
        call.need("user:write:chat")
        sender, text = call.text("sender_id"), call.text("message")
        call.text("broadcaster_id")
        if sender != call.grant.user.id:
            raise Wrong(401, "The ID in sender_id must match the user ID found in the request's OAuth token.")
        if call.body.get("for_source_only") is not None:
            raise Wrong(400, "for_source_only can only be specified with an app access token")
        if len(text) > LONGEST:
            raise Wrong(422, "The message is too large")
        reason = self._reason(sender, text)
        if reason is not None:
            self.dropped.append(text)
            drop = {"code": reason[0], "message": reason[1]}
            return JSONResponse({"data": [{"message_id": "", "is_sent": False, "drop_reason": drop}]})
        parent = call.body.get("reply_parent_message_id") or ""
        message = SentMessage(f"sent-{next(self._numbers)}", sender, text, parent, _now())
        self.sent.append(message)
        return JSONResponse({"data": [{"message_id": message.id, "is_sent": True, "drop_reason": None}]})

    def _reason(self, sender: str, text: str) -> tuple[str, str] | None:
        if self.drop:
            return self.drop.popleft()
        recent = [message for message in self.sent if message.sender_id == sender and _now() - message.at < WINDOW_S]
        privileged = self._world.moderates(sender)
        if len(recent) >= (PRIVILEGED if privileged else ORDINARY):
            return "rate_limited", "Your message was not sent because you are sending messages too quickly."
        if not privileged and any(message.text == text for message in recent):
            return "msg_duplicate", "Your message is identical to the previous one sent less than 30 seconds ago."
        return None


def _now() -> float:
    return time.monotonic()
