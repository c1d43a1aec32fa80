"""What a chat has chosen, and the file ids Telegram gave for the library's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import case, delete, select

from engine.schema import Chat, Image, TelegramFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select

    from engine.catalog import Catalog
    from engine.query import Scope


@dataclass(frozen=True, slots=True)
class Choices:
    """A chat's settings; None where the bot's default holds.

    `scope` is where its questions look, `may_save` whether a group keeps pictures of its own.
    """

    metric: str | None = None
    topk: int | None = None
    language: str | None = None
    scope: Scope | None = None
    may_save: bool | None = None


class Preferences:
    """Settings per chat. Methods block on the database: call them off the event loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def of(self, chat_id: int) -> Choices:
        """What this chat has chosen."""
        with self._catalog.session(read_only=True) as session:
            chat = session.get(Chat, chat_id)
            if chat is None:
                return Choices()
            scope = cast("Scope | None", chat.scope)
            return Choices(chat.metric, chat.topk, chat.language, scope, chat.may_save)

    def choose(
        self,
        chat_id: int,
        *,
        metric: str | None = None,
        topk: int | None = None,
        language: str | None = None,
        scope: Scope | None = None,
        may_save: bool | None = None,
    ) -> None:
        """Remember the given choices; the others stay."""
        chosen: dict[str, object] = {"metric": metric, "topk": topk, "language": language}
        chosen |= {"scope": scope, "may_save": may_save}
        with self._catalog.session() as session:
            chat = session.get(Chat, chat_id) or Chat(id=chat_id)
            session.add(chat)
            for name, value in chosen.items():
                if value is not None:
                    setattr(chat, name, value)

    def forget(self, chat_id: int) -> None:
        """Drop everything known about a chat (it blocked the bot)."""
        with self._catalog.session() as session:
            session.execute(delete(Chat).where(Chat.id == chat_id))


class FileIds:
    """Telegram's file ids of pictures already uploaded by this bot. Blocks on the database."""

    def __init__(self, catalog: Catalog, bot_id: int) -> None:
        self._catalog = catalog
        self._bot_id = bot_id

    def known(self, image_ids: Iterable[str]) -> dict[str, str]:
        """File id by image id, for those that have one."""
        wanted = list(image_ids)
        query = select(TelegramFile.image_id, TelegramFile.file_id).where(
            TelegramFile.bot_id == self._bot_id, TelegramFile.image_id.in_(wanted)
        )
        with self._catalog.session(read_only=True) as session:
            return {row.image_id: row.file_id for row in session.execute(query)}

    def shared(self, categories: Sequence[str], *, limit: int, offset: int = 0) -> dict[str, str]:
        """File id by image id, for everyone's pictures of these categories that have one.

        Args:
            categories: In the order in which their pictures come, those of one by id.
            limit: At most so many.
            offset: So many are passed over.
        """
        query = self._shared().where(Image.category.in_(list(categories)))
        if len(categories) > 1:
            places = {name: place for place, name in enumerate(categories)}
            query = query.order_by(case(places, value=Image.category))
        return self._read(query.order_by(Image.id).offset(offset).limit(limit))

    def shared_from(self, first: str, *, limit: int, before: str | None = None) -> dict[str, str]:
        """File id by image id, for everyone's pictures from one id on (and before another)."""
        query = self._shared().where(TelegramFile.image_id >= first)
        if before is not None:
            query = query.where(TelegramFile.image_id < before)
        return self._read(query.order_by(TelegramFile.image_id).limit(limit))

    def _shared(self) -> Select[str, str]:
        return (
            select(TelegramFile.image_id, TelegramFile.file_id)
            .join(Image, Image.id == TelegramFile.image_id)
            .where(
                TelegramFile.bot_id == self._bot_id,
                Image.state == "ready",
                Image.owner.is_(None),
            )
        )

    def _read(self, query: Select[str, str]) -> dict[str, str]:
        with self._catalog.session(read_only=True) as session:
            return {row.image_id: row.file_id for row in session.execute(query)}

    def remember(self, file_ids: Mapping[str, str]) -> None:
        """Store file ids by image id; a new one replaces the old."""
        with self._catalog.session() as session:
            for image_id, file_id in file_ids.items():
                session.merge(TelegramFile(bot_id=self._bot_id, image_id=image_id, file_id=file_id))

    def drop(self, image_ids: Iterable[str]) -> None:
        """Forget the file ids of these pictures: Telegram no longer accepts them."""
        with self._catalog.session() as session:
            session.execute(
                delete(TelegramFile).where(
                    TelegramFile.bot_id == self._bot_id,
                    TelegramFile.image_id.in_(list(image_ids)),
                )
            )
