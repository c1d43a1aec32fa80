"""Questions in words, words beside photos, mixes and edited captions, with a model that reads."""

from __future__ import annotations

import asyncio
import io
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from bot.demo import demo_encoder
from engine.config import load_settings
from engine.drawings import draw as drawn
from tests.bot.conftest import RunBot, answer_to, draw

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground import Playground, User

TOPICS = ("apple", "boat", "cat", "mountain", "umbrella")
PER_TOPIC = 8
HELD_OUT = 900


def drawing(topic: str, seed: int = HELD_OUT) -> bytes:
    written = io.BytesIO()
    drawn(topic, seed).image.save(written, "JPEG", quality=92)
    return written.getvalue()


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `DATA_DIR` of drawings, indexed with the encoder that knows them."""
    from engine.library import Library

    folder = tmp_path_factory.mktemp("drawings")
    for topic in TOPICS:
        (folder / "pictures" / topic).mkdir(parents=True)
        for seed in range(PER_TOPIC):
            (folder / "pictures" / topic / f"{seed}.jpg").write_bytes(drawing(topic, seed))
    encoder = f"open_clip:local-dir:{demo_encoder()}"
    settings = load_settings(data_dir=folder / "data", encoder=encoder, _env_file=None)
    with Library.open(settings, write=True) as library:
        library.index([folder / "pictures"])
    return folder / "data"


@pytest.fixture
def run_reader(run_bot: RunBot, drawings: Path, tmp_path: Path) -> Any:
    """The bot over the drawings, with a model that reads words."""
    shutil.copytree(drawings, tmp_path / "drawings")
    encoder = f"open_clip:local-dir:{demo_encoder()}"
    return lambda **changes: run_bot(
        **{"data_dir": tmp_path / "drawings", "encoder": encoder, **changes}
    )


@pytest.fixture
def sam(playground: Playground) -> User:
    return playground.user(1, "Sam", "en")


def categories(captions: list[str]) -> list[str]:
    return [caption.split(" · ")[1] for caption in captions]


async def say(playground: Playground, user: User, text: str, **where: Any) -> Any:
    sent = await asyncio.to_thread(user.send_text, text, **where)
    return await answer_to(playground, sent)


async def test_words_bring_what_they_say(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        plain = await say(playground, sam, "a red apple")
        command = await say(playground, sam, "/text a boat on the water /topk 2")
        within = await say(playground, sam, "an apple #cat")
    assert categories(plain.captions) == ["apple"] * 3
    assert categories(command.captions) == ["boat"] * 2
    assert categories(within.captions) == ["cat"] * 3
    assert "reply_markup" in plain.words


async def test_what_follows_a_dash_is_left_out(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        answer = await say(playground, sam, "an animal or fruit -cat /topk 10")
        lone = await say(playground, sam, "apple - cat")
    assert "cat" not in categories(answer.captions)
    assert not lone.captions
    assert "dash" in lone.words["text"].lower()


async def test_photo_with_words_is_asked_with_both(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        sent = await asyncio.to_thread(sam.send_photo, drawing("cat"), "with an umbrella /topk 8")
        both = await answer_to(playground, sent)
        sent = await asyncio.to_thread(sam.send_photo, drawing("cat"), "/topk 8")
        alone = await answer_to(playground, sent)
    assert set(categories(alone.captions)) == {"cat"}
    assert "umbrella" in categories(both.captions)
    assert "cat" in categories(both.captions)


async def test_mix_joins_a_reply_and_the_photo_it_replies_to(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        first = await asyncio.to_thread(sam.send_photo, drawing("boat"))
        await answer_to(playground, first)
        sent = await asyncio.to_thread(
            sam.send_photo, drawing("apple"), "/mix /topk 10", reply_to=first["message_id"]
        )
        mixed = await answer_to(playground, sent)
        worded = await say(playground, sam, "/mix a cat /topk 10", reply_to=first["message_id"])
        alone = await say(playground, sam, "/mix")
    assert {"boat", "apple"} <= set(categories(mixed.captions))
    assert "cat" in categories(worded.captions)
    assert "captioned /mix" in alone.words["text"]


async def test_button_keeps_to_the_category_of_the_best_match_and_back(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        sent = await asyncio.to_thread(sam.send_photo, drawing("mountain"), "/topk 10")
        first = await answer_to(playground, sent)
        await asyncio.to_thread(sam.press, first.words, "Only #mountain")
        only = await answer_to(playground, first.words)
        await asyncio.to_thread(sam.press, only.words, "All categories")
        again = await answer_to(playground, only.words)
    assert len(set(categories(first.captions))) > 1
    assert categories(only.captions) == ["mountain"] * PER_TOPIC
    assert again.captions == first.captions


async def test_caption_changed_within_a_minute_asks_again(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader():
        sent = await asyncio.to_thread(sam.send_photo, drawing("cat"), "/topk 2")
        first = await answer_to(playground, sent)
        await asyncio.to_thread(sam.edit, sent, "/topk 4 #boat")
        second = await answer_to(playground, first.words)
        await asyncio.sleep(0.5)
    assert categories(second.captions) == ["boat"] * 4
    assert sum("reply_markup" in m for m in playground.answers(1)) == 2


async def test_model_that_reads_no_vietnamese_recommends_one_that_does(
    run_reader: Any, playground: Playground
) -> None:
    linh = playground.user(2, "Linh", "vi")
    async with run_reader():
        answer = await say(playground, linh, "quả táo màu đỏ")
        nothing = await say(playground, linh, "/text")
    assert "clip-multilingual" in answer.words["text"]
    assert "Bạn muốn tìm gì?" in nothing.words["text"]


async def test_words_without_a_model_get_one_helpful_line(
    run_bot: RunBot, playground: Playground, sam: User
) -> None:
    async with run_bot():
        words = await say(playground, sam, "red car")
        sent = await asyncio.to_thread(sam.send_photo, draw("sky", 0), "but at night")
        photo = await answer_to(playground, sent)
    assert not words.captions
    assert "no image model" in words.words["text"]
    assert len(photo.captions) == 3


async def test_words_beside_a_photo_are_left_out_where_pixels_are_compared(
    run_reader: Any, playground: Playground, sam: User
) -> None:
    async with run_reader(metric="l1"):
        sent = await asyncio.to_thread(sam.send_photo, drawing("cat"), "at night")
        photo = await answer_to(playground, sent)
        words = await say(playground, sam, "a red apple")
    assert "I looked at the picture only" in photo.words["text"]
    assert categories(words.captions) == ["apple"] * 3, "words have no pixels: clip compares them"


async def test_words_over_an_empty_library(
    run_reader: Any, playground: Playground, sam: User, tmp_path: Path
) -> None:
    async with run_reader(data_dir=tmp_path / "none"):
        answer = await say(playground, sam, "red car")
    assert "empty" in answer.words["text"]
