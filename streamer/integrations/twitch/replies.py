"""Decides what to reply in chat, to whom, and how often. No sockets; the time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from streamer.integrations.twitch.config import SOURCE
from streamer.lru import LruDict
from streamer.storage.people import NameList
from streamer.text import clean, excerpt
from streamer.types import Actor, Answer, Ended, Event, Redemption, Refused, RequestState

MAX_LENGTH = 400
"""Twitch accepts 500 characters; nobody reads more than this in a chat."""
REPORTED_ENDS = (RequestState.REFUSED, RequestState.EXPIRED, RequestState.FAILED)
REMEMBERED_VIEWERS = 2000

# Seconds of silence after Twitch dropped a message, by its code; any other code waits DEFAULT_SILENCE_S.
DROPPED_S = {
    "msg_duplicate": 0.0,
    "automod_held": 0.0,
    "msg_rejected": 0.0,
    "msg_rejected_mandatory": 0.0,
    "rate_limited": 30.0,
    "msg_ratelimit": 30.0,
    "msg_slowmode": 60.0,
    "channel_settings": 300.0,
    "msg_followersonly": 300.0,
    "msg_subsonly": 300.0,
    "msg_emoteonly": 300.0,
    "msg_timedout": 600.0,
    "msg_banned": 3600.0,
}
DEFAULT_SILENCE_S = 60.0

ShownName = Callable[[str], str]
"""Returns a name as it may be shown, "" if it may not."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One line for one person; ``parent_id`` is the message it answers, None for a redemption."""

    actor: Actor
    parent_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """Which replies to send; ``silent`` rules refuse without a reply, ``link`` contains {id} for the picture."""

    refusals: bool = True
    drawn: bool = True
    answers: bool = True
    silent: frozenset[str] = frozenset()
    link: str = ""


def reply_to(event: Event, options: ReplyOptions, shown_name: ShownName) -> Reply | None:
    """Return the reply to an event; None when nobody on Twitch asked for it.

    Every reply starts with our own words: a viewer's text at the start could be a command (``/ban``, ``!bg``) to
    Twitch, to other bots, or to us.
    """
    if isinstance(event, Answer) and options.answers and event.source == SOURCE:
        return _reply(event.actor, event.trigger_id, None, f"Note: {event.text}")
    if isinstance(event, Refused) and event.trigger.source == SOURCE:
        trigger, refusal = event.trigger, event.refusal
        if options.refusals and refusal.rule not in options.silent:
            return _refused(trigger.actor, trigger.id, trigger.redemption, refusal.reason, shown_name)
    if isinstance(event, Ended) and event.request.source == SOURCE:
        return _ended(event, options, shown_name)
    return None


def _ended(event: Ended, options: ReplyOptions, shown_name: ShownName) -> Reply | None:
    request = event.request
    if event.state is RequestState.SHOWN and options.drawn:
        link = f": {options.link.replace('{id}', request.id)}" if options.link else ""
        name = shown_name(request.actor.name)
        return _reply(request.actor, request.id, request.redemption, f"Drawn for you{name and ', ' + name}{link}")
    if event.state in REPORTED_ENDS and options.refusals and event.rule not in options.silent:
        return _refused(request.actor, request.id, request.redemption, event.reason, shown_name)
    return None


def _refused(
    actor: Actor, message_id: str, paid: Redemption | None, reason: str, shown_name: ShownName
) -> Reply:  # fmt: skip
    refund, name = " Your points come back." if paid else "", shown_name(actor.name)
    return _reply(actor, message_id, paid, f"Sorry{name and ', ' + name}: {reason}.{refund}")


def _reply(actor: Actor, message_id: str, paid: Redemption | None, text: str) -> Reply:
    # A redemption is not a chat message, so there is no message to reply to.
    return Reply(actor, None if paid else message_id, excerpt(clean(text), MAX_LENGTH))


class ReplyLimiter:
    """Decide whether a reply may be sent: not to bots, not too often to one viewer, well below Twitch's limit."""

    def __init__(self, per_30s: int, per_viewer_s: float, ignore: Collection[str]) -> None:
        self._per_30s, self._per_viewer_s = per_30s, per_viewer_s
        self._ignore = NameList(ignore)
        self._tokens, self._refilled_at = float(per_30s), 0.0
        self._replied_at: LruDict[str, float] = LruDict(REMEMBERED_VIEWERS)

    def may_answer(self, actor: Actor, own_id: str, now: float) -> bool:
        """Tell whether this person may get a reply: not ourselves, not a known bot, not somebody who just got one."""
        if actor.id == own_id or actor in self._ignore:
            return False
        last = self._replied_at.get(actor.id)
        return last is None or now - last >= self._per_viewer_s

    def wait_s(self, now: float) -> float:
        """Return how many seconds until the bucket holds a token."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) * 30.0 / self._per_30s)

    def take(self, actor: Actor, now: float) -> None:
        """Spend a token on a reply to somebody."""
        self._refill(now)
        self._tokens -= 1.0
        self._replied_at.put(actor.id, now)

    def _refill(self, now: float) -> None:
        gained = max(0.0, now - self._refilled_at) * self._per_30s / 30.0
        self._tokens, self._refilled_at = min(float(self._per_30s), self._tokens + gained), now


def silence_s(code: str) -> float:
    """Return how many seconds to stay silent after Twitch dropped a message with this code."""
    return DROPPED_S.get(code, DEFAULT_SILENCE_S)
