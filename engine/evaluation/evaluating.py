"""Evaluating: folders of pictures, ready-made vectors, or a library's own pictures."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.errors import no_counterparts, nothing_to_compare
from engine.evaluation.features import FeatureReader
from engine.evaluation.judging import judged
from engine.evaluation.methods import chosen, methods_of
from engine.evaluation.results import Evaluation
from engine.evaluation.rows import StoredRows
from engine.evaluation.scoring import ChromaScorer, EmbeddingScorer, PixelScorer
from engine.evaluation.trial import Picture, Trial
from engine.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray

    from engine.encoders import Encoder
    from engine.evaluation.features import Features
    from engine.evaluation.methods import Method
    from engine.evaluation.results import Outcome
    from engine.evaluation.scoring import Scorer
    from engine.library import Library
    from engine.scan import Problem

SIZES = (16, 80, 448)
"""Sides of thumbnails that are compared where nobody says otherwise."""
LIBRARY_SAMPLE = 200
LIBRARY_LIMIT_S = 45.0
"""A library is asked with so many pictures, or fewer when that would take longer."""
LIBRARY_BLOCK = 16
"""So many at a time: smaller blocks cost more, larger ones make whoever says stop wait."""

Phase = Literal["reading", "comparing"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an evaluation is: files read, or queries asked (once for each kind of rows)."""

    phase: Phase
    done: int
    total: int


