"""Merges what IRC and EventSub report about one channel, so that everything is reported once. No sockets, no clock.

IRC is always read, with or without a login. While EventSub reads the chat too, a message from IRC waits ``HOLD_S``
for EventSub's copy; if that does not come, IRC's is used. A connection that dies silently delays messages but loses
none.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, replace

from streamer.integrations.twitch import eventsub_events
from streamer.integrations.twitch.chat_message import (
    CACHED_ROLES,
    ChatMessage,
    RoleCache,
    from_event,
    from_irc,
    required_id,
    role_of,
)
from streamer.integrations.twitch.config import SOURCE
from streamer.integrations.twitch.dedupe import ChatSource, CrossSourceDedupe, MessageDedupe, NoticeDedupe, TtlSet
from streamer.integrations.twitch.eventsub_events import Event
from streamer.integrations.twitch.irc_message import IrcMessage
from streamer.integrations.twitch.subscriptions import CHAT_MESSAGES, REWARDS
from streamer.interfaces import SourceEvent
from streamer.lru import LruDict
from streamer.storage.people import NOBODY, NameList, keys_of, name_key
from streamer.text import clean
from streamer.types import Actor, Notice, NoticeKind, Redemption, Retraction, Role, Trigger

HOLD_S = 1.5

log = logging.getLogger(__name__)

_MENTION = re.compile(r"\s*@(\w+)[,:]?\s+")
# A cheer is part of a chat message, whichever connection delivers that message.
_CHEER_ROUTE = "message"


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message from IRC that waits for EventSub's copy since ``at``."""

    message: ChatMessage
    at: float


