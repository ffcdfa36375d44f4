"""The generator process itself (``python -m streamer.generator.worker``): loads one backend and draws on command.

The main thread alone touches the backend for its whole life. A second thread reads commands, so that a cancel or the
end of the parent is noticed while a picture is being drawn.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import BinaryIO

from pydantic import ValidationError

from streamer.errors import BackendError, BackendUnavailable, PluginError
from streamer.generator.backend import Backend, Report, device_is_lost, one_line
from streamer.generator.backend_choice import load_backend_module
from streamer.generator.frame_builder import EncodeOptions, FrameBuilder
from streamer.generator.ipc import (
    GPU_FAULT_EXIT,
    LOADING_JOB,
    PROCEDURAL,
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
from streamer.generator.judge_panel import JudgePanel, load_judge
from streamer.generator.render.encode import DigitalSource
from streamer.interfaces import Abilities
from streamer.types import Frame, Lora

log = logging.getLogger(__name__)

CLOSE_S = 1.0
NEXT_JOB_S = 0.05
HEARTBEAT_S, LONGEST_SLICE_S = 2.0, 120.0
PR_SET_PDEATHSIG = 1


class CommandReader:
    """The parent's commands: jobs to draw, and the number up to which jobs are cancelled."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.jobs: queue.SimpleQueue[DrawCommand | None] = queue.SimpleQueue()
        self.cancelled_up_to = 0

    def listen(self) -> None:
        """Read commands until the pipe ends: the parent is gone, or wants this process gone."""
        while (command := read(self._stream)) is not None:
            if isinstance(command, DrawCommand):
                self.jobs.put(command)
            elif isinstance(command, Cancel):
                self.cancelled_up_to = max(self.cancelled_up_to, command.job)
        self.cancelled_up_to = sys.maxsize
        self.jobs.put(None)
        time.sleep(CLOSE_S)
        os._exit(0)  # the main thread hangs: otherwise the process would have ended, and this daemon thread with it


class ReplyWriter:
    """Write replies to the parent, one at a time: the main thread's, and heartbeats while it works between jobs."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, reply: WorkerReply) -> None:
        """Write one reply; any thread may call this."""
        with self._lock:
            self._stream.write(pack(reply))
            self._stream.flush()

    def report(self, doing: str, share: float) -> None:
        """Send the progress of loading."""
        self.send(Progress(doing, share))

    @contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Send heartbeats for at most LONGEST_SLICE_S, since the parent takes silence while a job waits for a hang."""
        done = threading.Event()

        def beat() -> None:
            for _ in range(int(LONGEST_SLICE_S / HEARTBEAT_S)):
                if done.wait(HEARTBEAT_S):
                    return
                self.send(Heartbeat())

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def main() -> None:
    """Load, draw until told to stop, free memory."""
    die_with_parent()
    inbox, outbox = claim_pipes()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    writer, reader = ReplyWriter(outbox), CommandReader(inbox)
    begin = read(inbox)
    if not isinstance(begin, Begin):
        return
    threading.Thread(target=reader.listen, name="commands", daemon=True).start()
    loaded = load(begin, writer)
    if loaded is None:
        return
    backend, judge_panel = loaded
    source = DigitalSource.ALGORITHMIC if begin.backend.name == PROCEDURAL.name else DigitalSource.TRAINED
    builder = FrameBuilder(backend, EncodeOptions(begin.jpeg_quality, source, begin.own_layouts), judge_panel)
    while (job := next_job(backend, reader, writer, judge_panel)) is not None:
        draw(builder, job, reader, writer)
    backend.close()


def load(begin: Begin, writer: ReplyWriter) -> tuple[Backend, JudgePanel] | None:
    """Load the judges, and load and warm up the backend; if that fails, send the reason and return None."""
    try:
        # The backend is created first: it may know at once that it cannot run, and judges take seconds to load.
        module = load_backend_module(begin.backend.name)
        backend: Backend = module.create(module.Options.model_validate(begin.backend.options))
        expect_loras(backend, begin.loras)
        judge_panel = load_judge_panel(begin, writer)
        backend.load(writer.report)
        backend.warm_up(begin.sizes, writer.report)
        writer.send(Ready(active(backend, judge_panel), abilities(backend)))
    except BackendUnavailable as error:
        writer.send(Failed(LOADING_JOB, BackendUnavailable.__name__, error.problem, error.fix))
    except (PluginError, ImportError, ValidationError) as error:
        writer.send(Failed(LOADING_JOB, BackendUnavailable.__name__, str(error)))
    except Exception as error:
        # A backend raises anything while loading; the parent decides whether to try again.
        log.exception("loading failed")
        writer.send(Failed(LOADING_JOB, BackendError.__name__, one_line(error)))
    else:
        return backend, judge_panel
    return None


