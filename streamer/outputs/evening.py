"""Keeps an evening's pictures in a folder of its own, with contact sheets when the stream or the recording ends."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.outputs._contact_sheet import SheetEntry
from streamer.outputs._picture_folder import PictureFolder, name_of
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Ended, Event, Forgotten, Frame, Notice, NoticeKind, RequestState, Retraction, Toast

log = logging.getLogger(__name__)

COMING = 50
"""Pictures on air whose request has not ended yet: one, for a moment."""
WORDS = 300
"""Letters of a text or a name; a sheet shows fewer."""
TAKEN_BACK_S = 24 * 3600.0
"""How far back a deleted message or a timeout reaches: a timeout of today is no reason to delete last year's."""

_STARTS = {NoticeKind.ONLINE: "stream", NoticeKind.RECORDING_ON: "recording"}
_STOPS = {NoticeKind.OFFLINE: "stream", NoticeKind.RECORDING_OFF: "recording"}


class Options(BaseModel):
    """Where evenings go, and whether names stand on the sheets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(description="where the folders go; ~ is your home folder")
    names: bool = Field(True, description="true: write on the sheets for whom each picture was drawn")


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that was on air, in its file."""

    request_id: str
    actor_id: str
    path: Path
    at: str
    what: str
    mark: str


@dataclass(slots=True)
class Evening:
    """The pictures since the stream or the recording began; the folder is named after the first one's time."""

    folder: Path
    title: str
    shots: list[Shot] = field(default_factory=list)
    over: bool = False


class Evenings:
    """Copy each picture when its request has ended, and draw sheets at the end of stream, recording or program."""

    def __init__(self, options: Options, album: PictureFolder) -> None:
        self._options, self._album = options, album
        self._coming: LruDict[str, Frame] = LruDict(COMING)
        # What the overlay has shown as the viewer's name: that has passed the rules, and nothing else has.
        self._credits: LruDict[str, str] = LruDict(5000)
        self._evening: Evening | None = None
        self._running: set[str] = set()

    async def run(self) -> None:
        """Wait for the end of the program, which ends an evening that nobody has ended."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._evening is not None and not self._evening.over:
                self._write_sheets(self._evening)

    async def publish(self, event: Event) -> None:
        """Note what happens; a full or missing disk is logged and does not stop the show."""
        try:
            await self._note(event)
        except OSError as error:
            log.warning("the evening was not kept: %s", error)

    async def _note(self, event: Event) -> None:
        match event:
            case Frame():
                self._coming.put(event.request_id, event)
            case Toast(request_id, text) if request_id:
                self._credits.put(request_id, text)
            case Ended(state=RequestState.SHOWN):
                await self._keep(event)
            case Retraction(message_id=message, actor_id=actor) if message or actor:
                await self._take_back(actor, [message] if message else [], time.time() - TAKEN_BACK_S)
            case Forgotten(actor, requests):
                await self._take_back(actor, requests)
            case Notice():
                await self._hear(event)

    async def _keep(self, ended: Ended) -> None:
        request = ended.request
        frame = self._coming.pop(request.id)
        if frame is None:
            return  # one of those who joined somebody else's request
        if self._evening is None or self._evening.over:
            self._evening = _begun(self._album.folder)
        clock = time.strftime("%H.%M.%S")
        path = self._evening.folder / name_of(frame, clock)
        mark = await asyncio.to_thread(self._album.save, path, frame, request.actor.id)
        what = (request.text or request.command)[:WORDS]
        shot = Shot(request.id, request.actor.id, path, clock[:5].replace(".", ":"), what, mark)
        self._evening.shots.append(shot)

    async def _take_back(self, actor_id: str | None, request_ids: Sequence[str], since: float = -math.inf) -> None:
        """Delete what its writer, or a moderator, took back, and all of somebody who is to be forgotten."""
        if (evening := self._evening) is not None:
            meant = self._album.tag_matcher(actor_id, request_ids)
            evening.shots = [shot for shot in evening.shots if not meant(shot.mark)]
        await asyncio.to_thread(self._album.remove, actor_id, request_ids, since)

    async def _hear(self, notice: Notice) -> None:
        """Draw the sheets whenever something ends; the evening is over when nothing runs any more."""
        if started := _STARTS.get(notice.kind):
            self._running.add(started)
        elif stopped := _STOPS.get(notice.kind):
            self._running.discard(stopped)
            if self._evening is not None and not self._evening.over:
                self._evening.over = not self._running
                await asyncio.to_thread(self._write_sheets, self._evening)

    def _write_sheets(self, evening: Evening) -> None:
        people = {who: number for number, who in enumerate(dict.fromkeys(shot.actor_id for shot in evening.shots))}
        entries = [self._entry(shot, people[shot.actor_id]) for shot in evening.shots]
        if self._album.draw(evening.folder, evening.title, entries):
            log.info("the evening's pictures and contact sheet are in %s", evening.folder)

    def _entry(self, shot: Shot, person: int) -> SheetEntry:
        credit = (self._credits.get(shot.request_id) or "")[:WORDS] if self._options.names else ""
        return SheetEntry(shot.path, shot.what, " · ".join(filter(None, (shot.at, credit))), shot.mark, person)


def _begun(folder: Path) -> Evening:
    now = time.localtime()
    return Evening(folder / time.strftime("%Y-%m-%d %H.%M.%S", now), time.strftime("%d.%m.%Y, from %H:%M", now))


def create(options: Options, pseudonyms: Pseudonyms) -> Evenings:
    """Build the output."""
    return Evenings(options, PictureFolder(options.folder, pseudonyms))
