"""Whole evaluations: of folders, of vectors, of a library."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.catalog import Photo
from engine.config import load_settings
from engine.encoders import encoder_from
from engine.errors import LookalikeError, UnknownImageError, UnknownMetricError
from engine.evaluation.evaluating import (
    Progress,
    evaluate_folders,
    evaluate_library,
    evaluate_vectors,
)
from engine.evaluation.methods import chosen, methods_of
from engine.evaluation.trial import Picture
from engine.images import open_image, thumbnail
from engine.library import Library

if TYPE_CHECKING:
    from engine.config import Settings


def test_test_folder_is_asked_among_the_train_folder(colours: Path) -> None:
    found = evaluate_folders(
        colours / "train", colours / "test", metrics=["l1", "cosine"], sizes=[8]
    )
    trial = found.trial
    assert trial.protocol == "train-test"
    assert len(trial.queries) == 6
    assert len(trial.gallery) == 15
    assert all(each.path.is_relative_to(colours / "test") for each in trial.queries)
    assert (trial.relevant == 5).all()
    by_name = {each.method.label: each for each in found.outcomes}
    assert list(by_name) == ["l1 · 8 px", "cosine · 8 px"]
    # Blue is like no other colour, the two greens are mixed up now and then.
    for outcome in by_name.values():
        assert found.by_category(outcome)["blue"] == 1
        assert 0.3 < found.by_category(outcome)["xanh lá"] <= 1
        assert outcome.index_bytes == 15 * 8 * 8 * 3
        assert outcome.search_s > 0
        assert outcome.prepare_s > 0


def test_figures_are_those_of_a_plain_computation(colours: Path) -> None:
    found = evaluate_folders(colours / "train", metrics=["l1"], sizes=[16])
    [outcome] = found.outcomes
    files = sorted((colours / "train").glob("*/*.png"))
    rows = np.stack([thumbnail(open_image(file), 16).reshape(-1) for file in files]).astype(int)
    kinds = np.array([file.parent.name for file in files])
    precisions = []
    for at in range(len(files)):
        distances = np.abs(rows - rows[at]).sum(axis=1)
        order = [other for other in np.argsort(distances, kind="stable") if other != at]
        right = kinds[order] == kinds[at]
        precisions.append(((np.cumsum(right) / np.arange(1, len(right) + 1)) * right).sum() / 4)
    assert outcome.estimates["mAP"].value == pytest.approx(np.mean(precisions))


def test_leave_one_out_asks_with_every_picture(colours: Path) -> None:
    found = evaluate_folders(colours / "train", metrics=["pearson"], sizes=[8, 16])
    assert found.trial.protocol == "leave-one-out"
    assert len(found.trial.queries) == len(found.trial.gallery) == 15
    assert [each.method.size for each in found.outcomes] == [8, 16]
    for outcome in found.outcomes:
        assert (outcome.nearest[:, 0] != np.arange(15)).all()


def test_copies_and_broken_files_are_left_out_and_said(colours: Path, tmp_path: Path) -> None:
    train = tmp_path / "train"
    shutil.copytree(colours / "train", train)
    shutil.copy(train / "blue" / "0.png", train / "blue" / "copy.png")
    (train / "blue" / "broken.jpg").write_bytes(b"no picture")
    # A query that lies in the gallery too must not find itself.
    test = tmp_path / "test" / "blue"
    test.mkdir(parents=True)
    shutil.copy(train / "blue" / "1.png", test / "same.png")
    found = evaluate_folders(train, tmp_path / "test", metrics=["l1"], sizes=[8])
    assert found.copies == 1
    assert [Path(problem.path).name for problem in found.problems] == ["broken.jpg"]
    assert found.trial.relevant.tolist() == [4]
    nearest = found.outcomes[0].nearest[0]
    assert found.trial.queries[0].id not in {found.trial.gallery[at].id for at in nearest}


def test_encoders_are_compared_with_chroma_beside_them(colours: Path, tiny_encoder: str) -> None:
    lazy = encoder_from(load_settings(encoder=tiny_encoder, device="cpu"))
    steps: list[Progress] = []
    found = evaluate_folders(
        colours / "train",
        colours / "test",
        metrics=["clip", "clip-l1", "chroma", "l2"],
        sizes=[8],
        encoders={tiny_encoder: lazy.load()},
        progress=steps.append,
    )
    names = [each.method.name for each in found.outcomes]
    assert names == ["l2", "clip", "clip-l1", "chroma"]
    exact, approximate = found.outcomes[1], found.outcomes[3]
    assert (exact.nearest == approximate.nearest).all()
    assert exact.values == pytest.approx(approximate.values)
    assert approximate.method.is_approximate
    assert exact.prepare_s > found.outcomes[0].prepare_s
    assert [step.done for step in steps if step.phase == "reading"] == list(range(1, 22))
    assert (steps[-1].phase, steps[-1].done) == ("comparing", steps[-1].total)


def test_stop_ends_an_evaluation_without_a_result(colours: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def after_three(now: Progress) -> None:
        if now.done == 3:
            stop.set()

    assert (
        evaluate_folders(
            colours / "train", sizes=[8], scratch=tmp_path, stop=stop, progress=after_three
        )
        is None
    )
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_evaluated_is_said_in_words(colours: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownImageError):
        evaluate_folders(tmp_path / "nowhere")
    with pytest.raises(UnknownMetricError):
        evaluate_folders(colours / "train", metrics=["l3"])
    with pytest.raises(LookalikeError, match="encoder"):
        evaluate_folders(colours / "train", metrics=["clip"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(LookalikeError, match="nothing to evaluate"):
        evaluate_folders(tmp_path / "empty", metrics=["l1"], sizes=[8])


def test_names_of_metrics_may_be_aliases_and_all() -> None:
    assert chosen(["all"]) == chosen(["chroma", "clip", "Manhattan", *chosen(["all"])])
    assert chosen([" Euclidean", "clip-cosine"]) == ("clip", "l2")
    methods = methods_of(chosen(["all"]), [16, 80], ["clip", "timm:vgg16"])
    assert len(methods) == 2 * 4 + 2 * 5
    assert len({method.slug for method in methods}) == len(methods)


def test_perfect_and_worthless_vectors_are_told_apart() -> None:
    pictures = [Picture(f"{n + 1:016x}", f"c{n % 5}") for n in range(50)]
    perfect = np.eye(5, dtype=np.float32)[np.arange(50) % 5]
    noise = np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32)
    good = evaluate_vectors(pictures, perfect, encoder="x", metrics=["clip"]).outcomes[0]
    bad = evaluate_vectors(pictures, noise, encoder="x", metrics=["clip"]).outcomes[0]
    assert good.estimates["mAP"].value == good.estimates["nDCG@10"].value == pytest.approx(1)
    assert good.estimates["R@5"].value == pytest.approx(5 / 9)
    assert bad.estimates["P@5"].value == pytest.approx(9 / 49, abs=0.08)


# The library


@pytest.fixture
def library(settings: Settings, colours: Path):
    with Library.open(settings, write=True) as opened:
        opened.index([colours / "train"])
        yield opened


def test_library_is_asked_with_its_own_pictures(library: Library, colours: Path) -> None:
    told: list[tuple[int, int]] = []
    found = evaluate_library(library, progress=lambda done, total: told.append((done, total)))
    names = [each.method.name for each in found.outcomes]
    assert names == [
        "l1", "l2", "cosine", "correlation", "clip", "clip-l1", "clip-l2", "clip-correlation",
    ]  # fmt: skip
    assert told[-1] == (15, 15)
    assert len(found.trial.queries) == 15
    assert all(each.path.is_file() for each in found.trial.queries)
    # The same as from the files, at the library's size of thumbnails.
    files = evaluate_folders(colours / "train", metrics=["l1", "correlation"], sizes=[64])
    for name in ("l1", "correlation"):
        ours, theirs = (
            next(each for each in every.outcomes if each.method.name == name)
            for every in (found, files)
        )
        assert ours.estimates["mAP"].value == pytest.approx(theirs.estimates["mAP"].value)


def test_library_can_be_evaluated_by_a_reader_and_in_part(library: Library) -> None:
    with Library.open(library.settings, write=False) as reader:
        found = evaluate_library(reader, sample=4, metrics=["l2", "clip"])
    assert len(found.trial.queries) == 4
    assert len(found.trial.gallery) == 15
    assert len(found.outcomes) == 2


def test_library_without_vectors_is_evaluated_by_pixels(
    pixel_settings: Settings, colours: Path
) -> None:
    with Library.open(pixel_settings, write=True) as library:
        with pytest.raises(LookalikeError, match="nothing to evaluate"):
            evaluate_library(library)
        library.index([colours / "train"])
        found = evaluate_library(library)
        assert {each.method.metric.space for each in found.outcomes} == {"pixels"}
        with pytest.raises(LookalikeError, match="encoder"):
            evaluate_library(library, metrics=["clip", "chroma"])


def test_removed_and_private_pictures_take_no_part(library: Library, colours: Path) -> None:
    library.remove(paths=[colours / "train" / "blue" / "0.png"])
    everyones = set(library.catalog.all_ids())
    mine = "00000000000000aa"
    library.catalog.add_pending([Photo(mine, "blue", 64, 64, 0, owner=7)])
    library.thumbnails.add([mine], library.thumbnails.get([min(everyones)]))
    library.vectors.add([mine], library.vectors.get([min(everyones)]), shared=[False])
    library.catalog.mark_ready([mine])
    found = evaluate_library(library, metrics=["l1", "clip"])
    assert {each.id for each in found.trial.gallery} == everyones
    assert len(everyones) == 14


def test_evaluation_of_a_library_stops_and_keeps_to_its_time(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    stop.set()
    assert evaluate_library(library, stop=stop) is None
    monkeypatch.setattr("engine.evaluation.evaluating.LIBRARY_BLOCK", 4)
    # No time at all is enough for one block, whose queries are the sample then.
    found = evaluate_library(library, limit_s=0.0)
    assert len(found.trial.queries) == len(found.outcomes[0].values) == 4
    assert len(found.trial.right) == len(found.trial.own) == 4
