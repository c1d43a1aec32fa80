"""The command-line program: its commands, and how its end is told to people and to scripts.

Nothing heavy is imported here or at the top of a command's module: `lookalike --help` answers at
once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import asking, crawling, evaluating, filling, showing, upkeep
from engine.errors import LookalikeError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "lookalike"


def new_application() -> typer.Typer:
    """The engine's commands; the bot adds its own."""
    application = typer.Typer(
        name=PROGRAM,
        help="Find the pictures that look most like yours.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_options)
    application.command()(filling.index)
    application.command()(asking.search)
    application.command()(showing.compare)
    application.command()(showing.tag)
    application.command()(showing.locate)
    application.command()(crawling.crawl)
    application.command()(evaluating.evaluate)
    application.command()(upkeep.categories)
    application.command()(filling.remove)
    application.add_typer(crawling.exports, name="export")
    application.command()(upkeep.check)
    application.command()(upkeep.stats)
    return application


def run(application: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command line to its end; nothing a user can cause leaves a traceback.

    Args:
        application: The commands.
        arguments: What follows the program's name; `sys.argv` when None.

    Returns:
        The exit code: 0 done, 1 failed (one line on stderr says why), 2 wrong usage,
        130 interrupted.
    """
    try:
        application(args=None if arguments is None else list(arguments), prog_name=PROGRAM)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except LookalikeError as error:
        _say_failed(str(error))
        code = 1
    except BrokenPipeError:
        code = 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say_failed(f"{where}{error.strerror or error}")
        code = 1
    else:
        code = 0
    return code if _flushed() else 1


def _show_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


_VERSION = typer.Option(
    "--version", help="Show the version and exit.", is_eager=True,
    callback=lambda asked: _show_version(asked=asked),
)  # fmt: skip


def _options(*, version: Annotated[bool, _VERSION] = False) -> None:
    """Options of the program itself; typer does what they ask before it comes here."""
    del version


def _say_failed(reason: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{PROGRAM}: {' '.join(reason.split())}\n")


def _flushed() -> bool:
    """Write out what is buffered; whoever read our output may have stopped reading (`| head`)."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at exit and would complain there: give it somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
