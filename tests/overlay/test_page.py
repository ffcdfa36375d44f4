"""The overlay page in real browsers: what a viewer sees, and that nothing ever breaks on air."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from streamer.overlay.layer_options import DEFAULT_LAYERS, LayerOptions
from streamer.types import Clear, Frame, NoticeCard, Toast
from tests.support.cleared_frames import cleared
from tests.support.overlay_page import TOKEN, LiveServer, Tab, encoded, plain, tiny

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

GOLDEN = Path(__file__).parent / "golden"
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 60), (30, 60, 220)


def alpha(image: Image.Image) -> int:
    """The most opaque pixel's alpha."""
    return int(np.asarray(image)[..., 3].max())


def near(pixel: tuple[int, ...] | float | None, colour: tuple[int, ...], within: int = 12) -> bool:
    return isinstance(pixel, tuple) and all(abs(a - b) <= within for a, b in zip(pixel, colour, strict=False))


def middle(image: Image.Image) -> tuple[int, ...]:
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


@pytest_asyncio.fixture(loop_scope="session")
async def opened(tab: Tab) -> AsyncIterator[Tab]:
    """A page that is connected and has its layers."""
    await tab.open()
    await tab.connected()
    yield tab


async def test_the_page_is_transparent_until_the_first_picture(opened: Tab) -> None:
    assert alpha(await opened.shot()) == 0


