"""Decides which admitted request is drawn next: bounded, fair, by priority; stale requests expire.

Equal requests form a group and are drawn once: the member with the best place stands in line for the group. When a
member leaves (replaced, retracted, expired), the next best member takes its place in line. Once ``next`` has handed out
a request, its followers, also those that join later, end as it ends, or wait again when it is preempted.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from streamer.commands.picture_key import PictureKey, is_shareable, picture_key
from streamer.pipeline.queue_options import QueueOptions
from streamer.types import ImageRequest, Lane, Refusal, RequestState

# The broadcaster's own requests never compete with chat for a place. Nobody presses more than eight hotkeys ahead on
# purpose; the ninth replaces the oldest.
_BROADCASTER_LIMIT = 8
# A raid that types the same line costs one drawing; this bounds the memory it costs.
_GROUP_LIMIT = 100
# A picture is preempted at most this often, however fast the streamer hammers the keys; then it is drawn to its end.
_PREEMPTION_LIMIT = 2

WAITED = "waited"
"""The rule under which an accepted request ends that was not drawn; ``queue`` refuses at once."""
LATE = "your picture could not be drawn in time, too many came before it"
STOPPED = "your picture waited too long, nothing could be drawn"

_Place = tuple[Lane, int, int]
_Owner = tuple[Lane, str, str]
_Entry = TypeVar("_Entry", tuple[tuple[Lane, int, int], str], tuple[float, str])


@dataclass(frozen=True, slots=True)
class Ending:
    """How one accepted request ended without being drawn; ``refusal`` says it to people."""

    request: ImageRequest
    state: RequestState
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submitted request: accepted unless ``refusal``, drawn together with ``leader_id`` if given.

    ``ended`` are requests accepted earlier that had to go because of this one.
    """

    refusal: Refusal | None = None
    leader_id: str | None = None
    ended: tuple[Ending, ...] = ()


@dataclass(frozen=True, slots=True)
class _Queued:
    request: ImageRequest
    place: _Place
    key: PictureKey
    owner: _Owner
    due: float
    """When it expires, in monotonic seconds."""
    preemptions: int = 0
    stopped_at: float | None = None
    """Since when the show could not draw it; such time does not count as waiting."""


