"""Where things stand: skies, meadows, water, tables and plain walls, each with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings.palette import WHITE, Colour, darker, lighter, mix, varied
from engine.drawings.weather import DUSK, NIGHT, OVERCAST, SUNSET, Daylight

if TYPE_CHECKING:
    from engine.drawings.canvas import Canvas, Pen
    from engine.drawings.curves import Point
    from engine.drawings.dice import Dice


def sky(canvas: Canvas, dice: Dice, light: Daylight, horizon: float, *, busy: bool = True) -> None:
    """Paint the sky down to the horizon, with sun or moon, stars and clouds where `busy`."""
    canvas.wash([varied(dice, colour, 8) for colour in light.sky], 0, horizon)
    # Hills do not reach the horizon everywhere.
    canvas.wash([light.sky[-1], light.sky[-1]], horizon, min(100, horizon + 14))
    pen = canvas.pen()
    if light is NIGHT or light is DUSK:
        stars(pen, dice, horizon * 0.85, dice.whole(18, 60) if light is NIGHT else 9)
    if not busy:
        return
    if light is not OVERCAST and dice.chance(0.6):
        luminary(pen, dice, light, horizon)
    for _ in range(dice.whole(1, 4) if light is not OVERCAST else 6):
        x, y = dice.between(-5, 105), dice.between(0.1, 0.75) * horizon
        cloud(pen, dice, (x, y), dice.between(5, 13), light.cloud)


def stars(pen: Pen, dice: Dice, bottom: float, count: int) -> None:
    """Scatter stars above a height."""
    for _ in range(count):
        x, y, r = dice.between(0, 100), dice.between(0, bottom), dice.between(0.2, 0.55)
        pen.oval(x, y, r, colour=mix(WHITE, (255, 226, 170), dice.between(0, 0.7)))


def luminary(pen: Pen, dice: Dice, light: Daylight, horizon: float) -> None:
    """Hang the sun, or at night the moon, into the sky."""
    x, r = dice.between(12, 88), dice.between(4, 8)
    if light is NIGHT or light is DUSK:
        y = dice.between(0.15, 0.5) * horizon
        pen.glow(x, y, 4 * r, 4 * r, colour=(200, 206, 255), strength=0.4)
        pen.oval(x, y, r, colour=(246, 240, 214), shade=0.15, rounded=True)
        for dx, dy, size in ((-0.3, -0.2, 0.22), (0.3, 0.3, 0.16), (0.2, -0.4, 0.12)):
            pen.oval(x + dx * r, y + dy * r, size * r, colour=(220, 212, 186))
        return
    low = light is SUNSET
    y = horizon * (dice.between(0.72, 0.95) if low else dice.between(0.14, 0.5))
    colour = (255, 226, 150) if low else (255, 246, 206)
    pen.glow(x, y, 5 * r, 5 * r, colour=colour, strength=0.75)
    pen.oval(x, y, r * (1.3 if low else 1), colour=lighter(colour, 0.3))


def cloud(pen: Pen, dice: Dice, centre: Point, size: float, colour: Colour) -> None:
    """Draw one heap of vapour, shaded below."""
    x, y = centre
    puffs = [
        (x + (i - 2) * size * 0.62, y - size * lift * dice.between(0.7, 1.2), size * girth)
        for i, (lift, girth) in enumerate(
            ((0.0, 0.42), (0.28, 0.62), (0.42, 0.78), (0.2, 0.6), (0.0, 0.4))
        )
    ]
    under = mix(colour, (120, 130, 160), 0.28)
    for px, py, r in puffs:
        pen.oval(px, py + size * 0.12, r, r * 0.8, colour=under)
    for px, py, r in puffs:
        pen.oval(px, py, r, r * 0.78, colour=colour)


def ridge(dice: Dice, y: float, wave: float, count: int = 7) -> list[Point]:
    """Return the smooth outline of ground that fills everything below its wavy upper edge."""
    return [
        (-20, 130),
        *((-12 + 124 * i / count, y + dice.between(-wave, wave)) for i in range(count + 1)),
        (120, 130),
    ]


def meadow(canvas: Canvas, dice: Dice, light: Daylight, horizon: float) -> str:
    """Paint hills and grass below the horizon; return where that is."""
    pen = canvas.pen()
    base = light.lit(varied(dice, dice.pick(((112, 168, 74), (134, 176, 84), (92, 148, 78)))))
    haze = light.sky[-1]
    pen.smooth(ridge(dice, horizon, 5), mix(darker(base, 0.1), haze, 0.45))
    if dice.chance(0.6):
        pen.smooth(ridge(dice, horizon + 4, 3), mix(base, haze, 0.22))
    pen.smooth(ridge(dice, horizon + 9, 1.5), base, shade=0.22)
    for _ in range(70):
        y = dice.between(horizon + 12, 100)
        grass(pen, dice, (dice.between(0, 100), y), 1 + 3 * (y - horizon) / 60, base)
    if dice.chance(0.45):
        petals = light.lit(dice.pick(((250, 240, 200), (240, 190, 80), (230, 150, 180), WHITE)))
        for _ in range(dice.whole(12, 40)):
            pen.oval(dice.between(0, 100), dice.between(horizon + 13, 99), 0.6, colour=petals)
    return dice.pick(("in a green meadow", "on a green hill", "in the grass"))


def grass(pen: Pen, dice: Dice, foot: Point, height: float, colour: Colour) -> None:
    """Draw one tuft."""
    x, y = foot
    tone = darker(colour, 0.18) if dice.chance(0.6) else lighter(colour, 0.18)
    for lean in (-0.5, 0.1, 0.6):
        pen.line([(x, y), (x + lean * height, y - height)], 0.35, tone)


def water(
    canvas: Canvas, dice: Dice, light: Daylight, horizon: float, bottom: float = 100
) -> Colour:
    """Paint a sea or lake between two heights, with ripples; return its nearer colour."""
    deep = light.lit(varied(dice, dice.pick(((38, 112, 168), (46, 138, 168), (54, 96, 146)))))
    canvas.wash([mix(deep, light.sky[-1], 0.55), deep, darker(deep, 0.15)], horizon, bottom)
    pen = canvas.pen()
    glint = mix(deep, light.sky[-1], 0.5)
    for _ in range(46):
        depth = dice.between(0.02, 1)
        y = horizon + depth * depth * (bottom - horizon)
        x, length = dice.between(-5, 100), 2 + 11 * depth
        tone = glint if dice.chance(0.65) else darker(deep, 0.2)
        pen.line([(x, y), (x + length, y)], 0.25 + 0.35 * depth, tone)
    return deep


def table(canvas: Canvas, dice: Dice) -> tuple[float, str]:
    """Paint a wall and a table; return the height of the table's edge and its words."""
    wall = varied(
        dice,
        dice.pick(
            ((226, 214, 194), (186, 204, 206), (206, 190, 200), (172, 186, 164), (94, 112, 128))
        ),
        12,
    )
    edge = dice.between(52, 64)
    canvas.wash([lighter(wall, 0.15), wall, darker(wall, 0.12)], 0, edge + 1)
    pen = canvas.pen()
    if dice.chance(0.4):
        paper = lighter(wall, 0.1)
        step = dice.between(7, 13)
        for i in range(int(100 / step) + 1):
            if i % 2:
                pen.polygon(
                    [(i * step, 0), ((i + 1) * step, 0), ((i + 1) * step, edge), (i * step, edge)],
                    paper,
                )
    kind = dice.pick(("wooden", "wooden", "white", "dark"))
    top = {"wooden": (176, 122, 74), "white": (232, 230, 226), "dark": (84, 62, 54)}[kind]
    top = varied(dice, top, 10)
    canvas.wash([darker(top, 0.16), top, lighter(top, 0.1)], edge, 100)
    if kind != "white":
        for i in range(6):
            y = edge + (100 - edge) * (i / 6) ** 1.5
            pen.line([(0, y), (100, y)], 0.3 + 0.1 * i, darker(top, 0.3))
            for _ in range(4):
                x, dy = dice.between(0, 100), dice.between(1, 5)
                pen.line([(x, y + dy), (x + dice.between(6, 20), y + dy)], 0.25, darker(top, 0.14))
    pen.line([(-2, edge), (102, edge)], 0.9, darker(top, 0.35))
    return edge, f"on a {kind} table"


