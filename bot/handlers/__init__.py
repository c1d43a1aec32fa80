"""What the bot reacts to, by topic. A new topic (crawling, collections, …) gets a module here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.answer import Answerer
from bot.handlers import (
    buttons,
    categories,
    chance,
    choices,
    collecting,
    commands,
    crawls,
    evaluation,
    inline,
    leaving,
    mine,
    photos,
    saving,
    schedules,
    showing,
    stats,
    trouble,
    words,
)

if TYPE_CHECKING:
    from bot.app import BotApplication
    from bot.crawling import Crawling
    from bot.desk import Desk
    from bot.evaluating import Evaluating
    from bot.rota import Rota


def register(
    app: BotApplication, desk: Desk, *, crawling: Crawling, rota: Rota, evaluating: Evaluating
) -> None:
    """Add every handler. PTB gives an update to the first that takes it: the order matters."""
    answerer = Answerer(desk)
    for handler in (
        *collecting.handlers(desk, crawling),
        *showing.handlers(desk),
        *saving.handlers(desk),
        *photos.handlers(desk, answerer),
        *categories.handlers(desk, answerer),  # its deep links before any other /start
        *chance.handlers(desk),
        *inline.handlers(desk),
        *mine.handlers(desk),
        *leaving.handlers(desk),
        *stats.handlers(desk),
        *commands.handlers(desk),
        *choices.handlers(desk),
        *crawls.handlers(desk, crawling),
        *evaluation.handlers(desk, evaluating),
        *schedules.handlers(desk, rota),
        *buttons.handlers(desk, answerer),
        *words.handlers(desk, answerer),
        *commands.last_handlers(desk),
    ):
        app.add_handler(handler)
    app.add_error_handler(trouble.handler(desk))
