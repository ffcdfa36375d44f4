"""A picture that takes its time is announced in the corner, and what is on air stays as it is until it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Route

from streamer.overlay.layer_options import DEFAULT_LAYERS, LayerOptions
from streamer.types import Clear, Frame, Preview, Refusal, Toast
from tests.support.cleared_frames import cleared
from tests.support.detail import detail
from tests.support.overlay_page import LiveServer, Tab, encoded, plain

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 60), (30, 60, 220)
Pixels = npt.NDArray[np.uint8]
Box = dict[str, float]

BY_HAND = """
() => {
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...all) {
    const made = animate.apply(this, all);
    made.pause();
    return made;
  };
}
"""
RING = "Number(getComputedStyle(document.querySelector('.drawing-done')).strokeDashoffset.replace('px', '')) / 100.53"


def halves(
    request_id: str = "b", layer: str = "background", size: tuple[int, int] = (32, 18), step: int = 2
) -> Preview:
    """A preview that is red on the left and blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return Preview(request_id, layer, step, 4, "image/jpeg", encoded(image), *size, "drawing for Zoë", 60.0)


def unseen(preview: Preview) -> Preview:
    """The same step, at which nothing can be seen yet."""
    return replace(preview, data=b"", media_type="", width=0, height=0)


def textured(request_id: str, seed: int) -> Frame:
    """A finished picture with a lot to see."""
    cells = np.random.default_rng(seed).integers(0, 256, (18, 32, 3), dtype=np.uint8)
    picture = Image.fromarray(cells).resize((640, 360), Image.Resampling.NEAREST)
    return cleared(Frame(request_id, "background", "image/jpeg", encoded(picture), 640, 360))


@pytest_asyncio.fixture(loop_scope="session")
async def opened(tab: Tab) -> AsyncIterator[Tab]:
    """A page that is connected and has its layers."""
    await tab.open()
    await tab.connected()
    yield tab


async def announced(tab: Tab, preview: Preview) -> None:
    """Publish a preview and wait until its badge has come in; the ring goes on."""
    tab.site.hub.publish(preview)
    await tab.finds(".drawing")
    await tab.state(preview.layer, "preview")
    await tab.until("getComputedStyle(document.querySelector('.drawing')).opacity === '1'")


async def box(tab: Tab, selector: str) -> Box:
    found: Box = await tab.page.evaluate(
        f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
    )
    return found


async def outside(tab: Tab) -> Pixels:
    """Return the page's pixels with the badge and its shadow cut out."""
    pixels = np.asarray(await tab.shot()).copy()
    edges = await box(tab, ".drawing")
    left, top = max(0, int(edges["left"]) - 40), max(0, int(edges["top"]) - 40)
    pixels[top : int(edges["bottom"]) + 40, left : int(edges["right"]) + 40] = 0
    return pixels


async def test_the_picture_on_air_stays_as_it_is_while_the_next_one_is_drawn(opened: Tab) -> None:
    opened.site.hub.publish(textured("a", 1))
    await opened.shows("background", "a")
    before = np.asarray(await opened.shot())
    for step in (1, 2, 3):
        await announced(opened, halves(step=step))
        after = await outside(opened)
        same = after[..., 3] > 0
        assert same.mean() > 0.7
        assert (after[same] == before[same]).all()


@pytest.mark.parametrize("layer", ["background", "meme"])
async def test_on_an_empty_layer_there_is_the_badge_and_nothing_else(opened: Tab, layer: str) -> None:
    await announced(opened, halves(layer=layer))
    assert (await outside(opened)).max() == 0
    assert await opened.text(".drawing") == "drawing for Zoë"
    assert await opened.count(".card.on") == 0


async def test_the_picture_takes_the_place_of_its_badge(opened: Tab) -> None:
    for layer in ("background", "meme"):
        await announced(opened, halves(layer=layer))
        opened.site.hub.publish(plain("b", BLUE, layer))
        await opened.shows(layer, "b")
        assert await opened.count(".drawing") == 0
        assert await opened.count(f"[data-layer={layer}] canvas") == 1


