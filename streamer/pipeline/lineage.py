"""Who asked for each picture, and which picture it was edited from: a retraction takes the edits along."""

from __future__ import annotations

from collections.abc import Iterator

from streamer.lru import LruDict
from streamer.types import Retraction

REMEMBERED = 20_000
GENERATIONS = 100


class Lineage:
    """Remember the actor and the parent picture of the newest requests, by request id."""

    def __init__(self) -> None:
        self._actors: LruDict[str, str] = LruDict(REMEMBERED)
        self._parents: LruDict[str, str] = LruDict(REMEMBERED)

    def note(self, request_id: str, actor_id: str) -> None:
        """Note who asked."""
        self._actors.put(request_id, actor_id)

    def note_parent(self, request_id: str, parent_id: str) -> None:
        """Note which picture an edit was made from: it shows what that one showed, and goes with it."""
        self._parents.put(request_id, parent_id)

    def is_retracted(self, request_id: str, retraction: Retraction) -> bool:
        """Tell whether a retraction means this request, or one that its picture was edited from."""
        return any(
            ancestor == retraction.message_id
            or (retraction.actor_id is not None and self._actors.get(ancestor) == retraction.actor_id)
            for ancestor in self._with_ancestors(request_id)
        )

    def _with_ancestors(self, request_id: str) -> Iterator[str]:
        current: str | None = request_id
        for _ in range(GENERATIONS):
            if current is None:
                return
            yield current
            current = self._parents.get(current)
