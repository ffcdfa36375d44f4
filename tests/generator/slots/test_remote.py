"""The slot that draws on another computer: what its options may say, and a picture from a real worker."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import PROCEDURAL, BackendUse
from streamer.generator.slot import SlotPlace
from streamer.generator.slots import remote
from streamer.generator.worker_link import NotStarted
from streamer.interfaces import HealthState
from streamer.storage import secret_files
from streamer.types import Frame
from tests.support.generation import draw, ready, request
from tests.support.remote_worker import connected, listening, slot_at

SETUP = WorkerSetup(WorkerOptions(), PROCEDURAL, (), Path("home"))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("wss://gpu-pc:8711", "gpu-pc"),
        ("wss://gpu.example/", "gpu.example"),
        ("ws://127.0.0.1:8711", "127.0.0.1"),
        ("ws://[::1]:8711", "::1"),
    ],
)
def test_a_slot_is_named_after_its_computer_unless_it_has_a_name(tmp_path: Path, url: str, host: str) -> None:
    secret_files.write(secret_files.path_in(tmp_path, "gpu"), b"token\n")
    options = remote.Options(url=url, token_file="gpu")
    assert remote.create(options, SETUP, tmp_path).place == SlotPlace(host, here=False)
    named = options.model_copy(update={"name": "attic", "standby": True})
    assert remote.create(named, SETUP, tmp_path).place == SlotPlace("attic", here=False, standby=True)


@pytest.mark.parametrize(
    "url", ["gpu-pc:8711", "http://gpu-pc:8711", "wss://", "wss://gpu-pc/path", "wss://gpu-pc?x=1"]
)
def test_what_is_no_address_of_a_worker_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="write it like wss://gpu-pc:8711"):
        remote.Options(url=url, token_file="gpu")


def refused(home: Path, content: bytes | None, mode: int = 0o600, **options: object) -> ConfigError:
    if content is not None:
        path = secret_files.path_in(home, "gpu")
        secret_files.write(path, content)
        path.chmod(mode)
    given = {"url": "wss://gpu-pc:8711", "token_file": "gpu", **options}
    with pytest.raises(ConfigError) as caught:
        remote.create(remote.Options.model_validate(given), SETUP, home)
    return caught.value


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "not there or empty"), (b" \n", "not there or empty"), (b"two words", "no token"), (b"\xff", "no token")],
)
def test_a_token_file_without_a_token_is_named_with_the_fix(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    error = refused(tmp_path, content)
    assert error.key == "token_file"
    assert problem in error.problem
    assert "streamer worker" in error.fix


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, b"token", 0o644)
    assert error.key == "token_file"
    assert "chmod 600" in error.problem


def test_an_unencrypted_way_through_a_network_has_to_be_wanted(tmp_path: Path) -> None:
    error = refused(tmp_path, b"token", url="ws://192.168.1.7:8711")
    assert (error.key, "trust_network: true" in error.fix) == ("url", True)
    options = remote.Options(url="ws://192.168.1.7:8711", token_file="gpu", trust_network=True)
    assert remote.create(options, SETUP, tmp_path).place.name == "192.168.1.7"


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    for path in (tmp_path / "cert.pem", tmp_path / "missing.pem"):
        error = refused(tmp_path, b"token", ca_file=str(path))
        assert (error.key, "cert.pem of the worker" in error.fix) == ("ca_file", True)


async def test_previews_and_the_frame_come_from_the_worker_with_the_id_and_layer_of_the_request(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker, connected(slot_at(tmp_path, worker.port)) as slot:
        await ready(slot)
        assert slot.active["backend"] == "tests.support.scripted_backend"
        assert re.fullmatch(r"the worker at ws://127.0.0.1:\d+: drawing with the .*", slot.health().detail)
        *previews, frame = await draw(slot, request("a harbour"))
        assert isinstance(frame, Frame)
        assert {(item.request_id, item.layer) for item in (*previews, frame)} == {("a harbour-1", "background")}
        assert (frame.media_type, frame.width, frame.height, len(previews)) == ("image/jpeg", 64, 48, 4)
        assert frame.drew_s > 0
        assert slot.free


def test_a_slot_at_a_computer_that_does_not_draw_is_never_replaced_by_the_painter(tmp_path: Path) -> None:
    slot = slot_at(tmp_path, 1)
    assert slot.health().state is HealthState.RECONNECTING
    assert not slot.free


def make_certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=gpu-pc", "-addext", "subjectAltName=IP:127.0.0.1,DNS:gpu-pc"]
    try:
        subprocess.run([*command, *names, "-out", cert, "-keyout", key], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return cert, key


async def test_a_certificate_of_the_workers_own_is_trusted_when_it_is_named_and_not_otherwise(tmp_path: Path) -> None:
    from streamer.worker_command import Listening

    cert, key = make_certificate(tmp_path)
    tls = Listening("127.0.0.1", 0, cert, key).tls()
    async with listening(tmp_path / "worker", tls=tls) as worker:
        url = f"wss://127.0.0.1:{worker.port}"
        async with connected(slot_at(tmp_path, 0, url=url, ca_file=str(cert))) as slot:
            await ready(slot)
            assert isinstance((await draw(slot, request("a harbour")))[-1], Frame)
        async with connected(slot_at(tmp_path, 0, url=url)) as slot:
            while "not trusted" not in slot.health().detail:
                await slot.change()
            assert "name it as ca_file of the slot" in slot.health().detail


def test_judges_that_the_backend_of_this_computer_brings_are_expected_of_the_worker_too(tmp_path: Path) -> None:
    secret_files.write(secret_files.path_in(tmp_path, "gpu"), b"token")
    setup = WorkerSetup(WorkerOptions(), BackendUse("klein", {}, ("policy_judge",)), (), tmp_path)
    slot = remote.create(remote.Options(url="wss://gpu-pc", token_file="gpu"), setup, tmp_path)
    assert slot._setup.expected_judges == ("policy_judge",)


async def test_a_probe_loads_nothing_and_says_what_is_wrong(tmp_path: Path) -> None:
    async with listening(tmp_path / "worker") as worker:
        slot_at(tmp_path, worker.port)
        options = remote.Options(url=f"ws://127.0.0.1:{worker.port}", token_file="gpu")
        await remote.probe(options, tmp_path)
        secret_files.write(secret_files.path_in(tmp_path, "gpu"), b"wrong")
        with pytest.raises(NotStarted, match="it refuses the token"):
            await remote.probe(options, tmp_path)
        assert worker.built == []
