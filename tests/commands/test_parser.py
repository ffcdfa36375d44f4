"""What counts as a command, what a command becomes, and what chat can never do."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.commands.options import CommandOptions
from streamer.commands.parser import Commands, request_for
from streamer.commands.styles import LoraOptions, StyleOptions
from streamer.errors import ConfigError
from streamer.types import Actor, Caption, ImageRequest, Lane, Lora, Refusal, Role, StageCommand, Trigger

BACKGROUND = {
    "kind": "background",
    "aliases": ["background", "фон", "çiz"],
    "layer": "background",
    "template": "{text}, wide establishing shot",
    "width": 1280,
    "height": 720,
    "num_inference_steps": 5,
    "guidance_scale": 1.5,
    "cooldown_s": 12,
    "seconds": 60,
}
TABLE: dict[str, dict[str, Any]] = {
    "bg": BACKGROUND,
    "meme": {"kind": "meme", "aliases": ["мем"], "layer": "memes", "layout": "top_bottom"},
    "sticker": {"kind": "sticker", "layer": "stickers", "role": "subscriber"},
    "undo": {"kind": "undo", "aliases": ["отмена"], "layer": "background"},
    "clear": {"kind": "clear"},
    "queue": {"kind": "queue"},
    "help": {"kind": "help"},
    "style": {"kind": "style", "aliases": ["стиль"]},
    "panic": {"kind": "panic", "role": "broadcaster"},
}
STYLES = {"plain": StyleOptions(prompt="{prompt}"), "Film Noir": StyleOptions(prompt="{prompt}, film noir")}

Say = Callable[..., Trigger]


def table(**changes: dict[str, Any]) -> dict[str, CommandOptions]:
    return {name: CommandOptions.model_validate(entry) for name, entry in (TABLE | changes).items()}


COMMANDS = Commands(table(), styles=STYLES, expires_after_s=30)


def say(text: str, role: Role = Role.VIEWER, *, trigger_id: str = "m1", paid: bool = False) -> Trigger:
    return Trigger(trigger_id, "test", text, Actor("7", "ann", role), 100.0, paid)


def drawn(text: str, **how: Any) -> ImageRequest:
    request = COMMANDS.interpret(say(text, **how))
    assert isinstance(request, ImageRequest)
    return request


def refused(text: str, **how: Any) -> Refusal:
    refusal = COMMANDS.interpret(say(text, **how))
    assert isinstance(refusal, Refusal)
    return refusal


def ordered(text: str, role: Role = Role.MODERATOR) -> StageCommand:
    order = COMMANDS.interpret(say(text, role))
    assert isinstance(order, StageCommand)
    return order


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hello",
        "bg castle",
        "what is !bg",
        "!",
        "!!bg x",
        "! bg x",
        "!bgx y",
        "!nope x",
        "привет",
        "😀",
        "\u3164",
    ],
)
def test_ordinary_chat_and_unknown_words_are_ignored(text: str) -> None:
    assert COMMANDS.interpret(say(text)) is None


def test_a_picture_takes_everything_but_its_words_from_the_table() -> None:
    request = drawn("!bg stormy harbour")
    assert (request.id, request.command, request.kind, request.layer) == ("m1", "bg", "background", "background")
    assert (request.text, request.prompt) == ("stormy harbour", "stormy harbour, wide establishing shot")
    assert (request.params.width, request.params.height) == (1280, 720)
    assert (request.params.num_inference_steps, request.params.guidance_scale) == (5, 1.5)
    assert (request.at, request.expires_at, request.seconds, request.cooldown_s) == (100.0, 130.0, 60, 12)
    assert (request.role_needed, request.caption, request.reference) == (Role.VIEWER, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "！ｂｇ castle",
        "!BG castle",
        "!Фон castle",
        "!ФОН  castle",
        "!ÇİZ castle",
        " \u200b!bg castle \u034f",
        "\x01!bg: castle",
    ],
)
def test_a_command_is_recognised_however_it_was_typed(text: str) -> None:
    assert drawn(text).text == "castle"


@pytest.mark.parametrize(
    "text", ["castle --width 4096", "castle {text} {prompt} {0}", "castle (moon:1.5)", "a %s $x \\1"]
)
def test_what_follows_the_word_is_text_and_never_an_option(text: str) -> None:
    request = drawn(f"!bg {text}")
    assert request.prompt == f"{text}, wide establishing shot"
    assert (request.params.width, request.params.height) == (1280, 720)


def test_links_and_people_stay_in_the_text_but_never_reach_the_prompt() -> None:
    request = drawn("!bg castle of @bob at x.com or joe@mail.com")
    assert request.text == "castle of @bob at x.com or joe@mail.com"
    assert request.prompt == "castle of at or, wide establishing shot"


@pytest.mark.parametrize("text", ["!bg", "!bg   ", "!bg \u034f"])
def test_a_picture_without_words_is_answered_with_an_example(text: str) -> None:
    assert refused(text) == Refusal("m1", "syntax", "!bg needs a few words, like: !bg stormy harbour at night")


@pytest.mark.parametrize(("text", "left_out"), [("@bob", "a name or an e-mail address"), ("https://x.org/a", "a link")])
def test_whoever_typed_nothing_that_may_be_drawn_is_told_so(text: str, left_out: str) -> None:
    assert refused(f"!bg {text}").reason.endswith(f"stormy harbour at night; {left_out} was left out")


def test_a_request_says_what_was_taken_out_of_its_text() -> None:
    assert drawn("!bg castle of @bob at x.com").removed == ("a name or an e-mail address", "a link")
    assert drawn("!bg castle of 1000000000 lights").removed == ()


def test_words_reach_prompt_and_caption_in_the_form_in_which_they_were_typed() -> None:
    request = drawn("!meme 10² cats™ ｜ می\u200cخواهم | ½ ＯＦ ｉｔ")
    assert request.prompt == "10² cats™"
    assert request.caption == Caption("می\u200cخواهم", "½ ＯＦ ｉｔ", "top_bottom")


@pytest.mark.parametrize(
    "words",
    [
        "می\u200cخواهم ۱۳۵۰ ه\u200d.ش", "بِسْمِ ٱللَّهِ", "שָׁלוֹם", "မြို့ ကျွန်ုပ်", "क्\u200dष क्\u200cष",
        "ശ്രീ ന\u0d4d\u200d", "ක්\u200dරි", "র\u200d্যাব", "น้ำ ก็", "ປະເທດລາວ ນ້ຳ", "tiếng Việt ở Hà Nội",
        "ភាសាខ្មែរ", "བརྒྱུད", "ᠮᠣᠩᠭᠣᠯ\u180b", "ދިވެހި", "አማርኛ", "10² H₂O m³ ½ cats™",
        "👨\u200d👩\u200d👧 👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 ❤\ufe0f\u200d🔥", "🇩🇪 1\ufe0f\u20e3 👍🏿",
        "1 2 3 4 5 6 7 8 9", "1000000000 views on 28.11.2026", "a small town.shop on the corner",
        "48.8584, 2.2945 at 10:30 for $19.99",
    ],
)  # fmt: skip
def test_no_sign_of_any_script_and_no_ordinary_number_is_lost_on_the_way_to_a_picture(words: str) -> None:
    request = drawn(f"!meme {words} | {words}")
    assert (request.words, request.caption, request.removed) == (words, Caption("", words, "top_bottom"), ())


def test_a_command_with_an_emoji_is_found_with_and_without_its_style() -> None:
    with_heart = table(bg={**BACKGROUND, "aliases": ["❤\ufe0f"]})
    commands = Commands(with_heart, styles={}, expires_after_s=30, prefix="🎨\ufe0f")
    for typed in ("🎨❤ sea", "🎨\ufe0f❤\ufe0f sea", "🎨❤\ufe0e\u00a0sea", "🎨ＢＧ\u3000sea"):
        request = commands.interpret(say(typed))
        assert isinstance(request, ImageRequest)
        assert request.text == "sea"


def test_the_example_uses_the_word_that_was_typed() -> None:
    assert refused("!Фон").reason.startswith("!фон needs a few words, like: !фон ")


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("cat", None),
        ("cat | | ", None),
        ("cat | monday", Caption("", "monday", "top_bottom")),
        ("cat | monday | again", Caption("monday", "again", "top_bottom")),
        ("cat|monday|", Caption("monday", "", "top_bottom")),
        ("cat ｜ a ｜ b | c", Caption("a", "b | c", "top_bottom")),
    ],
)
def test_bars_separate_the_meme_from_its_caption(text: str, caption: Caption | None) -> None:
    request = drawn(f"!meme {text}")
    assert (request.prompt, request.caption) == ("cat", caption)


def test_people_and_links_are_removed_from_captions_too() -> None:
    assert drawn("!meme cat | @bob at x.com").caption == Caption("", "at", "top_bottom")


def test_a_meme_without_a_picture_is_refused() -> None:
    assert refused("!meme | top | bottom").rule == "syntax"


def test_bars_mean_nothing_outside_memes() -> None:
    assert drawn("!bg left | right").prompt == "left | right, wide establishing shot"


def test_the_seed_depends_on_the_trigger_alone() -> None:
    seeds = {drawn("!bg castle").params.seed, drawn("!meme cat").params.seed}
    assert seeds == {404821109}
    assert drawn("!bg castle", trigger_id="m2").params.seed not in seeds


@given(st.text(max_size=40))
def test_any_trigger_id_gives_a_seed_of_32_bits(trigger_id: str) -> None:
    assert 0 <= drawn("!bg castle", trigger_id=trigger_id).params.seed < 2**32


@pytest.mark.parametrize(
    ("role", "paid", "lane"),
    [
        (Role.VIEWER, False, Lane.CHAT),
        (Role.MODERATOR, False, Lane.CHAT),
        (Role.VIEWER, True, Lane.PAID),
        (Role.BROADCASTER, False, Lane.BROADCASTER),
        (Role.BROADCASTER, True, Lane.BROADCASTER),
    ],
)
def test_the_lane_follows_from_role_and_payment(role: Role, paid: bool, lane: Lane) -> None:
    assert drawn("!bg castle", role=role, paid=paid).priority is lane


def test_the_role_of_a_picture_is_carried_along_and_not_judged() -> None:
    assert drawn("!sticker robot").role_needed is Role.SUBSCRIBER


def test_a_stage_command_carries_action_actor_and_layer() -> None:
    order = ordered("!отмена")
    assert (order.trigger_id, order.action, order.layer, order.text, order.at) == (
        "m1",
        "undo",
        "background",
        "",
        100.0,
    )
    assert order.actor.name == "ann"


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("!clear", None),
        ("!clear memes", "memes"),
        ("!clear MEME", "memes"),
        ("!clear фон", "background"),
        ("!clear please", None),
        ("!undo meme", "memes"),
    ],
)
def test_a_stage_command_may_name_a_layer_or_the_command_that_draws_on_it(text: str, layer: str | None) -> None:
    assert ordered(text).layer == layer


@pytest.mark.parametrize(
    ("text", "role", "reason"),
    [
        ("!undo", Role.VIP, "!undo is for moderators"),
        ("!стиль plain", Role.VIEWER, "!стиль is for moderators"),
        ("!panic", Role.MODERATOR, "!panic is for the streamer"),
    ],
)
def test_stage_commands_from_people_of_a_lower_role_are_refused(text: str, role: Role, reason: str) -> None:
    assert refused(text, role=role) == Refusal("m1", "role", reason)


@pytest.mark.parametrize("text", ["!queue", "!help"])
def test_everyone_may_ask_for_queue_and_help(text: str) -> None:
    assert ordered(text, Role.VIEWER).action == text[1:]


def test_help_lists_the_commands_the_asker_may_use() -> None:
    assert COMMANDS.help(Role.VIEWER) == "!bg !meme !queue !help"
    assert COMMANDS.help(Role.MODERATOR) == "!bg !meme !sticker !undo !clear !queue !help !style"


def test_a_request_carries_the_loras_of_its_style() -> None:
    lora = Lora("someone/pixel", 0.8)
    options = (LoraOptions(path=lora.path, weight=lora.weight),)
    styles = {**STYLES, "pixel": StyleOptions(prompt="{prompt}, pixels", lora=options)}
    commands = Commands(
        table(restyle={"kind": "restyle", "layer": "a", "role": "viewer"}), styles=styles, expires_after_s=30
    )
    request = commands.with_style("pixel").interpret(say("!bg harbour"))
    assert isinstance(request, ImageRequest)
    assert request.loras == (lora,)
    assert request.loras[0].option == "styles.pixel.lora"
    assert drawn("!bg harbour").loras == ()
    for style, loras in (("pixel", (lora,)), ("plain", ())):
        restyled = commands.with_style("pixel").interpret(say(f"!restyle {style}"))
        assert isinstance(restyled, ImageRequest)
        assert restyled.loras == loras


def test_a_style_wraps_prompts_until_another_is_chosen() -> None:
    order = ordered("!style film  NOIR")
    noir = COMMANDS.with_style(order.text)
    request = noir.interpret(say("!bg harbour {prompt}"))
    assert isinstance(request, ImageRequest)
    assert request.prompt == "harbour {prompt}, wide establishing shot, film noir"
    assert (noir.style, noir.with_style(None).style, COMMANDS.style) == ("film noir", None, None)


@pytest.mark.parametrize("text", ["!style", "!style baroque"])
def test_an_unknown_style_is_answered_with_the_list(text: str) -> None:
    assert refused(text, role=Role.MODERATOR) == Refusal("m1", "syntax", "!style needs one of: plain, film noir")


def test_switching_to_a_style_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"there is no style 'x'; use one of plain, film noir"):
        COMMANDS.with_style("x")


@given(st.text(max_size=80), st.sampled_from(Role))
def test_no_text_makes_the_parser_fail(text: str, role: Role) -> None:
    for line in (text, f"!{text}", f"!bg {text}", f"!meme {text}", f"!style {text}"):
        outcome = COMMANDS.interpret(say(line, role))
        assert outcome is None or isinstance(outcome, ImageRequest | StageCommand | Refusal)
        if isinstance(outcome, ImageRequest):
            outcome.prompt.encode()
            assert (outcome.params.width, outcome.params.height) in {(1280, 720), (1024, 1024)}


@pytest.mark.parametrize("prefix", ["!", "?", "ии", "＃", "btn!"])
def test_any_prefix_of_a_few_characters_works(prefix: str) -> None:
    commands = Commands(table(), styles=STYLES, expires_after_s=30, prefix=prefix)
    request = commands.interpret(say(f"{prefix.upper()}bg castle"))
    assert isinstance(request, ImageRequest)


def test_a_restyle_names_a_style_and_is_an_edit_of_what_viewers_see() -> None:
    table = {"restyle": CommandOptions(kind="restyle", layer="background", role=Role.VIEWER)}
    commands = Commands(table, styles={"Noir": StyleOptions(prompt="{prompt}, film noir")}, expires_after_s=30)
    request = commands.interpret(say("!restyle noir"))
    assert isinstance(request, ImageRequest)
    assert (request.kind, request.of_program, request.prompt) == ("edit", True, "the same scene, film noir")
    for line in ("!restyle", "!restyle something else"):
        refusal = commands.interpret(say(line))
        assert isinstance(refusal, Refusal)
        assert refusal.reason == "!restyle needs one of: noir"


def test_the_command_line_draws_what_chat_would_draw_and_nothing_else() -> None:
    with pytest.raises(ConfigError, match="no command 'clear' draws a picture"):
        request_for(COMMANDS, "!", "clear", "harbour", None)
    assert request_for(COMMANDS, "!", "bg", "harbour", 7).params.seed == 7
