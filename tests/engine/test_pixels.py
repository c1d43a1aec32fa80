"""Pixel search: exact, ordered as defined, and the same with and without pruning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import metrics
from engine.errors import StoreError
from engine.images import open_image, thumbnail
from engine.pixels import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMULAS = ("l1", "l2", "cosine", "correlation")


def named(numbers: range | list[int]) -> list[str]:
    return [f"{number:016x}" for number in numbers]


def soft(count: int, seed: int, side: int = 64) -> np.ndarray:
    """Pictures with the smooth look of photos: enlarged noise plus a little grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (count, side // 8, side // 8, 3), dtype=np.uint8)
    fine = np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)
    return fine + rng.integers(0, 56, fine.shape, dtype=np.uint8)


def defined(
    query: np.ndarray, thumbs: np.ndarray, ids: list[str], formula: str, k: int
) -> list[tuple[str, float]]:
    """The answer by `engine.metrics` alone."""
    flat = thumbs.reshape(len(thumbs), -1)
    values = metrics.scores(formula, query.reshape(1, -1), flat)[0]
    keys = np.array([int(name, 16) for name in ids], np.uint64)
    same = (flat == query.reshape(-1)).all(axis=1)
    return [(ids[at], values[at]) for at in metrics.best(formula, values, keys, k, same=same)]


def agree(found: list[tuple[str, float]], expected: list[tuple[str, float]]) -> bool:
    names = [name for name, _ in found] == [name for name, _ in expected]
    values = np.allclose(
        [value for _, value in found], [value for _, value in expected], rtol=1e-9, atol=1e-9
    )
    return names and values


@pytest.fixture(scope="module")
def soft_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Thumbnails, np.ndarray]]:
    """1,600 smooth pictures, some of them twice, inverted, constant or black."""
    thumbs = soft(1600, seed=1)
    thumbs[100:110] = thumbs[10]
    thumbs[200:400] = 255 - thumbs[:200]
    thumbs[500:505] = np.arange(5, dtype=np.uint8)[:, None, None, None] * 50
    thumbs[600] = thumbs[601] // 2
    with Thumbnails.open(tmp_path_factory.mktemp("soft") / "t.rows", write=True) as store:
        store.add(named(range(1, 1601)), thumbs)
        store.warm()
        yield store, thumbs


