"""Tags: the topics of a library that fit a picture, by words or by the vote of its neighbours."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.errors import EncoderUnavailableError
from engine.search import Query, Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from engine.encoders import Encoder
    from engine.library import Library

PROMPTS = ("a photo of a {}", "a photo of the {}", "a picture of a {}", "{}")
"""A category's name in sentences as captions have them; their mean embedding is compared. Several
are a little better than one (Radford et al. 2021, "Learning Transferable Visual Models From Natural
Language Supervision", 3.1.4)."""
NEIGHBOURS = 20
TEMPERATURE = 0.07
"""Of the neighbours' votes, exp(similarity / 0.07) each (Wu et al. 2018, "Unsupervised Feature
Learning via Non-Parametric Instance Discrimination", 3.4)."""
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Tag:
    """A topic that fits a picture.

    Args:
        category: The library's category.
        percent: Its share among all categories, 0 to 100; those of all categories sum to 100.
        by: What says so: the category's name in `words`, or the `neighbours` of the picture.
    """

    category: str
    percent: float
    by: Literal["words", "neighbours"]


class Tagger:
    """Tags pictures by the categories of one open library; safe to use from several threads.

    Args:
        library: The library, open for reading or writing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._search = Search(library)
        self._lock = threading.Lock()
        self._words: dict[str, NDArray[np.float32]] = {}

    def tags(
        self,
        image: Image.Image,
        *,
        limit: int = 5,
        least_percent: float = 1.0,
        owner: int | None = None,
    ) -> list[Tag]:
        """The topics that fit a picture, best first.

        With an encoder that reads words, the names of all categories are compared with the picture,
        and their cosines turned into shares by a softmax at the scale the encoder was trained with.
        Otherwise the pictures most like it vote for their categories, each with a weight that
        grows with its similarity; without an encoder these are found by their pixels.

        Args:
            image: A picture from `Search.open_query`.
            limit: At most so many.
            least_percent: What has a smaller share is left out.
            owner: Whose private pictures and categories count too, beside everyone's.

        Raises:
            EmptyLibraryError: There is nothing to compare with yet.
            EncoderUnavailableError: There should be an encoder, and it cannot be loaded.
            StoreError: The library's files cannot be found at all.
        """
        self._library.refresh()
        shares = self._by_words(image, self._categories(owner))
        by: Literal["words", "neighbours"] = "words" if shares else "neighbours"
        shares = shares or self._by_neighbours(image, owner)
        tags = [Tag(name, 100.0 * share, by) for name, share in shares.items()]
        tags.sort(key=lambda tag: (-tag.percent, tag.category))
        return [tag for tag in tags[:limit] if tag.percent >= least_percent]

    def _categories(self, owner: int | None) -> list[str]:
        catalog = self._library.catalog
        counts = [*catalog.categories(), *(catalog.categories(owner) if owner is not None else ())]
        return sorted({each.category for each in counts})

    def _by_words(self, image: Image.Image, names: Sequence[str]) -> dict[str, float]:
        """Shares of all names; none where words cannot be read."""
        if self._library.encoder is None or not names:
            return {}
        encoder = self._library.encoder.load()
        if not encoder.has_text:
            return {}
        try:
            rows = self._embedded(names, encoder)
        except EncoderUnavailableError as error:
            if error.key == "encoder_needs_transformers":
                return {}
            raise
        cosines = (rows @ encoder.embed_images([image])[0]).astype(np.float64)
        weights = np.exp((cosines - cosines.max()) * encoder.sharpness)
        return dict(zip(names, (weights / weights.sum()).tolist(), strict=True))

    def _embedded(self, names: Sequence[str], encoder: Encoder) -> NDArray[np.float32]:
        """Unit rows of the names, each embedded once while the library is open."""
        with self._lock:
            new = [name for name in names if name not in self._words]
            for start in range(0, len(new), _BATCH):
                part = new[start : start + _BATCH]
                spoken = [name.replace("_", " ").replace("-", " ") for name in part]
                texts = [prompt.format(name) for name in spoken for prompt in PROMPTS]
                rows = encoder.embed_texts(texts).reshape(len(part), len(PROMPTS), -1)
                means = rows.mean(axis=1)
                means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
                self._words.update(zip(part, means, strict=True))
            return np.stack([self._words[name] for name in names])

    def _by_neighbours(self, image: Image.Image, owner: int | None) -> dict[str, float]:
        query = Query(images=(image,), topk=NEIGHBOURS, metric="clip", owner=owner)
        if self._library.encoder is None or self._library.vectors is None:
            query = Query(images=(image,), topk=NEIGHBOURS, metric="l1", owner=owner)
        matches = self._search.run(query)
        if not matches:
            return {}
        best = matches[0].percent
        shares: defaultdict[str, float] = defaultdict(float)
        for match in matches:
            # Percents and not scores: they mean the same by pixels.
            shares[match.category] += float(np.exp((match.percent - best) / 100 / TEMPERATURE))
        whole = sum(shares.values())
        return {name: share / whole for name, share in shares.items()}
