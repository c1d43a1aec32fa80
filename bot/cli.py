"""The program `lookalike`: the engine's commands, the bot, and the demo."""

import sys
from typing import Annotated

import typer

from engine.cli import output
from engine.cli.application import new_application, run


def main() -> int:
    """Run the command line; returns the exit code."""
    application = new_application()
    application.command("bot")(_bot)
    application.command("demo")(_demo)
    return run(application)


def _bot(
    *,
    health: Annotated[
        bool, typer.Option("--health", help="Only ask whether the bot that uses DATA_DIR is well.")
    ] = False,
) -> None:
    """Run the Telegram bot; it needs TELEGRAM_TOKEN."""
    from engine.config import load_settings

    settings = load_settings()
    if health:
        from bot.health import is_healthy

        if not is_healthy(settings):
            output.note(f"No bot that uses {settings.data_dir} has shown life of late.")
            raise typer.Exit(1)
        return
    from bot.app import run as run_bot

    raise typer.Exit(run_bot(settings))


def _demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the answer; exit code 0 only if it was right.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the chat page; 0 takes a free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the chat page in the browser.")
    ] = True,
) -> None:
    """Try the bot with drawings, without an account.

    Draws a gallery, indexes it, and starts the real bot against a Bot API server on this machine,
    with a chat page to talk to it. Nothing is downloaded and no token is needed. The demo's small
    model knows drawings only; real photos want a real one.
    """
    from bot.demo import run_demo

    raise typer.Exit(run_demo(once=once, port=port, browser=browser and sys.stdout.isatty()))
