"""One Chroma collection, embedded or on a server: the only place that knows how Chroma behaves.

Everything in it can be made again from the exact matrix, which is why what is broken is thrown
away here and not mended.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from engine.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.config import Settings
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "ef_construction": 128,
    "ef_search": 200,
    "max_neighbors": 16,
}
"""Chroma's defaults (100, 100, 16) gave recall@10 0.991 on 20,000 vectors of 40 inner dimensions
and lost a record after deletes; these gave 0.998, for 0.4 ms more per query."""

ADD_BATCH = 256
"""Vectors per call: Chroma holds the interpreter's lock meanwhile (about 80 ms), and the bot's
event loop waits for it. Larger batches are at most a fifth cheaper."""

QUERY_BATCH = 64

CONNECT_S = 5.0
ANSWER_S = 60.0
"""How long a server is waited for; Chroma's own client would wait for ever."""


class Collection:
    """The vectors that everybody may find, by id, in cosine space.

    Args:
        name: The collection's name; it carries the encoder.
        folder: Where embedded databases lie: `chroma`, or the highest `chroma-<n>`.
        url: A server's address, instead.

    Raises:
        StoreError: The server cannot be reached, or the collection has another space.
    """

    def __init__(self, name: str, folder: Path, url: str | None) -> None:
        self.name = name
        self.is_served = url is not None
        self._url = url or ""
        self._session: httpx.Client | None = None
        if url is not None:
            self._client, self._session = _served(url)
        else:
            self._client = _embedded(folder)
        try:
            with self._explained():
                self._largest = self._client.get_max_batch_size()
                self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self._client.close()  # type: ignore[attr-defined]  # the factories' declared type lacks it
        if self._session is not None:
            self._session.close()

    def count(self) -> int:
        """Number of vectors."""
        with self._explained():
            return self._collection.count()

    def ids(self) -> list[str]:
        """All ids."""
        with self._explained():
            return list(self._collection.get(include=[])["ids"])

    def get(self, ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Those of these ids that are there (n) and their vectors (n, d)."""
        found: list[str] = []
        vectors: list[NDArray[np.float32]] = []
        for start in range(0, len(ids), ADD_BATCH):
            with self._explained():
                got = self._collection.get(
                    ids=list(ids[start : start + ADD_BATCH]), include=["embeddings"]
                )
            if got["ids"]:
                found += got["ids"]
                vectors.append(np.asarray(got["embeddings"], dtype=np.float32))
        return found, np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, d) under ids that are not there yet (Chroma would keep the old ones)."""
        step = min(ADD_BATCH, self._largest)
        for start in range(0, len(ids), step):
            with self._explained():
                self._collection.add(
                    ids=list(ids[start : start + step]),
                    embeddings=np.ascontiguousarray(vectors[start : start + step]),
                )

    def delete(self, ids: Sequence[str]) -> None:
        """Delete vectors; ids that are not there do not matter."""
        for start in range(0, len(ids), self._largest):
            with self._explained():
                self._collection.delete(ids=list(ids[start : start + self._largest]))

    def nearest(self, queries: NDArray[np.float32], k: int) -> list[list[tuple[str, float]]]:
        """Per query (q, d) the nearest ids and their cosine similarities, nearest first.

        Fewer than k where there are fewer, or where the index has lost some.
        """
        answers: list[list[tuple[str, float]]] = []
        for start in range(0, len(queries), QUERY_BATCH):
            with self._explained():
                found = self._collection.query(
                    query_embeddings=np.ascontiguousarray(queries[start : start + QUERY_BATCH]),
                    n_results=k,
                    include=["distances"],
                )
            for ids, distances in zip(found["ids"], found["distances"] or [], strict=True):
                answers.append([(i, 1.0 - d) for i, d in zip(ids, distances, strict=True)])
        return answers

    def recreate(self) -> None:
        """Start again with an empty collection."""
        with self._explained():
            self._client.delete_collection(self.name)
            self._open()

    def _open(self) -> None:
        self._collection = self._client.get_or_create_collection(
            self.name, configuration={"hnsw": HNSW}, embedding_function=None
        )
        # An existing collection keeps its own space, silently.
        space = (self._collection.configuration_json.get("hnsw") or {}).get("space")
        if space != HNSW["space"]:
            raise StoreError(
                f"The Chroma collection {self.name} measures {space}, not cosine; it was not made "
                "by Lookalike. Delete it there, then run `lookalike check --repair`.",
                key="chroma_space",
                collection=self.name,
                space=str(space),
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import httpx
        from chromadb.errors import ChromaError

        try:
            yield
        except httpx.HTTPError as error:
            raise _unreachable(self._url, error) from error
        except (ChromaError, ValueError) as error:
            raise StoreError(
                f"Chroma cannot use the collection {self.name} ({error}); "
                "`lookalike check --repair` makes it again.",
                key="chroma",
                collection=self.name,
                reason=str(error),
            ) from error


def _settings() -> Settings:
    from chromadb.config import Settings

    # Chroma would take the project's `.env` for its own.
    return Settings(_env_file=None, anonymized_telemetry=False)


def _embedded(folder: Path) -> ClientAPI:
    import chromadb
    from chromadb.errors import ChromaError

    path = _newest(folder)
    try:
        return chromadb.PersistentClient(path=str(path), settings=_settings())
    except ChromaError as error:
        # Under a path of its own: within one process Chroma goes on serving what was opened first,
        # whatever lies on the disk.
        fresh = folder / f"chroma-{_number(path) + 1}"
        log.warning(
            "Chroma's files in %s are damaged (%s); starting anew in %s", path, error, fresh
        )
        client = chromadb.PersistentClient(path=str(fresh), settings=_settings())
        shutil.rmtree(path, ignore_errors=True)
        return client


def _newest(folder: Path) -> Path:
    return max(folder.glob("chroma-*"), key=_number, default=folder / "chroma")


def _number(path: Path) -> int:
    number = path.name.removeprefix("chroma-")
    return int(number) if number.isdecimal() else 1


def _served(url: str) -> tuple[ClientAPI, httpx.Client]:
    import chromadb
    import httpx

    try:
        httpx.get(f"{url}/api/v2/heartbeat", timeout=CONNECT_S).raise_for_status()
    except httpx.HTTPError as error:
        raise _unreachable(url, error) from error
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    try:
        client = chromadb.HttpClient(
            host=parts.hostname or "",
            port=parts.port or (443 if is_secure else 80),
            ssl=is_secure,
            settings=_settings(),
        )
    except (ValueError, httpx.HTTPError) as error:
        raise _unreachable(url, error) from error
    # Chroma offers no way to set a timeout, and its `close` leaves connections open: those of its
    # administrative client, which nobody needs any more, are closed here.
    client._admin_client._server._session.close()  # type: ignore[attr-defined]  # noqa: SLF001
    session: httpx.Client = client._server._session  # type: ignore[attr-defined]  # noqa: SLF001
    session.timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    return client, session


def _unreachable(url: str, error: Exception) -> StoreError:
    reason = str(error).strip() or type(error).__name__
    return StoreError(
        f"The Chroma server at {url} (CHROMA_URL) cannot be reached: {reason}.",
        key="chroma_unreachable",
        url=url,
        reason=reason,
    )
