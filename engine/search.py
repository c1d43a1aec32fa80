"""Questions and answers: one `Query` in, a ranked list of `Match` out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import metrics
from engine.encoders.languages import reads
from engine.errors import EmptyLibraryError, StoreError
from engine.images import owned_id
from engine.query import Query, noted_id, open_query, unknown_image
from engine.ranking import HEAD, Rankings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from engine.catalog import Photo
    from engine.library import Library
    from engine.ranking import Ranked, Ranking

__all__ = ["MAX_TOPK", "Match", "Query", "Search"]

MAX_TOPK = 100
PATIENCE = 4096
"""Candidates looked at before giving up on finding enough whose file is there."""


@dataclass(frozen=True, slots=True)
class Match:
    """A picture of the library that answers a query.

    `rank` counts from 1 through all pages; `score` is the metric's own value, `percent` the
    similarity shown to people. `is_weak` says that such a similarity means little in this library:
    see `Search.weak_below`. `owner` is None for what is everyone's, else who asked.
    """

    image_id: str
    rank: int
    score: float
    percent: float
    category: str
    path: Path
    title: str | None
    source: str | None
    landing_page: str | None
    creator: str | None
    licence: str | None
    is_weak: bool = False
    owner: int | None = None


class Search:
    """Answers queries over one open library; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._rankings = Rankings(library)

    def open_query(self, source: bytes | Path) -> Image.Image:
        """Open a picture to ask with, exactly as indexing opens pictures.

        The same bytes then give the same thumbnail and embedding, and a picture that is in the
        library is recognised and comes first.

        Args:
            source: The file's bytes, or its path.

        Raises:
            ImageError: It is no usable picture.
            UnknownImageError: There is no such file, or it cannot be read.
        """
        return open_query(source)

    def weak_below(self, metric: str) -> float:
        """Percent below which a match of pictures is weak, learnt from the library.

        `engine.confidence` says how. Matches of words are weak below 50 under every metric: their
        percentages are made so.

        Raises:
            UnknownMetricError: No such metric.
        """
        return self._rankings.confidence.levels(metrics.metric_named(metric)).weak_below

    def reads(self, text: str) -> bool:
        """Whether the encoder reads the language of a text; true where nobody can tell.

        Where it does not, `ENCODER=clip-multilingual` is what to recommend.
        """
        return reads(self._library.settings.encoder, text)

    def nearest_topics(self, text: str, count: int = 3) -> list[str]:
        """Everyone's categories nearest to words that found nothing: in spelling, then in meaning.

        Raises:
            WordsError: The words cannot be asked with.
        """
        return self._rankings.vocabulary.nearest(text, count)

    def run(self, query: Query) -> list[Match]:
        """Answer a query.

        Of several pictures the mean is asked for: of embeddings the mean of unit vectors, made
        unit again; of pixels the mean thumbnail, whose Euclidean distances rank exactly as the
        mean squared distance to all of them. `engine.composition` says how words are added and
        taken away. A mirrored question has two orders, in which each picture's better score counts.

        Returns:
            At most `topk` matches, best first; fewer or none on the last page. Pictures whose file
            is gone are left out.

        Raises:
            EmptyLibraryError: There is nothing to search yet.
            UnknownCategoryError: No picture has this category; the message names the nearest.
            UnknownImageError: An id in `like` is not (or no longer) in the library.
            UnknownMetricError: No such metric, or a pixel metric for a question in words.
            EncoderUnavailableError: A `clip` metric, and the encoder cannot be loaded.
            NoTextSideError: A question in words, and the encoder reads pictures only.
            WordsError: The words say nothing, or only what to leave out.
            StoreError: The library's files cannot be found at all.
        """
        metric = metrics.metric_named(query.metric)
        if not (query.images or query.like or query.text):
            raise ValueError("a query needs a picture, an id or words")
        if not query.owners:
            raise ValueError("only somebody's own pictures, but nobody's")
        if not 1 <= query.topk <= MAX_TOPK or query.page < 0:
            raise ValueError(f"topk must be 1 to {MAX_TOPK}, page 0 or more")
        self._library.refresh()
        if not len(self._library.thumbnails) or not self._library.catalog.holds_any(query.owners):
            raise _empty(query)
        self._refuse_unknown(query)
        among = self._among(query)
        ranking = self._rankings.of(query, metric)
        found = self._shown(query, ranking, among)
        first = query.page * query.topk
        return [
            _match(photo, rank, score, ranking)
            for rank, (photo, score) in enumerate(
                found[first : first + query.topk], start=first + 1
            )
        ]

    def _shown(
        self, query: Query, ranking: Ranking, among: Sequence[str] | None
    ) -> list[tuple[Photo, float]]:
        """What can be shown, best first, up to the end of the page asked for.

        That is everyone's pictures and the asker's own, those whose file is there. The asked
        picture itself leads, before any other that happens to score the same.
        """
        wanted = (query.page + 1) * query.topk
        shown: list[tuple[Photo, float]] = []
        same = [name for name in _same_picture(query) if among is None or name in among]
        if same:
            shown = self._visible(query, ranking, ranking.best(len(same), same))[0]
        hidden = {*query.like, *(photo.id for photo, _ in shown)}
        # In steps that do not depend on the page: how many are asked for may change the last bit of
        # a score, and with it the order of equals.
        at, limit, without_file = 0, HEAD, 0
        ranked = ranking.best(limit, among)
        while len(shown) < wanted and at < min(len(ranked), PATIENCE):
            end = at + wanted - len(shown)
            chunk = [each for each in ranked[at:end] if each[0] not in hidden]
            visible, lost = self._visible(query, ranking, chunk)
            shown += visible
            without_file += lost
            at = min(end, len(ranked))
            if at == limit and len(shown) < wanted:
                limit *= 4
                ranked = ranking.best(limit, among)
        if without_file and not shown:
            raise StoreError(
                "The files of the library's pictures cannot be found; is their disk there?",
                key="files_gone",
            )
        return shown

    def _visible(
        self, query: Query, ranking: Ranking, ranked: Ranked
    ) -> tuple[list[tuple[Photo, float]], int]:
        """Of some candidates those to show, and how many are left out for want of their file."""
        without = {_folded(name) for name in ranking.without}
        facts = self._facts([name for name, _ in ranked])
        visible, lost = [], 0
        for name, score in ranked:
            photo = facts.get(name)
            if photo is None or photo.state != "ready" or photo.owner not in query.owners:
                continue
            if without and _folded(photo.category) in without:
                continue
            if photo.path is not None and photo.path.is_file():
                visible.append((photo, score))
            else:
                lost += 1
        return visible, lost

    def _facts(self, names: Sequence[str]) -> dict[str, Photo]:
        # Usually nothing is asked for, and a transaction about nothing costs 0.1 ms.
        return self._library.catalog.facts(names) if names else {}

    def _among(self, query: Query) -> list[str] | None:
        """Ids to keep to; None for all of everyone's, and beside them the asker's own."""
        catalog = self._library.catalog
        if query.category is None:
            return catalog.ids_of(query.owner) if query.scope == "own" and query.owner else None
        members = [each for who in query.owners for each in self._members(query.category, who)]
        if not members:
            raise self._library.unknown_category(query.category, query.owners)
        return members

    def _members(self, asked: str, owner: int | None) -> list[str]:
        """Ids in one owner's category; its name may be given in any case, `_` for a space."""
        catalog = self._library.catalog
        members = catalog.ids_in(asked, owner)
        if members:
            return members
        names = (each.category for each in catalog.categories(owner))
        spelled = [name for name in names if _folded(name) == _folded(asked)]
        return [each for name in spelled for each in catalog.ids_in(name, owner)]

    def _refuse_unknown(self, query: Query) -> None:
        """Ids come from outside: one that nobody has, or somebody else, is the same."""
        known = self._facts(query.like)
        for name in query.like:
            if name not in known or known[name].owner not in {None, query.owner}:
                raise unknown_image(name)


def _empty(query: Query) -> EmptyLibraryError:
    if query.scope == "own":
        return EmptyLibraryError("There is nothing in your collection yet.", key="empty_collection")
    return EmptyLibraryError(
        "The library is empty. Fill it with: lookalike index FOLDER", key="empty_library"
    )


def _same_picture(query: Query) -> list[str]:
    """Ids that the asked picture may have in the library, if it is asked with alone."""
    if len(query.images) != 1 or query.like or query.text or query.denoise:
        return []
    name = noted_id(query.images[0])
    if name is None:
        return []
    return [name if owner is None else owned_id(name, owner) for owner in query.owners]


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def _match(photo: Photo, rank: int, score: float, ranking: Ranking) -> Match:
    percent = ranking.percent(score)
    return Match(
        image_id=photo.id,
        rank=rank,
        score=score,
        percent=percent,
        is_weak=percent < ranking.weak_below,
        category=photo.category,
        path=photo.path or Path(),
        title=photo.title,
        source=photo.source,
        landing_page=photo.landing_page,
        creator=photo.creator,
        licence=photo.licence,
        owner=photo.owner,
    )
