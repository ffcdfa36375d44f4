"""One request through the generator: previews go out, the frame comes back, and nobody draws what is not wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest

from streamer.errors import BackendError
from streamer.interfaces import Abilities, Health, HealthState, Lease
from streamer.overlay import wire
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.overlay.mailbox import Mailbox
from streamer.pipeline.active_draw import ActiveDraw
from streamer.pipeline.stage import Stage
from streamer.types import Frame, ImageRequest, Lane, Preview
from tests.support.clock import ManualClock
from tests.support.examples import REQUEST


class Brush:
    """A generator of two previews and a frame; ``between`` is called after the first preview."""

    active: Mapping[str, str] = MappingProxyType({})
    restarts: Mapping[str, int] = MappingProxyType({})
    slots: Mapping[str, Health] = MappingProxyType({})
    abilities = Abilities()
    waited_s = 0.0

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.takes_s = clock, 0.0
        self.between: Callable[[], object] = lambda: None
        self.cancelled: list[str] = []
        self.fault: BackendError | None = None
        self.closed = self.begun = False

    @asynccontextmanager
    async def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AsyncIterator[Lease | None]:
        yield self

    def health(self) -> Health:
        return Health("generator", HealthState.READY)

    def cancel(self, request_id: str) -> None:
        self.cancelled.append(request_id)

    def release_gpu(self) -> bool:
        return True

    def reclaim_gpu(self) -> None: ...

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        self.begun = True
        try:
            self.clock.set(self.clock.now() + self.takes_s / 2)
            yield Preview(request.id, request.layer, 1, 2, "image/jpeg", b"1", 32, 18)
            self.between()
            if self.fault:
                raise self.fault
            self.clock.set(self.clock.now() + self.takes_s / 2)
            yield Preview(request.id, request.layer, 2, 2, "image/jpeg", b"2", 32, 18)
            yield Frame(request.id, request.layer, "image/jpeg", b"done", 1280, 720)
        finally:
            self.closed = True


@pytest.fixture
def brush() -> Brush:
    return Brush(ManualClock())


@pytest.fixture
def stage() -> Stage:
    return Stage(("background",))


@pytest.fixture
def hub() -> Hub:
    return Hub({"background": LayerOptions(use="background")})


@pytest.fixture
def drawing(brush: Brush, stage: Stage, hub: Hub) -> ActiveDraw:
    return ActiveDraw(brush, stage, hub, brush.clock.now)


async def drawn(drawing: ActiveDraw, brush: Brush, *, seen: bool = True) -> Frame | None:
    with drawing.of(REQUEST):
        return await drawing.frame(brush, REQUEST, partial(publish, drawing) if seen else ignore)


def publish(drawing: ActiveDraw, preview: Preview) -> None:
    drawing.publish_preview(REQUEST, preview, "drawing for zoe")


def ignore(preview: Preview) -> None: ...


def previews(page: Mailbox) -> list[tuple[object, object, object]]:
    """Take what a page is sent and return step, seconds until the picture, and line of each preview."""
    headers: list[tuple[object, object, object]] = []
    while isinstance(message := page.take(0.0), bytes):
        header, _ = wire.decode_picture(message)
        page.painted(str(header["layer"]), int(header["seq"]), 0.0)
        headers.append((header["step"], header["due_s"], header["line"]))
    return headers


async def test_a_slow_picture_is_announced_from_its_first_step_by_its_own_pace(
    drawing: ActiveDraw, brush: Brush, hub: Hub
) -> None:
    page, brush.takes_s = hub.join(), 5.0
    await drawn(drawing, brush)
    assert previews(page) == [(1, 2.5, "drawing for zoe")], "the last step is not worth telling: the picture follows"


async def test_a_picture_that_comes_within_a_second_is_not_announced_even_the_first_of_its_size(
    drawing: ActiveDraw, brush: Brush, hub: Hub
) -> None:
    page, brush.takes_s = hub.join(), 1.9
    await drawn(drawing, brush)
    assert previews(page) == []


async def test_a_picture_is_expected_when_such_pictures_usually_come(
    drawing: ActiveDraw, brush: Brush, hub: Hub
) -> None:
    page, brush.takes_s = hub.join(), 1.0
    drawing.draw_times.note(REQUEST, 4.0)
    await drawn(drawing, brush)
    assert previews(page) == [(2, 3.0, "drawing for zoe")], "of two unseen previews the newer one is sent"


async def test_what_nobody_may_see_yet_is_not_announced(drawing: ActiveDraw, brush: Brush, hub: Hub) -> None:
    page, brush.takes_s = hub.join(), 9.0
    await drawn(drawing, brush, seen=False)
    assert previews(page) == []


async def test_the_frame_comes_back_and_nothing_is_being_drawn_afterwards(drawing: ActiveDraw, brush: Brush) -> None:
    seen: list[ImageRequest | None] = []
    brush.between = lambda: seen.append(drawing.request)
    frame = await drawn(drawing, brush)
    assert frame is not None
    assert frame.data == b"done"
    assert (seen, drawing.request) == ([REQUEST], None)


async def test_what_is_called_off_gives_no_frame_and_stops_the_generator(drawing: ActiveDraw, brush: Brush) -> None:
    brush.between = drawing.cancel
    assert await drawn(drawing, brush) is None
    assert (brush.cancelled, brush.closed) == (["r1"], True)
    assert not drawing.wanted(REQUEST)
    brush.between = lambda: None
    assert await drawn(drawing, brush) is not None, "asked for anew it is wanted again"


async def test_it_is_known_how_many_steps_are_left(drawing: ActiveDraw, brush: Brush) -> None:
    left = []
    brush.between = lambda: left.append(drawing.steps_left)
    with drawing.of(REQUEST):
        left.append(drawing.steps_left)
        await drawing.frame(brush, REQUEST, ignore)
        left.append(drawing.steps_left)
    assert left == [REQUEST.params.num_inference_steps, 1, 0]


async def test_what_makes_way_is_stopped_and_waits_again(drawing: ActiveDraw, brush: Brush) -> None:
    brush.between = drawing.preempt
    with drawing.of(REQUEST):
        assert await drawing.frame(brush, REQUEST, ignore) is None
        assert drawing.waits_again(REQUEST)
    assert (brush.cancelled, brush.closed) == (["r1"], True)
    brush.between = lambda: None
    with drawing.of(REQUEST):
        assert not drawing.waits_again(REQUEST)
        assert await drawing.frame(brush, REQUEST, ignore) is not None


async def test_what_is_called_off_or_cleared_does_not_wait_again_whichever_came_first(
    drawing: ActiveDraw, stage: Stage
) -> None:
    for order in ((drawing.preempt, drawing.cancel), (drawing.cancel, drawing.preempt)):
        with drawing.of(REQUEST):
            for stop in order:
                stop()
            assert not drawing.wanted(REQUEST)
            assert not drawing.waits_again(REQUEST)
    with drawing.of(REQUEST):
        drawing.preempt()
        stage.clear("background", REQUEST.at + 1)
        assert not drawing.waits_again(REQUEST)


async def test_what_is_called_off_before_it_was_begun_is_never_begun(drawing: ActiveDraw, brush: Brush) -> None:
    with drawing.of(REQUEST):
        drawing.cancel()
        assert await drawing.frame(brush, REQUEST, ignore) is None
    assert not brush.begun


async def test_a_clear_meanwhile_makes_the_picture_unwanted(drawing: ActiveDraw, brush: Brush, stage: Stage) -> None:
    brush.between = lambda: stage.clear("background", REQUEST.at + 1)
    assert await drawn(drawing, brush) is None
    assert brush.closed


async def test_a_fault_is_passed_on(drawing: ActiveDraw, brush: Brush) -> None:
    brush.fault = BackendError("out of paint")
    with pytest.raises(BackendError, match="out of paint"):
        await drawn(drawing, brush)
    assert drawing.request is None


def test_calling_off_nothing_does_nothing(drawing: ActiveDraw, brush: Brush) -> None:
    drawing.cancel()
    drawing.preempt()
    assert brush.cancelled == []


async def test_a_private_picture_stays_wanted_over_a_clear_until_it_is_cancelled(
    drawing: ActiveDraw, brush: Brush, stage: Stage
) -> None:
    private = replace(REQUEST, priority=Lane.PRIVATE, layer="")
    brush.between = lambda: stage.clear(None, REQUEST.at + 1)
    with drawing.of(private):
        assert await drawing.frame(brush, private, ignore) is not None
    brush.between = drawing.cancel
    with drawing.of(private):
        assert await drawing.frame(brush, private, ignore) is None
