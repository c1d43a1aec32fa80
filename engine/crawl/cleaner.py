"""`python -m engine.crawl.cleaner`: cleans pictures for another process, until its input ends.

A request is a line of JSON: the `path` of a file, the `side` of the thumbnail that is wanted, and
whether this is the only picture being decoded (`is_alone`). An answer is a line of JSON, followed
by as many bytes as its `bytes` names: the `JPEG` and the thumbnail.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from engine.crawl.cleaning import Refusal, clean, warm_up
from engine.images import MIN_SIDE, claimed_pixels, open_image, thumbnail

LARGE = 12_000_000
"""Pixels from which pictures are decoded one by one: 40 million take some 400 MB on the way."""

READY = b"ready\n"
"""What is said before the first request is read."""


def answer(path: Path, side: int, *, is_alone: bool) -> tuple[dict[str, Any], bytes]:
    """What becomes of a file.

    Returns:
        One of `{"is_large": True}` (to be asked again, with `is_alone`), `{"refused": reason}`,
        `{"unread": why}` or the fields of `Cleaned`; and the bytes that belong to the last.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return {"unread": str(error)}, b""
    if not is_alone and claimed_pixels(data) > LARGE:
        return {"is_large": True}, b""
    cleaned = clean(data)
    if isinstance(cleaned, Refusal):
        return {"refused": cleaned.reason.value}, b""
    look = thumbnail(open_image(cleaned.data, min_side=MIN_SIDE), side)
    facts = {
        name: getattr(cleaned, name) for name in ("id", "original_id", "width", "height", "phash")
    }
    return facts | {"bytes": [len(cleaned.data), look.nbytes]}, cleaned.data + look.tobytes()


def main() -> None:
    """Serve the process at the other end of standard input and output."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever a library prints must not get between the answers
    warm_up()
    answers.write(READY)
    answers.flush()
    for line in requests:
        request = json.loads(line)
        facts, body = answer(Path(request["path"]), request["side"], is_alone=request["is_alone"])
        answers.write(json.dumps(facts).encode() + b"\n" + body)
        answers.flush()


if __name__ == "__main__":
    main()
