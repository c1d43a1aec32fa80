"""An encoder: pictures or words in, unit vectors out, safe to ask from many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.encoders.batching import Batcher
from engine.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from engine.encoders.networks import Network

GPU_BATCH = 128
NOT_FINITE = "encoder_not_finite"
"""Key of the error that a picture causes and not the encoder (half precision overflows)."""


class Encoder(Protocol):
    """What an encoder offers. Every method may be called from any thread.

    Attributes:
        key: Name of the encoder's vectors; see `LazyEncoder.key`.
        dimension: Length of a vector.
        input_size: Side of the square that the network looks at, in pixels.
        has_text: Whether it reads words.
        sharpness: What cosines of pictures and words are multiplied by before a softmax over them,
            as in the network's training.
        device: Where it computes, in torch's words.
    """

    key: str
    dimension: int
    input_size: int
    has_text: bool
    sharpness: float
    device: str

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """The crop the network looks at, shape (S, S, 3). Cheap; for worker threads."""
        ...

    def embed_prepared(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed crops in bulk: (n, S, S, 3) to unit rows (n, dimension). Questions go first."""
        ...

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed a question's pictures to unit rows (n, dimension), together with other callers'."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed words to unit rows (n, dimension).

        Raises:
            NoTextSideError: The encoder reads pictures only.
        """
        ...


class BatchedEncoder:
    """An encoder over a loaded network.

    Args:
        network: The network; asked by one thread of this encoder only.
        key: Name of its vectors.
        max_rows: Largest batch; None for what suits the device.
    """

    def __init__(self, network: Network, *, key: str, max_rows: int | None = None) -> None:
        self.key = key
        self.dimension = network.dimension
        self.input_size = network.preprocessing.side
        self.has_text = network.has_text
        self.sharpness = network.sharpness
        self.device = str(network.device)
        self.max_rows = max_rows or best_batch(network)
        self._network = network
        self._crop = network.preprocessing.crop
        # Bound once: jobs are put together when their function is the same object.
        self._images, self._texts = network.images, network.texts
        self._batcher = Batcher(self.max_rows)

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """See `Encoder.prepare`."""
        return self._crop(image)

    def embed_prepared(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.embed_prepared`.

        Raises:
            ValueError: The batch has another shape or type.
            EncoderUnavailableError: The network gave something that is no vector, or is closed.
        """
        return self._embed(batch, is_bulk=True)

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """See `Encoder.embed_images`."""
        if not images:
            return np.empty((0, self.dimension), np.float32)
        return self._embed(np.stack([self._crop(image) for image in images]), is_bulk=False)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.embed_texts`.

        Raises:
            EncoderUnavailableError: The tokenizer needs a package that is not installed.
        """
        tokens = self._network.tokenize(texts)
        if not len(tokens):
            return np.empty((0, self.dimension), np.float32)
        return _finite(self._batcher.run(self._texts, tokens, is_bulk=False))

    def close(self) -> None:
        """Finish what waits and let the thread go."""
        self._batcher.close()

    def _embed(self, crops: NDArray[np.uint8], *, is_bulk: bool) -> NDArray[np.float32]:
        side = self.input_size
        if crops.dtype != np.uint8 or crops.shape[1:] != (side, side, 3):
            raise ValueError(
                f"expected uint8 crops of shape (n, {side}, {side}, 3), "
                f"not {crops.dtype} of shape {crops.shape}"
            )
        if not len(crops):
            return np.empty((0, self.dimension), np.float32)
        return _finite(self._batcher.run(self._images, crops, is_bulk=is_bulk))


def best_batch(network: Network) -> int:
    """Rows per forward pass from which on larger ones gain nothing [measured: 4 a thread]."""
    import torch

    if network.device.type != "cpu":
        return GPU_BATCH
    return min(64, max(8, 4 * torch.get_num_threads()))


def _finite(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(vectors).all():
        raise EncoderUnavailableError(
            "The encoder's network gave numbers that are not finite.", key=NOT_FINITE
        )
    return vectors
