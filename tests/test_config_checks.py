"""What one part of config.yaml says about another is checked at the start, and the line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.embedded import wrong
from tests.support.real_program import CONFIG

SOLD = "outputs: [{use: rewards, rewards: {draw: {title: Draw, cost: 5, command: 'LINE'}}}]\npolicy:"


@pytest.mark.parametrize(
    ("changed", "key", "says"),
    [
        (("layer: meme,", "layer: mem,"), "commands.meme.layer", "known layers: background, meme"),
        (("layout: top_bottom", "layout: sideways"), "commands.meme.layout", "top_bottom"),
        (
            ("styles: {", "styles: {ink: {prompt: '{prompt}', lora: no.safetensors}, "),
            "styles.ink.lora",
            "no file no.safe",
        ),
        (("styles: {", "styles: {ink: {prompt: '{prompt}', lora: {weight: 1}}, "), "styles.ink.lora.path", "missing"),
        (("styles: {", "styles: {ink: {lora: a/b}, "), "styles.ink.prompt", "missing"),
        (("use: popup", "use: popp"), "layers.meme.use", "popup"),
        (("- {use: role}", "- {use: rolle}"), "policy.0.use", "there is no such plug-in; use one of: "),
        (("- {use: length, longest: 100}", "- {use: length, longst: 100}"), "policy.1.longst", "longest"),
        (
            ("aliases: [фон]", "aliases: [meme]"),
            "commands.meme",
            "already means 'bg'; remove it from one of the two, or the whole command with bg: null",
        ),
        (('"{prompt}, film noir"', '"film noir"'), "styles.noir", "{prompt}"),
        (('{harbour: "!bg', '{harbour: "!bgg'), "named_triggers.harbour", "'!bgg stormy harbour' is not a command"),
        (('{harbour: "!bg stormy harbour"', '{x: "!bg"'), "named_triggers.x", "'!bg' would be refused"),
        (("{harbour:", "{x: {kind: undo, layer: air}, harbour:"), "named_triggers.x.layer", "background, meme"),
        (("{harbour:", "{x: {kind: random}, harbour:"), "named_triggers.x", "lines is missing"),
        (("policy:", "when: {online: wram}\npolicy:"), "when.online", "warm"),
        (("policy:", "when: {sunset: clear}\npolicy:"), "when.sunset", "unknown event 'sunset'"),
        (("- {use: role}", "- {use: scene, scenes: {A: {style: blue}}}"), "policy.0", "known styles: plain, noir"),
        (("- {use: role}", "- {use: scene, scenes: {A: {commands: [b]}}}"), "policy.0", "there is no command 'b'"),
        (("policy:", "triggers: [{use: hotkey, keys: {f9: harbor}}]\npolicy:"), "triggers.0", "or a name: undo"),
        (("policy:", SOLD.replace("LINE", "!bgg {text}")), "outputs.0.rewards.draw.command", "is not a command"),
        (("policy:", SOLD.replace("LINE", "!undo")), "outputs.0.rewards.draw.command", "draws nothing"),
        (("policy:", "events: [{event: raid, command: '!undo'}]\npolicy:"), "events.0.command", "draws nothing"),
        (("policy:", SOLD.replace("cost: 5", "cost: 0")), "outputs.0.rewards.draw.cost", "greater than"),
    ],
)
def test_what_one_part_says_about_another_is_checked(
    tmp_path: Path, changed: tuple[str, str], key: str, says: str
) -> None:
    (error,) = wrong(tmp_path, CONFIG.replace(*changed))
    assert error.key == key
    assert error.line is not None
    assert says in str(error)


def test_an_own_layout_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    layouts = tmp_path / "home" / "layouts"
    layouts.mkdir(parents=True)
    (layouts / "mine.yaml").write_text("about: Mine\ntexts:\n  - {text: no}\n", encoding="utf-8")
    (error, *_) = wrong(tmp_path, CONFIG.replace("layout: top_bottom", "layout: mine"))
    assert (error.path, error.line, error.key) == (str(layouts / "mine.yaml"), 3, "texts.0.text")
