"""The panel's page in a real browser: what it shows, where the focus goes, and how somebody signs in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from streamer.api import schemas
from tests.support.browsers import CURRENT, fact, launch
from tests.support.busy_panel import TOKEN, BusyPanel, ban, busy_panel, held, quiet_status, request

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

STATE = "document.body.dataset.state"
FOCUS = "(document.activeElement.ariaLabel ?? document.activeElement.id)"
ROWS = "document.querySelectorAll('#{} > li').length"
DIALOG = "document.querySelector('#viewer').open"
ANN, BEN = held("ann", 1, 60), held("ben", 2, 60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await launch(playwright, CURRENT)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def panel() -> AsyncIterator[BusyPanel]:
    async with busy_panel() as served:
        served.status = lambda _: quiet_status()
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser in which nobody is signed in."""
    fresh = await browser.new_context(viewport={"width": 1000, "height": 700})
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext, panel: BusyPanel) -> AsyncIterator[Page]:
    """A panel that is signed in and connected; a script error fails the test."""
    errors: list[str] = []
    opened = await context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    await opened.goto(f"{panel.url}/#{TOKEN}")
    await fact(opened, f"{STATE} === 'connected'")
    yield opened
    assert errors == []


async def shows(page: Page, panel: BusyPanel, until: str, **changes: object) -> None:
    """Send a status and wait until the page shows a fact."""
    status = quiet_status(**changes)
    panel.status = lambda _: status
    await fact(page, until)


async def received(panel: BusyPanel, command: str) -> None:
    async with asyncio.timeout(10):
        while panel.received[command] == 0:
            await asyncio.sleep(0.02)


async def comes_to(page: Page, state: str) -> None:
    """Wait for the state of the whole page, also over a reload that the page makes by itself."""
    await page.wait_for_selector(f"body[data-state={state}]")


async def focus(page: Page) -> str:
    return str(await page.evaluate(FOCUS))


# --- signing in and out ---


async def test_a_link_that_is_pasted_into_an_open_tab_signs_it_in(context: BrowserContext, panel: BusyPanel) -> None:
    page = await context.new_page()
    await page.goto(panel.url)
    await comes_to(page, "out")
    assert not await page.locator("main").is_visible(), "an empty panel would look calm"
    # The browser loads nothing: only what stands behind # changes.
    await page.goto(f"{panel.url}/#{TOKEN}")
    await comes_to(page, "connected")
    assert TOKEN not in page.url


async def test_a_link_that_is_pasted_into_the_page_signs_it_in(context: BrowserContext, panel: BusyPanel) -> None:
    page = await context.new_page()
    await page.goto(f"{panel.url}/#an-old-token")
    await comes_to(page, "out")
    await page.get_by_label("Panel link").fill(f" {panel.url}/#{TOKEN} ")
    await page.get_by_role("button", name="Sign in").click()
    await comes_to(page, "connected")


async def test_a_new_tab_is_signed_in_and_signing_out_ends_it_in_every_tab(
    page: Page, context: BrowserContext, panel: BusyPanel
) -> None:
    other = await context.new_page()
    await other.goto(panel.url)
    await comes_to(other, "connected")
    await page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        await comes_to(tab, "out")
        assert await tab.evaluate("localStorage.length + sessionStorage.length") == 0
    await other.reload()
    await comes_to(other, "out")


async def test_a_tab_stays_what_it_is_when_another_link_is_opened(
    page: Page, context: BrowserContext, panel: BusyPanel
) -> None:
    other = await context.new_page()
    await other.goto(f"{panel.url}/#a-token-that-was-revoked")
    await comes_to(other, "out")
    await page.reload()
    await comes_to(page, "connected")


async def test_a_kept_token_that_was_not_used_for_a_month_is_forgotten(
    page: Page, context: BrowserContext, panel: BusyPanel
) -> None:
    month_ms = 30 * 86_400_000
    await page.evaluate(
        "(age) => { const kept = JSON.parse(localStorage['streamer-token']);"
        " localStorage['streamer-token'] = JSON.stringify({ ...kept, usedAt: kept.usedAt - age }) }",
        month_ms,
    )
    other = await context.new_page()
    await other.goto(panel.url)
    await comes_to(other, "out")


# --- rows under a press and the focus ---


async def test_the_focus_goes_to_the_neighbour_when_its_row_goes_away(page: Page, panel: BusyPanel) -> None:
    await shows(page, panel, ROWS.format("held") + " === 2", held=[ANN, BEN])
    await page.get_by_role("button", name="Deny the picture for ann").click()
    await page.mouse.move(0, 0)
    await shows(page, panel, ROWS.format("held") + " === 1", held=[BEN])
    assert await focus(page) == "Deny the picture for ben"
    await shows(page, panel, "document.querySelector('#held-section').hidden", held=[])
    assert await focus(page) == "main"


