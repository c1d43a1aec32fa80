"""`python -m engine`: the engine's commands, without the bot's."""

import sys

from engine.cli.application import new_application, run

if __name__ == "__main__":
    sys.exit(run(new_application()))
