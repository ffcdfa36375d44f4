"""Decides which admitted request is drawn next, and which never: bounded, fair, by priority, forgetting what is stale.

Identical requests form a group and are drawn once: the member with the best place stands in line for all of them.
A member that leaves (replaced, taken back, expired) takes nobody with it; the next best member stands in its stead.
Once ``next`` has handed out a request its followers, later ones among them, share its fate, whatever that is: they end
as it ends, or wait again when it has to make way for the streamer's.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from streamer.types import (
    ImageRequest,
    Lane,
    PictureKey,
    Refusal,
    RequestState,
    is_shareable,
    picture_key,
)

# The streamer's own requests never compete with chat for a place. Eight hotkeys deep is more than anyone presses
# on purpose; the ninth replaces the oldest.
_BROADCASTER_LIMIT = 8
# A raid that types the same line costs one drawing; this bounds the memory it costs.
_GROUP_LIMIT = 100
# A streamer who hammers the keys puts a picture off this often; then it is drawn to its end.
_PUT_OFF_LIMIT = 2

_Place = tuple[Lane, int, int]
_Owner = tuple[Lane, str, str]
_Entry = TypeVar("_Entry", tuple[tuple[Lane, int, int], str], tuple[float, str])


class QueueOptions(BaseModel):
    """How much may wait, and for how long; ``queue`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(50, ge=1, le=1000, description="how many different pictures may wait at once")
    per_viewer: int = Field(
        1, ge=1, le=10, description="how many of them one viewer may hold; a newer text replaces an older one"
    )
    expires_s: float = Field(30.0, gt=0, description="requests older than this are not drawn")
    same_s: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="for this long, asking again for what was just shown or refused gets no new picture; 0: "
        "always a new one",
    )
    preempt: bool = Field(
        True,
        description="true: your own request interrupts a viewer's between two steps; the viewer's is drawn afterwards",
    )


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
class _QueuedRequest:
    request: ImageRequest
    place: _Place
    key: PictureKey
    owner: _Owner
    put_off: int = 0


class Scheduler:
    """Hold what waits to be drawn; every accepted request leaves by exactly one of submit, next, expire and drop.

    Order: lanes by priority, first come first served inside a lane; inside the chat lane viewers take turns. A place
    is (lane, how many of the same viewer stand before, turn): sorting by it is the rotation. The lists are kept sorted
    by bisection; at a few dozen entries the shifting of pointers is not measurable.
    """

    def __init__(self, options: QueueOptions) -> None:
        self._options = options
        self._turns = itertools.count()
        self._seats: dict[str, _QueuedRequest] = {}
        self._line: list[tuple[_Place, str]] = []
        self._groups: dict[PictureKey, list[tuple[_Place, str]]] = {}
        self._held: dict[_Owner, list[str]] = {}
        self._expiries: list[tuple[float, str]] = []
        self._drawing: dict[str, tuple[_QueuedRequest, ...]] = {}

    def __len__(self) -> int:
        return len(self._line)

    def submit(self, request: ImageRequest, now: float) -> Submission:
        """Accept, join or refuse a request; an id that waits already is left as it is."""
        if request.id in self._seats:
            return self._accepted(request.id, ())
        replaced, drawn = self._replaced_by(request), self._drawn_now(request)
        evicted = self._room_for(request, replaced) if drawn is None else []
        if evicted is None:
            return Submission(refusal=Refusal(request.id, "queue", "the queue is full, try again in a moment"))
        for one in evicted:
            self._leave(one.id)
        ended = [_ended(one, RequestState.REFUSED, "the last place went to a request with priority") for one in evicted]
        place = self._new_place(request)
        if replaced is not None:
            place = self._leave(replaced.id)
            ended.append(_ended(replaced, RequestState.SUPERSEDED, "replaced by a newer request"))
        seat = _QueuedRequest(request, place, picture_key(request), _owner(request))
        if drawn is not None:
            self._drawing[drawn] += (seat,)
            return Submission(leader_id=drawn, ended=tuple(ended))
        self._enter(seat)
        return self._accepted(request.id, tuple(ended))

    def next(self, now: float, may_draw: Callable[[ImageRequest], bool] = lambda request: True) -> ImageRequest | None:
        """Hand out the first request that may be drawn now; what has expired stays until ``expire`` collects it."""
        ready = (i for _, i in self._line if self._seats[i].request.expires_at > now)
        leader = next((i for i in ready if may_draw(self._seats[i].request)), None)
        if leader is None:
            return None
        group = tuple(self._seats[i] for _, i in self._groups[self._seats[leader].key])
        for seat in reversed(group):
            self._leave(seat.request.id)
        for seat in group:
            self._rotate(seat)
        self._drawing[leader] = group
        return group[0].request

    def finish(self, request_id: str) -> tuple[ImageRequest, ...]:
        """Forget a request that ``next`` handed out and return its followers, which end as it ended."""
        return _followers(self._drawing.pop(request_id, ()))

    def makes_way(self, drawn_id: str, waiting: ImageRequest, steps_left: int) -> bool:
        """Say whether a picture being drawn, with so many steps before it, is to be put off for one that waits."""
        if not self._options.preempt or drawn_id not in self._drawing:
            return False
        seats = self._drawing[drawn_id]
        put_off = max(seat.put_off for seat in seats)
        return makes_way(seats[0].request.priority, waiting.priority, steps_left, put_off)

    def put_off(self, request_id: str) -> None:
        """Let a request that ``next`` handed out, and its followers, wait again in the places they had.

        Their turn had come, so they take no place from anybody, nobody takes theirs, and they do not expire.
        """
        for seat in self._drawing.pop(request_id, ()):
            request = replace(seat.request, expires_at=math.inf)
            own = (request.priority, "", request.id)
            self._enter(replace(seat, request=request, owner=own, put_off=seat.put_off + 1))

    def expire(self, now: float) -> list[Ending]:
        """End every waiting request whose time is over."""
        ended = []
        while self._expiries and self._expiries[0][0] <= now:
            request = self._seats[self._expiries[0][1]].request
            self._leave(request.id)
            ended.append(_ended(request, RequestState.EXPIRED, "waited too long"))
        return ended

    def prolong(self, until: float) -> None:
        """Let everything that waits go on waiting at least until then."""
        for request_id, seat in self._seats.items():
            request = replace(seat.request, expires_at=max(seat.request.expires_at, until))
            self._seats[request_id] = replace(seat, request=request)
        self._expiries = sorted((seat.request.expires_at, request_id) for request_id, seat in self._seats.items())

    def drop(self, matches: Callable[[ImageRequest], bool]) -> list[ImageRequest]:
        """Take out every matching request, those that follow a picture being drawn included; the caller ends them."""
        dropped = [seat.request for seat in self._seats.values() if matches(seat.request)]
        for request in dropped:
            self._leave(request.id)
        for leader, seats in self._drawing.items():
            dropped += [one for one in _followers(seats) if matches(one)]
            self._drawing[leader] = (seats[0], *(seat for seat in seats[1:] if not matches(seat.request)))
        return dropped

    def followers(self, request_id: str) -> tuple[ImageRequest, ...]:
        """Return who else gets the picture of a waiting or handed-out request."""
        if request_id in self._drawing:
            return _followers(self._drawing[request_id])
        if request_id not in self._seats:
            return ()
        (_, leader), *rest = self._groups[self._seats[request_id].key]
        return tuple(self._seats[i].request for _, i in rest) if leader == request_id else ()

    def pending(self) -> list[ImageRequest]:
        """Return the pictures to be drawn, first one first; followers are not listed."""
        return [self._seats[i].request for _, i in self._line]

    def position(self, request_id: str) -> int | None:
        """Return the 1-based place in line, a follower's being that of its leader; None when it does not wait."""
        seat = self._seats.get(request_id)
        return None if seat is None else bisect_left(self._line, self._groups[seat.key][0]) + 1

    def place_of(self, actor_id: str) -> int | None:
        """Return the best place in line of somebody, who may have joined another's request; None when nobody waits."""
        places = (self.position(i) for i, seat in self._seats.items() if seat.request.actor.id == actor_id)
        return min((place for place in places if place is not None), default=None)

    def wakeup(self, now: float) -> float | None:
        """Return when ``expire`` has something to do next, in monotonic seconds."""
        soonest = self._expiries[0][0] if self._expiries else math.inf
        return max(now, soonest) if soonest < math.inf else None

    def _drawn_now(self, request: ImageRequest) -> str | None:
        """Return whose picture is being drawn and will do for a request as well."""
        if not is_shareable(request):
            return None
        picture = picture_key(request)
        fitting = (i for i, seats in self._drawing.items() if seats[0].key == picture and len(seats) < _GROUP_LIMIT)
        return next(fitting, None)

    def _replaced_by(self, request: ImageRequest) -> ImageRequest | None:
        held = self._held.get(_owner(request), [])
        allowed = _BROADCASTER_LIMIT if request.priority is Lane.BROADCASTER else self._options.per_viewer
        return self._seats[held[0]].request if len(held) >= allowed else None

    def _room_for(self, request: ImageRequest, replaced: ImageRequest | None) -> list[ImageRequest] | None:
        """Return who must go to make room for a request, or None when it has to be refused.

        What is full (the line, or the group to join) gives up its end to a better lane: a paid request is never
        refused because chat was faster, and the streamer has a few places more than anyone else. What was put off
        neither counts nor goes.
        """
        spare = _BROADCASTER_LIMIT if request.priority is Lane.BROADCASTER else 0
        group = self._groups.get(picture_key(request), [])
        freed = replaced is not None and len(self._groups[picture_key(replaced)]) == 1
        if group and not (freed and self._seats[group[0][1]].request is replaced):
            group = self._counted(group)
            end, full = group[-1:], len(group) >= _GROUP_LIMIT + spare
        else:
            line = self._counted(self._line)
            end = self._counted(self._groups[self._seats[line[-1][1]].key]) if line else []
            full = len(line) - freed >= self._options.limit + spare
        if not full:
            return []
        victims = [self._seats[i].request for _, i in end]
        return victims if request.priority < victims[0].priority else None

    def _counted(self, line: list[tuple[_Place, str]]) -> list[tuple[_Place, str]]:
        """Leave out what was put off."""
        return [entry for entry in line if not self._seats[entry[1]].put_off]

    def _new_place(self, request: ImageRequest) -> _Place:
        before = len(self._held.get(_owner(request), ())) if request.priority is Lane.CHAT else 0
        return request.priority, before, next(self._turns)

    def _rotate(self, drawn: _QueuedRequest) -> None:
        """Send what else the viewer waits for to the back of the rotation: this turn is used up."""
        if drawn.request.priority is Lane.CHAT:
            for before, request_id in enumerate(self._held.get(drawn.owner, ())):
                self._move(request_id, (Lane.CHAT, before, next(self._turns)))

    def _enter(self, seat: _QueuedRequest) -> None:
        self._held.setdefault(seat.owner, []).append(seat.request.id)
        insort(self._expiries, (seat.request.expires_at, seat.request.id))
        self._sit(seat)

    def _leave(self, request_id: str) -> _Place:
        """Take a request out, move up what its owner holds behind it, and return the place that became free."""
        seat = self._stand_up(request_id)
        _discard(self._expiries, (seat.request.expires_at, request_id))
        held, free = self._held[seat.owner], seat.place
        index = held.index(request_id)
        del held[index]
        for behind in held[index:]:
            free = self._move(behind, free)
        if not held:
            del self._held[seat.owner]
        return free

    def _move(self, request_id: str, place: _Place) -> _Place:
        """Seat a request elsewhere and return the place it had."""
        seat = self._stand_up(request_id)
        self._sit(replace(seat, place=place))
        return seat.place

    def _sit(self, seat: _QueuedRequest) -> None:
        """Put a seat into its group; the group's best place is the one that stands in the line."""
        group = self._groups.setdefault(seat.key, [])
        if group:
            _discard(self._line, group[0])
        self._seats[seat.request.id] = seat
        insort(group, (seat.place, seat.request.id))
        insort(self._line, group[0])

    def _stand_up(self, request_id: str) -> _QueuedRequest:
        """Take a seat out of its group; the next best place takes over in the line."""
        seat = self._seats.pop(request_id)
        group = self._groups[seat.key]
        _discard(self._line, group[0])
        _discard(group, (seat.place, request_id))
        if group:
            insort(self._line, group[0])
        else:
            del self._groups[seat.key]
        return seat

    def _accepted(self, request_id: str, ended: tuple[Ending, ...]) -> Submission:
        _, leader = self._groups[self._seats[request_id].key][0]
        return Submission(leader_id=None if leader == request_id else leader, ended=ended)


def makes_way(drawn: Lane, waiting: Lane, steps_left: int, put_off: int) -> bool:
    """Say whether a picture being drawn is put off for one that waits: a viewer's for the streamer's, and it must pay.

    In its last step it is done about as soon as it could be stopped; put off too often it would never be drawn.
    """
    return waiting is Lane.BROADCASTER and drawn > waiting and steps_left > 1 and put_off < _PUT_OFF_LIMIT


def _owner(request: ImageRequest) -> _Owner:
    """Say whose places a request takes: a viewer's, the streamer's, or (paid for) its own."""
    viewer = request.actor.id if request.priority is Lane.CHAT else ""
    return request.priority, viewer, request.id if request.priority is Lane.PAID else ""


def _followers(seats: tuple[_QueuedRequest, ...]) -> tuple[ImageRequest, ...]:
    return tuple(seat.request for seat in seats[1:])


def _ended(request: ImageRequest, state: RequestState, reason: str) -> Ending:
    return Ending(request, state, Refusal(request.id, "queue", reason))


def _discard(ordered: list[_Entry], item: _Entry) -> None:
    del ordered[bisect_left(ordered, item)]