async def test_a_row_that_has_the_keyboards_focus_stays_as_a_gap_until_the_focus_leaves(
    page: Page, panel: BusyPanel
) -> None:
    await shows(page, panel, ROWS.format("queue") + " === 2", pending=[request("ann"), request("ben")])
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Remove the request from ann").focus()
    await shows(page, panel, "document.querySelector('#queue .gone') !== null", pending=[request("ben")])
    assert await focus(page) == "Remove the request from ann"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await fact(page, ROWS.format("queue") + " === 1")
    assert await focus(page) == "Remove the request from ben"
    assert panel.received.total() == 0, "a gap removes nothing"


async def test_a_row_that_moves_keeps_the_focus(page: Page, panel: BusyPanel) -> None:
    people = [request(name) for name in ("ann", "ben", "eve")]
    await shows(page, panel, ROWS.format("queue") + " === 3", pending=people)
    await page.get_by_role("button", name="Remove the request from eve").click()
    await page.mouse.move(0, 0)
    first = "document.querySelector('#queue li').innerText.includes('eve')"
    await shows(page, panel, first, pending=[people[2], people[1], people[0]])
    assert await focus(page) == "Remove the request from eve"


async def test_a_key_that_is_held_down_presses_once(page: Page, panel: BusyPanel) -> None:
    await shows(page, panel, ROWS.format("bans") + " === 1", bans=[ban("ann")])
    await page.get_by_role("button", name="Unban ann").focus()
    for _ in range(5):
        await page.keyboard.down("Enter")
    await page.keyboard.up("Enter")
    await received(panel, "DELETE /api/v1/bans/ann")
    assert panel.received.total() == 1


async def test_nothing_changes_under_a_press_and_everything_after_it(page: Page, panel: BusyPanel) -> None:
    await shows(page, panel, ROWS.format("held") + " === 1", held=[ANN])
    await page.get_by_role("button", name="Approve the picture for ann").hover()
    await page.mouse.down()
    paused = quiet_status(paused=True, held=[ANN])
    sent = asyncio.Event()

    def status(_: int) -> schemas.StatusOut:
        sent.set()
        return paused

    panel.status = status
    await sent.wait()
    # One more turn of the page: it has the message, and does not show it.
    await page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert await page.locator("#pause").inner_text() == "Pause"
    await page.mouse.up()
    await fact(page, "document.querySelector('#pause').innerText === 'Resume'")
    await received(panel, "POST /api/v1/requests/r-ann/approve")


# --- what it looks like ---


async def test_a_row_tells_the_login_where_it_differs_and_how_long_the_picture_will_wait(
    page: Page, panel: BusyPanel
) -> None:
    fox = request("Лисица").model_copy(update={"login": "foxy", "wait_s": 7.6})
    ann = request("Ann").model_copy(update={"login": "ann"})
    waiting = held("Лисица", 1, 60).model_copy(update={"request": fox})
    await shows(page, panel, ROWS.format("queue") + " === 2", pending=[fox, ann], held=[waiting])
    rows = await page.locator("#queue .by").all_inner_texts()
    assert [row.strip() for row in rows] == ["Лисица (foxy), viewer, in about 8 s", "Ann, viewer, waiting"]
    assert await page.locator("#held strong").inner_text() == "1 · Лисица (foxy)"


async def test_names_and_texts_from_right_to_left_stay_in_their_places(page: Page, panel: BusyPanel) -> None:
    hebrew = request("דנה").model_copy(update={"text": "חתול על הירח"})
    waiting = held("דנה", 1, 60).model_copy(update={"request": hebrew})
    await shows(page, panel, ROWS.format("held") + " === 1", pending=[hebrew], held=[waiting])
    text, name = [await page.locator("#queue bdi").nth(place).bounding_box() for place in (0, 1)]
    assert text is not None
    assert name is not None
    assert text["x"] + text["width"] <= name["x"], "first the text, then who wrote it"
    heading = page.locator("#held strong")
    box, own = await heading.bounding_box(), await heading.locator("bdi").bounding_box()
    assert box is not None
    assert own is not None
    assert own["x"] > box["x"] + 5, "the number stands before the name"
    label = await page.get_by_role("button", name="Approve").get_attribute("aria-label")
    assert label == "Approve the picture for \u2068דנה\u2069"


