"""The demo: a drawn gallery, the real bot against a playground, one question and its answer."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.filling import INTERRUPTED
from engine.config import Settings, load_settings
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from bot.playground import Playground

TOPK = 5
ASKER, OTHER, ADMIN = 1, 2, 3
"""User ids on the chat page: who asks the first question, who reads Vietnamese, who may do more."""
GROUP = -1_001_000_000_001
"""A group of all three, in which the bot answers whoever addresses it."""
TOPIC = "butterfly"
ANSWER_WITHIN_S = 120.0
"""Loading the encoder is part of the first answer; slow machines take their time."""
ENDS_WITHIN_S = 12.0
"""The bot allows itself ten seconds to finish what is in hand."""
_CAPTION = re.compile(r"#(?P<rank>\d+) · (?P<category>.+) · (?P<percent>\d+)\s?% similar")


class DemoError(LookalikeError):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the album, as its caption tells."""

    rank: int
    category: str
    percent: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered to a picture of `topic`."""

    topic: str
    album: tuple[Shown, ...]
    seconds: float

    @property
    def is_right(self) -> bool:
        """The right number of pictures, the first and more than half of all of the topic."""
        hits = Counter(shown.category for shown in self.album)[self.topic]
        return (
            [shown.rank for shown in self.album] == list(range(1, TOPK + 1))
            and self.album[0].category == self.topic
            and 2 * hits > TOPK
        )


def run_demo(*, once: bool, port: int = 0, browser: bool = False) -> int:
    """Run the demo until Ctrl-C, or until the answer.

    Args:
        once: End after the answer.
        port: Port of the chat page; 0 takes a free one.
        browser: Open the chat page in a browser.

    Returns:
        Exit code; with `once` 0 only if the answer was right.

    Raises:
        DemoError: A part of it did not start, or no answer came.
    """
    from rich.console import Console

    console = Console()
    folder = load_settings().data_dir.absolute() / "demo"
    with _ended_like_ctrl_c():
        try:
            return _run(console, folder, once=once, port=port, browser=browser)
        except KeyboardInterrupt:
            console.print("\nGood-bye.")
            return INTERRUPTED if once else 0


def _run(console: Console, folder: Path, *, once: bool, port: int, browser: bool) -> int:
    from bot.playground import running_playground

    environment = _environment(folder)
    picture = _fill(console, folder, environment)
    # Another bot each time: the playground begins anew, while the data remembers which updates
    # a bot has answered and which files it has sent.
    token = f"{time.time_ns() // 1_000_000}:demo-token-of-no-worth-elsewhere"
    with running_playground(token=token, port=port, samples=folder / "tray") as playground:
        environment |= {
            "TELEGRAM_TOKEN": playground.token,
            "TELEGRAM_API_URL": playground.url,
        }
        with _bot(folder, environment) as bot:
            answer = _ask(playground, bot, folder / "bot.log", picture)
            _show(console, answer, picture)
            if once:
                return 0 if answer.is_right else 1
            _serve(console, playground.url, bot, folder / "bot.log", browser=browser)
    return 0


def demo_encoder() -> Path:
    """Folder of the demo's model: beside the code in a checkout, within it when installed."""
    import engine

    package = Path(engine.__file__).parent
    for folder in (package.parent / "data" / "demo-encoder", package / "demo-encoder"):
        if (folder / "open_clip_config.json").is_file():
            return folder
    raise DemoError("The demo's model is missing from this installation.", key="demo_encoder")


