"""Starts the OBS that is installed on this machine, on its own virtual screen and with its own settings."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import ObsAway, ObsError
from streamer.integrations.obs.connection import Connection, ObsAnswer, WrongPassword
from tests.support.real_program import free_port

PASSWORD = "password-of-the-tests"
WIDTH, HEIGHT = 640, 360
# How long one answer may take: OBS, Xvfb and the renderer share two cores with every other test.
_ANSWER_S = 90.0
_INI = (
    "[General]\nFirstRun=true\nEnableAutoUpdates=false\nConfirmOnExit=false\n"
    "[BasicWindow]\nPreviewEnabled=false\n[Basic]\nProfile=Tests\nProfileDir=Tests\n"
)
# A small canvas from the first frame on: a machine without a GPU renders it with its processor.
_PROFILE = (
    f"[General]\nName=Tests\n[Video]\nBaseCX={WIDTH}\nBaseCY={HEIGHT}\nOutputCX={WIDTH}\nOutputCY={HEIGHT}\n"
    "FPSType=1\nFPSInt=10\n"
)


def require(*, browser_source: bool = False) -> None:
    """Skip the test without OBS, or fail it where OBS is required (STREAMER_REQUIRE_OBS=1)."""
    missing = [program for program in ("obs", "Xvfb") if shutil.which(program) is None]
    if browser_source and not (shutil.which("gcc") and Path("/usr/include/obs/obs-module.h").exists()):
        missing.append("gcc and libobs-dev")
    if missing:
        message = f"not installed: {', '.join(missing)}; scripts/test.sh installs them"
        if os.environ.get("STREAMER_REQUIRE_OBS") == "1":
            pytest.fail(message)
        pytest.skip(message)


@contextmanager
def screen(width: int, height: int) -> Iterator[str]:
    """Run a virtual screen and yield its name, like ``:7``."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            name = pipe.readline().decode().strip()
        try:
            yield f":{name}"
        finally:
            process.terminate()


class RealObs:
    """One OBS process; ``ask`` talks to it over a connection of its own, beside the one under test."""

    def __init__(self, folder: Path, display: str) -> None:
        self.folder, self.display, self.port, self.log = folder, display, free_port(), folder / "obs.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._configure()

    def _configure(self) -> None:
        """Write the settings before the first start, in the files of every OBS version."""
        config = self.folder / ".config" / "obs-studio"
        (config / "plugin_config" / "obs-websocket").mkdir(parents=True)
        (self.folder / "run").mkdir(mode=0o700)
        socket = {
            "FirstLoad": "false", "ServerEnabled": "true", "ServerPort": str(self.port), "AlertsEnabled": "false",
            "AuthRequired": "true", "ServerPassword": PASSWORD,
        }  # fmt: skip
        section = "\n[OBSWebSocket]\n" + "".join(f"{key}={value}\n" for key, value in socket.items())
        (config / "global.ini").write_text(_INI + section)
        (config / "user.ini").write_text(_INI)
        profile = config / "basic" / "profiles" / "Tests"
        profile.mkdir(parents=True)
        (profile / "basic.ini").write_text(_PROFILE)
        newer = {
            "first_load": False, "server_enabled": True, "server_port": self.port, "alerts_enabled": False,
            "auth_required": True, "server_password": PASSWORD,
        }  # fmt: skip
        (config / "plugin_config" / "obs-websocket" / "config.json").write_text(json.dumps(newer))

    def add_browser_source(self) -> None:
        """Build the stand-in for the browser source where this OBS finds it; call it before the start."""
        folder = self.folder / ".config" / "obs-studio" / "plugins" / "browser-source" / "bin" / "64bit"
        folder.mkdir(parents=True)
        source = Path(__file__).with_name("browser_source.c")
        command = ["gcc", "-shared", "-fPIC", "-o", str(folder / "browser-source.so"), str(source), "-lobs"]
        subprocess.run(command, check=True)

    def logged(self, line: str) -> int:
        """Count the lines of OBS's log that contain a text."""
        return sum(line in logged for logged in self.log.read_text(errors="replace").splitlines())

    def start(self) -> None:
        """Start OBS and wait until it answers."""
        environ = os.environ | {
            "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / ".config"), "DISPLAY": self.display,
            "XDG_RUNTIME_DIR": str(self.folder / "run"), "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1",
            # Two cores for everything: without this the renderer takes both.
            "LP_NUM_THREADS": "1",
        }  # fmt: skip
        command = ["obs", "--multi", "--minimize-to-tray", "--disable-missing-files-check"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        self._connection = self._connected()

    def _connected(self) -> Connection:
        deadline = time.monotonic() + _ANSWER_S
        while True:
            try:
                connection = Connection("127.0.0.1", self.port, PASSWORD, _ANSWER_S)
                break
            except (ObsAway, WrongPassword):
                assert self._process is not None
                assert self._process.poll() is None, self.log.read_text()[-2000:]
                assert time.monotonic() < deadline, "OBS did not open its port"
                time.sleep(0.1)
        while True:
            with suppress(ObsError):  # 207: not ready yet
                connection.request("GetVersion")
                return connection
            assert time.monotonic() < deadline, "OBS never got ready"
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill OBS at once, as a crash would."""
        assert self._process is not None
        if self._connection is not None:
            self._connection.close(handshake=False)
            self._connection = None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def ask(self, request: str, **data: Any) -> ObsAnswer:
        """Send a request beside the program under test."""
        assert self._connection is not None
        return self._connection.request(request, data)

    def inputs(self, kind: str = "image_source") -> list[str]:
        """Return the names of the sources of a kind."""
        return sorted(listed["inputName"] for listed in self.ask("GetInputList", inputKind=kind)["inputs"])

    def items(self, scene: str = "Scene") -> list[str]:
        """Return the names of the items of a scene, from the bottom to the top."""
        items = self.ask("GetSceneItemList", sceneName=scene)["sceneItems"]
        return [item["sourceName"] for item in sorted(items, key=lambda item: item["sceneItemIndex"])]

    def settings(self, name: str) -> ObsAnswer:
        """Return the settings of a source."""
        settings: ObsAnswer = self.ask("GetInputSettings", inputName=name)["inputSettings"]
        return settings

    def reset(self) -> None:
        """Switch to a new scene collection with one empty scene."""
        name = f"empty {time.monotonic_ns()}"
        self.ask("CreateSceneCollection", sceneCollectionName=name)


@contextmanager
def real_obs(folder: Path, *, browser_source: bool = False) -> Iterator[RealObs]:
    """Run one OBS on its own screen, as Debian builds it or with a stand-in for the browser source."""
    require(browser_source=browser_source)
    with ExitStack() as stack:
        obs = RealObs(folder, stack.enter_context(screen(640, 480)))
        if browser_source:
            obs.add_browser_source()
        obs.start()
        try:
            yield obs
        finally:
            obs.kill()
