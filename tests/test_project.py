"""The project's own promises: layers, README and container files that are true, nothing stray."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from engine.config import Settings

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

in_a_checkout = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="needs a git checkout"
)


def run(
    *command: str | Path, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def draw_pictures(folder: Path, count: int = 3) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((120, 90)).save(folder / f"{number}.jpg")


def tracked_files() -> list[Path]:
    names = run("git", "ls-files", "-z").stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def shell_blocks(text: str) -> list[str]:
    """The commands of README's `sh` blocks, those indented in a list among them."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def table_rows(heading: str) -> list[list[str]]:
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


# Layers and style


def test_layers_hold():
    done = run(BIN / "lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


# README


def test_readme_lists_every_setting_with_its_default():
    rows = {row[0].strip("`"): row[1] for row in table_rows("Settings")}
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    # These two follow from DATA_DIR, in words.
    for name in rows.keys() - {"DATABASE_URL", "CHROMA_URL"}:
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, tuple):
            default = ",".join(map(str, default)) or None
        assert rows[name] == ("–" if default is None else f"`{default}`"), name


def test_example_file_names_every_setting_and_loads_as_the_defaults(monkeypatch):
    names = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)


def test_readme_lists_the_bots_commands():
    from bot.app import ADMIN_COMMANDS, COMMANDS
    from bot.questions import CAPTION_COMMANDS, CAPTION_SWITCHES

    said = set(re.findall(r"`/(\w+)", README.split("## What the bot does")[1].split("\n## ")[0]))
    known = {*COMMANDS, *ADMIN_COMMANDS, *CAPTION_COMMANDS, *CAPTION_SWITCHES}
    assert said == known


def test_readme_lists_the_encoder_presets():
    from engine.encoders import PRESETS

    rows = {row[0].strip("`"): row for row in table_rows("Choosing an encoder")}
    for name, preset in PRESETS.items():
        assert rows[name][2] == f"{preset.megabytes} MB", name


def test_readmes_commands_work_one_after_the_other(tmp_path):
    """Those of the command line, as written; `make` targets have tests of their own."""
    draw_pictures(tmp_path / "photos" / "holidays")
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "photos" / "holidays" / "1.jpg").read_bytes())
    with Image.open(tmp_path / "photo.jpg") as photo:
        photo.crop((20, 10, 90, 70)).save(tmp_path / "part.jpg", quality=95)
    demo = f"open_clip:local-dir:{ROOT / 'data' / 'demo-encoder'}"  # it reads words
    commands = [line for line in shell_blocks(README) if line.startswith("lookalike ")]
    assert len(commands) >= 6
    for command in commands:
        program, *arguments = shlex.split(command)
        encoder = demo if {"index", "--text"} & set(arguments) else "none"
        done = run(
            BIN / program, *arguments, cwd=tmp_path, DATA_DIR="data", ENCODER=encoder, METRIC="clip"
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert "Traceback" not in done.stderr
    for sheet in ("answer.png", "metrics.png", "place.png"):
        assert (tmp_path / sheet).stat().st_size > 1000


def test_readmes_other_commands_are_ones_the_project_has():
    known = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    for command in shell_blocks(README):
        program, first = command.split()[:2]
        if program == "make":
            assert first in known, command
        else:
            assert Path(program).name == "lookalike", command
            done = run(BIN / "lookalike", first, "--help")
            assert done.returncode == 0, command


def test_readmes_json_is_what_search_prints(tmp_path):
    draw_pictures(tmp_path / "photos")
    settings = {"DATA_DIR": str(tmp_path / "data"), "ENCODER": "none"}
    assert run(BIN / "lookalike", "index", tmp_path / "photos", **settings).returncode == 0
    done = run(
        BIN / "lookalike",
        "search",
        tmp_path / "photos" / "1.jpg",
        "--metric",
        "l1",
        "--json",
        **settings,
    )
    printed = json.loads(done.stdout)
    shown = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL).group(1))
    assert list(printed) == list(shown)
    assert list(printed["matches"][0]) == list(shown["matches"][0])
    assert printed["matches"][0]["attribution"].keys() == shown["matches"][0]["attribution"].keys()
    assert printed["schema_version"] == shown["schema_version"]


