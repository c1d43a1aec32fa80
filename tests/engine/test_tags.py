"""Topics that fit: by the words of the demo's encoder, and by the vote of neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.config import load_settings
from engine.drawings import HELD_OUT_SEED, draw
from engine.errors import EmptyLibraryError, EncoderUnavailableError
from engine.library import Library
from engine.search import Search
from engine.tags import Tagger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from engine.config import Settings

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo-encoder"
TOPICS = ("apple", "boat", "butterfly", "car", "clock", "lighthouse", "tree", "umbrella")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    for topic in TOPICS:
        (folder / topic).mkdir()
        for seed in range(4):
            draw(topic, seed, 128).image.save(folder / topic / f"{seed}.jpg")
    return folder


@pytest.fixture(scope="module")
def library(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    settings = load_settings(
        data_dir=tmp_path_factory.mktemp("tags") / "data",
        encoder=f"open_clip:local-dir:{DEMO}",
        device="cpu",
    )
    with Library.open(settings, write=True) as library:
        library.index([drawn])
        yield library


def held_out(topic: str, number: int = 0) -> Image.Image:
    return draw(topic, HELD_OUT_SEED + number, 128).image


def test_words_name_drawings_never_seen(library: Library) -> None:
    tagger = Tagger(library)
    asked = [(topic, number) for topic in TOPICS for number in range(3)]
    right = [tagger.tags(held_out(*each))[0].category == each[0] for each in asked]
    assert sum(right) >= 0.9 * len(asked)


def test_shares_are_of_all_categories_and_in_order(library: Library) -> None:
    tags = Tagger(library).tags(held_out("boat"), limit=20, least_percent=0)
    assert sorted(tag.category for tag in tags) == sorted(TOPICS)
    assert sum(tag.percent for tag in tags) == pytest.approx(100)
    assert [tag.percent for tag in tags] == sorted((tag.percent for tag in tags), reverse=True)
    assert {tag.by for tag in tags} == {"words"}
    assert Tagger(library).tags(held_out("boat"), limit=2, least_percent=0) == tags[:2]
    assert all(
        tag.percent >= 30 for tag in Tagger(library).tags(held_out("boat"), least_percent=30)
    )


def test_a_category_is_embedded_once_and_a_new_one_counts_at_once(
    library: Library, drawn: Path, tmp_path: Path
) -> None:
    tagger = Tagger(library)
    assert tagger.tags(held_out("owl"))[0].category in TOPICS
    draw("owl", 1, 128).image.save(tmp_path / "owl.jpg")
    library.index([tmp_path], category="owl")
    try:
        assert tagger.tags(held_out("owl"))[0].category == "owl"
    finally:
        library.remove(category="owl")
    assert all(tag.category != "owl" for tag in tagger.tags(held_out("owl")))


def test_underscores_in_names_are_read_as_spaces(library: Library, tmp_path: Path) -> None:
    draw("cactus", 1, 128).image.save(tmp_path / "cactus.jpg")
    library.index([tmp_path], category="green_cactus")
    try:
        assert Tagger(library).tags(held_out("cactus"))[0].category == "green_cactus"
    finally:
        library.remove(category="green_cactus")


def test_neighbours_vote_where_the_encoder_reads_no_words(
    settings: Settings, gallery: Path
) -> None:
    with Library.open(settings, write=True) as library:
        library.index([gallery])
        picture = Search(library).open_query(gallery / "tiger" / "2.jpg")
        tags = Tagger(library).tags(picture, least_percent=0)
        assert tags[0].category == "tiger"
        assert {tag.by for tag in tags} == {"neighbours"}
        assert sum(tag.percent for tag in tags) == pytest.approx(100)


def test_without_an_encoder_neighbours_are_found_by_pixels(
    pixel_settings: Settings, gallery: Path
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        with pytest.raises(EmptyLibraryError):
            Tagger(library).tags(held_out("car"))
        library.index([gallery])
        picture = Search(library).open_query(gallery / "red car" / "0.jpg")
        assert Tagger(library).tags(picture)[0].category == "red car"


def test_an_encoder_that_cannot_be_loaded_is_said(
    tmp_path: Path, pixel_settings: Settings, gallery: Path
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        library.index([gallery])
    lost = pixel_settings.model_copy(update={"encoder": f"timm:local-dir:{tmp_path / 'none'}"})
    with Library.open(lost, write=False) as library, pytest.raises(EncoderUnavailableError):
        Tagger(library).tags(held_out("car"))


@pytest.mark.timeout(240)
def test_neighbours_name_unseen_photos(shared_data: Path, tmp_path: Path) -> None:
    encoder = shared_data / "encoders" / "mobilenetv2-imagenet"
    kinds = ("pizza", "lion", "warplane", "goldfish", "castle", "ambulance")
    settings = load_settings(
        data_dir=tmp_path / "data", encoder=f"timm:local-dir:{encoder}", device="cpu"
    )
    with Library.open(settings, write=True) as library:
        for kind in kinds:
            library.index([shared_data / "photos" / "train" / kind], category=kind)
        tagger, search = Tagger(library), Search(library)
        for kind in kinds:
            [photo] = sorted((shared_data / "photos" / "test" / kind).glob("*.jpg"))[:1]
            tags = tagger.tags(search.open_query(photo))
            assert tags[0].category == kind, photo
            assert tags[0].percent > 50