async def test_a_background_fills_the_page(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    shot = await opened.shot()
    for corner in ((0, 0), (639, 0), (0, 359), (639, 359), (320, 180)):
        assert near(shot.getpixel(corner), (*RED, 255))


async def test_a_background_covers_the_page_without_being_stretched(opened: Tab) -> None:
    picture = Image.new("RGB", (400, 400), RED)
    picture.paste(BLUE, (100, 100, 300, 300))
    opened.site.hub.publish(cleared(Frame("a", "background", "image/jpeg", encoded(picture), 400, 400)))
    await opened.shows("background", "a")
    blue = np.asarray(await opened.shot())[180, :, 2] > 128
    assert abs(int(blue.sum()) - 320) <= 4
    assert near((await opened.shot()).getpixel((320, 2)), (*RED, 255))


async def test_of_a_burst_the_newest_is_shown_and_hardly_any_other_decoded(opened: Tab) -> None:
    await opened.page.evaluate(
        "() => { window.decoded = 0; const real = createImageBitmap;"
        " window.createImageBitmap = (...all) => { window.decoded += 1; return real(...all); }; }"
    )
    for n in range(50):
        opened.site.hub.publish(plain(str(n), BLUE if n == 49 else RED))
    await opened.shows("background", "49")
    assert near(middle(await opened.shot()), BLUE)
    assert await opened.page.evaluate("window.decoded") <= 3


async def test_a_burst_over_time_ends_with_the_newest(opened: Tab) -> None:
    for n in range(50):
        opened.site.hub.publish(plain(str(n), (5 * n, 60, 60)))
        await asyncio.sleep(0.01)
    await opened.shows("background", "49")
    assert near(middle(await opened.shot()), (245, 60, 60))
    assert await opened.count("[data-layer=background] canvas") == 1


async def test_the_halfway_point_of_a_crossfade_is_half_of_each(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    await opened.page.evaluate(
        "() => { const real = Element.prototype.animate; Element.prototype.animate = function (...all) {"
        " const made = real.apply(this, all); made.pause(); return made; }; }"
    )
    opened.site.hub.publish(plain("b", BLUE))
    await opened.until("document.getAnimations().length === 1")
    await opened.page.evaluate(
        "document.getAnimations()[0].currentTime = document.getAnimations()[0].effect.getTiming().duration / 2"
    )
    half = tuple((x + y) // 2 for x, y in zip(RED, BLUE, strict=True))
    assert near(middle(await opened.shot()), (*half, 255), within=16)
    await opened.page.evaluate("document.getAnimations()[0].finish()")
    await opened.still()
    assert near(middle(await opened.shot()), (*BLUE, 255))


async def test_nothing_shines_through_while_one_background_becomes_another(opened: Tab) -> None:
    """At every point of a cross-fade of three pictures the page is opaque: no dip to what lies beneath."""
    await opened.page.evaluate(
        "() => { const real = Element.prototype.animate; Element.prototype.animate = function (...all) {"
        " const made = real.apply(this, all); made.pause(); return made; }; }"
    )
    opened.site.hub.publish(plain("a", RED))
    await opened.until("document.getAnimations().length === 1")
    await opened.page.evaluate("document.getAnimations()[0].finish()")
    for count, (name, colour) in enumerate({"b": GREEN, "c": BLUE}.items(), start=1):
        opened.site.hub.publish(plain(name, colour))
        await opened.until(f"document.getAnimations().length === {count}")
        await opened.page.evaluate(
            "document.getAnimations().forEach((a) => { a.currentTime = a.effect.getTiming().duration * 0.3; })"
        )
        shot = np.asarray(await opened.shot())
        assert shot[..., 3].min() == 255
        assert shot[..., :3].max(axis=2).min() > 60


async def test_a_clear_makes_the_page_transparent_again(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    opened.site.hub.publish(Clear("background"))
    await opened.state("background", "empty")
    await opened.still()
    assert alpha(await opened.shot()) == 0
    assert await opened.count("canvas") == 0


@pytest.mark.parametrize("layer", ["background", "meme"])
async def test_a_clear_cuts_at_once_and_fades_only_where_it_is_told(opened: Tab, layer: str) -> None:
    await opened.page.evaluate(
        """() => {
          window.moved = 0;
          const animate = Element.prototype.animate;
          Element.prototype.animate = function (...all) { window.moved += 1; return animate.apply(this, all); };
        }"""
    )
    for fade, moves in ((False, 0), (True, 1)):
        opened.site.hub.publish(plain(f"p{fade}", RED, layer, (300, 300)))
        await opened.shows(layer, f"p{fade}")
        await opened.page.evaluate("window.moved = 0")
        opened.site.hub.publish(Clear(layer, fade=fade))
        await opened.state(layer, "empty")
        await opened.still()
        assert await opened.page.evaluate("window.moved") == moves
        assert alpha(await opened.shot()) == 0


async def test_a_picture_that_was_being_decoded_at_a_clear_is_not_shown(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await asyncio.sleep(0)
    opened.site.hub.publish(Clear("background"))
    opened.site.hub.publish(Toast("", "done"))
    await opened.finds(".toast")
    await opened.state("background", "empty")
    await opened.still()
    assert near((await opened.shot()).getpixel((320, 20)), (0, 0, 0, 0), within=0)


async def test_a_reload_restores_what_was_on_air(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", GREEN))
    await opened.shows("background", "a")
    await opened.page.reload()
    await opened.shows("background", "a")
    assert near(middle(await opened.shot()), (*GREEN, 255))


async def test_the_picture_stays_through_a_restart_of_the_server_and_new_ones_come(opened: Tab) -> None:
    site = opened.site
    site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    await site.stop()
    await opened.finds("html[data-connection=lost]")
    assert near(middle(await opened.shot()), (*RED, 255))
    site.fresh(DEFAULT_LAYERS)
    await site.start()
    await opened.finds("html[data-connection=open]")
    assert near(middle(await opened.shot()), (*RED, 255))
    site.hub.publish(plain("b", BLUE))
    await opened.shows("background", "b")
    assert near(middle(await opened.shot()), (*BLUE, 255))


async def test_a_clear_that_was_missed_while_away_is_made_up_for(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    await opened.site.stop()
    opened.site.hub.publish(Clear("background"))
    await opened.site.start()
    await opened.state("background", "empty")
    await opened.still()
    assert alpha(await opened.shot()) == 0


async def test_the_same_picture_after_a_reconnect_does_not_pop_up_again(opened: Tab) -> None:
    opened.site.hub.publish(plain("m", RED, "meme", (300, 300)))
    await opened.shows("meme", "m")
    await opened.page.evaluate(
        "() => { window.moves = 0; const real = Element.prototype.animate;"
        " Element.prototype.animate = function (...all) { window.moves += 1; return real.apply(this, all); }; }"
    )
    await opened.site.stop()
    await opened.site.start()
    pages = opened.site.hub.pages
    await opened.site.until(lambda: pages.count == 1 and pages.describe()[0].ack_ms is not None)
    assert await opened.page.evaluate("window.moves") == 0


async def test_a_meme_pops_up_over_part_of_the_page_and_goes_on_a_clear(opened: Tab) -> None:
    opened.site.hub.publish(plain("m", RED, "meme", (300, 300)))
    await opened.shows("meme", "m")
    shot = await opened.shot()
    solid = np.asarray(shot)[..., 3] == 255
    assert 0.1 < solid.mean() < 0.6
    assert shot.getpixel((5, 180)) == (0, 0, 0, 0)
    opened.site.hub.publish(Clear("meme"))
    await opened.state("meme", "empty")
    await opened.still()
    assert alpha(await opened.shot()) == 0


async def test_a_meme_called_while_the_last_one_leaves_is_shown(opened: Tab) -> None:
    opened.site.hub.publish(plain("m", RED, "meme", (300, 300)))
    await opened.shows("meme", "m")
    opened.site.hub.publish(Clear("meme"))
    await opened.state("meme", "empty")
    opened.site.hub.publish(plain("n", BLUE, "meme", (300, 300)))
    await opened.shows("meme", "n")
    colours = np.asarray(await opened.shot()).reshape(-1, 4)
    solid = colours[colours[:, 3] == 255]
    assert near(tuple(int(value) for value in np.median(solid, axis=0)), (*BLUE, 255))


async def test_a_meme_of_another_shape_takes_the_place_of_the_last_one(opened: Tab) -> None:
    for name, size in {"square": (300, 300), "wide": (640, 320)}.items():
        opened.site.hub.publish(plain(name, RED, "meme", size))
        await opened.shows("meme", name)
        box = await opened.page.evaluate("document.querySelector('.card').getBoundingClientRect().toJSON()")
        assert abs(box["width"] / box["height"] - size[0] / size[1]) < 0.02
        assert 0 <= box["left"] < box["right"] <= 640
        assert 0 <= box["top"] < box["bottom"] <= 360


@pytest.mark.parametrize("motion", ["pop", "slide", "fade", "none"])
async def test_a_meme_comes_and_goes_by_every_motion(tab: Tab, motion: str) -> None:
    options = LayerOptions.model_validate({"use": "popup", "enter": motion, "exit": motion, "animation_s": 0.05})
    tab.site.fresh({"meme": options})
    await tab.open()
    await tab.connected()
    tab.site.hub.publish(plain("m", RED, "meme", (300, 300)))
    await tab.shows("meme", "m")
    assert alpha(await tab.shot()) == 255
    tab.site.hub.publish(Clear("meme"))
    await tab.state("meme", "empty")
    await tab.still()
    assert alpha(await tab.shot()) == 0


async def test_a_picture_with_holes_shows_what_is_beneath(opened: Tab) -> None:
    sticker = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    sticker.paste((*GREEN, 255), (100, 100, 200, 200))
    opened.site.hub.publish(cleared(Frame("s", "meme", "image/png", encoded(sticker, "PNG"), 300, 300)))
    await opened.shows("meme", "s")
    solid = np.asarray(await opened.shot())[..., 3]
    box = np.argwhere(solid > 0)
    (top, left), (bottom, right) = box.min(axis=0), box.max(axis=0)
    assert near(tuple((await opened.shot()).getpixel((int(left + right) // 2, int(top + bottom) // 2))), (*GREEN, 255))  # type: ignore[arg-type]
    assert (bottom - top) < 360 * 0.45


async def test_layers_stack_by_z_and_a_url_may_ask_for_some(tab: Tab) -> None:
    tab.site.hub.publish(plain("a", RED))
    tab.site.hub.publish(plain("m", BLUE, "meme", (300, 300)))
    await tab.open()
    await tab.shows("background", "a")
    await tab.shows("meme", "m")
    assert near((await tab.shot()).getpixel((500, 180)), BLUE)
    await tab.page.goto("about:blank")
    await tab.open("?layers=meme")
    await tab.shows("meme", "m")
    assert await tab.count("[data-layer=background]") == 0
    assert (await tab.shot()).getpixel((2, 2)) == (0, 0, 0, 0)


async def test_a_toast_shows_text_and_never_markup(opened: Tab) -> None:
    text = "нарисовано для <img src=x onerror=alert(1)> 🎨 Zoë"
    opened.site.hub.publish(Toast("", text, seconds=60))
    await opened.finds(".toast")
    assert await opened.text(".toast") == text
    assert await opened.count(".toast img") == 0


async def test_names_from_right_to_left_stay_in_their_places(opened: Tab) -> None:
    people = "held: 1 \u2068דנה\u2069, 2 \u2068יוסי\u2069"
    opened.site.hub.publish(Toast("", people, seconds=60))
    await opened.finds(".toast")
    lefts = await opened.page.evaluate(
        """(names) => { const text = document.querySelector('.toast > span').firstChild;
        return names.map((name) => { const range = document.createRange(); const at = text.data.indexOf(name);
          range.setStart(text, at); range.setEnd(text, at + name.length); return range.getBoundingClientRect().left; })
        }""",
        ["1", "דנה", "2", "יוסי"],
    )
    assert lefts == sorted(lefts)


async def test_another_link_in_the_address_of_an_open_page_is_used(tab: Tab) -> None:
    await tab.open(token="wrong")
    await tab.until("document.documentElement.dataset.connection === 'lost'")
    # The browser loads nothing by itself: only what stands behind # changes.
    async with tab.page.expect_event("load"):
        await tab.page.evaluate(f"location.hash = '#{TOKEN}'")
    await tab.connected()


async def test_a_toast_goes_after_its_time_and_a_long_one_stays_inside_the_page(opened: Tab) -> None:
    opened.site.hub.publish(Toast("", "нарисовано для " + "Ы" * 150, seconds=1))
    await opened.finds(".toast")
    box = await opened.page.evaluate("document.querySelector('.toast').getBoundingClientRect().toJSON()")
    assert 0 <= box["left"] < box["right"] <= 640
    await opened.misses(".toast")


@pytest.mark.parametrize("name", ["W" * 32, "marma lade " * 12, "字" * 32])
async def test_no_word_of_a_toast_is_cut(opened: Tab, name: str) -> None:
    opened.site.hub.publish(Toast("", f"drawn for {name.strip()}", seconds=60))
    await opened.finds(".toast")
    assert await opened.page.evaluate(
        """() => { const line = document.querySelector('.toast > span');
        return line.scrollWidth <= line.clientWidth + 1 && getComputedStyle(line).textOverflow === 'clip'
          && line.getBoundingClientRect().right <= innerWidth; }"""
    )


async def test_the_newest_toast_replaces_the_one_before(opened: Tab) -> None:
    for n in range(20):
        opened.site.hub.publish(Toast("", f"toast {n}", seconds=60))
    await opened.until("[...document.querySelectorAll('.toast')].map((each) => each.innerText).join() === 'toast 19'")


async def test_a_toast_goes_with_the_picture_it_is_about(opened: Tab) -> None:
    opened.site.hub.publish(plain("m", RED, "meme", (300, 300)))
    await opened.shows("meme", "m")
    opened.site.hub.publish(Toast("m", "drawn for Zoë", seconds=60))
    await opened.finds(".toast")
    opened.site.hub.publish(Clear("background"))
    await opened.still()
    assert await opened.count(".toast") == 1
    opened.site.hub.publish(Clear("meme"))
    await opened.misses(".toast")


async def test_a_card_shows_text_stays_over_a_reload_and_goes(opened: Tab) -> None:
    opened.site.hub.publish(NoticeCard("Скоро <b>вернёмся</b>", "Pictures are taking a short break"))
    await opened.finds(".break-card")
    assert await opened.text(".break-title") == "Скоро <b>вернёмся</b>"
    await opened.page.reload()
    await opened.finds(".break-card")
    opened.site.hub.publish(NoticeCard("Later", "x" * 120))
    await opened.until(
        "[...document.querySelectorAll('.break-title')].map((each) => each.innerText).join() === 'Later'"
    )
    box = await opened.page.evaluate("document.querySelector('.break-card').getBoundingClientRect().toJSON()")
    assert 0 <= box["left"] < box["right"] <= 640
    opened.site.hub.publish(NoticeCard("", ""))
    await opened.misses(".break-card")


async def test_a_restarted_server_says_anew_whether_there_is_a_break(opened: Tab) -> None:
    opened.site.hub.publish(NoticeCard("Back soon", ""))
    await opened.finds(".break-card")
    await opened.site.stop()
    opened.site.fresh(DEFAULT_LAYERS)
    await opened.site.start()
    await opened.misses(".break-card")


async def test_malformed_messages_from_the_server_change_nothing_and_raise_no_error(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", GREEN))
    await opened.shows("background", "a")
    mailbox = next(iter(opened.site.hub.pages.mailboxes()))
    good = (GOLDEN / "frame.bin").read_bytes()
    background = {"use": "background", "z": 0, "fit": "cover", "crossfade_s": 0}
    layers = {"background": background, "x": {"use": "../evil"}, "y": {"use": "none"}}
    rubbish: list[bytes | str] = [
        b"", b"\x00", b"\xff" * 40, good[:30], good,
        b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x04null", b"\x00\x00\x00\x02\xff\xfe",
        "", "null", "[1]", "{}", '{"type":5}', '{"type":"dance"}', '{"type":"layers"}',
        '{"type":"layers","layers":null}', json.dumps({"type": "layers", "layers": layers}),
        '{"type":"clear"}', '{"type":"clear","layer":"nowhere"}', '{"type":"toast"}', '{"type":"__proto__"}',
    ]  # fmt: skip
    for message in rubbish:
        mailbox._notices.append(message)  # type: ignore[arg-type]
    mailbox.wake()
    opened.site.hub.publish(plain("b", BLUE))
    await opened.shows("background", "b")
    assert near(middle(await opened.shot()), (*BLUE, 255))
    assert opened.errors == []
    assert opened.complaints


async def test_a_picture_that_cannot_be_decoded_leaves_the_old_one_and_frees_the_window(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", GREEN))
    await opened.shows("background", "a")
    for n in range(4):
        opened.site.hub.publish(
            cleared(Frame(f"broken {n}", "background", "image/jpeg", b"\xff\xd8 no picture", 10, 10))
        )
        await opened.site.until(lambda: opened.site.hub.pages.describe()[0].in_flight == 0)
    assert near(middle(await opened.shot()), (*GREEN, 255))
    opened.site.hub.publish(plain("b", BLUE))
    await opened.shows("background", "b")


async def test_a_wrong_token_shows_nothing_and_the_page_goes_on_trying(tab: Tab) -> None:
    tab.site.hub.publish(plain("a", RED))
    await tab.open(token="wrong")
    await tab.finds("html[data-connection=lost]")
    assert alpha(await tab.shot()) == 0
    await asyncio.sleep(0.6)
    tried = sum("token" in complaint for complaint in tab.complaints)
    assert tried >= 2


async def test_an_unknown_layer_module_is_reported_and_the_others_work(tab: Tab) -> None:
    await tab.site.stop()
    tab.site.fresh({"odd": LayerOptions(use="missing", z=5), **DEFAULT_LAYERS})
    await tab.site.start()
    tab.site.hub.publish(plain("a", RED))
    tab.site.hub.publish(plain("o", BLUE, "odd"))
    await tab.open()
    await tab.shows("background", "a")
    await tab.misses("[data-layer=odd]")
    assert any("missing" in complaint for complaint in tab.complaints)


OBS = """
window.obsstudio = {pluginVersion: '2.26.8', getControlLevel(callback) { callback(1); }};
window.frames = window.requestAnimationFrame;
window.obs = (name, detail) => window.dispatchEvent(new CustomEvent(name, {detail}));
"""


async def test_inside_obs_the_page_reports_hiding_and_showing_and_draws_while_hidden(tab: Tab) -> None:
    await tab.page.add_init_script(OBS)
    await tab.open()
    await tab.connected()
    await tab.page.evaluate("window.requestAnimationFrame = () => 0")  # as in a hidden source: no frames
    await tab.page.evaluate(
        "obs('obsSourceVisibleChanged', {visible: false}); obs('obsSourceActiveChanged', {active: false})"
    )
    hub = tab.site.hub
    await tab.site.until(lambda: not hub.pages.describe()[0].visible and not hub.pages.describe()[0].active)
    for n in range(5):
        hub.publish(plain(f"hidden {n}", RED))
        await tab.site.until(lambda: hub.pages.describe()[0].in_flight == 0)
    await tab.shows("background", "hidden 4")
    await tab.page.evaluate(
        "obs('obsSourceVisibleChanged', {visible: true}); obs('obsSourceActiveChanged', {active: true})"
    )
    await tab.site.until(lambda: hub.pages.describe()[0].visible and hub.pages.describe()[0].active)
    await tab.still()
    assert near(middle(await tab.shot()), (*RED, 255))


async def test_nothing_waits_for_frames_on_a_hidden_page(tab: Tab) -> None:
    """A hidden page makes no frames, so motions would hang halfway: they are cut short instead."""
    await tab.page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => true})")
    await tab.open()
    await tab.connected()
    for name, colour in {"a": RED, "b": BLUE}.items():
        tab.site.hub.publish(plain(name, colour))
        tab.site.hub.publish(plain(f"meme {name}", colour, "meme", (300, 300)))
        await tab.finds(f"[data-layer=meme][data-request='meme {name}']")
        await tab.finds(f"[data-layer=background][data-request={name}]")
        assert await tab.page.evaluate("document.getAnimations().length") == 0
    assert await tab.count("canvas") == 2
    assert near(middle(await tab.shot()), (*BLUE, 255))
    for n in range(4):
        sticker = encoded(Image.new("RGBA", (64, 64), (0, 200, 50 * n, 255)), "PNG")
        tab.site.hub.publish(cleared(Frame(f"sticker {n}", "meme", "image/png", sticker, 64, 64)))
        await tab.finds(f"[data-layer=meme][data-request='sticker {n}']")
        assert await tab.count("[data-layer=meme] canvas") == 1
    tab.site.hub.publish(Clear("meme"))
    await tab.state("meme", "empty")
    assert await tab.count("canvas") == 1


async def test_a_source_shown_again_repaints_its_last_picture(tab: Tab) -> None:
    await tab.page.add_init_script(OBS)
    await tab.open()
    await tab.connected()
    tab.site.hub.publish(plain("a", RED))
    await tab.shows("background", "a")
    await tab.page.evaluate("obs('obsSourceVisibleChanged', {visible: false})")
    await tab.page.evaluate(
        "document.querySelector('canvas').getContext('bitmaprenderer').transferFromImageBitmap(null)"
    )
    assert alpha(await tab.shot()) == 0
    await tab.page.evaluate("obs('obsSourceVisibleChanged', {visible: true})")
    await tab.until("document.querySelector('canvas').width === 640")
    assert near(middle(await tab.shot()), (*RED, 255))


async def test_the_style_that_obs_adds_works_and_breaks_nothing(tab: Tab) -> None:
    await tab.open()
    await tab.connected()
    await tab.page.evaluate(
        "() => { const style = document.createElement('style');"
        " style.appendChild(document.createTextNode('.toasts { display: none }')); document.head.append(style); }"
    )
    tab.site.hub.publish(Toast("", "hello", seconds=60))
    await tab.finds(".toast")
    assert await tab.page.evaluate("document.querySelector('.toasts').offsetHeight") == 0
    assert tab.complaints == []


async def test_a_clean_run_complains_of_nothing(opened: Tab) -> None:
    opened.site.hub.publish(tiny("a", RED))
    opened.site.hub.publish(plain("a", RED))
    opened.site.hub.publish(plain("m", BLUE, "meme", (300, 300)))
    opened.site.hub.publish(Toast("a", "drawn for Zoë"))
    await opened.shows("meme", "m")
    opened.site.hub.publish(Clear("meme"))
    opened.site.hub.publish(Clear("background"))
    await opened.state("meme", "empty")
    await opened.still()
    assert opened.complaints == []


async def test_a_change_of_layers_takes_effect_without_a_reload_and_keeps_the_picture(opened: Tab) -> None:
    opened.site.hub.publish(plain("a", RED))
    await opened.shows("background", "a")
    await opened.site.stop()
    opened.site.fresh({"background": LayerOptions(use="background", z=7)})
    await opened.site.start()
    await opened.misses("[data-layer=meme]")
    assert await opened.page.evaluate("document.querySelector('[data-layer=background]').style.zIndex") == "7"
    assert near(middle(await opened.shot()), (*RED, 255))


async def test_many_pictures_leave_nothing_behind(opened: Tab) -> None:
    await opened.page.evaluate(
        "() => { window.made = 0; const real = document.createElement;"
        " document.createElement = (name) => { window.made += 1; return real.call(document, name); }; }"
    )
    for n in range(200):
        opened.site.hub.publish(plain(str(n), (n, 50, 50), size=(64, 36)))
        opened.site.hub.publish(tiny(f"next {n}", (50, n, 50)))
        if n % 10 == 0:
            await opened.site.until(lambda: opened.site.hub.pages.describe()[0].in_flight == 0)
    opened.site.hub.publish(plain("last", GREEN, size=(64, 36)))
    await opened.shows("background", "last")
    assert await opened.count("[data-layer=background] canvas") == 1
    assert await opened.page.evaluate("window.made") < 10


async def test_the_page_reads_the_golden_messages_as_the_server_means_them(opened: Tab) -> None:
    module = await opened.page.evaluate("document.querySelector('script').src.replace('main.js', 'protocol.js')")
    read = await opened.page.evaluate(
        """async ([module, files]) => {
            const { decodePicture, decodeText } = await import(module);
            const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
            return Object.fromEntries(files.map(([name, data]) => {
                if (name.endsWith('.json')) return [name, decodeText(new TextDecoder().decode(bytes(data)))];
                const { header, bytes: picture } = decodePicture(bytes(data));
                return [name, { header, picture: [...picture] }];
            }));
        }""",
        [module, [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in sorted(GOLDEN.iterdir())]],
    )
    for path in GOLDEN.glob("*.json"):
        assert read[path.name] == json.loads(path.read_bytes())
    assert read["frame.bin"]["picture"] == list(range(256))
    assert read["frame.bin"]["header"]["request_id"] == "01J9ZC-гавань"
    assert read["preview.bin"]["header"] | {"step": 2, "steps": 4} == read["preview.bin"]["header"]
    assert bytes(read["preview.bin"]["picture"]) == b"\x00tiny\xff"


async def test_reconnects_are_spread_out_and_grow_to_five_seconds(opened: Tab) -> None:
    module = await opened.page.evaluate(
        "document.querySelector('script').src.replace('overlay/main.js', 'shared/socket.js')"
    )
    delays = await opened.page.evaluate(
        "async (module) => { const { delayMs } = await import(module);"
        " return [0, 1, 2, 3, 4, 5, 50, 5000].map((n) => [delayMs(n, 0), delayMs(n, 1)]); }",
        module,
    )
    assert [low for low, _ in delays] == [0] * 8
    assert [high for _, high in delays] == [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]


async def test_a_server_that_falls_silent_is_given_up_after_fifteen_seconds(tab: Tab) -> None:
    """The page's clock is set forward; the server says nothing meanwhile."""
    await tab.page.clock.install()
    await tab.open()
    await tab.connected()
    before = tab.site.hub.pages.describe()[0].id
    mailbox = next(iter(tab.site.hub.pages.mailboxes()))
    mailbox.wake = lambda: None
    await tab.page.clock.fast_forward(16_000)
    await tab.site.until(lambda: any(page.id != before for page in tab.site.hub.pages.describe()))


async def test_the_token_is_never_sent_in_a_request(tab: Tab) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    await tab.open("?layers=background")
    await tab.connected()
    assert asked
    assert not any(TOKEN in line.split("{")[0].split("#")[0] or TOKEN in line.split("{", 1)[1] for line in asked)


async def test_the_page_writes_text_as_text_only() -> None:
    """No page uses any way to make markup from a string."""
    web = Path(__file__).parents[2] / "web"
    paths = [path for folder in ("overlay", "panel", "shared") for path in (web / folder).rglob("*.js")]
    assert len(paths) > 15
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in source


async def test_two_pages_show_the_same(opened: Tab, site: LiveServer) -> None:
    other = Tab(await opened.page.context.new_page(), site)
    await other.open()
    await site.until(lambda: site.hub.pages.count == 2)
    site.hub.publish(plain("a", RED))
    for each in (opened, other):
        await each.shows("background", "a")
    await other.page.close()