def test_links_within_the_documents_lead_somewhere():
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = document.read_text()
        anchors = {
            re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("#"):
                assert target[1:] in anchors, f"{document.name}: {target}"
            elif "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"


# Make


def test_make_says_what_it_offers_and_offers_what_it_says():
    said = run("make", "--silent", "help").stdout
    for target in ("demo", "run", "test", "lint", "bench"):
        assert f"make {target}" in said
        assert run("make", "--dry-run", target).returncode == 0


def test_make_installs_nothing_when_nothing_changed(tmp_path):
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    would = run("make", "--no-print-directory", "--dry-run", "demo", f"VENV={folder}").stdout
    assert "pip install" in would
    (folder / ".installed").touch()
    would = run("make", "--no-print-directory", "--dry-run", "demo", f"VENV={folder}").stdout
    assert "pip install" not in would
    assert would.strip() == f"{folder}/bin/lookalike demo"


def test_make_asks_for_a_newer_python_in_words(tmp_path):
    done = run("make", "demo", f"VENV={tmp_path / 'none'}", "PYTHON=")
    assert done.returncode != 0
    assert "Python 3.11" in done.stderr


# Container


def test_dockerfile_passes_its_linter():
    done = run(BIN / "hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_compose_file_passes_its_linters():
    for line in re.findall(
        r"^\t\$\(BIN\)/((?:yamllint|check-jsonschema) .*)$", MAKEFILE, re.MULTILINE
    ):
        program, *arguments = shlex.split(line)
        done = run(BIN / program, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith("$"), volume


def test_containers_run_commands_that_exist(tmp_path):
    """The health check and the bot's start, with the very words of the container's files."""
    health = json.loads(
        re.search(r"^HEALTHCHECK .*? CMD (\[.*\])$", DOCKERFILE, re.MULTILINE).group(1)
    )
    entry = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", DOCKERFILE, re.MULTILINE).group(1))
    default = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE).group(1))
    environment = {"DATA_DIR": str(tmp_path), "TELEGRAM_TOKEN": ""}

    done = run(BIN / health[0], *health[1:], cwd=tmp_path, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    (tmp_path / "bot.heartbeat").touch()
    done = run(BIN / health[0], *health[1:], cwd=tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, "")

    for command in ([*entry, *default], [*entry, *COMPOSE["services"]["bot"]["command"]]):
        done = run(BIN / command[0], *command[1:], cwd=tmp_path, **environment)
        assert done.returncode == 1
        assert "TELEGRAM_TOKEN" in done.stderr
        assert "Traceback" not in done.stderr

    chroma = COMPOSE["services"]["chroma"]
    command = [*chroma["entrypoint"], *chroma["command"]]
    done = run(BIN / command[0], command[1], "--help")
    assert done.returncode == 0
    for option in command[2:]:
        assert not option.startswith("--") or option in done.stdout


def test_dockers_list_of_requirements_is_made_from_the_project_file():
    script = re.search(r"RUN python -c '(.*?)'", DOCKERFILE).group(1)
    printed = run(sys.executable, "-c", script).stdout.splitlines()
    assert set(PROJECT["project"]["dependencies"]) < set(printed)


def test_docker_copies_only_what_the_ignore_file_lets_through():
    let_through = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in line.split():
            assert any(name == source or name.startswith(f"{source}/") for name in let_through), (
                source
            )
            assert (ROOT / source).exists()


def test_ci_script_passes_its_linter_and_can_be_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    done = run(BIN / "shellcheck", script)
    assert done.returncode == 0, done.stdout


# What is committed and what is built


def test_constraints_are_names_and_versions_and_hold_here():
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    pins = dict(line.split("==") for line in lines)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    for name in (
        "torch",
        "torchvision",
        "open_clip_torch",
        "chromadb",
        "python-telegram-bot",
        "numpy",
    ):
        installed = importlib.metadata.version(name).split("+")[0]
        assert installed == pins[name], name


def test_constraints_cover_every_direct_requirement():
    text = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    extras = PROJECT["project"]["optional-dependencies"]
    for requirement in [
        *PROJECT["project"]["dependencies"],
        *(each for extra in extras.values() for each in extra),
    ]:
        name = re.match(r"[A-Za-z0-9._-]+", requirement).group().lower()
        if name != "lookalike":
            assert f"\n{name}==" in text, name


@in_a_checkout
def test_no_registry_address_and_no_path_of_one_machine_is_committed():
    """Where packages come from is for pip's own configuration to say."""
    registries = (
        "pypi." + "org",
        "files.python" + "hosted",
        "download.pytorch." + "org",
        "--index" + "-url ",
    )
    for path in tracked_files():
        if path.suffix in {".png", ".safetensors", ".bin", ".pt"}:
            continue
        text = path.read_text(errors="ignore")
        for word in (*registries, "/home" + "/", "/work" + "/"):
            if word == "/home" + "/" and path.name == "Dockerfile":
                continue
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"


@in_a_checkout
def test_no_large_file_is_committed():
    for path in tracked_files():
        limit = 8_000_000 if "demo-encoder" in path.parts else 1_000_000
        assert path.stat().st_size <= limit, path


def test_wheel_carries_what_the_program_reads_at_run_time(tmp_path):
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("bot", "engine"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert str(path.relative_to(ROOT)) in names
    assert "engine/topics.toml" in names
    for path in (ROOT / "data" / "demo-encoder").iterdir():
        if not path.name.startswith("."):
            assert f"engine/demo-encoder/{path.name}" in names
    assert not any(name.startswith(("tests/", "data/", "bench/")) for name in names)
