"""What is answered in chat, to whom, and how often: decided without a socket and with the time as an argument."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from streamer.lru import LruDict
from streamer.text import clean
from streamer.types import Actor, Answer, Ended, Event, Redemption, Refused, RequestState

SOURCE = "twitch"
LONGEST = 400
"""Twitch takes 500 characters; what is longer than this nobody reads in a chat."""
TOLD = (RequestState.REFUSED, RequestState.EXPIRED, RequestState.FAILED)
REMEMBERED = 2000

# Seconds of silence after Twitch dropped a message, by its code; the rest of the codes wait ELSE_S.
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
ELSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One line for one person; ``parent`` is the message answered, None when there is none to answer."""

    actor: Actor
    parent: str | None
    text: str


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """What is to be said: which kinds of reply, nothing about refusals by ``silent`` rules, ``link`` with {id}."""

    refusals: bool = True
    drawn: bool = True
    answers: bool = True
    silent: frozenset[str] = frozenset()
    link: str = ""


def reply_to(event: Event, wishes: ReplyOptions) -> Reply | None:
    """Say what to answer; None for what nobody on Twitch asked for.

    Every reply begins with words of ours: text of viewers could be a command (``/ban``, ``!bg``) to Twitch, to other
    bots, or to us.
    """
    if isinstance(event, Answer) and wishes.answers and event.source == SOURCE:
        return _reply(event.actor, event.trigger_id, None, f"Here it is: {event.text}")
    if isinstance(event, Refused) and event.trigger.source == SOURCE:
        trigger, refusal = event.trigger, event.refusal
        if wishes.refusals and refusal.rule not in wishes.silent:
            return _refused(trigger.actor, trigger.id, trigger.redemption, refusal.reason)
    if isinstance(event, Ended) and event.request.source == SOURCE:
        return _ended(event, wishes)
    return None


def _ended(event: Ended, wishes: ReplyOptions) -> Reply | None:
    request = event.request
    if event.state is RequestState.SHOWN and wishes.drawn:
        link = f": {wishes.link.replace('{id}', request.id)}" if wishes.link else ""
        return _reply(request.actor, request.id, request.redemption, f"Drawn for you, {request.actor.name}{link}")
    if event.state in TOLD and wishes.refusals and event.rule not in wishes.silent:
        return _refused(request.actor, request.id, request.redemption, event.reason)
    return None


def _refused(actor: Actor, message_id: str, paid: Redemption | None, reason: str) -> Reply:
    refund = " Your points come back." if paid else ""
    return _reply(actor, message_id, paid, f"Sorry, {actor.name}: {reason}.{refund}")


def _reply(actor: Actor, message_id: str, paid: Redemption | None, text: str) -> Reply:
    # A redemption is no chat message, so there is nothing to hang the reply on.
    text = clean(text)
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return Reply(actor, None if paid else message_id, text)


class ReplyLimiter:
    """Whether a reply may be said now: to humans who asked, not too often to anyone, and well below Twitch's limit."""

    def __init__(self, per_30s: int, per_viewer_s: float, ignore: Collection[str]) -> None:
        self._per_30s, self._per_viewer_s = per_30s, per_viewer_s
        self._ignore = frozenset(name.casefold() for name in ignore)
        self._tokens, self._at = float(per_30s), 0.0
        self._answered: LruDict[str, float] = LruDict(REMEMBERED)

    def may_answer(self, actor: Actor, own_id: str, now: float) -> bool:
        """Tell whether this person gets a reply: not ourselves, not a known bot, not somebody just answered."""
        if actor.id == own_id or actor.name.casefold() in self._ignore:
            return False
        last = self._answered.get(actor.id)
        return last is None or now - last >= self._per_viewer_s

    def wait_s(self, now: float) -> float:
        """Say how long until the bucket holds a token."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) * 30.0 / self._per_30s)

    def take(self, actor: Actor, now: float) -> None:
        """Take a token for a reply to somebody."""
        self._refill(now)
        self._tokens -= 1.0
        self._answered.put(actor.id, now)

    def _refill(self, now: float) -> None:
        gained = max(0.0, now - self._at) * self._per_30s / 30.0
        self._tokens, self._at = min(float(self._per_30s), self._tokens + gained), now


def silence_s(code: str) -> float:
    """Say how long to be silent after Twitch dropped a message for this reason."""
    return DROPPED_S.get(code, ELSE_S)