class ChatMerger:
    """Turn what two connections report about one channel into source events; ``malformed`` counts unreadable input.

    ``own_rewards`` holds the ids of our rewards: EventSub's redemption event reports those, not the chat message.
    """

    def __init__(
        self,
        channel: str,
        *,
        ignore: NameList = NOBODY,
        shared_chat: bool = False,
        own_rewards: Container[str] = (),
    ) -> None:
        self._channel, self._ignore, self._shared_chat, self._own_rewards = channel, ignore, shared_chat, own_rewards
        self._own_names: frozenset[str] = frozenset({channel})
        self._broadcaster_names: frozenset[str] = frozenset()
        self._bot_id = ""
        self._messages, self._notices, self._clears = MessageDedupe(), NoticeDedupe(), CrossSourceDedupe()
        self._roles = RoleCache()
        self._user_ids: LruDict[str, str] = LruDict(CACHED_ROLES)
        self._pending: deque[PendingMessage] = deque()
        self._first_messages = TtlSet()
        self._eventsub_reads = False
        self.malformed = 0

    def set_account(self, user_id: str, login: str) -> None:
        """Name the account that is logged in: its messages are ignored, unless it is the broadcaster's account."""
        self._bot_id = user_id if login != self._channel else ""
        self._own_names = frozenset({self._channel, login})

    def set_eventsub_reads(self, reads: bool) -> None:
        """Say whether EventSub delivers chat messages now; if not, messages that wait for it are due at once."""
        self._eventsub_reads = reads

    def read_irc(self, message: IrcMessage, now: float) -> list[SourceEvent]:
        """Interpret a message from IRC."""
        if message.command == "PRIVMSG":
            return self._chat_from_irc(message, now)
        if message.command in ("CLEARMSG", "CLEARCHAT"):
            retraction = self._retraction_in(message, now)
            if retraction is None:
                self.malformed += 1
                return []
            return self._retract(retraction, ChatSource.IRC)
        if message.command == "USERNOTICE":
            notice = eventsub_events.from_usernotice(message, now)
            return self._report(notice, message.tags.get("id", ""), ChatSource.IRC)
        return []

    def read_event(self, kind: str, event: Event, event_id: str, now: float) -> list[SourceEvent]:
        """Interpret an event from EventSub; a malformed one is counted and dropped."""
        try:
            return self._interpret(kind, event, event_id, now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.malformed += 1
            log.warning("twitch: an event %s is malformed: %r", kind, error)
            return []

    def due(self, now: float) -> list[SourceEvent]:
        """Use the messages from IRC whose copy EventSub has not delivered in time."""
        events: list[SourceEvent] = []
        while self._pending and (not self._eventsub_reads or self._pending[0].at + HOLD_S <= now):
            pending = self._pending.popleft()
            self._messages.confirm(pending.message.id)
            events += self._accept(pending.message, pending.at, ChatSource.IRC)
        return events

    def wakeup(self) -> float | None:
        """Return when the next pending message is due."""
        return self._pending[0].at + HOLD_S if self._pending else None

    def _chat_from_irc(self, message: IrcMessage, now: float) -> list[SourceEvent]:
        chat = from_irc(message)
        if chat is None:
            self.malformed += 1
            return []
        if not self._eventsub_reads:
            return self._accept(chat, now, ChatSource.IRC)
        if not self._messages.confirm(chat.id):
            if chat.first_time:
                # Only IRC says this; EventSub's copy takes it over.
                self._first_messages.add(chat.id, now)
            self._pending.append(PendingMessage(chat, now))
        return []

    def _interpret(self, kind: str, event: Event, event_id: str, now: float) -> list[SourceEvent]:
        if kind == CHAT_MESSAGES:
            chat = from_event(event)
            return self._accept(replace(chat, first_time=chat.id in self._first_messages), now, ChatSource.EVENTSUB)
        if kind == REWARDS.kind:
            return self._redeemed(event, now)
        if (retraction := eventsub_events.retraction(kind, event, now)) is not None:
            return self._retract(retraction, ChatSource.EVENTSUB)
        if kind == "channel.chat.notification":
            message_id = required_id(event["message_id"])
            return self._report(eventsub_events.notice(kind, event, now), message_id, ChatSource.EVENTSUB)
        return self._report(eventsub_events.notice(kind, event, now), event_id, kind)

    def _redeemed(self, event: Event, now: float) -> list[SourceEvent]:
        redemption = Redemption(required_id(event["id"]), required_id(event["reward"]["id"]))
        if event.get("status", "unfulfilled") != "unfulfilled" or self._messages.add_id(redemption.id, now):
            return []
        user_id = required_id(event["user_id"])
        # A redemption event carries no badges.
        role = Role.BROADCASTER if user_id == event["broadcaster_user_id"] else self._roles.get(user_id)
        login = str(event["user_login"])
        actor = Actor(user_id, _shown_name(str(event["user_name"]), login), role, login)
        text = str(event.get("user_input") or "")
        return [Trigger(redemption.id, SOURCE, text, actor, now, paid=True, redemption=redemption)]

    def _accept(self, chat: ChatMessage, now: float, source: ChatSource) -> list[SourceEvent]:
        # In a shared chat a moderator of the partner channel is not a moderator here.
        role = Role.VIEWER if chat.from_partner else role_of(chat.badges)
        actor = Actor(chat.user_id, _shown_name(chat.display_name, chat.login), role, chat.login)
        if self._is_ignored(chat, actor) or self._messages.is_repeat(chat, source, now):
            return []
        self._note_person(actor, chat.from_partner)
        events: list[SourceEvent] = []
        if chat.bits:
            cheer = Notice(SOURCE, NoticeKind.CHEER, now, actor, chat.bits, chat.raw_text)
            events += self._report(cheer, chat.id, _CHEER_ROUTE)
        if chat.reward_id in self._own_rewards:
            return events
        # Paid: a cheer, or a channel-point reward that asks for text.
        paid = chat.bits > 0 or bool(chat.reward_id)
        text = self._without_mention(chat.text, chat.is_reply)
        return [*events, Trigger(chat.id, SOURCE, text, actor, now, paid, chat.first_time)]

    def _is_ignored(self, chat: ChatMessage, actor: Actor) -> bool:
        return actor in self._ignore or chat.user_id == self._bot_id or (chat.from_partner and not self._shared_chat)

    def _note_person(self, actor: Actor, from_partner: bool) -> None:
        """Remember the role for events without badges, the id for events without one, and what the streamer shows."""
        self._user_ids.put(name_key(actor.login), actor.id)
        if from_partner:
            return
        self._roles.put(actor.id, actor.role)
        if actor.role is Role.BROADCASTER:
            self._broadcaster_names = frozenset(keys_of(actor))

    def _without_mention(self, text: str, is_reply: bool) -> str:
        mention = _MENTION.match(text)
        if mention and (is_reply or name_key(mention[1]) in self._own_names | self._broadcaster_names):
            return text[mention.end() :]
        return text

    def _retract(self, retraction: Retraction, source: ChatSource) -> list[SourceEvent]:
        # A cleared chat retracts everything that waits: applied twice, it would also drop requests made in between.
        if _is_clear(retraction) and not self._clears.is_new("clear", source, retraction.at):
            return []
        for pending in [pending for pending in self._pending if _covers(retraction, pending.message)]:
            self._pending.remove(pending)
            self._messages.add_id(pending.message.id, retraction.at)
        return [retraction]

    def _retraction_in(self, message: IrcMessage, now: float) -> Retraction | None:
        """Parse CLEARMSG or CLEARCHAT; None when its target is missing."""
        if message.command == "CLEARMSG":
            message_id = message.tags.get("target-msg-id")
            return Retraction(SOURCE, message_id, None, now) if message_id else None
        if len(message.params) == 1:
            return Retraction(SOURCE, None, None, now)
        # The tag is the id; the last parameter is the login, for whoever wrote here.
        user_id = message.tags.get("target-user-id") or self._user_ids.get(name_key(message.text))
        return Retraction(SOURCE, None, user_id, now) if user_id else None

    def _report(self, notice: Notice | None, event_id: str, route: str) -> list[SourceEvent]:
        return [notice] if notice is not None and self._notices.is_new(notice, event_id, route) else []


def _is_clear(retraction: Retraction) -> bool:
    return retraction.message_id is None and retraction.actor_id is None


def _covers(retraction: Retraction, chat: ChatMessage) -> bool:
    return _is_clear(retraction) or chat.id == retraction.message_id or chat.user_id == retraction.actor_id


def _shown_name(display_name: str, login: str) -> str:
    return clean(display_name) or login