def expect_loras(backend: Backend, loras: Sequence[Lora]) -> None:
    """Tell a backend the LoRAs of the styles; one that knows none draws styles by their words alone."""
    expect: Callable[[Sequence[Lora]], None] | None = getattr(backend, "expect_loras", None)
    if expect is not None:
        expect(loras)
    elif loras:
        log.warning("this backend draws without LoRAs: %s", ", ".join(lora.option for lora in loras))


def load_judge_panel(begin: Begin, writer: ReplyWriter) -> JudgePanel:
    """Load the judges; one that cannot be loaded holds viewers' pictures, and the backend still runs."""
    judges = []
    for use in begin.judges:
        writer.report(f"loading the judge {use.name}", 0.0)
        with writer.heartbeats():
            judges.append(load_judge(use))
    return JudgePanel(judges)


def active(backend: Backend, judge_panel: JudgePanel) -> dict[str, str]:
    """Name what really draws and who judges."""
    return {key: str(value) for key, value in backend.active().items()} | judge_panel.active()


def abilities(backend: Backend) -> Abilities:
    """Return what a backend can draw; one that says nothing can draw everything."""
    return Abilities(edits=getattr(backend, "edits", True), most_steps=getattr(backend, "most_steps", None))


def next_job(
    backend: Backend, reader: CommandReader, writer: ReplyWriter, judge_panel: JudgePanel
) -> DrawCommand | None:
    """Wait for a job; meanwhile let a backend that is not at full speed yet do its idle work.

    A queued or preempted request follows within milliseconds: idle work, which takes seconds, must not delay it.
    """
    with suppress(queue.Empty):
        return reader.jobs.get(timeout=NEXT_JOB_S)
    while reader.jobs.empty() and do_idle_work(backend, writer, judge_panel):
        pass
    return reader.jobs.get()


def do_idle_work(backend: Backend, writer: ReplyWriter, judge_panel: JudgePanel) -> bool:
    """Do one slice of a backend's idle work, if it offers ``idle``; return False when nothing is left."""
    idle: Callable[[Report], bool] | None = getattr(backend, "idle", None)
    if idle is None:
        return False
    reports: list[tuple[str, float]] = []
    try:
        with writer.heartbeats():
            more = idle(lambda doing, share: reports.append((doing, share)))
    except Exception as error:
        log.exception("an optimization failed")
        if device_is_lost(error):
            os._exit(GPU_FAULT_EXIT)
        return False
    if reports:
        doing, share = reports[-1]
        writer.send(FasterNow(doing, share, active(backend, judge_panel)))
    return more


def draw(builder: FrameBuilder, command: DrawCommand, reader: CommandReader, writer: ReplyWriter) -> None:
    """Draw one job and send its result; a lost device ends the process."""
    try:
        writer.send(draw_job(builder, command, reader, writer))
    except BackendError as error:
        writer.send(Failed(command.job, type(error).__name__, error.problem, error.fix))
    except Exception as error:
        log.exception("drawing failed")
        if device_is_lost(error):
            os._exit(GPU_FAULT_EXIT)  # without cleaning up: that would touch the device once more
        writer.send(Failed(command.job, BackendError.__name__, one_line(error)))


def draw_job(
    builder: FrameBuilder, command: DrawCommand, reader: CommandReader, writer: ReplyWriter
) -> Produced | Stopped:
    """Send each preview and return the last reply: the frame, or that the job was stopped."""
    with closing(builder.draw(command.request, lambda: writer.send(Heartbeat()))) as items:
        for item in items:
            if reader.cancelled_up_to >= command.job:
                break
            if isinstance(item, Frame):
                return Produced(command.job, item)
            writer.send(Produced(command.job, item))
    return Stopped(command.job)


def claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the parent for messages alone: whatever a library prints goes to the log."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return inbox, outbox


def die_with_parent() -> None:
    """Ask the Linux kernel to kill this process with its parent: a hang that holds the GIL notices no closed pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