@pytest.mark.parametrize("end", ["refused", "withdrawn", "undone", "cleared", "panic", "disconnected"])
async def test_nothing_of_it_stays_however_it_ends(opened: Tab, end: str) -> None:
    hub = opened.site.hub
    ends: dict[str, Callable[[], object]] = {
        "refused": lambda: hub.publish(Refusal("b", "picture", "not shown")),
        "withdrawn": lambda: hub.withdraw("b"),
        "undone": lambda: hub.publish(plain("older", GREEN)),
        "cleared": lambda: hub.publish(Clear("background", fade=True)),
        "panic": lambda: hub.publish(Clear("background")),
        "disconnected": lambda: None,
    }
    hub.publish(plain("a", GREEN))
    await opened.shows("background", "a")
    await announced(opened, halves())
    if end == "disconnected":
        await opened.site.stop()
    ends[end]()
    await opened.misses(".drawing")
    await opened.still()
    pixels = np.asarray(await opened.shot())
    assert (pixels == pixels[0, 0]).all(), "one colour, or transparent"
    assert (pixels[0, 0, 3] == 0) == (end in ("cleared", "panic"))
    if end == "disconnected":
        await opened.site.start()


async def test_a_panic_takes_it_away_without_a_motion(opened: Tab) -> None:
    await announced(opened, halves())
    await opened.page.evaluate(
        "() => { window.moved = 0; const real = Element.prototype.animate;"
        " Element.prototype.animate = function (...all) { window.moved += 1; return real.apply(this, all); }; }"
    )
    opened.site.hub.publish(Clear("background"))
    await opened.misses(".drawing")
    assert await opened.page.evaluate("window.moved") == 0


async def test_a_withdrawn_picture_that_is_drawn_after_all_is_announced_anew(opened: Tab) -> None:
    await announced(opened, halves())
    opened.site.hub.withdraw("b")
    await opened.misses(".drawing")
    await announced(opened, halves(step=1))
    opened.site.hub.publish(plain("b", RED))
    await opened.shows("background", "b")
    assert await opened.count(".drawing") == 0


async def test_a_cleared_layer_leaves_the_badge_of_another_alone(opened: Tab) -> None:
    await announced(opened, halves(layer="meme"))
    opened.site.hub.publish(plain("a", GREEN))
    await opened.finds("[data-layer=background][data-request=a]")
    opened.site.hub.publish(Clear("background"))
    await opened.state("background", "empty")
    assert await opened.count(".drawing") == 1


async def test_a_step_at_which_nothing_can_be_seen_has_no_sketch_and_takes_none_away(opened: Tab) -> None:
    await announced(opened, unseen(halves(step=1)))
    assert await opened.count(".sketched") == 0
    opened.site.hub.publish(halves(step=2))
    await opened.finds(".sketched")
    await opened.handles(unseen(halves(step=3)))
    assert await opened.count(".sketched") == 1
    await announced(opened, unseen(halves("c", step=1)))
    assert await opened.count(".sketched") == 0, "it was the sketch of another picture"


async def test_a_small_preview_is_mist_and_a_larger_one_sharp(opened: Tab) -> None:
    widths = {}
    for size in ((32, 18), (256, 144)):
        await announced(opened, halves(f"wide {size[0]}", size=size))
        line = np.array(
            await opened.page.evaluate(
                "(() => { const canvas = document.querySelector('.drawing canvas');"
                " return [...canvas.getContext('2d').getImageData(0, 80, canvas.width, 1).data]; })()"
            )
        ).reshape(-1, 4)
        assert line[:, 3].min() == 255, "opaque to its edges"
        red = line[:, 0].astype(int)
        low, high = red.min(), red.max()
        # How much of the sketch the change from red to blue takes.
        changing = (red > low + 0.1 * (high - low)) & (red < low + 0.9 * (high - low))
        widths[size[0]] = changing.mean()
        opened.site.hub.publish(Refusal(f"wide {size[0]}", "picture", "not shown"))
        await opened.misses(".drawing")
    assert widths[256] < 0.03, widths
    assert widths[32] > 0.07, widths


