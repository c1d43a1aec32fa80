"""/compare, /tag and /locate: one picture that answers, in the playground."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from bot.playground import Photo
from tests.bot.conftest import RunBot, draw

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground import Playground, User


@pytest.fixture
def sam(playground: Playground) -> User:
    return playground.user(1, "Sam", "en")


async def ask(user: User, playground: Playground, data: bytes, caption: str) -> dict[str, Any]:
    """The one answer to a picture."""
    sent = await asyncio.to_thread(user.send_photo, data, caption)
    return await answer(playground, sent)


async def answer(playground: Playground, sent: dict[str, Any]) -> dict[str, Any]:
    return await playground.until(sent["chat"]["id"], after=sent["message_id"], timeout=30)


def size(playground: Playground, message: dict[str, Any]) -> tuple[int, int]:
    data = playground.file(message["photo"][-1]["file_id"])
    return Image.open(io.BytesIO(data)).size


def cut_out(data: bytes, box: tuple[int, int, int, int], scale: float = 1.0) -> bytes:
    image = Image.open(io.BytesIO(data)).crop(box)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def scene() -> bytes:
    """A picture in which no two places look alike."""
    written = io.BytesIO()
    image = Image.effect_noise((40, 30), 90).convert("RGB").resize((640, 480), Image.BICUBIC)
    image.save(written, "PNG")
    return written.getvalue()


async def test_compare_draws_a_row_for_every_metric(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    async with run_bot():
        all_rows = await ask(sam, playground, draw("tiger", 0), "/compare")
        one_row = await ask(sam, playground, draw("tiger", 0), "/compare /metric l1 /topk 4 #sky")
        photo = await asyncio.to_thread(sam.send_photo, draw("sky", 0))
        await playground.until(1, lambda m: "reply_markup" in m, after=photo["message_id"])
        sent = await asyncio.to_thread(sam.send_text, "/compare", reply_to=photo["message_id"])
        replied = await answer(playground, sent)
    assert "every metric" in all_rows["caption"]
    assert all_rows["reply_to_message"]["caption"] == "/compare"
    assert size(playground, all_rows)[1] > size(playground, one_row)[1]
    assert replied["photo"]


async def test_compare_counts_embeddings_where_there_is_an_encoder(
    run_bot: RunBot, playground: Playground, sam: User, settings: Any
) -> None:
    from bot.demo import demo_encoder
    from engine.library import Library

    encoder = f"open_clip:local-dir:{demo_encoder()}"
    with Library.open(settings.model_copy(update={"encoder": encoder}), write=True) as library:
        library.index([])
    async with run_bot():
        pixels = await ask(sam, playground, draw("tiger", 0), "/compare")
    async with run_bot(encoder=encoder):
        both = await ask(sam, playground, draw("tiger", 0), "/compare")
        tags = await ask(sam, playground, draw("tiger", 0), "/tag")
    area = [width * height for width, height in (size(playground, pixels), size(playground, both))]
    assert area[1] > area[0]
    assert "By the names of my categories." in tags["caption"]


async def test_tag_names_the_categories_that_fit(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    linh = playground.user(2, "Linh", "vi")
    async with run_bot():
        english = await ask(sam, playground, draw("tiger", 1), "/tag")
        vietnamese = await ask(linh, playground, draw("sky", 1), "/tag")
    assert english["caption"].startswith("tiger ")
    assert "By the pictures most like it." in english["caption"]
    assert vietnamese["caption"].startswith("sky ")
    assert "Dựa vào những ảnh giống nhất." in vietnamese["caption"]


async def test_locate_finds_a_cut_out_whichever_way_round(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    whole = scene()
    part = cut_out(whole, (300, 120, 460, 260), 1.5)
    async with run_bot():
        photo = await asyncio.to_thread(sam.send_document, whole, "whole.png", "image/png")
        await playground.until(1, lambda m: "reply_markup" in m, after=photo["message_id"])
        sent = await asyncio.to_thread(
            sam.send_document, part, "part.png", "image/png", "/locate",
            reply_to=photo["message_id"],
        )  # fmt: skip
        found = await answer(playground, sent)
        photo = await asyncio.to_thread(sam.send_document, part, "part.png", "image/png")
        await playground.until(1, lambda m: "reply_markup" in m, after=photo["message_id"])
        sent = await asyncio.to_thread(
            sam.send_document, whole, "whole.png", "image/png", "/locate",
            reply_to=photo["message_id"],
        )  # fmt: skip
        turned = await answer(playground, sent)
        album = await asyncio.to_thread(
            sam.send_album, [Photo(whole, "/locate"), Photo(draw("sky", 3))]
        )
        absent = await answer(playground, album[-1])
    for message in (found, turned):
        assert message["caption"].startswith("Here it is, ")
    assert absent["caption"] == "I can't find the cut-out in this photo."


@pytest.mark.parametrize("command", ["compare", "tag", "locate"])
async def test_command_without_a_picture_says_how(
    run_bot: RunBot, playground: Playground, sam: User, command: str
) -> None:
    linh = playground.user(2, "Linh", "vi")
    async with run_bot():
        for user, words in ((sam, "captioned /" + command), (linh, "kèm chú thích /" + command)):
            sent = await asyncio.to_thread(user.send_text, f"/{command}")
            told = await answer(playground, sent)
            assert words in told["text"]
        broken = await asyncio.to_thread(
            sam.send_document, b"no picture", "a.jpg", "image/jpeg", f"/{command}"
        )
        told = await answer(playground, broken)
    assert "text" in told
    assert len(playground.answers(1)) == 2


async def test_commands_over_an_empty_library(
    run_bot: RunBot, playground: Playground, sam: User, tmp_path: Path
) -> None:
    async with run_bot(data_dir=tmp_path / "empty"):
        for command in ("/compare", "/tag"):
            told = await ask(sam, playground, draw("sky", 0), command)
            assert "empty" in told["text"]


async def test_wrong_flag_gets_one_helpful_line(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    async with run_bot():
        told = await ask(sam, playground, draw("sky", 0), "/compare /topk 99")
    assert "choose 1 to 10" in told["text"]


async def test_only_a_caption_that_begins_with_the_command_is_one(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    group = playground.group(-1_001_000_000_001, "Zoo", [sam]).id
    async with run_bot():
        told = await ask(sam, playground, draw("sky", 0), "from example.org/add or/tag this")
        await asyncio.to_thread(sam.send_photo, draw("sky", 0), "/tag@another_bot", chat_id=group)
        sent = await asyncio.to_thread(
            sam.send_photo, draw("sky", 0), "/tag@lookalike_bot", chat_id=group
        )
        own = await answer(playground, sent)
    assert "photo" in told, "an album, as for any words"
    assert own["caption"].startswith("sky ")
    assert len(playground.answers(group)) == 1