class Scheduler:
    """Queue accepted requests; each leaves by exactly one of submit, next, expire and drop.

    Order: lanes by priority, first come first served inside a lane; inside the chat lane viewers take turns. A place
    is (lane, number of the same viewer's requests ahead, turn): sorting by it is the rotation. Bisection keeps the
    lists sorted; with a few dozen entries the shifting of pointers is not measurable.
    """

    def __init__(self, options: QueueOptions) -> None:
        self._options = options
        self._turns = itertools.count()
        self._queued: dict[str, _Queued] = {}
        self._line: list[tuple[_Place, str]] = []
        self._groups: dict[PictureKey, list[tuple[_Place, str]]] = {}
        self._held: dict[_Owner, list[str]] = {}
        self._expiries: list[tuple[float, str]] = []
        self._drawing: dict[str, tuple[_Queued, ...]] = {}

    def __len__(self) -> int:
        return len(self._line)

    def submit(self, request: ImageRequest, now: float) -> Submission:
        """Accept, join or refuse a request; an id that waits already is left as it is."""
        if request.id in self._queued:
            return self._accepted(request.id, ())
        replaced, drawn = self._replaced_by(request), self._drawn_now(request)
        evicted = self._room_for(request, replaced) if drawn is None else []
        if evicted is None:
            return Submission(refusal=Refusal(request.id, "queue", "the queue is full, try again in a moment"))
        for victim in evicted:
            self._leave(victim.id)
        reason = "somebody with priority took the last place in the queue"
        ended = [_ended(victim, RequestState.REFUSED, reason) for victim in evicted]
        place = self._new_place(request)
        if replaced is not None:
            place = self._leave(replaced.id)
            ended.append(_ended(replaced, RequestState.SUPERSEDED, "replaced by a newer request"))
        member = _Queued(request, place, picture_key(request), _owner(request), request.expires_at)
        if drawn is not None:
            self._drawing[drawn] += (member,)
            return Submission(leader_id=drawn, ended=tuple(ended))
        self._enter(member)
        return self._accepted(request.id, tuple(ended))

    def place_for(self, request: ImageRequest) -> list[ImageRequest] | None:
        """Return the line as it would be with this request in it; None when it would join what is being drawn.

        It stands for its group, whether or not it would lead it.
        """
        if self._drawn_now(request) is not None:
            return None
        key, held, line = picture_key(request), self._held.get(_owner(request), []), self._line
        place = self._new_place(request)
        if (replaced := self._replaced_by(request)) is not None:
            place, line = self._queued[held[-1]].place, self._line_without(replaced.id)
        equal = next((entry for entry in line if self._queued[entry[1]].key == key), None)
        before = min(place, equal[0]) if equal else place
        behind = [entry for entry in line if entry is not equal]
        index = bisect_left(behind, (before, ""))
        ordered = [self._queued[i].request for _, i in behind]
        return [*ordered[:index], request, *ordered[index:]]

    def first(self, now: float, may_draw: Callable[[ImageRequest], bool] = lambda request: True) -> ImageRequest | None:
        """Return the first request that may be drawn now; an expired one stays until ``expire`` collects it."""
        ready = (self._queued[i] for _, i in self._line if self._queued[i].due > now)
        return next((member.request for member in ready if may_draw(member.request)), None)

    def next(self, now: float, may_draw: Callable[[ImageRequest], bool] = lambda request: True) -> ImageRequest | None:
        """Take out the first request that may be drawn now, with its followers, to be drawn."""
        first = self.first(now, may_draw)
        if first is None:
            return None
        leader = first.id
        group = tuple(self._queued[i] for _, i in self._groups[self._queued[leader].key])
        for member in reversed(group):
            self._leave(member.request.id)
        for member in group:
            self._rotate(member)
        self._drawing[leader] = group
        return group[0].request

    def finish(self, request_id: str) -> tuple[ImageRequest, ...]:
        """Forget a request that ``next`` returned, and return its followers, which end as it ended."""
        return _followers(self._drawing.pop(request_id, ()))

    def preempts(self, drawn_id: str, waiting: ImageRequest, steps_left: int) -> bool:
        """Tell whether a waiting request preempts the one being drawn, which has ``steps_left`` steps to go."""
        if not self._options.preempt or drawn_id not in self._drawing:
            return False
        members = self._drawing[drawn_id]
        preemptions = max(member.preemptions for member in members)
        return preempts(members[0].request.priority, waiting.priority, steps_left, preemptions)

    def requeue(self, request_id: str) -> None:
        """Queue a preempted request and its followers again, in the places that they had.

        Their turn had come already, so they count towards no limit, and they do not expire.
        """
        for member in self._drawing.pop(request_id, ()):
            own = (member.request.priority, "", member.request.id)
            self._enter(replace(member, owner=own, due=math.inf, stopped_at=None, preemptions=member.preemptions + 1))

    def note_stops(self, now: float, limit_s: Callable[[ImageRequest], float | None]) -> None:
        """Let no time count for requests that the show could not draw now.

        ``limit_s`` returns for how many seconds at most a request waits for such a stop to end, None while there is
        none. When it ends, the request has as much time left as when it began.
        """
        for request_id, member in self._queued.items():
            if member.preemptions:
                continue  # it does not expire
            timed = _timed(member, now, limit_s(member.request))
            if timed.due != member.due:
                _discard(self._expiries, (member.due, request_id))
                insort(self._expiries, (timed.due, request_id))
            self._queued[request_id] = timed

    def expire(self, now: float) -> list[Ending]:
        """Take out every request that waited too long."""
        ended = []
        while self._expiries and self._expiries[0][0] <= now:
            member = self._queued[self._expiries[0][1]]
            self._leave(member.request.id)
            ended.append(_ended(member.request, RequestState.EXPIRED, LATE if member.stopped_at is None else STOPPED))
        return ended

    def drop(self, matches: Callable[[ImageRequest], bool]) -> list[ImageRequest]:
        """Take out every matching request, also followers of the one being drawn; the caller ends them."""
        dropped = [member.request for member in self._queued.values() if matches(member.request)]
        for request in dropped:
            self._leave(request.id)
        for leader, members in self._drawing.items():
            dropped += [follower for follower in _followers(members) if matches(follower)]
            self._drawing[leader] = (members[0], *(member for member in members[1:] if not matches(member.request)))
        return dropped

    def followers(self, request_id: str) -> tuple[ImageRequest, ...]:
        """Return the requests that share the picture of a queued request or of the one being drawn."""
        if request_id in self._drawing:
            return _followers(self._drawing[request_id])
        if request_id not in self._queued:
            return ()
        (_, leader), *rest = self._groups[self._queued[request_id].key]
        return tuple(self._queued[i].request for _, i in rest) if leader == request_id else ()

    def pending(self) -> list[ImageRequest]:
        """Return the queued requests in the order of drawing, without followers."""
        return [self._queued[i].request for _, i in self._line]

    def position(self, request_id: str) -> int | None:
        """Return the place in line, counted from 1; a follower has its leader's. None when it is not queued."""
        member = self._queued.get(request_id)
        return None if member is None else bisect_left(self._line, self._groups[member.key][0]) + 1

    def place_of(self, actor_id: str) -> int | None:
        """Return somebody's best place in line, also as a follower of another's request; None when there is none."""
        places = (self.position(i) for i, member in self._queued.items() if member.request.actor.id == actor_id)
        return min((place for place in places if place is not None), default=None)

    def wakeup(self, now: float) -> float | None:
        """Return when ``expire`` has something to do next, in monotonic seconds."""
        soonest = self._expiries[0][0] if self._expiries else math.inf
        return max(now, soonest) if soonest < math.inf else None

    def _drawn_now(self, request: ImageRequest) -> str | None:
        """Return the id of an equal request that is being drawn, which this one may join."""
        if not is_shareable(request):
            return None
        picture = picture_key(request)
        fitting = (
            i for i, members in self._drawing.items() if members[0].key == picture and len(members) < _GROUP_LIMIT
        )
        return next(fitting, None)

    def _replaced_by(self, request: ImageRequest) -> ImageRequest | None:
        held = self._held.get(_owner(request), [])
        allowed = _BROADCASTER_LIMIT if request.priority is Lane.BROADCASTER else self._options.per_viewer
        return self._queued[held[0]].request if len(held) >= allowed else None

    def _room_for(self, request: ImageRequest, replaced: ImageRequest | None) -> list[ImageRequest] | None:
        """Return the requests to evict for this one, or None when it has to be refused.

        A full line, or a full group to join, gives up its end to a better lane: a paid request is never refused
        because chat was faster, and the broadcaster has a few places more. Preempted requests are not counted and
        not evicted.
        """
        spare = _BROADCASTER_LIMIT if request.priority is Lane.BROADCASTER else 0
        group = self._groups.get(picture_key(request), [])
        freed = replaced is not None and len(self._groups[picture_key(replaced)]) == 1
        if group and not (freed and self._queued[group[0][1]].request is replaced):
            group = self._counted(group)
            end, full = group[-1:], len(group) >= _GROUP_LIMIT + spare
        else:
            line = self._counted(self._line)
            end = self._counted(self._groups[self._queued[line[-1][1]].key]) if line else []
            full = len(line) - freed >= self._options.limit + spare
        if not full:
            return []
        victims = [self._queued[i].request for _, i in end]
        return victims if request.priority < victims[0].priority else None

    def _line_without(self, request_id: str) -> list[tuple[_Place, str]]:
        """Return the line without a request; if others share its picture, the next of them leads the group."""
        group = self._groups[self._queued[request_id].key]
        if group[0][1] != request_id:
            return self._line
        return sorted([*(entry for entry in self._line if entry[1] != request_id), *group[1:2]])

    def _counted(self, line: list[tuple[_Place, str]]) -> list[tuple[_Place, str]]:
        """Leave out preempted requests."""
        return [entry for entry in line if not self._queued[entry[1]].preemptions]

    def _new_place(self, request: ImageRequest) -> _Place:
        return request.priority, self._ahead_of(request), next(self._turns)

    def _ahead_of(self, request: ImageRequest) -> int:
        """Return how many requests of the same person wait, where people take turns inside a lane.

        In the private lane tenants do, behind what the streamer asked for there.
        """
        if request.priority is Lane.CHAT:
            return len(self._held.get(_owner(request), ()))
        if request.priority is not Lane.PRIVATE or request.own:
            return 0
        same = (request.priority, request.actor.id)
        return 1 + sum((held.request.priority, held.request.actor.id) == same for held in self._queued.values())

    def _rotate(self, drawn: _Queued) -> None:
        """Move the viewer's other requests to the back of the rotation: this turn is used up."""
        if drawn.request.priority is Lane.CHAT:
            for before, request_id in enumerate(self._held.get(drawn.owner, ())):
                self._move(request_id, (Lane.CHAT, before, next(self._turns)))

    def _enter(self, member: _Queued) -> None:
        self._held.setdefault(member.owner, []).append(member.request.id)
        insort(self._expiries, (member.due, member.request.id))
        self._insert(member)

    def _leave(self, request_id: str) -> _Place:
        """Take a request out, move its owner's later requests up, and return the place that became free."""
        member = self._remove(request_id)
        _discard(self._expiries, (member.due, request_id))
        held, free = self._held[member.owner], member.place
        index = held.index(request_id)
        del held[index]
        for behind in held[index:]:
            free = self._move(behind, free)
        if not held:
            del self._held[member.owner]
        return free

    def _move(self, request_id: str, place: _Place) -> _Place:
        """Move a request to another place, and return the place that it had."""
        member = self._remove(request_id)
        self._insert(replace(member, place=place))
        return member.place

    def _insert(self, member: _Queued) -> None:
        """Add a request to its group; the group stands in line at its best place."""
        group = self._groups.setdefault(member.key, [])
        if group:
            _discard(self._line, group[0])
        self._queued[member.request.id] = member
        insort(group, (member.place, member.request.id))
        insort(self._line, group[0])

    def _remove(self, request_id: str) -> _Queued:
        """Remove a request from its group; the group stands in line at the next best place."""
        member = self._queued.pop(request_id)
        group = self._groups[member.key]
        _discard(self._line, group[0])
        _discard(group, (member.place, request_id))
        if group:
            insort(self._line, group[0])
        else:
            del self._groups[member.key]
        return member

    def _accepted(self, request_id: str, ended: tuple[Ending, ...]) -> Submission:
        _, leader = self._groups[self._queued[request_id].key][0]
        return Submission(leader_id=None if leader == request_id else leader, ended=ended)