def _environment(folder: Path) -> dict[str, str]:
    """What the demo's processes see: none of the user's own settings, meant for the real bot."""
    mine = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in mine}
    no_proxy = ",".join(filter(None, (kept.get("NO_PROXY"), "127.0.0.1", "localhost")))
    return kept | {
        "DATA_DIR": str(folder / "data"),
        "ENCODER": f"open_clip:local-dir:{demo_encoder()}",
        "METRIC": "clip",
        "TOPK": str(TOPK),
        "ADMIN_IDS": str(ADMIN),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def _fill(console: Console, folder: Path, environment: Mapping[str, str]) -> Path:
    """Draw and index the gallery, and draw the tray; returns the picture to ask with."""
    from engine.cli import progress
    from engine.drawings import HELD_OUT_SEED, write_gallery

    folder.mkdir(parents=True, exist_ok=True)
    with progress.display() as display:
        gallery = write_gallery(
            folder / "gallery",
            progress=lambda done, total: display.show(done, total, "Drawing the gallery"),
        )
        held_out = write_gallery(folder / "tray", 2, first_seed=HELD_OUT_SEED)
    console.print(
        f"{len(gallery)} drawings in {folder / 'gallery'}", soft_wrap=True, highlight=False
    )
    command = [*_lookalike(), "index", str(folder / "gallery")]
    if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
        raise DemoError("The gallery could not be indexed.", key="demo_index")
    return next(path for path in held_out if path.parent.name == TOPIC)


def _lookalike() -> list[str]:
    """The command `lookalike` of this very installation."""
    return [sys.executable, "-m", "bot"]


@contextlib.contextmanager
def _bot(folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The real bot, as a process of its own that ends with the demo. Its log goes to a file.

    It works in the demo's folder, where no `.env` gives it the user's own settings.
    """
    with (folder / "bot.log").open("wb") as log:
        process = subprocess.Popen(
            [*_lookalike(), "bot"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with everything it started."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ask(playground: Playground, bot: subprocess.Popen[bytes], log: Path, picture: Path) -> Answer:
    """Send a picture as a user would, and wait for the album and the message under it."""
    user = playground.user(ASKER, "Sam", language_code="en")
    linh = playground.user(OTHER, "Linh", language_code="vi")
    alex = playground.user(ADMIN, "Alex", language_code="en", is_admin=True)
    playground.group(GROUP, "Drawing club", [user, linh, alex])
    asked = time.monotonic()
    user.send_photo(picture.read_bytes())
    while time.monotonic() - asked < ANSWER_WITHIN_S:
        if bot.poll() is not None:
            raise DemoError(f"The bot ended by itself; its log is {log}.", key="demo_bot")
        messages = playground.answers(ASKER)
        if any("reply_markup" in message for message in messages):
            return Answer(TOPIC, _album(messages), time.monotonic() - asked)
        time.sleep(0.05)
    raise DemoError(f"No answer came; the bot's log is {log}.", key="demo_answer")


def _album(messages: Sequence[Mapping[str, Any]]) -> tuple[Shown, ...]:
    """The pictures among the bot's messages, as their captions tell; a person sees no more."""
    captions = (_CAPTION.match(m.get("caption", "")) for m in messages if "photo" in m)
    return tuple(
        Shown(int(caption["rank"]), caption["category"], int(caption["percent"]))
        for caption in captions
        if caption
    )


def _show(console: Console, answer: Answer, picture: Path) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("category")
    table.add_column("similarity", justify="right")
    for shown in answer.album:
        table.add_row(str(shown.rank), shown.category, f"{shown.percent}%")
    console.print(
        f"\nSent a drawing of a [bold]{answer.topic}[/] that is not in the gallery; "
        f"the bot answered in {answer.seconds:.1f} s:",
        soft_wrap=True,
    )
    console.print(table)
    verdict = "[green]as it should be[/]" if answer.is_right else "[red]not what it should be[/]"
    console.print(f"That is {verdict}. The question: {picture}", soft_wrap=True)
    console.print(
        "[dim]The demo's model was trained on drawings like these and knows nothing else; "
        "for photos, see README.md.[/]",
        soft_wrap=True,
    )


def _serve(
    console: Console, url: str, bot: subprocess.Popen[bytes], log: Path, *, browser: bool
) -> None:
    """Keep the chat page up until Ctrl-C or the bot's end."""
    console.print(f"\nTalk to the bot: [bold link={url}]{url}[/]   (Ctrl-C ends the demo)")
    if browser:
        import webbrowser

        webbrowser.open(url)
    code = bot.wait()
    raise DemoError(f"The bot ended by itself (code {code}); its log is {log}.", key="demo_bot")
