"""The fields of the playground's page become orders, and its answers lines on the page."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from streamer.playground import form
from streamer.playground.client import Choices, CommandChoice, PlaygroundDraft
from streamer.playground.form import FieldFault, Fields

CHOICES = Choices(
    {"bg": CommandChoice("background", 1280, 720, False), "meme": CommandChoice("meme", 768, 768, False)},
    ("noir",), 1280 * 720, 16, 4, True,
)  # fmt: skip
TIMES = {"wait": 12.0, "draw": 340.4, "model": 300.0, "judge": 0.0}
DRAWN = PlaygroundDraft(
    id="draft-1", state="drawn", prompt="fox", width=64, height=48, steps_chosen=4, seed=7, times_ms=TIMES,
    picture=b"x",
)  # fmt: skip


def test_what_is_left_alone_is_left_to_the_command() -> None:
    assert form.order(Fields(" fox ", seed=7)) == {"text": "fox", "seed": 7}
    assert form.order(Fields("fox"))["seed"] != form.order(Fields("fox"))["seed"]


def test_what_is_chosen_is_sent() -> None:
    assert form.order(Fields("fox", "meme", "noir", "768 x 512", 9, 1)) == {
        "text": "fox", "seed": 1, "command": "meme", "style": "noir", "width": 768, "height": 512,
        "num_inference_steps": 9,
    }  # fmt: skip
    assert form.order(Fields("fox", style=form.NO_STYLE))["style"] == ""


def test_sizes_and_styles_are_those_of_the_program_and_squares_that_fit() -> None:
    assert form.sizes(CHOICES) == [form.COMMAND_SIZE, "512x512", "768x768", "1280x720"]
    assert form.styles(CHOICES) == [form.STYLE_ON, form.NO_STYLE, "noir"]


def test_a_grid_has_seeds_that_follow_each_other_and_wrap() -> None:
    orders = form.grid_orders(Fields("fox", seed=form.LARGEST_SEED), 3)
    assert [order["seed"] for order in orders] == [form.LARGEST_SEED, 0, 1]


def test_two_settings_share_prompt_and_seed_and_differ_in_the_rest() -> None:
    first, second = form.compared_orders(Fields("fox", steps=4), Fields("", style="noir", steps=8))
    assert (first["text"], first["seed"]) == (second["text"], second["seed"])
    assert (first["num_inference_steps"], second["num_inference_steps"]) == (4, 8)
    assert ("style" in first, second["style"]) == (False, "noir")


@pytest.mark.parametrize(
    ("fields", "said"),
    [(Fields(" "), "Prompt: write what"), (Fields("fox", size="large"), "Size: 'large' is no size")],
)
def test_a_field_that_cannot_be_used_is_named(fields: Fields, said: str) -> None:
    with pytest.raises(FieldFault, match=said):
        form.order(fields)


def test_a_seed_is_a_whole_number_or_left_empty() -> None:
    assert (form.parsed_seed(" "), form.parsed_seed(" 42 ")) == (None, 42)
    for text in ("-1", "1.5", "a", str(2**32)):
        with pytest.raises(FieldFault, match="Seed: "):
            form.parsed_seed(text)


def test_a_picture_to_change_is_made_upright_and_small(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGBA", (3000, 1000), (10, 20, 30, 40)).save(path)
    sent = base64.b64decode(str(form.order(Fields("winter", image=str(path)))["image"]))
    with Image.open(io.BytesIO(sent)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1536, 512))
    rotated = Image.new("RGB", (40, 20))
    exif = rotated.getexif()
    exif[0x0112] = 6
    rotated.save(tmp_path / "phone.jpg", exif=exif)
    with Image.open(io.BytesIO(form.reduced(str(tmp_path / "phone.jpg")))) as upright:
        assert upright.size == (20, 40)
    (tmp_path / "text.png").write_text("no")
    with pytest.raises(FieldFault, match="Picture to change: cannot be read"):
        form.reduced(str(tmp_path / "text.png"))


def test_a_line_says_where_a_picture_stands() -> None:
    lines = [
        form.state_line(PlaygroundDraft()),
        form.state_line(PlaygroundDraft(state="drawing", step=2, steps=4)),
        form.state_line(PlaygroundDraft(state="refused", reason="no")),
        form.state_line(DRAWN),
        form.state_line(replace(DRAWN, reason="not sure", left_out_words=True)),
    ]
    assert lines == [
        "waits for its turn", "step 2 of 4", "refused: no", "seed 7, 340 ms",
        "seed 7, 340 ms; the model could not read all of the text; on air a moderator would look first: not sure",
    ]  # fmt: skip


def test_the_table_has_every_time_of_every_drawn_picture_and_compares_two() -> None:
    slower = replace(DRAWN, prompt="fox, noir", times_ms={**TIMES, "model": 450.0})
    table = form.times_table([DRAWN, slower], ("left", "right"))
    assert "| left | 64x48 | 4 | 7 | 300 ms | 0 ms | 340 ms | 12 ms |" in table
    assert table.endswith("The model read “fox”; “fox, noir”. The second took 1.50 times as long as the first.")
    assert form.times_table([PlaygroundDraft(state="failed")]) == ""
    assert "| 2 | 64x48" in form.times_table([PlaygroundDraft(state="failed"), DRAWN])
