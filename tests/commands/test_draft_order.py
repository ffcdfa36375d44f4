"""What somebody chose for a private picture wins over the command, within what the model and the show can bear."""

from __future__ import annotations

import pytest

from streamer.commands.draft_order import DraftOrder, draft_request
from streamer.commands.options import CommandOptions, Sampling
from streamer.commands.parser import Commands
from streamer.commands.styles import StyleOptions
from streamer.errors import ConfigError
from streamer.interfaces import Abilities
from streamer.types import Actor, Caption, ImageRequest, Lane, Refusal, RequestKind, Role, Trigger

COMMANDS = Commands(
    {
        "bg": CommandOptions(kind="background", layer="background", width=1280, height=720, template="{text}, wide"),
        "meme": CommandOptions(kind="meme", layer="meme", width=512, height=512, layout="top_bottom"),
        "clear": CommandOptions(kind="clear"),
    },
    styles={name: StyleOptions(prompt=f"{{prompt}}, {name}") for name in ("noir", "clay")},
    expires_after_s=30,
    sampling=Sampling(4, 1.0),
)
ME = Trigger("d1", "http", "", Actor("api", "api", Role.BROADCASTER), 5.0)


def made(order: DraftOrder, commands: Commands = COMMANDS, abilities: Abilities | None = None) -> ImageRequest:
    request = draft_request(commands, abilities or Abilities(), order, ME)
    assert isinstance(request, ImageRequest)
    return request


def fault(order: DraftOrder, abilities: Abilities | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        draft_request(COMMANDS, abilities or Abilities(), order, ME)
    return str(caught.value)


def test_left_alone_it_is_the_first_commands_own_request() -> None:
    request = made(DraftOrder("fox"))
    line = COMMANDS.interpret(Trigger("d1", "http", "!bg fox", ME.actor, 5.0))
    assert request == line
    assert (request.layer, request.priority, request.prompt) == ("background", Lane.BROADCASTER, "fox, wide")


def test_every_parameter_can_be_chosen() -> None:
    order = DraftOrder(
        "cat | mondays", "meme", width=256, height=320, num_inference_steps=9, guidance_scale=2.5, seed=0
    )
    request = made(order)
    params = request.params
    assert (params.width, params.height, params.num_inference_steps, params.guidance_scale, params.seed) == (
        256, 320, 9, 2.5, 0,
    )  # fmt: skip
    assert request.caption == Caption("", "mondays", "top_bottom")


def test_a_style_is_the_chosen_one_none_or_the_one_that_is_on() -> None:
    on = COMMANDS.with_style("clay")
    prompts = [made(DraftOrder("fox", style=style), on).prompt for style in (None, "", "noir")]
    assert prompts == ["fox, wide, clay", "fox, wide", "fox, wide, noir"]
    assert "noir, clay" in fault(DraftOrder("fox", style="oil"))


def test_what_no_command_draws_is_named() -> None:
    assert fault(DraftOrder("fox", "clear")) == "command: 'clear' draws no picture; use one of: bg, meme"
    assert "'bg fox' draws no picture" in fault(DraftOrder("fox", "bg fox"))


def test_a_picture_larger_than_any_of_the_shows_could_take_its_memory() -> None:
    assert made(DraftOrder("fox", width=720, height=1280)).params.height == 1280
    assert fault(DraftOrder("fox", width=2048, height=2048)) == (
        "width, height: 2048x2048 is larger than the pictures of your commands; "
        "use at most 921,600 pixels, like 1280x720"
    )


def test_more_steps_than_the_model_draws_are_refused_with_its_limit() -> None:
    message = fault(DraftOrder("fox", num_inference_steps=40), Abilities(most_steps=16))
    assert message == "num_inference_steps: the model draws at most 16 steps, not 40; use 1 to 16"


def test_an_uploaded_picture_makes_any_command_an_edit_if_the_model_can() -> None:
    request = made(DraftOrder("make it winter", reference=b"picture"))
    assert (request.kind, request.reference) == (RequestKind.EDIT, b"picture")
    assert "cannot change pictures" in fault(DraftOrder("fox", reference=b"picture"), Abilities(edits=False))


def test_a_text_that_the_command_cannot_use_is_refused_with_its_usage() -> None:
    refusal = draft_request(COMMANDS, Abilities(), DraftOrder("https://example.com"), ME)
    assert isinstance(refusal, Refusal)
    assert "needs a few words" in refusal.reason


def test_the_sizes_and_styles_to_choose_from_are_the_tables() -> None:
    assert (list(COMMANDS.pictures), COMMANDS.styles) == (["bg", "meme"], ("noir", "clay"))
    assert (COMMANDS.largest_size, COMMANDS.usual_steps) == ((1280, 720), 4)