def boards(canvas: Canvas, dice: Dice) -> str:
    """Paint a wooden surface as seen from above; return its words."""
    wood = varied(dice, dice.pick(((176, 124, 78), (120, 88, 66), (206, 184, 154))), 10)
    pen = canvas.pen()
    count = dice.whole(4, 6)
    for i in range(count):
        top, bottom = 100 * i / count, 100 * (i + 1) / count
        plank = mix(darker(wood, 0.14), lighter(wood, 0.14), dice.between(0, 1))
        canvas.wash([lighter(plank, 0.06), plank, darker(plank, 0.06)], top, bottom)
        for _ in range(5):
            x, y = dice.between(-10, 90), dice.between(top + 1, bottom - 1)
            pen.line([(x, y), (x + dice.between(10, 40), y)], 0.3, darker(plank, 0.13))
        pen.line([(-1, bottom), (101, bottom)], 0.6, darker(wood, 0.45))
    return "on wooden boards"


def studio(canvas: Canvas, dice: Dice) -> str:
    """Paint a plain coloured backdrop with a pool of light; return its words."""
    tones = {
        "blue": (150, 188, 216),
        "pink": (240, 200, 204),
        "yellow": (248, 224, 160),
        "green": (178, 210, 176),
        "grey": (196, 200, 206),
        "purple": (196, 180, 216),
        "white": (240, 238, 232),
    }
    name = dice.pick(tuple(tones))
    tone = varied(dice, tones[name], 8)
    canvas.wash([tone, tone, darker(tone, 0.14), lighter(tone, 0.1)])
    canvas.pen().glow(50 + 18 * canvas.light, 34, 70, 60, colour=lighter(tone, 0.6), strength=0.7)
    return f"on a {name} background"