@pytest.mark.parametrize("formula", FORMULAS)
def test_answers_are_those_of_the_definition(
    soft_store: tuple[Thumbnails, np.ndarray], formula: str
) -> None:
    store, thumbs = soft_store
    queries = [*soft(2, seed=2), thumbs[10], thumbs[0] // 3, np.zeros_like(thumbs[0])]
    for query in queries:
        expected = defined(query, thumbs, named(range(1, 1601)), formula, 100)
        for k in (1, 7, 100):
            for prune in (True, False):
                assert agree(store.search(query, formula, k, prune=prune), expected[:k])


@pytest.mark.parametrize("formula", FORMULAS)
def test_same_picture_comes_first_under_every_metric(
    soft_store: tuple[Thumbnails, np.ndarray], formula: str
) -> None:
    store, thumbs = soft_store
    for at in (0, 10, 250, 500, 501, 504, 600, 1599):
        assert store.search(thumbs[at], formula, 5)[0][0] == named([at + 1])[0]


@pytest.mark.parametrize("formula", FORMULAS)
def test_duplicates_are_ordered_by_id_also_at_the_last_place(
    soft_store: tuple[Thumbnails, np.ndarray], formula: str
) -> None:
    store, thumbs = soft_store
    for prune in (True, False):
        found = store.search(thumbs[10], formula, 4, prune=prune)
        assert [name for name, _ in found] == named([11, 101, 102, 103])


@pytest.mark.parametrize("formula", FORMULAS)
def test_pruning_changes_nothing_on_noise_and_on_hardly_differing_pictures(
    tmp_path: Path, formula: str
) -> None:
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (1500, 16, 16, 3), dtype=np.uint8)
    flat = (100 + (rng.random((1500, 16, 16, 3)) < 0.002)).astype(np.uint8)
    with Thumbnails.open(tmp_path / "t.rows", side=16, write=True) as store:
        store.add(named(range(1, 3001)), np.concatenate([noise, flat]))
        for query in (noise[3], flat[3], flat[4] + np.uint8(1), 255 - noise[5]):
            for k in (1, 10, 100):
                assert store.search(query, formula, k) == store.search(
                    query, formula, k, prune=False
                )


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_pruning_changes_nothing_on_any_gallery(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    side = data.draw(st.sampled_from([4, 8, 12]))
    levels = data.draw(st.sampled_from([2, 5, 256]))
    smooth = data.draw(st.booleans())
    thumbs = rng.integers(0, levels, (1400, side, side, 3)).astype(np.uint8)
    if smooth:
        thumbs[:] = thumbs[:, :1, :1] + thumbs // 64
    formula = data.draw(st.sampled_from(FORMULAS))
    k = data.draw(st.integers(1, 30))
    with Thumbnails.open(tmp_path_factory.mktemp("any") / "t.rows", side=side, write=True) as store:
        store.add(named(rng.permutation(np.arange(1, 1401)).tolist()), thumbs)
        query = thumbs[int(rng.integers(1400))]
        assert store.search(query, formula, k) == store.search(query, formula, k, prune=False)


@pytest.mark.parametrize("formula", FORMULAS)
def test_among_keeps_to_some_ids(soft_store: tuple[Thumbnails, np.ndarray], formula: str) -> None:
    store, thumbs = soft_store
    query = soft(1, seed=8)[0]
    for numbers in (range(1, 1601, 2), range(1, 1500), range(40, 60), [7]):
        chosen = named(list(numbers))
        at = [int(name, 16) - 1 for name in chosen]
        found = store.search(query, formula, 12, among=[*chosen, "00000000000f0000"])
        assert agree(found, defined(query, thumbs[at], chosen, formula, 12))
    assert store.search(query, formula, 5, among=[]) == []


def test_more_asked_than_there_are_gives_all(tmp_path: Path) -> None:
    thumbs = soft(5, seed=3)
    with Thumbnails.open(tmp_path / "t.rows", write=True) as store:
        assert store.search(thumbs[0], "l1", 10) == []
        store.add(named(range(1, 6)), thumbs)
        assert len(store.search(thumbs[0], "l2", 100)) == 5
        assert store.search(thumbs[0], "l2", 0) == []


def test_changes_show_in_the_next_search(tmp_path: Path) -> None:
    thumbs = soft(4000, seed=5)
    ids = named(range(1, 4001))
    with (
        Thumbnails.open(tmp_path / "t.rows", write=True) as store,
        Thumbnails.open(tmp_path / "t.rows", write=False) as reader,
    ):
        for start in range(0, 4000, 1000):
            store.add(ids[start : start + 1000], thumbs[start : start + 1000])
            reader.refresh()
            for each in (store, reader):
                assert each.search(thumbs[start + 5], "correlation", 1)[0] == (ids[start + 5], 1.0)
        assert store.delete([ids[5], ids[5], "ffffffffffffffff"]) == 1
        assert store.search(thumbs[5], "l1", 1)[0][0] != ids[5]
        store.delete(ids[10:2000])
        store.compact()
        reader.refresh()
        kept = [*ids[:5], *ids[6:10], *ids[2000:]]
        remaining = thumbs[[int(name, 16) - 1 for name in kept]]
        for formula in FORMULAS:
            expected = defined(thumbs[3000], remaining, kept, formula, 9)
            assert agree(store.search(thumbs[3000], formula, 9), expected)
            assert agree(reader.search(thumbs[3000], formula, 9), expected)
        store.add([ids[0]], thumbs[3000:3001])
        assert store.search(thumbs[3000], "cosine", 2) == [(ids[0], 1.0), (ids[3000], 1.0)]


def test_threads_ask_at_once_while_pictures_are_added(tmp_path: Path) -> None:
    thumbs = soft(3000, seed=6)
    ids = named(range(1, 3001))
    with (
        Thumbnails.open(tmp_path / "t.rows", write=True) as store,
        ThreadPoolExecutor(8) as pool,
    ):
        store.add(ids[:1500], thumbs[:1500])
        asked = [
            pool.submit(store.search, thumbs[at], FORMULAS[at % 4], 3) for at in range(0, 1500, 10)
        ]
        for start in range(1500, 3000, 100):
            store.add(ids[start : start + 100], thumbs[start : start + 100])
        assert [each.result()[0][0] for each in asked] == ids[:1500:10]


def test_thumbnails_are_kept_by_id(tmp_path: Path) -> None:
    thumbs = soft(4, seed=7)
    ids = ["ffffffffffffffff", "0000000000000001", "8000000000000000", "00000000deadbeef"]
    with Thumbnails.open(tmp_path / "t.rows", write=True) as store:
        store.add(ids, thumbs)
    with Thumbnails.open(tmp_path / "t.rows", write=False) as store:
        assert len(store) == store.appended == 4
        assert store.ids() == ids
        assert np.array_equal(store.get(ids[::-1]), thumbs[::-1])
        assert store.missing(["00000000000000aa", ids[2]]) == ["00000000000000aa"]
        assert ids[0] in store
        assert store.verify() == []
        assert store.rows.shape == (4, 64 * 64 * 3)
        with pytest.raises(KeyError, match="00000000000000aa"):
            store.get(["00000000000000aa"])


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    with Thumbnails.open(tmp_path / "t.rows", write=True) as store:
        with pytest.raises(ValueError, match="another shape"):
            store.add(["0000000000000001"], np.zeros((1, 32, 32, 3), np.uint8))
        with pytest.raises(ValueError, match="must be"):
            store.search(np.zeros((32, 32, 3), np.uint8), "l1", 1)
    with pytest.raises(StoreError):
        Thumbnails.open(tmp_path / "t.rows", side=32, write=False)


@pytest.mark.parametrize("formula", FORMULAS)
def test_real_photos_are_ranked_as_defined(shared_data: Path, tmp_path: Path, formula: str) -> None:
    photos = shared_data / "photos"
    train, test = (sorted((photos / part).rglob("*.jpg")) for part in ("train", "test"))
    thumbs = np.stack([thumbnail(open_image(path, min_side=64)) for path in train[::2]])
    thumbs = np.concatenate([thumbs, thumbs[:, ::-1], thumbs[:, :, ::-1], 255 - thumbs])
    ids = named(range(1, len(thumbs) + 1))
    with Thumbnails.open(tmp_path / "t.rows", write=True) as store:
        store.add(ids, thumbs)
        for path in test[::6]:
            query = thumbnail(open_image(path, min_side=64))
            expected = defined(query, thumbs, ids, formula, 10)
            assert agree(store.search(query, formula, 10), expected)