async def test_a_panic_turns_the_whole_panel_into_an_alarm_whose_next_step_is_resume(
    page: Page, panel: BusyPanel
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    calm = await page.evaluate(ground)
    await page.get_by_role("button", name="Panic: blank everything").dblclick()
    await shows(page, panel, f"{STATE} === 'panic'", panicked=True, paused=True)
    assert await page.evaluate(ground) != calm
    banner = page.get_by_role("alert").filter(has_text="everything is off")
    assert await banner.is_visible()
    assert (await page.title()).startswith("panic")
    assert panel.received == {"POST /api/v1/panic": 2}, "a second click on Panic resumes nothing"
    await page.keyboard.press("Tab")
    assert await focus(page) == "resume"
    await page.keyboard.press("Enter")
    await received(panel, "POST /api/v1/resume")
    await shows(page, panel, f"{STATE} === 'connected'")
    assert await page.evaluate(ground) == calm
    assert not await banner.is_visible()
    assert await focus(page) == "main"


async def test_a_part_that_fails_is_said_at_the_top(page: Page, panel: BusyPanel) -> None:
    full = schemas.HealthOut(name="store", state="failed", detail="disk is full")
    await shows(page, panel, f"{STATE} === 'alarm'", sources=[full])
    assert await page.locator("#link-state").inner_text() == "store failed"
    assert await page.locator("#health li").last.inner_text() == "store: failed (disk is full)"


async def test_an_image_shows_no_text_before_it_is_there(page: Page, panel: BusyPanel) -> None:
    panel.images.clear()
    image = "document.querySelector('#layers img')"
    await shows(page, panel, "document.querySelector('#layers p').innerText === ''", on_air={"background": "p1"})
    assert await page.evaluate(f"[{image}.alt, {image}.hasAttribute('src')]") == ["", False]
    panel.images.set()
    await fact(page, f"{image}.complete && {image}.naturalWidth > 0")
    assert await page.evaluate(f"{image}.alt") == "what is on the layer background"


async def test_the_explanation_of_a_refused_command_stays_while_messages_come(page: Page, panel: BusyPanel) -> None:
    panel.refusals["POST /api/v1/stage/background/undo"] = "there is nothing to undo on this layer"
    await page.get_by_role("button", name="undo background").click()
    await fact(page, "!document.querySelector('#notice').hidden")
    await shows(page, panel, "document.querySelector('#pages').innerText === '7'", pages=7)
    assert await page.locator("#notice").inner_text() == "there is nothing to undo on this layer"


# --- pictures at full size ---


async def test_a_click_on_an_old_picture_enlarges_it_and_only_a_button_puts_it_on_air(
    page: Page, panel: BusyPanel
) -> None:
    old = page.locator("#pictures li").first
    label = await old.get_by_role("button").first.get_attribute("aria-label")
    await old.get_by_role("button").first.click()
    await fact(page, DIALOG)
    await fact(page, "document.querySelector('#viewer img').naturalWidth > 0")
    await page.keyboard.press("Escape")
    await fact(page, f"!{DIALOG}")
    assert await focus(page) == label
    assert panel.received.total() == 0
    await old.get_by_role("button", name="on air again").click()
    await received(panel, "POST /api/v1/stage/background/show")


async def test_a_held_picture_is_looked_at_and_decided_on_by_keyboard(page: Page, panel: BusyPanel) -> None:
    await shows(page, panel, ROWS.format("held") + " === 2", held=[ANN, BEN])
    await page.get_by_role("button", name="Look at the picture for ben").focus()
    await page.keyboard.press("Enter")
    await fact(page, DIALOG)
    assert await focus(page) == "viewer-close", "a second Enter decides nothing"
    await page.keyboard.press("Enter")
    await fact(page, f"!{DIALOG}")
    assert await focus(page) == "Look at the picture for ben"
    await page.keyboard.press("Enter")
    await fact(page, DIALOG)
    await page.get_by_role("dialog").get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await received(panel, "POST /api/v1/requests/r-ben/approve")
    await fact(page, f"!{DIALOG}")
    assert panel.received.total() == 1


async def test_a_held_picture_that_is_decided_on_elsewhere_cannot_be_decided_on_in_the_dialog(
    page: Page, panel: BusyPanel
) -> None:
    await shows(page, panel, ROWS.format("held") + " === 1", held=[ANN])
    await page.get_by_role("button", name="Look at the picture for ann").click()
    await page.get_by_role("dialog").get_by_role("button", name="Approve").focus()
    over = "document.querySelector('#viewer-note').innerText.includes('no longer')"
    await shows(page, panel, over, held=[])
    assert await page.get_by_role("dialog").get_by_role("button").all_inner_texts() == ["Close"]
    assert await focus(page) == "viewer-close"
    await page.keyboard.press("Escape")
    await fact(page, f"!{DIALOG} && document.activeElement !== document.body")
