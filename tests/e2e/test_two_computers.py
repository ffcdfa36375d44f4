"""A worker and a program on two computers: two network namespaces, each with an address of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from streamer.types import Frame
from tests.support.generation import draw, ready, request
from tests.support.lossy_network import lossy_network
from tests.support.remote_worker import connected, listening, slot_at

HOME_IP, WORKER_IP = "10.213.7.1", "10.213.7.2"
ROOT = Path(__file__).parents[2]
LOSSY = ("delay", "25ms", "5ms", "loss", "2%")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


class TwoComputers:
    """Two network namespaces that a cable joins; ``unplug`` takes the cable out."""

    def __init__(self) -> None:
        number = os.getpid() % 100_000
        self.home, self.worker = f"home{number}", f"work{number}"
        self._cables = (f"h{number}", f"w{number}")

    def build(self) -> None:
        near, far = self._cables
        for space in (self.home, self.worker):
            run("ip", "netns", "add", space)
        run("ip", "link", "add", near, "netns", self.home, "type", "veth", "peer", "name", far, "netns", self.worker)
        for space, cable, address in ((self.home, near, HOME_IP), (self.worker, far, WORKER_IP)):
            run("ip", "-n", space, "address", "add", f"{address}/24", "dev", cable)
            run("ip", "-n", space, "link", "set", cable, "up")
            run("ip", "-n", space, "link", "set", "lo", "up")

    def disturb(self) -> None:
        for space, cable in zip((self.home, self.worker), self._cables, strict=True):
            run("ip", "netns", "exec", space, "tc", "qdisc", "add", "dev", cable, "root", "netem", *LOSSY)

    def plug(self, state: str) -> None:
        run("ip", "-n", self.home, "link", "set", self._cables[0], state)

    def tear_down(self) -> None:
        for space in (self.home, self.worker):
            subprocess.run(["ip", "netns", "delete", space], capture_output=True)


@contextmanager
def two_computers(disturbed: bool) -> Iterator[TwoComputers]:
    if sys.platform != "linux" or shutil.which("ip") is None:
        pytest.skip("needs network namespaces (Linux with iproute2)")
    both = TwoComputers()
    try:
        try:
            both.build()
        except OSError as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        if disturbed:
            try:
                both.disturb()
            except OSError as error:
                pytest.skip(f"this kernel adds no delay and loss: {error}")
        yield both
    finally:
        both.tear_down()


HOME = """
    import asyncio, sys
    from pathlib import Path
    from streamer.generator import remote_link
    from streamer.generator.pool_channel import PoolChannel
    from streamer.types import Frame
    from tests.support.generation import draw_leased, ready, request, running_pool
    from tests.support.remote_worker import slot_at

    async def main():
        remote_link.PING_EVERY_S, remote_link.PING_WAIT_S, remote_link.OPEN_S = 0.3, 1.0, 1.0
        home, url, token = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
        slot = slot_at(home, 0, url=url, token=token, trust_network=True)
        async with running_pool([slot]) as pool:
            await ready(pool)
            print("ready", flush=True)
            for line in sys.stdin:
                drawing = asyncio.create_task(draw_leased(PoolChannel(pool), request(line.strip(), steps=4)))
                if line.strip() == "cut off":
                    while pool.health().state != "busy":
                        await asyncio.sleep(0.001)
                    print("busy", flush=True)
                    while not pool.restarts:
                        await asyncio.sleep(0.001)
                    print("lost", flush=True)
                frame = (await drawing)[-1]
                print(type(frame).__name__, pool.restarts.get("lost", 0), flush=True)
    asyncio.run(main())
"""
CONFIG = "generator: {use: tests.support.slow_painter, backends: {tests.support.slow_painter: {step_s: 0.2}}}\n"


@contextmanager
def program(space: str, *command: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run Python in a namespace."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STREAMER_HOME": str(home)}
    enter = ["ip", "netns", "exec", space, sys.executable, *command]
    with subprocess.Popen(
        enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=home
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def line_of(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.strip()
    raise AssertionError(f"no line that begins with {start!r}")


def ask(process: subprocess.Popen[str], prompt: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{prompt}\n")
    process.stdin.flush()


@pytest.mark.parametrize("disturbed", [False, True], ids=["clear", "delay and loss"])
def test_a_worker_that_is_cut_off_in_the_middle_of_a_picture_is_found_again_and_draws_it(
    tmp_path: Path, disturbed: bool
) -> None:
    """The cable is out until the program has noticed; the picture that was asked for before comes afterwards."""
    homes = tmp_path / "worker", tmp_path / "home"
    for home in homes:
        home.mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    with ExitStack() as stack:
        both = stack.enter_context(two_computers(disturbed))
        command = ["-m", "streamer", "--config", str(tmp_path / "config.yaml"), "worker", "--trust-network"]
        lends = program(both.worker, *command, "--listen", f"{WORKER_IP}:8711", home=homes[0])
        worker = stack.enter_context(lends)
        assert line_of(worker, "Worker:").endswith(f"ws://{WORKER_IP}:8711")
        token = (homes[0] / "secrets/worker").read_text()
        arguments = [str(homes[1]), f"ws://{WORKER_IP}:8711", token]
        draws = program(both.home, "-c", textwrap.dedent(HOME), *arguments, home=homes[1])
        show = stack.enter_context(draws)
        line_of(show, "ready")
        ask(show, "a harbour")
        assert line_of(show, "Frame") == "Frame 0"
        ask(show, "cut off")
        line_of(show, "busy")
        both.plug("down")
        line_of(show, "lost")
        both.plug("up")
        assert line_of(show, "Frame") == "Frame 1"
        ask(show, "a forest")
        assert line_of(show, "Frame") == "Frame 1"


async def test_on_a_slow_and_lossy_way_every_picture_comes(tmp_path: Path) -> None:
    delays_s = itertools.cycle([0.02] * 7 + [0.25])
    async with (
        listening(tmp_path / "worker") as worker,
        lossy_network(worker.port, delays_s) as network,
        connected(slot_at(tmp_path, network.port)) as slot,
    ):
        await ready(slot)
        for seed in range(5):
            assert isinstance((await draw(slot, request("far away", seed=seed)))[-1], Frame)
        assert slot.restarts == {}
