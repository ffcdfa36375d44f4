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

from streamer.commands.shown import listed
from streamer.interfaces import Health
from streamer.lru import LruDict
from streamer.outputs._contact_sheet import SheetEntry
from streamer.outputs._picture_folder import PictureFolder, picture_name
from streamer.storage.pseudonyms import Pseudonyms
from streamer.text import without_isolates
from streamer.types import Ended, Event, Forgotten, Frame, Notice, NoticeKind, RequestState, Retraction, Toast

log = logging.getLogger(__name__)

MAX_UNFINISHED = 50
"""Pictures on air whose request has not ended yet: usually one, for a moment."""
MAX_CREDITS = 5000
RETRACTED_S = 24 * 3600.0
"""A deleted message or a timeout deletes pictures up to this age: it is no reason to delete last year's."""

_STARTS = {NoticeKind.ONLINE: "stream", NoticeKind.RECORDING_ON: "recording"}
_STOPS = {NoticeKind.OFFLINE: "stream", NoticeKind.RECORDING_OFF: "recording"}


class Options(BaseModel):
    """Where the folders go, and whether the sheets show names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(description="where the folders go; ~ is your home folder")
    names: bool = Field(True, description="true: write on the sheets who asked for each picture")


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that was on air, in its file; ``at`` is the time of day as the sheet shows it."""

    request_id: str
    actor_id: str
    path: Path
    at: str
    text: str
    tag: str


@dataclass(slots=True)
class Evening:
    """The pictures since the stream or the recording began; the folder is named after the time of the first."""

    folder: Path
    title: str
    shots: list[Shot] = field(default_factory=list)
    over: bool = False


class EveningGallery:
    """Copies each picture when its request ends, and draws sheets when the stream, recording or program ends."""

    def __init__(self, options: Options, pictures: PictureFolder) -> None:
        self._options, self._pictures = options, pictures
        self._unfinished: LruDict[str, Frame] = LruDict(MAX_UNFINISHED)
        # The names as the overlay showed them: no other form of a name has passed the rules.
        self._credits: LruDict[str, str] = LruDict(MAX_CREDITS)
        self._evening: Evening | None = None
        self._running: set[str] = set()

    async def run(self) -> None:
        """Wait for the end of the program, and draw the sheets of an evening that has not ended before."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._evening is not None and not self._evening.over:
                self._write_sheets(self._evening)

    def health(self) -> Health:
        """Return whether the last picture or sheet was saved."""
        return self._pictures.health("evening")

    async def publish(self, event: Event) -> None:
        """Handle one event; a full or missing disk is logged and does not stop the show."""
        try:
            await self._handle(event)
        except OSError as error:
            log.warning("the evening's pictures could not be saved: %s", error)

    async def _handle(self, event: Event) -> None:
        match event:
            case Frame():
                self._unfinished.put(event.request_id, event)
            case Toast(request_id, text) if request_id:
                self._credits.put(request_id, without_isolates(text))
            case Ended(state=RequestState.SHOWN):
                await self._keep(event)
            case Retraction(message_id=message, actor_id=actor) if message or actor:
                await self._delete(actor, [message] if message else [], time.time() - RETRACTED_S)
            case Forgotten(actor, requests):
                await self._delete(actor, requests)
            case Notice():
                await self._follow(event)

    async def _keep(self, ended: Ended) -> None:
        request = ended.request
        frame = self._unfinished.pop(request.id)
        if frame is None:
            return  # this request joined another one, whose picture it shares
        if self._evening is None or self._evening.over:
            self._evening = _new_evening(self._pictures.folder)
        clock = time.strftime("%H.%M.%S")
        path = self._evening.folder / picture_name(frame, clock)
        tag = await asyncio.to_thread(self._pictures.save, path, frame, request.actor.id)
        shot = Shot(request.id, request.actor.id, path, clock[:5].replace(".", ":"), listed(request), tag)
        self._evening.shots.append(shot)

    async def _delete(self, actor_id: str | None, request_ids: Sequence[str], since: float = -math.inf) -> None:
        """Delete the pictures of somebody and of some requests, and redraw the sheets that showed them."""
        if (evening := self._evening) is not None:
            matches = self._pictures.tag_matcher(actor_id, request_ids)
            evening.shots = [shot for shot in evening.shots if not matches(shot.tag)]
        await asyncio.to_thread(self._pictures.remove, actor_id, request_ids, since)

    async def _follow(self, notice: Notice) -> None:
        """Draw the sheets when the stream or the recording ends; the evening is over when neither runs any more."""
        if started := _STARTS.get(notice.kind):
            self._running.add(started)
        elif stopped := _STOPS.get(notice.kind):
            self._running.discard(stopped)
            if self._evening is not None and not self._evening.over:
                self._evening.over = not self._running
                await asyncio.to_thread(self._write_sheets, self._evening)

    def _write_sheets(self, evening: Evening) -> None:
        actor_ids = dict.fromkeys(shot.actor_id for shot in evening.shots)
        people = {actor_id: number for number, actor_id in enumerate(actor_ids)}
        entries = [self._entry(shot, people[shot.actor_id]) for shot in evening.shots]
        if self._pictures.draw(evening.folder, evening.title, entries):
            log.info("the evening's pictures and contact sheet are in %s", evening.folder)

    def _entry(self, shot: Shot, person: int) -> SheetEntry:
        credit = self._credits.get(shot.request_id) if self._options.names else None
        return SheetEntry(shot.path, shot.text, " · ".join(filter(None, (shot.at, credit))), shot.tag, person)


def _new_evening(folder: Path) -> Evening:
    now = time.localtime()
    return Evening(folder / time.strftime("%Y-%m-%d %H.%M.%S", now), time.strftime("%d.%m.%Y, from %H:%M", now))


def create(options: Options, pseudonyms: Pseudonyms) -> EveningGallery:
    """Build the output."""
    return EveningGallery(options, PictureFolder(options.folder, pseudonyms))
