"""Train the demo's encoder: a small CLIP that knows the project's own drawings and nothing else.

    python data/train_demo_encoder.py

draws its pictures, trains on one thread (about seven minutes), prints how well held-out drawings
are found, and writes `data/demo-encoder`, which open_clip loads as `local-dir:data/demo-encoder`.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.drawings import GALLERY_SEED, HELD_OUT_SEED, TOPICS, TRAINING_SEED, Drawing, draw

FOLDER = Path(__file__).resolve().parent / "demo-encoder"
DRAWN_SIDE = 128
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
SIDE = 96
CONTEXT = 32
VOCABULARY = 49408  # CLIP's own, so the stock tokenizer serves; its width is what weighs
VISION = {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None}
TEXT = {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": 32, "heads": 4, "layers": 3}
MODEL: dict[str, Any] = {"embed_dim": 128, "vision_cfg": VISION, "text_cfg": TEXT}
PREPROCESSING = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}

COLOURS = {
    "red": "đỏ", "orange": "cam", "yellow": "vàng", "green": "xanh lá", "turquoise": "ngọc lam",
    "blue": "xanh dương", "purple": "tím", "pink": "hồng", "brown": "nâu", "white": "trắng",
    "grey": "xám", "black": "đen",
}  # fmt: skip
ALSO_CALLED: dict[str, tuple[str, ...]] = {
    "apple": ("apples", "fruit", "táo", "quả táo", "trái cây"),
    "mushroom": ("mushrooms", "toadstool", "nấm", "cây nấm"),
    "flower": ("flowers", "blossom", "hoa", "bông hoa"),
    "tree": ("trees", "fir", "cây", "cây xanh"),
    "leaf": ("leaves", "foliage", "lá", "chiếc lá"),
    "cactus": ("cacti", "cactuses", "succulent", "xương rồng"),
    "butterfly": ("butterflies", "insect", "bướm", "con bướm"),
    "fish": ("fishes", "aquarium", "cá", "con cá"),
    "cat": ("cats", "kitten", "kitty", "mèo", "con mèo"),
    "owl": ("owls", "bird", "cú", "cú mèo", "chim cú"),
    "mountain": ("mountains", "peak", "alps", "núi", "ngọn núi"),
    "coast": ("beach", "cliffs", "shore", "seaside", "bờ biển", "bãi biển"),
    "sky": ("clouds", "heaven", "rainbow", "bầu trời", "mây"),
    "planet": ("planets", "space", "saturn", "hành tinh", "vũ trụ"),
    "clock": ("clocks", "watch", "alarm clock", "đồng hồ"),
    "ball": ("balls", "football", "soccer ball", "quả bóng", "trái bóng"),
    "umbrella": ("umbrellas", "parasol", "ô", "cái ô", "dù"),
    "house": ("houses", "home", "building", "cottage", "nhà", "ngôi nhà"),
    "lighthouse": ("lighthouses", "beacon", "hải đăng", "ngọn hải đăng"),
    "boat": ("boats", "ship", "sailboat", "sailing boat", "thuyền", "con thuyền", "tàu"),
    "car": ("cars", "automobile", "vehicle", "auto", "xe", "ô tô", "xe hơi"),
    "balloon": ("balloons", "hot-air balloon", "hot air balloon", "khinh khí cầu"),
}
FRAMES = (
    "{}", "{}", "{}", "{}", "a {}", "a {}", "the {}", "my {}", "some {}", "find {}", "{} please",
    "a photo of a {}", "a picture of a {}", "a drawing of a {}", "an image of {}", "show me a {}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pictures:
    """Training pictures and what is true of each.

    Attributes:
        pixels: (n, 3, side, side) uint8.
        drawings: What was drawn, n of them, without the pictures' own pixels in use.
        colours: The colour that each subject names, "" for none.
        facts: (n, 4) numbers; equal ones in a column say that two pictures share topic, colour
            and topic, subject, or whole caption.
    """

    pixels: torch.Tensor
    drawings: Sequence[Drawing]
    colours: Sequence[str]
    facts: NDArray[np.int64]


def draw_pictures(per_topic: int) -> Pictures:
    """Draw the training pictures from the seeds that are kept for training."""
    drawings, pixels = [], []
    for topic in TOPICS:
        for seed in range(TRAINING_SEED, TRAINING_SEED + per_topic):
            drawing = draw(topic, seed, DRAWN_SIDE)
            drawings.append(drawing)
            pixels.append(np.asarray(drawing.image).transpose(2, 0, 1))
    colours = [next((c for c in COLOURS if f" {c} " in d.subject), "") for d in drawings]
    columns = (
        [d.topic for d in drawings],
        [f"{c} {d.topic}" for c, d in zip(colours, drawings, strict=True)],
        [d.subject for d in drawings],
        [d.caption for d in drawings],
    )
    facts = np.stack([np.unique(c, return_inverse=True)[1] for c in columns], axis=1)
    return Pictures(torch.from_numpy(np.stack(pixels)), drawings, colours, facts)


def describe(pictures: Pictures, index: int, dice: np.random.Generator) -> tuple[str, int]:
    """Say something true of a picture; returns the text and the column of facts that it is of."""
    drawing, colour = pictures.drawings[index], pictures.colours[index]
    level = int(dice.choice(4, p=(0.3, 0.3, 0.15, 0.25)))
    if level == 1 and not colour:
        level = 0
    if level >= 2:
        return (drawing.subject, drawing.caption)[level - 2], level
    names = (drawing.topic,) * 4 + ALSO_CALLED[drawing.topic]
    name = names[dice.integers(len(names))]
    if level == 1:
        vietnamese = not name.isascii()
        name = f"{name} màu {COLOURS[colour]}" if vietnamese else f"{colour} {name}"
    return FRAMES[dice.integers(len(FRAMES))].format(name), level


def augment(batch: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    """Crop, turn, recolour, blur, compress: (n, 3, s, s) uint8 to normalised (n, 3, SIDE, SIDE)."""
    count = len(batch)
    angle = dice.uniform(-0.2, 0.2, count)
    zoom = dice.uniform(0.68, 1.0, count)
    flip = dice.choice((-1.0, 1.0), count)
    stretch = dice.uniform(0.92, 1.08, count)
    room = 1.0 - zoom
    grid = np.zeros((count, 2, 3), dtype=np.float32)
    grid[:, 0, 0], grid[:, 0, 1] = flip * zoom * np.cos(angle), -zoom * np.sin(angle) * stretch
    grid[:, 1, 0], grid[:, 1, 1] = flip * zoom * np.sin(angle), zoom * np.cos(angle) * stretch
    grid[:, :, 2] = dice.uniform(-1, 1, (count, 2)) * room[:, np.newaxis]
    field = functional.affine_grid(
        torch.from_numpy(grid), [count, 3, SIDE, SIDE], align_corners=False
    )
    images = functional.grid_sample(
        batch.float() / 255, field, padding_mode="reflection", align_corners=False
    )

    def column(low: float, high: float) -> torch.Tensor:
        return torch.from_numpy(dice.uniform(low, high, (count, 1, 1, 1)).astype(np.float32))

    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * column(0.65, 1.3)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - middle) * column(0.7, 1.25) + middle + column(-0.12, 0.12)
    if dice.random() < 0.3:
        small = int(dice.integers(SIDE // 2, SIDE))
        images = functional.interpolate(images, size=small, mode="bilinear", antialias=True)
        images = functional.interpolate(images, size=SIDE, mode="bilinear")
    images = images.clamp(0, 1)
    for i in np.flatnonzero(dice.random(count) < 0.15):
        images[i] = compress(images[i], int(dice.integers(25, 85)))
    return normalise(images).contiguous(memory_format=torch.channels_last)


def compress(image: torch.Tensor, quality: int) -> torch.Tensor:
    """Send one (3, s, s) picture in 0..1 through JPEG."""
    buffer = io.BytesIO()
    array = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(array).save(buffer, format="JPEG", quality=quality)
    decoded = np.array(Image.open(buffer))
    return torch.from_numpy(decoded).permute(2, 0, 1).float() / 255


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Shift 0..1 into what the network sees, as open_clip does from the saved configuration."""
    return (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def contrastive_loss(logits: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
    """CLIP's loss in both directions, where several texts may be right for a picture.

    "a car" is true of every car in the batch; counting those as wrong would tear topics apart.

    Args:
        logits: (n, n), pictures by texts.
        positive: (n, n) bool, whether the text is true of the picture.
    """
    target = positive.float()
    by_image = -(target / target.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    by_text = -(target / target.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return (by_image + by_text) / 2


def train(pictures: Pictures, epochs: int, batch_size: int) -> open_clip.CLIP:
    """Train the network from scratch; words it never met end up meaning nothing."""
    torch.manual_seed(7)
    dice = np.random.default_rng(7)
    model = open_clip.CLIP(**MODEL).to(memory_format=torch.channels_last)  # a third faster on a CPU
    model.train()
    tokenizer = open_clip.get_tokenizer("ViT-B-32", context_length=CONTEXT)
    optimizer = optimizer_of(model)
    per_epoch = len(pictures.drawings) // batch_size
    step, seen = 0, torch.zeros(VOCABULARY, dtype=torch.bool)
    began = time.monotonic()
    for epoch in range(epochs):
        order, total = dice.permutation(len(pictures.drawings)), 0.0
        for chosen in np.split(order[: per_epoch * batch_size], per_epoch):
            texts, levels = zip(*(describe(pictures, i, dice) for i in chosen), strict=True)
            tokens = forget_words(tokenizer(list(texts)), dice)
            seen[tokens] = True
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, epochs * per_epoch)
            images, words, scale = model(augment(pictures.pixels[chosen], dice), tokens)[:3]
            facts = pictures.facts[chosen]
            true = facts[:, levels] == facts[np.arange(batch_size), levels]
            loss = contrastive_loss(scale * images @ words.T, torch.from_numpy(true))
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                model.logit_scale.clamp_(0, math.log(50))
            total, step = total + loss.item(), step + 1
        elapsed = time.monotonic() - began
        print(
            f"epoch {epoch + 1}/{epochs}: loss {total / per_epoch:.3f}, {elapsed:.0f} s", flush=True
        )
    with torch.no_grad():  # a word never met is read as the filler that training taught to ignore
        embedding = model.token_embedding.weight
        embedding[~seen] = embedding[0].clone()
    return model.eval()


def optimizer_of(model: open_clip.CLIP) -> torch.optim.Optimizer:
    """AdamW with CLIP's betas; biases, norms and the scale are not decayed."""
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))


def learning_rate(step: int, steps: int) -> float:
    """Rise within 60 steps, then fall along half a cosine to a fiftieth."""
    return 2e-3 * min(1.0, (step + 1) / 60) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def forget_words(tokens: torch.Tensor, dice: np.random.Generator) -> torch.Tensor:
    """Put the filler token 0 between words here and there, so that unknown words do no harm."""
    out = tokens.clone()
    for row in np.flatnonzero(dice.random(len(tokens)) < 0.25):
        for _ in range(int(dice.integers(1, 4))):
            end = int(out[row].argmax())  # the end token has the highest number
            if end + 1 < CONTEXT:
                spot = int(dice.integers(1, end + 1))
                out[row, spot + 1 : end + 2] = out[row, spot : end + 1].clone()
                out[row, spot] = 0
    return out


def save(model: open_clip.CLIP, folder: Path) -> None:
    """Write open_clip's local-dir format; matrices as float16, which loads into float32."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESSING, "languages": ["en"]}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = {}
    for name, value in model.state_dict().items():
        small = value.half() if value.is_floating_point() and value.ndim >= 2 else value
        weights[name] = small.contiguous(memory_format=torch.contiguous_format)
    file = folder / "open_clip_model.safetensors"
    save_file(weights, file, metadata={"format": "pt"})
    file.chmod(0o644)


def report(folder: Path, gallery: int = 24, held_out: int = 5) -> None:
    """Print precision@5 of the saved model on drawings it has never seen."""
    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()

    def embed(seeds: range) -> torch.Tensor:
        rows = []
        with torch.inference_mode():
            for topic in TOPICS:
                batch = torch.stack([preprocess(draw(topic, seed).image) for seed in seeds])
                rows.append(model.encode_image(batch, normalize=True))
        return torch.cat(rows)

    stored = embed(range(GALLERY_SEED, GALLERY_SEED + gallery))
    asked = embed(range(HELD_OUT_SEED, HELD_OUT_SEED + held_out))
    owner = torch.arange(len(TOPICS)).repeat_interleave(gallery)
    wanted = torch.arange(len(TOPICS)).repeat_interleave(held_out)
    hits = owner[(asked @ stored.T).topk(5).indices] == wanted[:, None]
    print(f"image to image: P@5 {hits.float().mean():.3f}, top-1 {hits[:, 0].float().mean():.3f}")
    by_topic = hits.float().mean(1).view(len(TOPICS), held_out).mean(1)
    print({t: round(float(p), 2) for t, p in zip(TOPICS, by_topic, strict=True) if p < 1})
    tokenizer = open_clip.get_tokenizer(name)
    for frame in ("{}", "a {}", "please show me one more {}"):
        with torch.inference_mode():
            words = model.encode_text(tokenizer([frame.format(t) for t in TOPICS]), normalize=True)
        right = owner[(words @ stored.T).topk(5).indices] == torch.arange(len(TOPICS))[:, None]
        print(f"text to image, {frame!r}: P@5 {right.float().mean():.3f}")


def main() -> None:
    """Draw, train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--per-topic", type=int, default=260)
    parser.add_argument("--batch-size", type=int, default=176)
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    pictures = draw_pictures(options.per_topic)
    print(f"{len(pictures.drawings)} pictures drawn, {time.monotonic() - began:.0f} s", flush=True)
    save(train(pictures, options.epochs, options.batch_size), options.out)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{options.out}: {size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s in all")
    report(options.out)


if __name__ == "__main__":
    main()
