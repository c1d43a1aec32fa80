"""Draw README's picture, a drawing beside its matches, with `lookalike search --sheet`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bot.demo import demo_encoder
from engine.drawings import HELD_OUT_SEED, draw, write_gallery

TOPIC = "butterfly"
ANSWER = Path(__file__).with_name("answer.jpg")


def main(answer: Path = ANSWER) -> None:
    """Draw a gallery, index it with the demo's encoder, and ask one question."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_gallery(work / "gallery")
        question = work / "question.jpg"
        draw(TOPIC, HELD_OUT_SEED).image.save(question)
        environment = os.environ | {
            "DATA_DIR": str(work / "data"),
            "ENCODER": f"open_clip:local-dir:{demo_encoder()}",
        }
        for arguments in (
            ["index", "gallery"],
            ["search", question.name, "--topk", "8", "--sheet", str(answer.absolute())],
        ):
            command = [sys.executable, "-m", "bot", *arguments]
            subprocess.run(command, cwd=work, env=environment, check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
