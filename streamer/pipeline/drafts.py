"""The private pictures: drawn for whoever asked, kept in memory, and on air only when somebody puts them there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from streamer.types import Frame, Hold, ImageRequest, Judgement, Preview, Refusal, RequestState

MOST_WAITING, MOST_OF_TENANTS = 32, 16
"""How many may wait at once, which is a grid of seeds and some more; and how many of tenants beside them."""
KEPT = 64
TENANT_SOURCE = "picture api"
"""The source of requests of programs that draw by key: only the program itself gets to see such a draft."""
KEPT_BYTES = 64 * 2**20
"""Pictures, previews and uploads together; the oldest that are finished go first."""


class DraftState(StrEnum):
    """Where a draft stands; all but the first two are final."""

    QUEUED = "queued"
    DRAWING = "drawing"
    DRAWN = "drawn"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A private picture and what is known about it; every change makes a new value with a higher ``version``.

    ``request`` is what goes on air if somebody wants that: it has the layer and the lane of an ordinary request.
    ``rule`` and ``reason`` say why it ended without a picture, or why a moderator would look at it first.
    ``started_at`` is monotonic seconds; ``draw_s`` is from then to the judged picture. ``aired`` tells that it went on
    air, or waits for a moderator.
    """

    request: ImageRequest
    state: DraftState = DraftState.QUEUED
    version: int = 0
    preview: Preview | None = None
    frame: Frame | None = None
    judgements: tuple[Judgement, ...] = ()
    rule: str = ""
    reason: str = ""
    started_at: float | None = None
    draw_s: float = 0.0
    aired: bool = False

    @property
    def ended(self) -> bool:
        """Tell whether the state is final."""
        return self.state not in (DraftState.QUEUED, DraftState.DRAWING)

    @property
    def of_tenant(self) -> bool:
        """Tell whether a program asked for it by key: then it is no business of the panel's."""
        return self.request.source == TENANT_SOURCE

    @property
    def size(self) -> int:
        """Return how many bytes of pictures it holds."""
        pictures = (picture.data for picture in (self.preview, self.frame) if picture is not None)
        return len(self.request.reference or b"") + sum(map(len, pictures))


class Drafts:
    """Keep the newest drafts by the ids of their requests; owned by the event loop."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._version = 0
        self.changed = asyncio.Event()
        """Set, and replaced by another event, with the next change: take it before you look, then wait for it."""

    @property
    def version(self) -> int:
        """Return the version of the newest change."""
        return self._version

    def waiting(self, *, of_tenants: bool = False) -> list[Draft]:
        """Return those that are not finished: of tenants, or of everybody else."""
        return [draft for draft in self._drafts.values() if not draft.ended and draft.of_tenant is of_tenants]

    def get(self, draft_id: str) -> Draft | None:
        """Return a draft as it is now, None when there is none or it was forgotten."""
        return self._drafts.get(draft_id)

    def changed_since(self, version: int) -> list[Draft]:
        """Return the drafts with a higher version, in the order of their changes, but none of a tenant's."""
        drafts = (draft for draft in self._drafts.values() if not draft.of_tenant)
        return sorted((draft for draft in drafts if draft.version > version), key=_version)

    def add(self, request: ImageRequest, refusal: Refusal | None = None) -> Draft:
        """Begin a draft; one that was refused at once has ended already."""
        if refusal is None:
            return self._put(Draft(request))
        ended = replace(request, reference=None)
        return self._put(Draft(ended, DraftState.REFUSED, rule=refusal.rule, reason=refusal.reason))

    def forget(self, matches: Callable[[ImageRequest], bool]) -> None:
        """Forget drafts and their pictures."""
        self._drafts = {key: draft for key, draft in self._drafts.items() if not matches(draft.request)}
        self._wake()

    def queue(self, draft_id: str) -> None:
        """Note that a draft waits again: its drawing was stopped for somebody else's picture."""
        self._change(draft_id, state=DraftState.QUEUED, preview=None, started_at=None)

    def start(self, draft_id: str, now: float) -> None:
        """Note that a draft is being drawn."""
        self._change(draft_id, state=DraftState.DRAWING, started_at=now)

    def show_preview(self, preview: Preview) -> None:
        """Note the newest preview; a step without a picture keeps the last one's."""
        draft = self._drafts.get(preview.request_id)
        if draft is not None and not preview.data and draft.preview is not None:
            last = draft.preview
            preview = replace(last, step=preview.step, steps=preview.steps)
        self._change(preview.request_id, preview=preview)

    def finish(
        self, draft_id: str, frame: Frame, judgements: Sequence[Judgement], draw_s: float, hold: Hold | None
    ) -> None:
        """Keep a judged picture; ``hold`` is why a moderator would look at it before it goes on air."""
        rule, reason = (hold.rule, hold.reason) if hold is not None else ("", "")
        self._end(
            draft_id, state=DraftState.DRAWN, frame=frame, judgements=tuple(judgements), draw_s=draw_s, rule=rule,
            reason=reason,
        )  # fmt: skip

    def end(self, draft_id: str, state: RequestState, rule: str, reason: str) -> None:
        """End a draft without a picture."""
        self._end(draft_id, state=DraftState(state.value), rule=rule, reason=reason)

    def _end(self, draft_id: str, **changes: object) -> None:
        """Bring a draft to its one end; what it was drawn from, and its preview, are not needed any more."""
        draft = self._drafts.get(draft_id)
        if draft is not None and not draft.ended:
            self._change(draft_id, request=replace(draft.request, reference=None), preview=None, **changes)

    def set_aired(self, draft_id: str, aired: bool) -> None:
        """Note whether a draft went on air."""
        self._change(draft_id, aired=aired)

    async def ended(self, draft_id: str) -> Draft | None:
        """Wait until a draft is finished, and return it; None when it is forgotten meanwhile."""
        while True:
            changed, draft = self.changed, self._drafts.get(draft_id)
            if draft is None or draft.ended:
                return draft
            await changed.wait()

    def _change(self, draft_id: str, **changes: object) -> None:
        if (draft := self._drafts.get(draft_id)) is not None:
            self._put(replace(draft, **changes))  # type: ignore[arg-type]

    def _put(self, draft: Draft) -> Draft:
        self._version += 1
        draft = self._drafts[draft.request.id] = replace(draft, version=self._version)
        self._make_room()
        self._wake()
        return draft

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _make_room(self) -> None:
        """Forget the oldest finished drafts beyond what is kept."""
        finished = [draft for draft in self._drafts.values() if draft.ended]
        count, size = len(self._drafts), sum(draft.size for draft in self._drafts.values())
        for draft in finished[:-1]:
            if count <= KEPT and size <= KEPT_BYTES:
                return
            count, size = count - 1, size - draft.size
            del self._drafts[draft.request.id]


def _version(draft: Draft) -> int:
    return draft.version
