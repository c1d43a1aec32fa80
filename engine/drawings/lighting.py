"""Light on surfaces: shaded patches and the masks of soft spots."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from engine.drawings.palette import Colour, darker, lighter, mix

RIM = 179
"""What Pillow's radial gradient holds in the middle of its edges."""


def plane(size: tuple[int, int], colour: Colour, shade: float, light: int) -> Image.Image:
    """Return a patch that falls off from the lit corner to the far one.

    Args:
        size: Pixels across and down.
        colour: The middle tone.
        shade: 0 to about 0.5, how far its ends are from it.
        light: -1 when the light falls from the left, 1 from the right.
    """
    bright, middle, dark = (
        lighter(colour, shade),
        mix(colour, darker(colour), shade),
        darker(colour, shade),
    )
    tones = [bright, colour, middle, dark] if light < 0 else [colour, bright, dark, middle]
    patch = Image.new("RGB", (2, 2))
    patch.putdata(tones)
    return patch.resize(size, Image.Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5))


def sphere(size: tuple[int, int], colour: Colour, shade: float, light: int) -> Image.Image:
    """Return a patch lit as a ball that fills it; arguments as for `plane`."""
    # The radial ramp is cut off-centre, so that its bright middle lies towards the light.
    box = (82, 88, 240, 240) if light < 0 else (16, 88, 174, 240)
    ramp = Image.radial_gradient("L").resize(size, Image.Resampling.BILINEAR, box=box)
    tones = [
        mix(lighter(colour, shade), colour, i / 70)
        if i < 70
        else mix(colour, darker(colour, min(1.0, 1.5 * shade)), min(1.0, (i - 70) / 110))
        for i in range(256)
    ]
    return Image.merge("RGB", [ramp.point([tone[c] for tone in tones]) for c in range(3)])


@lru_cache(maxsize=64)
def spot(strength: int) -> Image.Image:
    """Return a mask, 128 pixels a side, of a soft round spot; strength 0 to 255 in its middle."""
    # A smooth step from the centre outwards: a linear ramp would show its rim.
    ramp = [max(0, RIM - value) / RIM for value in range(256)]
    levels = [round(strength * r * r * (3 - 2 * r)) for r in ramp]
    return Image.radial_gradient("L").point(levels).resize((128, 128), Image.Resampling.BILINEAR)


@lru_cache(maxsize=8)
def corners(side: int) -> Image.Image:
    """Return a mask that rises from 0 in the middle to 255 in the corners."""
    ramp = Image.radial_gradient("L").resize((side, side), Image.Resampling.BILINEAR)
    return ramp.point([max(0, value - 110) * 255 // 145 for value in range(256)])
