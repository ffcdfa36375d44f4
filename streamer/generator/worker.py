"""The generator process itself (``python -m streamer.generator.worker``): loads one backend and draws on order.

The main thread alone touches the backend for its whole life. A second thread reads orders, so that a cancel or the
end of the parent is heard while a picture is being drawn.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import BinaryIO

from pydantic import ValidationError

from streamer.errors import BackendError, BackendUnavailable, PluginError
from streamer.generator.backend import Backend, Report
from streamer.generator.backend_choice import load_backend
from streamer.generator.frame_builder import FrameBuilder
from streamer.generator.ipc import (
    GPU_FAULT_EXIT,
    Begin,
    Cancel,
    DrawCommand,
    Failed,
    FasterNow,
    Heartbeat,
    Produced,
    Progress,
    Ready,
    Stopped,
    WorkerReply,
    pack,
    read,
)
from streamer.generator.judge_panel import JudgePanel, load
from streamer.generator.render.encode import ALGORITHMIC, TRAINED
from streamer.types import Frame

log = logging.getLogger(__name__)

CLOSE_S = 1.0
SOON_S = 0.05
BEAT_S, LONGEST_SLICE_S = 2.0, 120.0
PR_SET_PDEATHSIG = 1


class CommandReader:
    """What the parent wants: jobs to draw, and up to which job number nothing is wanted any more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.jobs: queue.SimpleQueue[DrawCommand | None] = queue.SimpleQueue()
        self.cancelled_up_to = 0

    def listen(self) -> None:
        """Read orders until the pipe ends, which means that the parent is gone or wants us gone."""
        while (order := read(self._stream)) is not None:
            if isinstance(order, DrawCommand):
                self.jobs.put(order)
            elif isinstance(order, Cancel):
                self.cancelled_up_to = max(self.cancelled_up_to, order.job)
        self.cancelled_up_to = sys.maxsize
        self.jobs.put(None)
        time.sleep(CLOSE_S)
        os._exit(0)  # the main thread hangs; as a daemon this thread never gets here otherwise


class ReplyWriter:
    """Say things to the parent, one at a time: the main thread speaks, and a heartbeat while it works between jobs."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._turn = stream, threading.Lock()

    def say(self, answer: WorkerReply) -> None:
        with self._turn:
            self._stream.write(pack(answer))
            self._stream.flush()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Say now and then that we live, for at most LONGEST_SLICE_S: a job may be waiting, and silence is a hang."""
        over = threading.Event()

        def beat() -> None:
            for _ in range(int(LONGEST_SLICE_S / BEAT_S)):
                if over.wait(BEAT_S):
                    return
                self.say(Heartbeat())

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def main() -> None:
    """Load, draw until told to stop, give memory back."""
    die_with_parent()
    inbox, outbox = claim_pipes()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    voice, orders = ReplyWriter(outbox), CommandReader(inbox)
    begin = read(inbox)
    if not isinstance(begin, Begin):
        return
    threading.Thread(target=orders.listen, name="orders", daemon=True).start()
    jury = load_judge_panel(begin, voice)
    backend = start(begin, voice, jury)
    if backend is None:
        return
    source = ALGORITHMIC if begin.backend.name == "procedural" else TRAINED
    studio = FrameBuilder(backend, begin.jpeg_quality, source, begin.own_layouts, jury)
    while (job := next_job(backend, orders, voice, jury)) is not None:
        draw(studio, job, orders, voice)
    backend.close()


def load_judge_panel(begin: Begin, voice: ReplyWriter) -> JudgePanel:
    """Load the judges; one that cannot be loaded holds what chat asks for, and the picture machine still runs."""
    seats = []
    for use in begin.judges:
        voice.say(Progress(f"loading the judge {use.name}", 0.0))
        with voice.heard():
            seats.append(load(use))
    return JudgePanel(seats)