def evaluate_folders(
    train: Path,
    test: Path | None = None,
    *,
    metrics: Sequence[str] = ("all",),
    sizes: Sequence[int] = SIZES,
    encoders: Mapping[str, Encoder] | None = None,
    scratch: Path | None = None,
    stop: Event | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Evaluation | None:
    """Ask with the pictures of one folder among those of another; sub-folders are categories.

    Args:
        train: The gallery.
        test: The queries; None to ask with each picture of `train` among all its others.
        metrics: Names as for `methods.chosen`.
        sizes: Sides of the thumbnails for pixel metrics.
        encoders: By name (as in ENCODER), loaded encoders for embedding metrics.
        scratch: Where thumbnails lie meanwhile; None for the system's temporary folder.
        stop: Ends the work soon.
        progress: Told how far it is.

    Returns:
        What was found; None if it was stopped.

    Raises:
        UnknownImageError: A folder does not exist.
        UnknownMetricError: No metric has such a name.
        EvaluationError: No query has a right answer, or no metric is left without an encoder.
        StoreError: Chroma cannot be used.
        OSError: There is no room for the thumbnails.
    """
    start = time.perf_counter()
    encoders = encoders or {}
    methods = methods_of(chosen(metrics), sizes, tuple(encoders))
    if not methods:
        raise nothing_to_compare()
    needed = sorted({method.size for method in methods if method.size is not None})
    used = {method.encoder for method in methods}
    reader = FeatureReader(
        needed, {name: each for name, each in encoders.items() if name in used}, scratch
    )
    scans = [Scan([folder]) for folder in (train, test) if folder is not None]
    files = [list(scan) for scan in scans]
    total = sum(map(len, files))
    with ExitStack() as stack:
        read: list[Features] = []
        for before, part in zip((0, len(files[0])), files, strict=False):
            features = reader.read(part, stop=stop, progress=_shifted(progress, before, total))
            if features is None:
                return None
            read.append(stack.enter_context(features))
        gallery, queries = read[0], read[-1]
        trial = Trial.of(gallery.pictures, queries.pictures if test is not None else None)
        outcomes: list[Outcome] = []
        for done, scorer in enumerate(_scorers(stack, trial, methods, queries, gallery)):
            parts = len({(method.rows, method.is_approximate) for method in methods})
            asked = len(trial.queries)
            told = _shifted(progress, done * asked, parts * asked, "comparing")
            found = judged(trial, [scorer], stop=stop, progress=told)
            if found is None:
                return None
            outcomes += (
                replace(each, prepare_s=_preparing(queries, each.method)) for each in found[1]
            )
    problems: list[Problem] = [each for scan in scans for each in scan.problems]
    problems += [each for features in read for each in features.problems]
    copies = sum(features.copies for features in read)
    return Evaluation(trial, tuple(outcomes), time.perf_counter() - start, problems, copies)


def evaluate_vectors(
    pictures: Sequence[Picture],
    vectors: NDArray[np.float32],
    *,
    encoder: str,
    metrics: Sequence[str] = ("all",),
) -> Evaluation:
    """Ask with each of these pictures among all others, by vectors made elsewhere.

    Args:
        pictures: With different ids.
        vectors: (n, d), unit rows.
        encoder: What made them.
        metrics: Names as for `methods.chosen`; pixel metrics are passed over.

    Raises:
        EvaluationError: No two pictures are of one category.
    """
    start = time.perf_counter()
    methods = methods_of(chosen(metrics), (), (encoder,))
    trial = Trial.of(pictures)
    with ExitStack() as stack:
        outcomes: list[Outcome] = []
        for scorer in _vector_scorers(stack, trial, methods, vectors, vectors):
            found = judged(trial, [scorer])
            outcomes += found[1] if found else []
    return Evaluation(trial, tuple(outcomes), time.perf_counter() - start)


def evaluate_library(
    library: Library,
    *,
    sample: int = LIBRARY_SAMPLE,
    metrics: Sequence[str] = ("all",),
    limit_s: float = LIBRARY_LIMIT_S,
    stop: Event | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation | None:
    """Ask a library with some of its own pictures; who else is of the category is right.

    Everyone's pictures only, by their stored thumbnails and vectors: no file is opened. Embeddings
    are left out where the library has none.

    Args:
        library: Open for reading or writing; it may be written meanwhile.
        sample: How many pictures to ask with, drawn at random, the same ones every time.
        metrics: Names as for `methods.chosen`; Chroma is left out, the writer has it in hand.
        limit_s: How long it may take. The queries come in random order, so that what could be
            asked in time is a sample like any other.
        stop: Ends the work soon.
        progress: Told how many queries are done, and of how many.

    Returns:
        What was found; None if it was stopped.

    Raises:
        UnknownMetricError: No metric has such a name.
        EvaluationError: No two pictures are of one category, or no metric is left.
    """
    start = time.perf_counter()
    deadline = time.monotonic() + limit_s
    vectors, encoder = library.vectors, library.settings.encoder
    names = [name for name in chosen(metrics) if name != "chroma"]
    side = library.thumbnails.side
    methods = methods_of(names, [side], [] if vectors is None else [encoder])
    pixel_methods = [method for method in methods if method.size is not None]
    vector_methods = [method for method in methods if method.encoder is not None]
    if not methods:
        raise nothing_to_compare()
    categories = {
        name: each.category
        for each in library.categories()
        for name in library.catalog.ids_in(each.category)
    }
    ids = list(categories)
    view, at = library.thumbnails.located(ids)
    if vectors is not None and vector_methods:
        lacking = set(vectors.missing(ids))
        at = np.where([name in lacking for name in ids], -1, at)
    present = np.flatnonzero(at >= 0)
    present = present[np.argsort(at[present])]  # as they lie in the file
    pictures = [Picture(ids[place], categories[ids[place]]) for place in present.tolist()]
    if not pictures:
        raise no_counterparts()
    trial = Trial.of(pictures, sample=sample)
    with ExitStack() as stack:
        scorers: list[Scorer] = []
        if pixel_methods:
            rows = StoredRows(view, at[present])
            scorers.append(stack.enter_context(PixelScorer(trial, pixel_methods, rows, rows)))
        if vectors is not None and vector_methods:
            stored = vectors.get([picture.id for picture in pictures])
            scorers.append(EmbeddingScorer(trial, vector_methods, stored, stored))
        found = judged(
            trial, scorers, stop=stop, at_most=LIBRARY_BLOCK, deadline=deadline, progress=progress
        )
    if found is None:
        return None
    asked, outcomes = found
    asked = _with_paths(asked, outcomes, library)
    return Evaluation(asked, tuple(outcomes), time.perf_counter() - start)


def _with_paths(trial: Trial, outcomes: Sequence[Outcome], library: Library) -> Trial:
    """The trial with the files of all pictures that a report may show."""
    places = np.unique(np.concatenate([outcome.nearest.ravel() for outcome in outcomes]))
    shown = [trial.gallery[place] for place in places.tolist() if place >= 0]
    facts = library.catalog.facts(picture.id for picture in (*trial.queries, *shown))

    def found(picture: Picture) -> Picture:
        photo = facts.get(picture.id)
        return picture if photo is None else replace(picture, path=photo.path)

    return replace(
        trial,
        queries=tuple(map(found, trial.queries)),
        gallery=tuple(map(found, trial.gallery)),
    )


def _scorers(
    stack: ExitStack,
    trial: Trial,
    methods: Sequence[Method],
    queries: Features,
    gallery: Features,
) -> Iterator[Scorer]:
    """A scorer for each kind of rows, one at a time."""
    by_size: dict[int, list[Method]] = defaultdict(list)
    by_encoder: dict[str, list[Method]] = defaultdict(list)
    for method in methods:
        if method.size is not None:
            by_size[method.size].append(method)
        if method.encoder is not None:
            by_encoder[method.encoder].append(method)
    for size, some in by_size.items():
        with PixelScorer(trial, some, queries.thumbs[size], gallery.thumbs[size]) as scorer:
            yield scorer
    for name, some in by_encoder.items():
        yield from _vector_scorers(stack, trial, some, queries.vectors[name], gallery.vectors[name])


def _vector_scorers(
    stack: ExitStack,
    trial: Trial,
    methods: Sequence[Method],
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
) -> Iterator[Scorer]:
    """The exact scorer of some vectors, and Chroma."""
    exact = [method for method in methods if not method.is_approximate]
    if exact:
        yield EmbeddingScorer(trial, exact, queries, gallery)
    for method in methods:
        if method.is_approximate:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lookalike-chroma-"))
            with ChromaScorer(trial, [method], queries, gallery, Path(folder)) as scorer:
                yield scorer


def _preparing(features: Features, method: Method) -> float | None:
    kind = method.size if method.size is not None else method.encoder
    return None if kind is None else features.seconds.get(kind)


def _shifted(
    progress: Callable[[Progress], None] | None, before: int, total: int, phase: Phase = "reading"
) -> Callable[[int, int], None]:
    """Progress of one part of the work, told as that of all of it."""

    def tell(done: int, _part: int) -> None:
        if progress is not None:
            progress(Progress(phase, before + done, total))

    return tell
