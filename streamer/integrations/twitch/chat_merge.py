"""What happens in one channel, told in two ways and answered once. No sockets, no clock.

IRC is read all the time, with or without a login. While EventSub reads the chat too, a line of IRC waits ``HOLD_S`` for
its twin; when that does not come, IRC's is taken. So a socket that dies silently costs a moment and loses no line.
"""

from __future__ import annotations

import logging
import math
import re
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, replace

from streamer.integrations.twitch import eventsub_events
from streamer.integrations.twitch.chat_message import ChatMessage, RoleCache, from_event, from_irc, needed, role_of
from streamer.integrations.twitch.dedupe import ChatSource, CrossSourceDedupe, TtlSet
from streamer.integrations.twitch.eventsub_events import SOURCE, Event
from streamer.integrations.twitch.irc_message import IrcMessage
from streamer.interfaces import SourceEvent
from streamer.text import clean
from streamer.types import Actor, Notice, NoticeKind, Redemption, Retraction, Role, Trigger

HOLD_S = 1.5
SAME_TEXT_S = 2.0
"""How long the same words of the same person count as one message sent twice under two ids."""
TWO_NAMES_S = 15.0
"""The same between IRC and EventSub, until a first line has shown that both call a message by one id."""
REDEEMED = "channel.channel_points_custom_reward_redemption.add"

log = logging.getLogger(__name__)