def start(begin: Begin, voice: ReplyWriter, jury: JudgePanel) -> Backend | None:
    """Make the backend ready, or say why it cannot be and give back None."""
    try:
        module = load_backend(begin.backend.name)
        backend: Backend = module.create(module.Options.model_validate(begin.backend.options))
        backend.load(lambda doing, share: voice.say(Progress(doing, share)))
        backend.warm_up(begin.sizes, lambda doing, share: voice.say(Progress(doing, share)))
        voice.say(Ready(active(backend, jury), getattr(backend, "edits", True)))
    except BackendUnavailable as error:
        voice.say(Failed(0, "BackendUnavailable", error.problem, error.fix))
    except (PluginError, ImportError, ValidationError) as error:
        voice.say(Failed(0, "BackendUnavailable", str(error)))
    except Exception as error:
        # Whatever a backend throws while loading is reported as it is; the parent decides to try again.
        log.exception("loading failed")
        voice.say(Failed(0, "BackendError", said(error)))
    else:
        return backend
    return None


def active(backend: Backend, jury: JudgePanel) -> dict[str, str]:
    """Name what really draws and who judges."""
    return {key: str(value) for key, value in backend.active().items()} | jury.active()


def next_job(backend: Backend, orders: CommandReader, voice: ReplyWriter, jury: JudgePanel) -> DrawCommand | None:
    """Wait for a job; until one comes, let a backend that is not at full speed yet go on getting there.

    The next in line, or what a picture made way for, follows within milliseconds: no slice of seconds may come between.
    """
    with suppress(queue.Empty):
        return orders.jobs.get(timeout=SOON_S)
    while orders.jobs.empty() and improve(backend, voice, jury):
        pass
    return orders.jobs.get()


def improve(backend: Backend, voice: ReplyWriter, jury: JudgePanel) -> bool:
    """Do a few seconds of what a backend left for idle moments, if it has ``idle``; False when nothing is left."""
    idle: Callable[[Report], bool] | None = getattr(backend, "idle", None)
    if idle is None:
        return False
    done: list[tuple[str, float]] = []
    try:
        with voice.heard():
            more = idle(lambda doing, share: done.append((doing, share)))
    except Exception as error:
        log.exception("getting faster failed")
        if device_is_lost(error):
            os._exit(GPU_FAULT_EXIT)
        return False
    if done:
        doing, share = done[-1]
        voice.say(FasterNow(doing, share, active(backend, jury)))
    return more


def draw(studio: FrameBuilder, order: DrawCommand, orders: CommandReader, voice: ReplyWriter) -> None:
    """Draw one job and say how it went; a broken device ends the process."""
    try:
        voice.say(run_job(studio, order, orders, voice))
    except BackendError as error:
        voice.say(Failed(order.job, type(error).__name__, error.problem, error.fix))
    except Exception as error:
        log.exception("drawing failed")
        if device_is_lost(error):
            os._exit(GPU_FAULT_EXIT)  # without cleaning up: that would touch the device once more
        voice.say(Failed(order.job, "BackendError", said(error)))


def run_job(studio: FrameBuilder, order: DrawCommand, orders: CommandReader, voice: ReplyWriter) -> WorkerReply:
    """Say each preview and give back the last answer: the frame, or that the job was stopped."""
    with closing(studio.draw(order.request, lambda: voice.say(Heartbeat()))) as items:
        for item in items:
            if orders.cancelled_up_to >= order.job:
                break
            if isinstance(item, Frame):
                return Produced(order.job, item, studio.drew_s, studio.judged_s)
            voice.say(Produced(order.job, item))
    return Stopped(order.job)


def said(error: Exception) -> str:
    """Name an unexpected exception in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def device_is_lost(error: Exception) -> bool:
    """Tell whether CUDA is unusable from now on: after such an error NVIDIA asks for the process to be relaunched."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the parent for messages alone: whatever is printed goes to the log, whoever prints it."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return inbox, outbox


def die_with_parent() -> None:
    """On Linux ask the kernel to end us with the parent: a hang that holds the interpreter lock hears no pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