async def test_the_ring_fills_until_the_picture_is_due_and_never_goes_back(opened: Tab) -> None:
    await opened.page.evaluate(BY_HAND)
    opened.site.hub.publish(halves(step=1))
    await opened.finds(".drawing")
    await opened.until("document.getAnimations().length === 2")
    left = []
    for share in (0, 0.5, 0.99):
        await opened.page.evaluate(
            "(share) => document.getAnimations().forEach((each) => {"
            " each.currentTime = each.effect.getTiming().duration * share; })",
            share,
        )
        left.append(await opened.page.evaluate(RING))
    assert left == pytest.approx([0.75, 0.39, 0.04], abs=0.02), "from one step of four to nearly full, in due_s seconds"
    await opened.handles(halves(step=2))
    assert await opened.page.evaluate(RING) == pytest.approx(0.04, abs=0.02)


async def test_its_text_is_text_and_a_long_one_stays_inside_the_page(opened: Tab) -> None:
    line = "drawing for <img src=x onerror=alert(1)>" + "ы" * 150
    await announced(opened, replace(halves(), line=line))
    assert await opened.text(".drawing-line") == line
    assert await opened.count(".drawing img") == 0
    edges = await box(opened, ".drawing")
    assert 0 <= edges["left"] < edges["right"] <= 640
    assert 0 <= edges["top"] < edges["bottom"] <= 360


async def test_the_streamers_own_picture_needs_no_words(opened: Tab) -> None:
    await announced(opened, replace(halves(size=(256, 144)), line=""))
    assert await opened.text(".drawing") == ""
    edges = await box(opened, ".drawing")
    assert edges["right"] - edges["left"] < 260


async def test_a_toast_about_something_else_lies_above_it_and_comes_down_afterwards(opened: Tab) -> None:
    await announced(opened, halves())
    opened.site.hub.publish(Toast("", "nobody waits", seconds=60))
    await opened.finds(".toast")
    await opened.until("document.querySelector('.toast').getAnimations().length === 0")
    toast, badge = await box(opened, ".toast"), await box(opened, ".drawing")
    assert toast["bottom"] <= badge["top"]
    opened.site.hub.publish(Clear("background"))
    await opened.misses(".drawing")
    await opened.still()
    assert (await box(opened, ".toast"))["bottom"] > badge["top"]


async def test_a_page_that_loads_meanwhile_joins_in_at_the_next_step(opened: Tab, site: LiveServer) -> None:
    opened.site.hub.publish(plain("a", GREEN))
    await opened.shows("background", "a")
    await announced(opened, halves(step=1))
    late = Tab(await opened.page.context.new_page(), site)
    await late.open()
    await late.shows("background", "a")
    assert await late.count(".drawing") == 0
    await announced(late, halves(step=3))
    assert await late.page.evaluate(RING) <= 0.26
    site.hub.publish(plain("b", RED))
    for each in (opened, late):
        await each.shows("background", "b")
        assert await each.count(".drawing") == 0
    await late.page.close()


async def test_each_source_announces_what_its_own_layers_will_show(opened: Tab, site: LiveServer) -> None:
    memes = Tab(await opened.page.context.new_page(), site)
    await memes.open("?layers=meme")
    await memes.connected()
    await site.until(lambda: site.hub.pages.count == 2)
    await announced(opened, halves())
    site.hub.publish(plain("m", RED, "meme"))
    await memes.shows("meme", "m")
    assert await memes.count(".drawing") == 0
    await memes.page.close()


async def test_it_comes_and_goes_without_moving_where_motion_is_unwelcome(opened: Tab) -> None:
    await opened.page.emulate_media(reduced_motion="reduce")
    await opened.page.evaluate(BY_HAND)
    opened.site.hub.publish(halves())
    await opened.finds(".drawing")
    await opened.until("document.getAnimations().length === 2")
    assert await opened.page.evaluate("getComputedStyle(document.querySelector('.drawing')).transform") == "none"
    assert await opened.page.evaluate("getComputedStyle(document.querySelector('.drawing')).opacity") == "0"
    await opened.page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    opened.site.hub.publish(Clear("background"))
    await opened.misses(".drawing")


