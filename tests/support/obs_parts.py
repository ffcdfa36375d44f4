"""The parts that deal with OBS, run as the pipeline runs them, and what viewers then see."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from streamer.integrations.obs import build
from streamer.integrations.obs.config import ObsOptions
from streamer.interfaces import SourceEvent
from streamer.overlay.layer_options import LayerOptions
from streamer.types import (
    Actor,
    Ended,
    Frame,
    ImageRequest,
    KeyPress,
    Lane,
    Notice,
    NoticeKind,
    RequestKind,
    RequestState,
    Role,
    SamplingParams,
)
from tests.support.fake_obs import FakeObs
from tests.support.real_obs import HEIGHT, PASSWORD, WIDTH, RealObs
from tests.support.waiting import until

LAYERS = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup", z=10, scale=0.5)}
URL = "http://127.0.0.1:8710/overlay#token"


@dataclass
class RunningObs:
    """The parts under test, and everything the source reported."""

    obs: build.Obs
    events: list[SourceEvent] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    shown: dict[str, Frame] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return self.obs.source.health().state

    @property
    def detail(self) -> str:
        return self.obs.source.health().detail

    def notices(self) -> list[tuple[NoticeKind, str]]:
        return [(event.kind, event.text) for event in self.events if isinstance(event, Notice)]

    def presses(self) -> list[KeyPress]:
        return [event for event in self.events if isinstance(event, KeyPress)]

    async def ready(self) -> None:
        await until(lambda: self.state in ("ready", "limited") and self.notices())


@asynccontextmanager
async def running_obs(port: int, home: Path, password: str = PASSWORD, **options: Any) -> AsyncIterator[RunningObs]:
    """Run source and output, as the pipeline would."""
    chosen = ObsOptions.model_validate({"port": port, **options})
    environ = {"STREAMER_OBS_PASSWORD": password}
    overlay = build.OverlayPages(LAYERS, URL)
    pages: list[str] = []
    shown: dict[str, Frame] = {}
    running = RunningObs(build.build_obs(chosen, overlay, home, environ, lambda: pages, shown.get), [], pages, shown)

    async def listen() -> None:
        async with aclosing(running.obs.source.listen()) as events:  # type: ignore[type-var]
            async for event in events:
                running.events.append(event)

    tasks = [asyncio.create_task(listen()), asyncio.create_task(running.obs.output.run())]
    try:
        yield running
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def picture(colour: tuple[int, int, int], layer: str = "background") -> Frame:
    encoded = io.BytesIO()
    Image.new("RGB", (640, 352), colour).save(encoded, "JPEG", quality=95)
    return Frame("r", layer, "image/jpeg", encoded.getvalue(), 640, 352)


def seen_colour(real: RealObs, x: int = WIDTH // 2, y: int = 10) -> tuple[int, int, int]:
    """Return the colour of one point of what viewers see."""
    answer = real.ask(
        "GetSourceScreenshot", sourceName="Scene", imageFormat="png", imageWidth=WIDTH, imageHeight=HEIGHT
    )
    with Image.open(io.BytesIO(base64.b64decode(answer["imageData"].partition(",")[2]))) as shot:
        red, green, blue = np.asarray(shot.convert("RGB"))[y, x]
        return int(red), int(green), int(blue)


def close(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 12


def ended(command: str = "bg", state: RequestState = RequestState.SHOWN) -> Ended:
    request = ImageRequest(
        "r", command, RequestKind.BACKGROUND, "background", "x", "x", SamplingParams(64, 64, 4, 1.0, 7),
        Actor("1", "ann", Role.VIEWER), Lane.CHAT, 0.0, 30.0,
    )  # fmt: skip
    return Ended(request, state)


def answer_set_up(fake: FakeObs) -> Callable[[bool], None]:
    """Let a fake answer the requests of the set-up; return a switch for its stream."""
    streaming = [False]
    fake.handlers |= {
        "GetSceneList": lambda data: {"currentProgramSceneName": "Live", "scenes": [{"sceneName": "Live"}]},
        "GetStreamStatus": lambda data: {"outputActive": streaming[0]},
        "GetRecordStatus": lambda data: {"outputActive": False},
    }
    return lambda on: streaming.__setitem__(0, on)
