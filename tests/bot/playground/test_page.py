"""The chat page in a real browser, with a tiny bot on the other side."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import TYPE_CHECKING

import pytest
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    InputMediaPhoto,
    Update,
)
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.playground import Playground, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=\"document.title='hacked'\"><b>not bold</b>"
KEYS = InlineKeyboardMarkup([
    [InlineKeyboardButton("Next page", callback_data="next"),
     InlineKeyboardButton("Warn me", callback_data="warn")],
])  # fmt: skip


async def _photo(update: Update, context) -> None:
    message = update.message
    context.bot_data["photo"] = message.photo[-1].file_id
    photo = message.photo[-1].file_id
    media = [InputMediaPhoto(photo, caption=f"#{n} · circle · {99 - n} % similar\nof Sam's")
             for n in (1, 2, 3)]  # fmt: skip
    await message.reply_media_group(media, do_quote=True)
    await message.reply_text(f"You wrote: {message.caption}", reply_markup=KEYS)


async def _text(update: Update, _context) -> None:
    await update.message.reply_chat_action("typing")
    await update.message.set_reaction("👍")
    await update.message.reply_text(f"<i>echo</i> {update.message.text_html}", parse_mode="HTML")


async def _key(update: Update, _context) -> None:
    query = update.callback_query
    await query.answer("Here it is", show_alert=query.data == "warn")
    await query.edit_message_text("Page 2", reply_markup=KEYS)


async def _inline(update: Update, context) -> None:
    """Sixty results, for a word of which "nothing" is none, of the picture that was last sent."""
    query = update.inline_query
    first = int(query.offset or 0)
    photo = "" if "nothing" in query.query else context.bot_data.get("photo", "")
    numbers = range(first, min(first + 50, 60)) if photo else []
    await query.answer(
        [InlineQueryResultCachedPhoto(str(n), photo, caption=f"{query.query} {n}")
         for n in numbers],
        next_offset="50" if photo and not first else "",
        button=InlineQueryResultsButton("All of it", start_parameter="c_all"),
    )  # fmt: skip


@pytest.fixture
def world(tmp_path, picture) -> Iterator[Playground]:
    for name in ("apple", "pear"):
        (tmp_path / f"{name}.jpg").write_bytes(picture("olive", (200, 150)))
    with Playground(samples=tmp_path) as playground:
        playground.everyday_people()
        application = (
            Application.builder()
            .token(playground.token)
            .base_url(f"{playground.url}/bot")
            .base_file_url(f"{playground.url}/file/bot")
            .build()
        )
        application.add_handler(MessageHandler(filters.PHOTO, _photo))
        application.add_handler(MessageHandler(filters.TEXT, _text))
        application.add_handler(CallbackQueryHandler(_key))
        application.add_handler(InlineQueryHandler(_inline))
        stop = threading.Event()

        async def run() -> None:
            async with application:
                await application.bot.set_my_commands([("help", "All of it"), ("topk", "How many")])
                await application.updater.start_polling(timeout=1)
                await application.start()
                await asyncio.to_thread(stop.wait)
                await application.updater.stop()
                await application.stop()

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        yield playground
        stop.set()
        thread.join()


@pytest.fixture
def page(world: Playground, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1100, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(8_000)
    trouble: list[str] = []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    opened.goto(world.url)
    opened.locator(".conversation", has_text="Sam").click()
    yield opened
    context.close()
    assert trouble == []


def _drop(page: Page, data: bytes, name: str = "dropped.jpg") -> None:
    transfer = page.evaluate_handle(
        """([text, name]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
          return transfer;
        }""",
        [base64.b64encode(data).decode(), name],
    )
    page.dispatch_event("#chat", "dragenter", {"dataTransfer": transfer})
    assert page.get_by_text("Drop pictures to send them").is_visible()
    page.dispatch_event("#messages", "drop", {"dataTransfer": transfer})


def test_a_text_is_echoed_with_its_formatting(page: Page):
    page.get_by_label("Message", exact=True).fill("hello")
    page.keyboard.press("Enter")
    page.locator(".theirs em", has_text="echo").wait_for()
    page.get_by_label("Reaction 👍").wait_for()


def test_what_messages_say_never_becomes_markup(page: Page):
    page.get_by_label("Message", exact=True).fill(NASTY)
    page.keyboard.press("Enter")
    page.locator(".theirs", has_text="not bold").wait_for()
    assert page.locator(".message img, .message b, .message strong").count() == 0
    assert "hacked" not in page.title()


def test_a_dropped_photo_comes_back_as_an_album_with_buttons(page: Page, picture):
    _drop(page, picture())
    page.locator("#attached img").wait_for()
    page.get_by_label("Message", exact=True).fill("what is this?")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".theirs .album .tile").nth(2).wait_for()
    assert page.locator(".theirs .album").count() == 1
    assert page.locator(".theirs .quote", has_text="what is this?").count() >= 1
    page.locator(".theirs .text", has_text="You wrote: what is this?").wait_for()

    page.get_by_role("button", name="Next page").click()
    page.locator(".toast", has_text="Here it is").wait_for()
    page.locator(".theirs .text", has_text="Page 2").wait_for()
    assert page.get_by_text("You wrote").count() == 0
    page.get_by_role("button", name="Warn me").click()
    page.locator("#alert", has_text="Here it is").wait_for()
    page.get_by_role("button", name="OK").click()
    assert page.locator(".message").count() == 3


def test_pictures_open_large_and_can_be_leafed_through(page: Page, picture):
    _drop(page, picture())
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".theirs .album .tile").first.click()
    caption = page.locator("#lightbox-caption")
    assert caption.inner_text() == "#1 · circle · 98 % similar\nof Sam's"
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Next picture").click()
    assert "#3" in caption.inner_text()
    assert not page.get_by_role("button", name="Next picture").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#lightbox").is_visible()


def test_samples_are_sent_as_an_album(page: Page, world: Playground):
    for number in range(2):
        page.get_by_role("button", name="Sample photos").click()
        page.locator(".sample").nth(number).click()
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".mine .album .tile").nth(1).wait_for()
    sent = [m for m in world.messages(102) if not m["from"]["is_bot"]]
    assert len({m["media_group_id"] for m in sent}) == 1


def test_commands_are_offered_and_replies_quote(page: Page, world: Playground):
    world.wait_until(lambda: world.calls("setMyCommands"))
    field = page.get_by_label("Message", exact=True)
    page.wait_for_function("document.querySelector('#composer').inert === false")
    page.reload()
    page.locator(".conversation", has_text="Sam").click()
    field.type("/")
    page.get_by_role("option", name="/topk How many").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".theirs", has_text="echo /topk").wait_for()
    page.locator(".theirs .bubble").hover()
    page.locator(".theirs").get_by_role("button", name="Reply to this message").click()
    field.fill("thanks")
    page.keyboard.press("Enter")
    page.locator(".mine .quote", has_text="echo /topk").wait_for()


def test_each_person_has_their_own_chat(page: Page, world: Playground):
    User(world.people[103], world.account).send_text("for Ada")
    page.locator(".unread").wait_for()
    assert page.locator(".message").count() == 0
    page.locator(".conversation", has_text="Ada").click()
    page.locator(".mine", has_text="for Ada").wait_for()


def test_a_block_shows_and_ends(page: Page, world: Playground):
    page.get_by_role("button", name="Block", exact=True).click()
    page.get_by_role("button", name="Unblock").wait_for()
    assert world.account.chats[102].is_blocked
    page.get_by_role("button", name="Unblock").click()
    page.get_by_role("button", name="Block", exact=True).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(world: Playground, chromium: Browser, scheme):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(world.url)
    assert not page.locator("#messages").is_visible()
    page.locator(".conversation", has_text="Sam").click()
    page.get_by_label("Message", exact=True).fill("x" * 300)
    page.keyboard.press("Enter")
    page.locator(".theirs").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert _contrast(page, ".mine .text") >= 4.5
    assert _contrast(page, ".theirs .foot") >= 4.5
    page.get_by_role("button", name="Back to the people").click()
    assert page.locator(".conversation", has_text="Ada").is_visible()
    context.close()


def _contrast(page: Page, selector: str) -> float:
    """WCAG's contrast of a text to the bubble it stands in."""
    colours = page.eval_on_selector(
        selector,
        """(text) => [getComputedStyle(text).color,
                      getComputedStyle(text.closest('.bubble')).backgroundColor]
             .map((colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number))""",
    )

    def luminance(colour: list[float]) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (part / 255 for part in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted(map(luminance, colours), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_small_pictures_of_an_album_keep_their_captions_short(
    world: Playground, chromium: Browser, picture
):
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(world.url)
    page.locator(".conversation", has_text="Sam").click()
    User(world.people[102], world.account).send_photo(picture())
    captions = page.locator(".theirs .tile-caption")
    captions.nth(2).wait_for()
    assert captions.nth(2).inner_text() == "#3 · 96 %"
    box = captions.nth(2).bounding_box()
    assert box is not None
    assert box["height"] < 40
    context.close()


def _offer(page: Page, world: Playground, data: bytes) -> None:
    """Let the bot know a picture, which it can offer from then on."""
    User(world.people[102], world.account).send_photo(data)
    page.locator(".theirs .album .tile").nth(2).wait_for()


def test_inline_results_are_offered_while_one_types_and_sent_at_a_tap(
    page: Page, world: Playground, picture
):
    _offer(page, world, picture())
    field = page.get_by_label("Message", exact=True)
    field.type("@")
    page.get_by_role("option", name="@lookalike_bot pictures to send").click()
    page.locator(".inline-tile").nth(49).wait_for(state="attached")
    assert world.account.inline
    page.locator("#inline").evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
    page.locator(".inline-tile").nth(59).wait_for(state="attached")
    page.wait_for_timeout(300)
    assert page.locator(".inline-tile").count() == 60
    field.type("tiger")
    page.get_by_role("button", name="Send tiger 0").click()
    page.locator(".mine", has_text="via @lookalike_bot").wait_for()
    assert field.input_value() == ""
    assert not page.locator("#inline").is_visible()


def test_inline_query_without_results_leads_into_the_chat(page: Page, world: Playground):
    field = page.get_by_label("Message", exact=True)
    field.fill("@lookalike_bot nothing")
    page.get_by_text("No pictures to send.").wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("#inline").is_visible()
    field.fill("@lookalike_bot nothing at all")
    page.get_by_role("button", name="All of it").click()
    page.locator(".mine", has_text="/start c_all").wait_for()


def test_links_to_the_bot_start_it_here(page: Page):
    page.get_by_label("Message", exact=True).fill("https://t.me/lookalike_bot?start=c_owl")
    page.keyboard.press("Enter")
    page.locator(".theirs a", has_text="start=c_owl").click()
    page.locator(".mine", has_text="/start c_owl").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_inline_results_fit_a_phone(world: Playground, chromium: Browser, picture, scheme):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(world.url)
    page.locator(".conversation", has_text="Sam").click()
    _offer(page, world, picture())
    page.get_by_label("Message", exact=True).fill("@lookalike_bot tiger")
    page.locator(".inline-tile").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator("#inline").bounding_box()
    assert box is not None
    assert box["y"] > 0
    assert box["width"] <= 360
    context.close()
