"""`python -m bench`: run the benchmarks, print the table, write `bench/out/bench.json`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, show, write_json

GROUPS = (
    "startup",
    "pixels",
    "indexing",
    "questions",
    "crowd",
    "crawling",
    "locating",
    "memory",
    "evaluation",
)


def main() -> int:
    """Run the groups asked for; 0 when every goal was reached, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="all when none is named")
    parser.add_argument("--pictures", type=int, default=100_000, help="size of the large library")
    parser.add_argument("--out", type=Path, default=Path("bench/out/bench.json"))
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lookalike-bench-") as folder:
        for group in arguments.groups or GROUPS:
            print(f"… {group}", file=sys.stderr, flush=True)
            module = importlib.import_module(f"bench.{group}")
            figures += module.measure(Path(folder), arguments.pictures)
            write_json(figures, arguments.out)
    show(figures)
    return 0 if all(figure.is_met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