_MENTION = re.compile(r"\s*@(\w+)[,:]?\s+")
# Told at most once a session, however often somebody comes and goes to set off an alert.
_ONCE = frozenset({NoticeKind.FOLLOW})


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A line of IRC that waits for EventSub to say the same."""

    line: ChatMessage
    at: float


class ChatMerger:
    """Turn what two sockets say about one channel into happenings; ``malformed`` counts what made no sense.

    ``ours`` holds the ids of our rewards: whoever redeems one is answered by that event, not by the line in chat.
    """

    def __init__(
        self,
        channel: str,
        *,
        ignore: frozenset[str] = frozenset(),
        shared_chat: bool = False,
        ours: Container[str] = (),
    ) -> None:
        self._channel, self._ignore, self._shared_chat, self._ours = channel, ignore, shared_chat, ours
        self._us: frozenset[str] = frozenset({channel})
        self._bot_id = ""
        self._ids, self._texts, self._told, self._once = TtlSet(), TtlSet(), TtlSet(), TtlSet(kept_s=float("inf"))
        self._twins, self._known = CrossSourceDedupe(), RoleCache()
        self._held: deque[PendingMessage] = deque()
        self._first_timers = TtlSet()
        self._one_name = False
        self._eventsub_reads = False
        self.malformed = 0

    def account(self, user_id: str, login: str) -> None:
        """Name the account that is logged in: its own lines are not heard, unless it is the streamer's."""
        self._bot_id = user_id if login != self._channel else ""
        self._us = frozenset({self._channel, login})

    def lean_on_eventsub(self, reads: bool) -> None:
        """Say whether EventSub tells the lines of chat now; if not, what waited for it is due at once."""
        self._eventsub_reads = reads

    # What IRC says.

    def read(self, message: IrcMessage, now: float) -> list[SourceEvent]:
        """Say what a message of IRC means."""
        if message.command == "PRIVMSG":
            return self._typed_on_irc(message, now)
        if message.command == "CLEARMSG":
            return self._take_back(self._targeted(message, "target-msg-id", now), ChatSource.IRC)
        if message.command == "CLEARCHAT":
            everything = len(message.params) == 1
            gone = Retraction(SOURCE, None, None, now) if everything else None
            return self._take_back(gone or self._targeted(message, "target-user-id", now), ChatSource.IRC)
        if message.command == "USERNOTICE":
            return self._note(eventsub_events.from_usernotice(message, now), message.tags.get("id", ""), ChatSource.IRC)
        return []

    def _typed_on_irc(self, message: IrcMessage, now: float) -> list[SourceEvent]:
        line = from_irc(message)
        if line is None:
            self.malformed += 1
            return []
        if not self._eventsub_reads:
            return self._answer(line, now, ChatSource.IRC)
        if line.id in self._ids:
            self._one_name = True
        else:
            if line.first_time:
                self._first_timers.before(line.id, now)
            self._held.append(PendingMessage(line, now))
        return []

    def due(self, now: float) -> list[SourceEvent]:
        """Take the lines of IRC that EventSub has not told in time."""
        happenings: list[SourceEvent] = []
        while self._held and (not self._eventsub_reads or self._held[0].at + HOLD_S <= now):
            held = self._held.popleft()
            self._one_name |= held.line.id in self._ids
            happenings += self._answer(held.line, held.at, ChatSource.IRC)
        return happenings

    def wakeup(self) -> float | None:
        """Say when the next held line is due."""
        return self._held[0].at + HOLD_S if self._held else None

    def _targeted(self, message: IrcMessage, tag: str, now: float) -> Retraction | None:
        target = message.tags.get(tag)
        if not target:
            self.malformed += 1
            return None
        return Retraction(SOURCE, target if tag == "target-msg-id" else None, None if "msg" in tag else target, now)

    # What EventSub says.

    def hear(self, kind: str, event: Event, message_id: str, now: float) -> list[SourceEvent]:
        """Say what an event means; one that makes no sense is counted and costs nothing else."""
        try:
            return self._heard(kind, event, message_id, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.malformed += 1
            log.warning("twitch: an event %s made no sense: %r", kind, error)
            return []

    def _heard(self, kind: str, event: Event, message_id: str, now: float) -> list[SourceEvent]:
        if kind == "channel.chat.message":
            line = from_event(event)
            return self._answer(replace(line, first_time=line.id in self._first_timers), now, ChatSource.EVENTSUB)
        if kind == REDEEMED:
            return self._redeemed(event, now)
        if (gone := eventsub_events.retraction(kind, event, now)) is not None:
            return self._take_back(gone, ChatSource.EVENTSUB)
        in_chat = kind == "channel.chat.notification"
        own_id = needed(event["message_id"]) if in_chat else message_id
        return self._note(eventsub_events.notice(kind, event, now), own_id, ChatSource.EVENTSUB if in_chat else kind)

    def _redeemed(self, event: Event, now: float) -> list[SourceEvent]:
        redemption = Redemption(needed(event["id"]), needed(event["reward"]["id"]))
        if event.get("status", "unfulfilled") != "unfulfilled" or self._ids.before(redemption.id, now):
            return []
        user_id = needed(event["user_id"])
        # A redemption comes without badges.
        role = Role.BROADCASTER if user_id == event["broadcaster_user_id"] else self._known.role(user_id)
        actor = Actor(user_id, _name(str(event["user_name"]), str(event["user_login"])), role)
        text = str(event.get("user_input") or "")
        return [Trigger(redemption.id, SOURCE, text, actor, now, paid=True, redemption=redemption)]

    # The same for both.

    def _answer(self, line: ChatMessage, now: float, face: ChatSource) -> list[SourceEvent]:
        login = line.login.casefold()
        if login in self._ignore or line.user_id == self._bot_id or (line.partner and not self._shared_chat):
            return []
        if self._is_repeated(line, now, face):
            return []
        # In a shared chat a moderator of the partner is no moderator here.
        role = Role.VIEWER if line.partner else role_of(line.badges)
        if not line.partner:
            self._known.saw(line.user_id, role)
        actor = Actor(line.user_id, _name(line.name, line.login), role)
        happenings: list[SourceEvent] = []
        if line.bits:
            cheer = Notice(SOURCE, NoticeKind.CHEER, now, actor, line.bits, line.said)
            happenings += self._note(cheer, line.id, "line")
        if line.reward_id in self._ours:
            return happenings
        # Paid is a cheer, or a channel-point reward that asks for text.
        paid = line.bits > 0 or bool(line.reward_id)
        text = self._without_mention(line.text, line.reply)
        return [*happenings, Trigger(line.id, SOURCE, text, actor, now, paid, line.first_time)]

    def _is_repeated(self, line: ChatMessage, now: float, face: ChatSource) -> bool:
        if line.id in self._ids:
            self._ids.before(line.id, now)
            return True
        # Twitch has delivered one event under two ids (twitchdev/issues#918), hence the second key.
        words = (line.user_id, hash(line.said))
        other = ChatSource.EVENTSUB if face is ChatSource.IRC else ChatSource.IRC
        within_s = SAME_TEXT_S if self._one_name else TWO_NAMES_S
        repeated = self._texts.recent((*words, other), now, within_s)
        repeated |= self._texts.before((*words, face), now, SAME_TEXT_S)
        self._ids.before(line.id, now)
        return repeated

    def _without_mention(self, text: str, reply: bool) -> str:
        mention = _MENTION.match(text)
        if mention and (reply or mention[1].casefold() in self._us):
            return text[mention.end() :]
        return text

    def _take_back(self, gone: Retraction | None, face: ChatSource) -> list[SourceEvent]:
        if gone is None:
            return []
        # A cleared chat takes back all that waits: told twice, it would take back what was asked for in between.
        if gone.message_id is None and gone.actor_id is None and not self._twins.is_news("clear", face, gone.at):
            return []
        for held in [held for held in self._held if _meant(gone, held.line)]:
            self._held.remove(held)
            self._ids.before(held.line.id, gone.at)
        return [gone]

    def _note(self, notice: Notice | None, told_id: str, way: str) -> list[SourceEvent]:
        if notice is None or (told_id and self._told.before((way, told_id), notice.at)):
            return []
        who = notice.actor.id if notice.actor else ""
        if notice.kind in _ONCE and self._once.before((notice.kind, who), notice.at, math.inf):
            return []
        if not self._twins.is_news((notice.kind, who, notice.count), way, notice.at):
            return []
        return [notice]


def _meant(gone: Retraction, line: ChatMessage) -> bool:
    everything = gone.message_id is None and gone.actor_id is None
    return everything or line.id == gone.message_id or line.user_id == gone.actor_id


def _name(shown: str, login: str) -> str:
    return clean(shown) or login
