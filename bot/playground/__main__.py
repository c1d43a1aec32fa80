"""`python -m bot.playground`: the server and its page, for a bot started by hand."""

import argparse
import sys
import threading
from pathlib import Path

from bot.playground.playground import TOKEN, Playground


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m bot.playground", description=__doc__)
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback only")
    parser.add_argument("--token", default=TOKEN, help="the bot's")
    parser.add_argument("--samples", type=Path, help="folder of pictures for the page's tray")
    options = parser.parse_args()
    try:
        playground = Playground(
            options.token, options.host, options.port, samples=options.samples
        ).open()
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    playground.everyday_people()
    sys.stdout.write(
        f"Chat page: {playground.url}\n"
        f"For the bot: TELEGRAM_API_URL={playground.url} TELEGRAM_TOKEN={playground.token}\n"
    )
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        playground.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
