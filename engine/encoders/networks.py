"""Networks: built by open_clip or timm, put into their best form for the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.errors import EncoderUnavailableError, NoTextSideError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.encoders.preprocessing import Preprocessing


Tokenizer = Callable[[list[str]], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Parts:
    """A model as its library builds it, in fp32 on the CPU.

    Args:
        model: The network.
        preprocessing: What it wants to see.
        embed_images: Name of its method for pictures.
        embed_texts: Name of its method for tokens; empty where there is none.
        tokenizer: Words to tokens; None where there is none, or a package for it is missing.
    """

    model: torch.nn.Module
    preprocessing: Preprocessing
    embed_images: str
    embed_texts: str = ""
    tokenizer: Tokenizer | None = None


SHARPNESS = 100.0
"""What CLIP's training ends with, for a model that does not say."""


class Network:
    """A loaded model in eval mode: batches in, unit rows out.

    `images` and `texts` take one caller at a time, `tokenize` any number.

    Args:
        parts: The model and what belongs to it.
        device: Where it computes.
        dtype: What it computes in.
        name: For messages.
    """

    def __init__(
        self, parts: Parts, *, device: torch.device, dtype: torch.dtype, name: str
    ) -> None:
        self.name = name
        self.preprocessing = parts.preprocessing
        self.has_text = bool(parts.embed_texts)
        self._embed_texts = parts.embed_texts
        scale = getattr(parts.model, "logit_scale", None)
        self.sharpness = SHARPNESS if scale is None else float(scale.detach().float().exp())
        self.device = device
        self.dtype = dtype
        # Convolutions are up to three times as fast over interleaved channels; transformers
        # do not care.
        model = _fused(parts.model.eval()).to(device=device, dtype=dtype)
        self.model = model.to(memory_format=torch.channels_last)
        self.model.requires_grad_(requires_grad=False)
        self._forward: Callable[[torch.Tensor], torch.Tensor] = getattr(
            self.model, parts.embed_images
        )
        self._tokenizer = parts.tokenizer
        self._tokenizing = Lock()
        factor = 1.0 / (255.0 * torch.tensor(parts.preprocessing.std))
        shift = -torch.tensor(parts.preprocessing.mean) / torch.tensor(parts.preprocessing.std)
        self._scale = factor.view(1, 3, 1, 1).to(device)
        self._shift = shift.view(1, 3, 1, 1).to(device)
        side = parts.preprocessing.side
        # A first picture warms the kernels up, tells the dimension and proves the model whole.
        self.dimension = int(self.images(np.zeros((1, side, side, 3), np.uint8)).shape[1])

    @torch.inference_mode()
    def images(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed crops of shape (n, side, side, 3); unit rows of shape (n, dimension).

        Raises:
            EncoderUnavailableError: The device failed, for instance for want of memory.
        """
        with self._explained():
            pixels = torch.from_numpy(np.require(crops, requirements="W")).to(self.device)
            pixels = pixels.permute(0, 3, 1, 2)
            normalised = torch.addcmul(self._shift, pixels.to(torch.float32), self._scale)
            return _unit_rows(self._forward(normalised.to(self.dtype)))

    @torch.inference_mode()
    def texts(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed tokens of shape (n, length); unit rows of shape (n, dimension).

        Raises:
            EncoderUnavailableError: As for `images`.
        """
        read: Callable[[torch.Tensor], torch.Tensor] = getattr(self.model, self._embed_texts)
        with self._explained():
            return _unit_rows(read(torch.from_numpy(tokens).to(self.device)))

    def tokenize(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Words to tokens of shape (n, length).

        Raises:
            NoTextSideError: The model reads pictures only.
            EncoderUnavailableError: The model's tokenizer needs a package that is not installed.
        """
        if not self.has_text:
            raise NoTextSideError(
                f"The encoder {self.name} reads pictures only, not words.",
                key="no_text_side",
                encoder=self.name,
            )
        if self._tokenizer is None:
            raise EncoderUnavailableError(
                f"The encoder {self.name} needs one more package to read words: "
                "pip install 'lookalike[multilingual]'",
                key="encoder_needs_transformers",
                encoder=self.name,
            )
        # Tokenizers of `transformers` fail ("Already borrowed") when two threads use one at once.
        with self._tokenizing:
            tokens: NDArray[np.int64] = self._tokenizer(list(texts)).numpy()
        return tokens

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch's word for all that a device can fail with
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise EncoderUnavailableError(
                f"The encoder {self.name} failed: {reason}", key="encoder_broken", reason=reason
            ) from error


def _fused(model: torch.nn.Module) -> torch.nn.Module:
    """Networks trained with parallel branches (MobileCLIP, RepVGG) folded to single ones."""
    if not any(hasattr(module, "reparameterize") for module in model.modules()):
        return model
    from timm.utils.model import reparameterize_model

    fused: torch.nn.Module = reparameterize_model(model, inplace=True)
    return fused.eval()


def _unit_rows(rows: torch.Tensor) -> NDArray[np.float32]:
    unit = torch.nn.functional.normalize(rows.to(torch.float32), dim=-1)
    array: NDArray[np.float32] = unit.cpu().numpy()
    return array
