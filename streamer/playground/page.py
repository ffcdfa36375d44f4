"""The page of the playground, made with Gradio: fields on the left, pictures on the right."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr

from streamer.errors import ApiError
from streamer.playground import form
from streamer.playground.client import Choices, PlaygroundDraft, ProgramClient
from streamer.playground.form import FieldFault, Fields

CSS = """
footer { display: none !important; }
.gradio-container { max-width: 1500px !important; }
.state p { margin: 0; opacity: .85; }
#gallery .grid-wrap { max-height: none; overflow: visible; }
#gallery .thumbnail-lg { aspect-ratio: auto; height: auto; }
#gallery .thumbnail-lg img { height: auto; }
#about { text-align: right; }
#gallery .grid-wrap.fixed-height { min-height: 0; }
.gradio-container .prose table { font-size: .9em; font-variant-numeric: tabular-nums; }
.gradio-container .prose :is(table, thead, tbody, tr, th, td) { border-width: 0 !important; }
.gradio-container .prose :is(th, td) {
  border-bottom: 1px solid var(--border-color-primary) !important;
  padding: .35em .9em;
}
"""
NOTE = "Pictures stay on this page until you put one on air. They are drawn when no viewer's or key's picture is due."
GRID_COUNTS = (4, 6, 9, 12)
FILES_KEPT = 400
CACHE_CHECKED_S, CACHE_KEPT_S = 600, 3600
SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png", b"RI": ".webp"}

Values = tuple[Any, ...]


def theme() -> gr.themes.Base:
    """Return a look that loads no font from anywhere."""
    return gr.themes.Base(
        primary_hue="indigo", font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")
    )


class PlaygroundPage:
    """Build the page, and answer what is pressed on it; pictures are written to ``folder`` for the browser."""

    def __init__(self, client: ProgramClient, choices: Choices, folder: Path) -> None:
        self._client, self._choices, self._folder = client, choices, folder
        self._fields: list[Any] = []
        self._files: deque[Path] = deque(maxlen=FILES_KEPT)

    def build(self) -> gr.Blocks:
        """Build the page."""
        with gr.Blocks(
            title="streamer playground", analytics_enabled=False, delete_cache=(CACHE_CHECKED_S, CACHE_KEPT_S)
        ) as page:
            with gr.Row(equal_height=False):
                gr.Markdown("# Playground")
                about = gr.Markdown(elem_id="about")
            gr.Markdown(NOTE)
            with gr.Row(equal_height=False):
                with gr.Column(scale=2, min_width=320):
                    self._add_fields()
                with gr.Column(scale=5, min_width=480), gr.Tabs():
                    self._add_single()
                    self._add_grid()
                    self._add_comparison()
            page.load(self._about, None, about, api_visibility="private", show_progress="hidden")
        return page

    def _add_fields(self) -> None:
        choices, commands = self._choices, list(self._choices.commands)
        text = gr.Textbox(
            label="Prompt", lines=3, max_length=2000, autofocus=True, placeholder="a fox in the snow", elem_id="prompt"
        )
        command = gr.Dropdown(
            commands, value=next(iter(commands), None), label="Command", info="its template, size and layer"
        )
        style = gr.Dropdown(form.styles(choices), value=form.STYLE_ON, label="Style")
        size = gr.Dropdown(
            form.sizes(choices), value=form.COMMAND_SIZE, label="Size", allow_custom_value=True, elem_id="size",
            info="or your own, like 768x512",
        )  # fmt: skip
        steps = gr.Slider(
            0, choices.most_steps or 50, value=0, step=1, label="Steps", elem_id="steps",
            info=f"0: as the command says; the model is made for {choices.steps}",
        )  # fmt: skip
        seed = gr.Textbox(label="Seed", max_lines=1, placeholder="a new one each time", elem_id="seed")
        image = gr.Image(
            type="filepath", label="Picture to change", sources=["upload", "clipboard"], visible=choices.edits,
            height=200, elem_id="image", buttons=[],
        )  # fmt: skip
        if edits := [name for name, choice in choices.commands.items() if choice.edits]:
            image.upload(lambda: edits[0], None, command, api_visibility="private", show_progress="hidden")
        self._fields = [text, command, style, size, steps, seed, image]

    def _add_single(self) -> None:
        with gr.Tab("One picture", id="one"):
            draw, stop = _draw_buttons("Draw", "draw")
            picture = _picture("Picture", "picture")
            state = gr.Markdown(elem_id="state", elem_classes="state")
            air = _air_button("air")
            times = gr.Markdown(elem_id="times")
            shown = gr.State("")
        self._on_draw(draw, stop, self._single, self._fields, [picture, state, times, shown, air])
        air.click(self._put_on_air, shown, state, api_visibility="private")

    def _add_grid(self) -> None:
        with gr.Tab("Grid of seeds", id="grid"):
            count = gr.Radio(GRID_COUNTS, value=4, label="Pictures", elem_id="count")
            draw, stop = _draw_buttons("Draw the grid", "draw-grid")
            gallery = gr.Gallery(
                columns=3, height="auto", object_fit="contain", show_label=False, elem_id="gallery", interactive=False,
                buttons=["download", "fullscreen"], format="jpeg",
            )  # fmt: skip
            state = gr.Markdown(elem_id="grid-state", elem_classes="state")
            air = _air_button("air-grid", "Put the selected picture on air")
            times = gr.Markdown()
            ids, selected = gr.State([]), gr.State("")
        self._on_draw(draw, stop, self._grid, [count, *self._fields], [gallery, state, times, ids, selected, air])
        gallery.select(self._select, ids, [selected, air], api_visibility="private")
        air.click(self._put_on_air, selected, state, api_visibility="private")

    def _add_comparison(self) -> None:
        choices = self._choices
        with gr.Tab("Two settings", id="two"):
            gr.Markdown("Left as in the fields; right with these instead. Both have the same prompt and seed.")
            with gr.Row():
                style = gr.Dropdown(form.styles(choices), value=form.STYLE_ON, label="Style on the right")
                size = gr.Dropdown(
                    form.sizes(choices), value=form.COMMAND_SIZE, label="Size on the right", allow_custom_value=True
                )
                steps = gr.Slider(
                    0, choices.most_steps or 50, value=0, step=1, label="Steps on the right", elem_id="steps-b"
                )
            draw, stop = _draw_buttons("Draw both", "draw-both")
            with gr.Row():
                with gr.Column():
                    left, left_air = _picture("Left", "left"), _air_button("air-left")
                with gr.Column():
                    right, right_air = _picture("Right", "right"), _air_button("air-right")
            state = gr.Markdown(elem_id="both-state", elem_classes="state")
            times = gr.Markdown(elem_id="both-times")
            left_id, right_id = gr.State(""), gr.State("")
        outputs = [left, right, state, times, left_id, right_id, left_air, right_air]
        self._on_draw(draw, stop, self._comparison, [style, size, steps, *self._fields], outputs)
        left_air.click(self._put_on_air, left_id, state, api_visibility="private")
        right_air.click(self._put_on_air, right_id, state, api_visibility="private")

    def _on_draw(self, draw: Any, stop: Any, function: Any, inputs: list[Any], outputs: list[Any]) -> None:
        """Let a button draw, and another one stop it: that takes back what waits."""
        options = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": 4}
        drawing = draw.click(function, inputs, outputs, **options)
        stop.click(None, None, None, cancels=[drawing])

    async def _about(self) -> str:
        try:
            return await self._client.generator()
        except ApiError as error:
            return str(error)

    async def _single(self, *values: Any) -> AsyncIterator[Values]:
        async for (draft,) in self._drawn(lambda: [form.order(_fields_of(values))]):
            table = form.times_table([draft])
            yield self._file(draft), form.state_line(draft), table, draft.id, gr.update(interactive=draft.drawn)

    async def _grid(self, count: int, *values: Any) -> AsyncIterator[Values]:
        async for drafts in self._drawn(lambda: form.grid_orders(_fields_of(values), count)):
            pictures = [(self._file(draft), form.state_line(draft)) for draft in drafts if draft.picture]
            ids = [draft.id if draft.drawn else "" for draft in drafts if draft.picture]
            table = form.times_table(drafts) if all(draft.ended for draft in drafts) else ""
            yield pictures, _progress_line(drafts), table, ids, "", gr.update(interactive=False)

    async def _comparison(self, style: str, size: str, steps: int, *values: Any) -> AsyncIterator[Values]:
        other = Fields("", style=style, size=size or form.COMMAND_SIZE, steps=int(steps))
        async for drafts in self._drawn(lambda: form.compared_orders(_fields_of(values), other)):
            left, right = drafts
            table = form.times_table(drafts, ("left", "right")) if all(draft.ended for draft in drafts) else ""
            yield (
                self._file(left), self._file(right), _progress_line(drafts), table, left.id, right.id,
                gr.update(interactive=left.drawn), gr.update(interactive=right.drawn),
            )  # fmt: skip

    async def _drawn(self, orders: Callable[[], list[dict[str, object]]]) -> AsyncIterator[list[PlaygroundDraft]]:
        """Draw what the fields say, and say on the page what is wrong with them or with the program."""
        try:
            async with aclosing(self._client.draw(orders())) as changes:  # type: ignore[type-var]
                async for drafts in changes:
                    yield drafts
        except FieldFault as fault:
            raise gr.Error(str(fault), print_exception=False, title="Please check") from fault
        except ApiError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def _select(self, ids: list[str], event: gr.SelectData) -> Values:
        chosen = ids[event.index] if isinstance(event.index, int) and event.index < len(ids) else ""
        return chosen, gr.update(interactive=bool(chosen))

    async def _put_on_air(self, draft_id: str) -> str:
        if not draft_id:
            return "Draw a picture first."
        try:
            airing = await self._client.put_on_air(draft_id)
        except ApiError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if airing.state == "shown":
            return "**On air.**"
        return f"**Not on air yet**: it waits for a moderator ({airing.reason})." if airing.state == "held" else (
            f"**Not on air** ({airing.state}): {airing.reason}"
        )  # fmt: skip

    def _file(self, draft: PlaygroundDraft) -> str | None:
        """Write the picture of a draft where the browser may fetch it, as it is; None while there is none."""
        if not draft.picture:
            return None
        # A name of its own for each: the browser may still be fetching the one before.
        name = draft.id if draft.drawn else f"{draft.id}-step{draft.step}"
        path = self._folder / f"{name}{SUFFIXES.get(draft.picture[:2], '.jpg')}"
        if path not in self._files:
            path.write_bytes(draft.picture)
            if len(self._files) == FILES_KEPT:
                self._files[0].unlink(missing_ok=True)
            self._files.append(path)
        return str(path)


def _draw_buttons(label: str, name: str) -> tuple[gr.Button, gr.Button]:
    with gr.Row():
        draw = gr.Button(label, variant="primary", elem_id=name, scale=3)
        stop = gr.Button("Stop", elem_id=f"stop-{name}", scale=1, min_width=80)
    return draw, stop


def _picture(label: str, name: str) -> gr.Image:
    return gr.Image(
        label=label, type="filepath", interactive=False, elem_id=name, buttons=["download", "fullscreen"], format="jpeg"
    )


def _air_button(name: str, label: str = "Put on air") -> gr.Button:
    return gr.Button(label, elem_id=name, interactive=False)


def _fields_of(values: Values) -> Fields:
    """Return the fields of the left side, as Gradio hands them over."""
    text, command, style, size, steps, seed, image = values
    return Fields(
        text or "", command or "", style or form.STYLE_ON, size or form.COMMAND_SIZE, int(steps or 0),
        form.parsed_seed(seed or ""), image,
    )  # fmt: skip


def _progress_line(drafts: Sequence[PlaygroundDraft]) -> str:
    """Say how many are there, and why others are not."""
    faults = list(dict.fromkeys(form.state_line(draft) for draft in drafts if draft.ended and not draft.drawn))
    done = sum(draft.ended for draft in drafts)
    return "; ".join([f"{done} of {len(drafts)}", *faults])
