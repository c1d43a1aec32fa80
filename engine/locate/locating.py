"""Where a cut-out lies: the two ways of looking for it behind one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from engine.errors import EncoderUnavailableError
from engine.locate import correlation, features

if TYPE_CHECKING:
    from PIL import Image

    from engine.encoders import Encoder
    from engine.locate.place import Location

Method = Literal["correlation", "features"]
METHODS: tuple[Method, ...] = get_args(Method)


def locate(
    picture: Image.Image,
    cutout: Image.Image,
    *,
    method: Method = "correlation",
    encoder: Encoder | None = None,
) -> Location | None:
    """Find where in a picture a cut-out of it lies.

    The cut-out may be enlarged or reduced up to two times, brighter or darker, and a little noisy;
    it may be the whole picture. It is expected upright and not mirrored.

    Args:
        picture: An RGB picture of any size.
        cutout: An RGB picture; what is too small or too plain to be told apart is not found.
        method: `correlation` compares colours, is exact to the pixel and rarely mistaken;
            `features` compares what an encoder sees, is coarser and slower, and also finds what was
            recoloured, blurred or drawn over.
        encoder: The encoder, loaded; for `features` only.

    Returns:
        The place, or None when the cut-out does not lie in the picture.

    Raises:
        EncoderUnavailableError: `features` without an encoder, or the encoder failed.
        ValueError: No such method.
    """
    if method == "correlation":
        return correlation.locate(picture.convert("RGB"), cutout.convert("RGB"))
    if method != "features":
        raise ValueError(f"the methods are {', '.join(METHODS)}, not {method!r}")
    if encoder is None:
        raise EncoderUnavailableError(
            "There is no encoder (ENCODER=none): pictures can be compared by pixels only.",
            key="encoder_none",
        )
    return features.locate(picture.convert("RGB"), cutout.convert("RGB"), encoder)
