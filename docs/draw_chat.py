"""Draw README's screenshots: the chat page with a photo, words and a comparison answered."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bot.demo import demo_encoder
from bot.playground import Playground, User, running_playground
from engine.drawings import HELD_OUT_SEED, draw, write_gallery

CHAT = Path(__file__).with_name("chat.jpg")
SCREEN = {"width": 400, "height": 820}
GAP = 24
ANSWER_WITHIN_S = 120
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


def main(target: Path = CHAT) -> None:
    """Talk to the bot as three people, and take a picture of each phone."""
    with tempfile.TemporaryDirectory() as folder, _bot(Path(folder)) as playground:
        people = [
            playground.user(number, name, language)
            for number, name, language in ((1, "Sam", "en"), (2, "Mai", "en"), (3, "Linh", "vi"))
        ]
        _ask(playground, people[0], _drawing("butterfly"))
        _ask(playground, people[1], "a red apple on a table")
        _ask(playground, people[2], _drawing("lighthouse"), "/compare /topk 3")
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or path, args=FLAGS.split()
            )
            page = browser.new_page(viewport=SCREEN, device_scale_factor=1.5)
            screens = [_screen(page, playground.url, user) for user in people]
            browser.close()
    width = sum(screen.width for screen in screens) + GAP * (len(screens) - 1)
    picture = Image.new("RGB", (width, max(screen.height for screen in screens)), "white")
    left = 0
    for screen in screens:
        picture.paste(screen, (left, 0))
        left += screen.width + GAP
    picture.save(target, quality=82, optimize=True)


@contextlib.contextmanager
def _bot(folder: Path) -> Iterator[Playground]:
    """The bot over a drawn gallery, in a playground."""
    write_gallery(folder / "gallery")
    with running_playground() as playground:
        environment = os.environ | {
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
            "DATA_DIR": str(folder / "data"),
            "ENCODER": f"open_clip:local-dir:{demo_encoder()}",
            "TOPK": "4",
        }
        command = [sys.executable, "-m", "bot"]
        subprocess.run([*command, "index", folder / "gallery"], env=environment, check=True)
        process = subprocess.Popen([*command, "bot"], env=environment)
        try:
            yield playground
        finally:
            process.terminate()
            process.wait(30)


def _drawing(topic: str) -> bytes:
    written = io.BytesIO()
    draw(topic, HELD_OUT_SEED).image.save(written, "JPEG", quality=92)
    return written.getvalue()


def _ask(playground: Playground, user: User, what: bytes | str, caption: str = "") -> None:
    """Send a photo or words, and wait for the last message of the answer."""
    is_photo = isinstance(what, bytes)
    sent = user.send_photo(what, caption) if isinstance(what, bytes) else user.send_text(what)
    is_one = is_photo and caption.startswith("/compare")
    playground.wait_for(
        user.id,
        lambda message: is_one or "reply_markup" in message,
        ANSWER_WITHIN_S,
        after=sent["message_id"],
    )


def _screen(page: Page, url: str, user: User) -> Image.Image:
    """What this person's phone shows."""
    page.goto(url)
    page.locator(".conversation", has_text=user.person.name).first.click()
    page.locator(".theirs").last.wait_for()
    page.mouse.move(SCREEN["width"] - 2, 2)  # away from the messages, which offer their menu
    page.wait_for_load_state()
    time.sleep(1.0)  # its pictures come one by one
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
