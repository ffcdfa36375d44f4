"""Every plug-in on disk keeps the contract of its seam: found by its file, built from its options, used for real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer import plugins
from streamer.generator.backend import StepCallback
from streamer.generator.judge import ImageJudge, TextJudge
from streamer.generator.openai_images.backend import OpenAiImages
from streamer.integrations.twitch.account import Account
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.reward_commands import RewardCommands
from streamer.interfaces import Health, SourceEvent
from streamer.moderation.policy import Policy
from streamer.moderation.thresholds import Thresholds
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store, StoreOptions
from streamer.types import (
    Actor,
    Caption,
    Clear,
    Frame,
    ImageRequest,
    Lane,
    Preview,
    Refusal,
    RequestKind,
    Role,
    SamplingParams,
    Toast,
)
from tests.support.images_server import ImagesServer, serving

# What a plug-in cannot be built without; one that is not here must be happy with its defaults.
NEEDED: Mapping[str, Mapping[str, object]] = {
    "twitch": {"channel": "somebody", "irc_url": "ws://127.0.0.1:9"},
    "hotkey": {"keys": {"<f9>": "!clear"}},
    "midi": {"keys": {"note 36": "clear"}},
    "moderation_api": {"url": "http://127.0.0.1:9/"},
    "archive": {"folder": "pictures"},
    "evening": {"folder": "evenings"},
}

EVENTS = (
    Frame("r", "background", "image/jpeg", b"\xff\xd8", 8, 8),
    Preview("r", "background", 1, 4, "image/jpeg", b"\xff\xd8", 8, 8),
    Clear("background"),
    Refusal("r", "words", "no"),
    Toast("r", "drawn for Ann"),
)


def built(seam: str, name: str) -> Any:
    options = plugins.options_of(seam, name).model_validate(NEEDED.get(name, {}))
    home = Path("nowhere")
    shared = {
        "twitch": Account(home, TwitchConfig(), {}),
        "store": Store.at(home, StoreOptions()),
        "reward_commands": RewardCommands(),
        "pseudonyms": Pseudonyms(home),
        "policy": Policy([]),
    }
    return plugins.create(seam, name, options, shared)


def request(text: str, name: str, role: Role = Role.VIEWER, width: int = 128, height: int = 96) -> ImageRequest:
    return ImageRequest(
        "r", "bg", RequestKind.BACKGROUND, "background", text, text, SamplingParams(width, height, 4, 1.0, 7),
        Actor("1", name, role), Lane.CHAT, 0.0, 30.0, caption=Caption(text, name, "top_bottom"),
    )  # fmt: skip


@pytest.mark.parametrize("name", plugins.names("rule"))
def test_a_rule_answers_every_request_with_none_or_a_short_refusal(name: str) -> None:
    rule = built("rule", name)
    moments = iter(range(10**9))

    @settings(max_examples=150, deadline=None)
    @given(st.text(max_size=400), st.text(max_size=40), st.sampled_from(list(Role)))
    def answers(text: str, who: str, role: Role) -> None:
        refusal = rule.check(request(text, who, role), float(next(moments)))
        assert refusal is None or (refusal.request_id == "r" and 0 < len(refusal.reason) <= 200)
        if refusal is not None and len(text) > 20:
            assert text not in refusal.reason, "a refusal is shown in chat and must not repeat what was typed"

    answers()


@pytest.mark.parametrize("name", plugins.names("output"))
async def test_an_output_takes_every_event(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = built("output", name)
    for event in EVENTS:
        async with asyncio.timeout(10):
            await output.publish(event)


@pytest.mark.parametrize("name", plugins.names("trigger"))
async def test_a_source_says_how_it_is_and_can_be_stopped_at_any_moment(name: str) -> None:
    source = built("trigger", name)
    assert isinstance(source.health(), Health)
    events = []

    async def listen() -> None:
        async with aclosing(source.listen()) as heard:
            async for event in heard:
                events.append(event)  # noqa: PERF401 - what came before the cancel must be kept

    listening = asyncio.create_task(listen())
    for _ in range(50):
        await asyncio.sleep(0)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await listening
    assert source.health().name
    assert all(isinstance(event, SourceEvent) for event in events)


@pytest.mark.parametrize("name", plugins.names("judge"))
def test_a_judge_is_built_without_loading_anything_and_looks_or_reads(name: str) -> None:
    judge = built("judge", name)
    assert isinstance(judge, ImageJudge) != isinstance(judge, TextJudge)
    options = plugins.options_of("judge", name)()
    assert isinstance(options, Thresholds)
    assert options.block or options.hold, "without thresholds it would find nothing"
    assert all(limit <= options.block.get(kind, 1.0) for kind, limit in options.hold.items())


@pytest.fixture
def images_server() -> Iterator[ImagesServer]:
    """Run a picture server, for the backend that draws on one."""
    with serving() as server:
        yield server


@pytest.fixture(params=plugins.names("backend"))
def backend(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path / "home"))  # what is converted is kept there
    options: dict[str, object] = {}
    if request.param == "klein":
        pytest.importorskip("torch", reason="the klein backend needs the klein extra")
        from streamer.generator.klein.testing import make_checkpoint

        options = {"model": str(make_checkpoint(tmp_path / "tiny")), "device": "cpu", "text_tokens": 64}
    if request.param == "diffusers":
        pytest.importorskip("diffusers", reason="the diffusers backend needs the klein extra")
        from streamer.generator.pipelines.testing import make_checkpoint as make_pipeline_checkpoint

        options = {"model": str(make_pipeline_checkpoint(tmp_path / "tiny", "pixart")), "device": "cpu"}
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="the openvino backend needs the cpu extra")
        from streamer.generator.openvino.testing import make_checkpoint as make_processor_checkpoint

        options = {"model": str(make_processor_checkpoint(tmp_path / "tiny", "sdxs"))}
    if request.param == "openai_images":
        server = request.getfixturevalue("images_server")
        options = {"url": server.url, "key_file": None, "sizes": []}
    model = plugins.options_of("backend", request.param)
    return plugins.create("backend", request.param, model.model_validate(options))


# diffusers' own, and what OpenVINO's converter traces.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_backend_draws_its_steps_and_last_one_picture(backend: Any) -> None:
    told: list[tuple[str, float]] = []
    backend.load(lambda doing, share: told.append((doing, share)))
    backend.warm_up([(128, 96)], lambda doing, share: told.append((doing, share)))
    assert all(doing and 0 <= share <= 1 for doing, share in told)
    assert all(isinstance(value, str) for value in backend.active().values())

    first, again = (list(backend.draw(request("a quiet lake", "Ann"))) for _ in range(2))
    *steps, picture = first
    assert all(isinstance(step, StepCallback) for step in steps)
    if not isinstance(backend, OpenAiImages):  # a server elsewhere tells of no steps
        assert [(step.step, step.steps) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (picture.width, picture.height) == (128, 96)
    assert picture.pixels().shape == (96, 128, 3)
    assert picture.pixels().dtype == np.uint8
    assert np.array_equal(picture.pixels(), again[-1].pixels()), "the same seed gives the same picture"

    cancelled = backend.draw(request("a quiet lake", "Ann"))
    next(cancelled)
    cancelled.close()
    assert list(backend.draw(request("another", "Ann")))[-1].width == 128
    backend.close()