def preempts(drawn: Lane, waiting: Lane, steps_left: int, preemptions: int) -> bool:
    """Tell whether a waiting request preempts a drawn one: the broadcaster's a viewer's, anybody's a private one.

    In its last step a picture is done about as soon as it could be stopped; preempted too often, it would never be
    drawn.
    """
    comes_first = drawn > waiting and (waiting is Lane.BROADCASTER or drawn is Lane.PRIVATE)
    return comes_first and steps_left > 1 and preemptions < _PREEMPTION_LIMIT


def _timed(member: _Queued, now: float, limit_s: float | None) -> _Queued:
    """Stop the time of a request for at most ``limit_s`` seconds, or let it go on (None)."""
    if limit_s is not None:
        since = now if member.stopped_at is None else member.stopped_at
        return replace(member, stopped_at=since, due=since + limit_s)
    if member.stopped_at is None:
        return member
    request = replace(member.request, expires_at=member.request.expires_at + now - member.stopped_at)
    return replace(member, request=request, stopped_at=None, due=request.expires_at)


def _owner(request: ImageRequest) -> _Owner:
    """Return whose places a request takes: the viewer's, the broadcaster's, or its own if paid for or private."""
    viewer = request.actor.id if request.priority is Lane.CHAT else ""
    alone = request.priority in (Lane.PAID, Lane.PRIVATE)
    return request.priority, viewer, request.id if alone else ""


def _followers(members: tuple[_Queued, ...]) -> tuple[ImageRequest, ...]:
    return tuple(member.request for member in members[1:])


def _ended(request: ImageRequest, state: RequestState, reason: str) -> Ending:
    return Ending(request, state, Refusal(request.id, WAITED, reason))


def _discard(ordered: list[_Entry], item: _Entry) -> None:
    del ordered[bisect_left(ordered, item)]
