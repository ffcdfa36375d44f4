"""What a control panel sees of one show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.interfaces import Health
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.forecast import newcomer_waits, shown_in
from streamer.pipeline.metrics import Percentiles
from streamer.pipeline.show import Show
from streamer.storage.bans import Ban
from streamer.types import ImageRequest, Lane


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Everything that a control panel shows, at one moment. ``on_air`` is each layer's request id, or None.

    ``waits`` is in how many seconds each queued picture is expected on air, by request id, and ``newcomer_waits`` the
    same for a picture that a viewer asks for now, by layer.
    """

    paused: bool
    panicked: bool
    style: str | None
    generator: Health
    active: Mapping[str, str]
    sources: tuple[Health, ...]
    pages: int
    drawing: ImageRequest | None
    pending: tuple[ImageRequest, ...]
    waits: Mapping[str, float]
    newcomer_waits: Mapping[str, float]
    held: tuple[HeldPicture, ...]
    on_air: Mapping[str, str | None]
    alarm: str
    bans: tuple[Ban, ...]
    timings: Mapping[str, Percentiles]


def status(show: Show) -> ShowStatus:
    """Gather what a panel shows; private pictures are their asker's alone."""
    drawing = show.active.request
    return ShowStatus(
        paused=not show.intake.open,
        panicked=show.intake.panicked,
        style=show.commands.style,
        generator=show.generator.health(),
        active=show.generator.active,
        sources=tuple(parts_health(show)),
        pages=show.hub.pages.count,
        drawing=drawing if drawing is not None and drawing.priority is not Lane.PRIVATE else None,
        pending=tuple(show.queued()),
        waits=shown_in(show),
        newcomer_waits=newcomer_waits(show),
        held=show.approvals.all(),
        on_air=on_air(show),
        alarm=show.raid_mode.alarm(show.now()),
        bans=show.bans.all(),
        timings={step.value: times for step, times in show.metrics.timings.summary().items()},
    )


def parts_health(show: Show) -> list[Health]:
    """Return how the sources, outputs and connections are doing, and last the disk.

    A plug-in that stopped or failed does not get to say that it is well.
    """
    faults = {fault.name: fault for fault in (*show.publisher.faults(), *show.stopped.values())}
    parts = [part.health() for part in show.reporting]
    reported = [faults.pop(part.name, part) for part in parts]
    return [*reported, *faults.values(), show.store.database.disk.health(show.now())]


def on_air(show: Show) -> dict[str, str | None]:
    """Return the request id of each layer's picture, None for an empty layer."""
    shown = {layer: show.stage.current(layer) for layer in show.hub.layers}
    return {layer: frame.request_id if frame else None for layer, frame in shown.items()}