async def test_one_whose_end_was_missed_goes_by_itself(tab: Tab) -> None:
    await tab.page.clock.install()
    await tab.open()
    await tab.connected()
    tab.site.hub.publish(replace(halves(), due_s=5.0))
    await tab.finds(".drawing")

    async def passes(seconds: int) -> None:
        for _ in range(seconds // 7):
            await tab.page.clock.fast_forward(7_000)
            await tab.handles(plain("m", RED, "meme"))  # a silent connection would count as dead

    await passes(28)
    assert await tab.count(".drawing") == 1
    await tab.handles(replace(halves(), due_s=5.0))
    await passes(28)
    assert await tab.count(".drawing") == 1, "the newer step counts"
    await passes(7)
    await tab.misses(".drawing")


async def test_no_frame_on_the_way_is_flatter_than_those_of_a_plain_crossfade(opened: Tab) -> None:
    """What is seen from the first preview to the finished picture is the old one, the new one, or a mix of the two."""
    opened.site.hub.publish(textured("a", 1))
    await opened.shows("background", "a")
    old = np.asarray(await opened.shot())[..., :3]
    await opened.page.evaluate(BY_HAND)
    seen = []
    for step in (1, 2, 3):
        opened.site.hub.publish(halves(step=step))
        await opened.state("background", "preview")
        await scrub(opened)
        seen.append(await opened.shot())
    opened.site.hub.publish(textured("b", 2))
    await opened.finds("[data-layer=background][data-request=b]")
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        await scrub(opened, share)
        seen.append(await opened.shot())
    await opened.page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    await opened.still()
    new = np.asarray(await opened.shot())[..., :3]
    mixes = [detail((old * (1 - share) + new * share).astype(np.uint8)) for share in np.linspace(0, 1, 21)]
    assert min(detail(np.asarray(shot)) for shot in seen) >= 0.95 * min(mixes)
    assert min(np.asarray(shot)[..., 3].min() for shot in seen) == 255, "nothing beneath shines through"


async def scrub(tab: Tab, share: float = 0.5) -> None:
    """Move every animation to a share of its time."""
    await tab.page.evaluate(
        "(share) => document.getAnimations().forEach((each) => {"
        " each.currentTime = each.effect.getTiming().duration * share; })",
        share,
    )


CUSTOM = """
export function create(root) {
  return {
    show({ bitmap }) { root.textContent = 'finished'; bitmap.close(); },
    clear() { root.textContent = ''; },
    preview({ bitmap, progress, header }) { root.textContent = `${header.step} ${progress} ${bitmap.width}`; },
    dropPreview() { root.textContent = 'dropped'; },
  };
}
"""


async def test_a_layer_of_somebody_elses_may_draw_unfinished_pictures_itself(tab: Tab) -> None:
    async def served(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=CUSTOM)

    await tab.page.route("**/layers/background.js", served)
    tab.site.fresh({"background": LayerOptions(use="background"), "meme": DEFAULT_LAYERS["meme"]})
    await tab.open()
    await tab.connected()
    root = "[data-layer=background]"
    tab.site.hub.publish(halves(step=2))
    await tab.until(f"document.querySelector('{root}').textContent === '2 0.5 32'")
    await tab.handles(unseen(halves(step=3)))
    await tab.until(f"document.querySelector('{root}').textContent === '2 0.5 32'")
    assert await tab.count(".drawing") == 0
    tab.site.hub.publish(plain("b", RED))
    await tab.until(f"document.querySelector('{root}').textContent === 'finished'")
    tab.site.hub.publish(halves("c"))
    tab.site.hub.publish(Refusal("c", "picture", "not shown"))
    await asyncio.sleep(0)
    await tab.until(f"document.querySelector('{root}').textContent === 'dropped'")
