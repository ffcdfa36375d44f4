"""Actions in a real OBS after a picture has gone on air, and their undoing."""

from __future__ import annotations

from typing import Any

import pytest

from streamer.errors import ObsError
from streamer.integrations.obs.actions import failure_message, matching_actions, perform, undo
from streamer.integrations.obs.config import AfterAction
from tests.support.obs_calls import DirectCalls
from tests.support.real_obs import RealObs


def after(**action: Any) -> AfterAction:
    return AfterAction.model_validate(action)


def test_an_action_without_commands_is_for_every_picture() -> None:
    always, memes = after(scene="A"), after(scene="B", commands=["meme"])
    assert matching_actions([always, memes], "bg") == [always]
    assert matching_actions([always, memes], "meme") == [always, memes]


def on_air(real: RealObs) -> str:
    return str(real.ask("GetSceneList")["currentProgramSceneName"])


async def test_a_scene_is_switched_to_and_back(real: RealObs) -> None:
    call = DirectCalls(real)
    real.ask("CreateScene", sceneName="Big picture")
    back = await perform(call, after(scene="Big picture", back_after_s=6))
    assert on_air(real) == "Big picture"
    assert back is not None
    assert back.after_s == 6
    await undo(call, back)
    assert on_air(real) == "Scene"
    assert await perform(call, after(scene="Scene", back_after_s=6)) is None, "it is on air already"


async def test_a_streamer_who_has_switched_to_another_scene_stays_there(real: RealObs) -> None:
    call = DirectCalls(real)
    real.ask("CreateScene", sceneName="Big picture")
    real.ask("CreateScene", sceneName="Break")
    back = await perform(call, after(scene="Big picture", back_after_s=6))
    assert back is not None
    real.ask("SetCurrentProgramScene", sceneName="Break")
    await undo(call, back)
    assert on_air(real) == "Break"


async def test_a_source_is_shown_and_hidden_again(real: RealObs) -> None:
    call = DirectCalls(real)
    made = real.ask(
        "CreateInput", sceneName="Scene", inputName="Confetti", inputKind="color_source_v3", sceneItemEnabled=False
    )

    def shown() -> bool:
        answer = real.ask("GetSceneItemEnabled", sceneName="Scene", sceneItemId=made["sceneItemId"])
        return bool(answer["sceneItemEnabled"])

    hide = await perform(call, after(show={"source": "Confetti", "seconds": 2}))
    assert shown()
    assert hide is not None
    assert hide.after_s == 2
    await undo(call, hide)
    assert not shown()


async def test_a_filter_is_switched_on_for_a_while_or_for_good(real: RealObs) -> None:
    call = DirectCalls(real)
    real.ask("CreateInput", sceneName="Scene", inputName="Camera", inputKind="color_source_v3")
    real.ask("CreateSourceFilter", sourceName="Camera", filterName="Glow", filterKind="color_filter_v2")
    real.ask("SetSourceFilterEnabled", sourceName="Camera", filterName="Glow", filterEnabled=False)

    def on() -> bool:
        return bool(real.ask("GetSourceFilter", sourceName="Camera", filterName="Glow")["filterEnabled"])

    off = await perform(call, after(filter={"source": "Camera", "name": "Glow", "seconds": 3}))
    assert on()
    assert off is not None
    await undo(call, off)
    assert not on()
    assert await perform(call, after(filter={"source": "Camera", "name": "Glow"})) is None
    assert on()


async def test_a_hotkey_of_obs_is_triggered(real: RealObs) -> None:
    call = DirectCalls(real)
    made = real.ask(
        "CreateInput", sceneName="Scene", inputName="Lamp", inputKind="color_source_v3", sceneItemEnabled=False
    )
    names = [name for name in real.ask("GetHotkeyList")["hotkeys"] if name.startswith("libobs.show_scene_item.")]
    assert await perform(call, after(hotkey=names[-1])) is None
    answer = real.ask("GetSceneItemEnabled", sceneName="Scene", sceneItemId=made["sceneItemId"])
    assert answer["sceneItemEnabled"] is True


async def test_a_missing_source_is_named(real: RealObs) -> None:
    action = after(show={"source": "Nothing"}, commands=["bg"])
    with pytest.raises(ObsError) as caught:
        await perform(DirectCalls(real), action)
    assert "'source': 'Nothing'" in failure_message(action, caught.value)
    assert "600" in failure_message(action, caught.value)
