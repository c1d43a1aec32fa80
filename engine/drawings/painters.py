"""Who paints what: the topics and their painters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.drawings.topics import (
    apple,
    ball,
    balloon,
    boat,
    butterfly,
    cactus,
    car,
    cat,
    clock,
    coast,
    fish,
    flower,
    house,
    leaf,
    lighthouse,
    mountain,
    mushroom,
    owl,
    planet,
    sky,
    tree,
    umbrella,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.drawings.canvas import Canvas
    from engine.drawings.dice import Dice
    from engine.drawings.words import Words

PAINTERS: Mapping[str, Callable[[Canvas, Dice], Words]] = {
    "apple": apple.paint,
    "mushroom": mushroom.paint,
    "flower": flower.paint,
    "tree": tree.paint,
    "leaf": leaf.paint,
    "cactus": cactus.paint,
    "butterfly": butterfly.paint,
    "fish": fish.paint,
    "cat": cat.paint,
    "owl": owl.paint,
    "mountain": mountain.paint,
    "coast": coast.paint,
    "sky": sky.paint,
    "planet": planet.paint,
    "clock": clock.paint,
    "ball": ball.paint,
    "umbrella": umbrella.paint,
    "house": house.paint,
    "lighthouse": lighthouse.paint,
    "boat": boat.paint,
    "car": car.paint,
    "balloon": balloon.paint,
}
