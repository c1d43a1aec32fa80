"""Fixtures: an empty SQLite file, and an empty database on a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError


def postgres_binary(name):
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), shutil.which(name)]
    return next((str(each) for each in found if each), None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """URL of a private PostgreSQL server, on a free port of loopback."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    initdb, server = postgres_binary("initdb"), postgres_binary("postgres")
    if not (initdb and server):
        pytest.skip("no PostgreSQL server is installed here")
    as_user: list[str] = []
    folder = tmp_path_factory.mktemp("postgres")
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        if not shutil.which("setpriv"):
            pytest.skip("running as root, and there is no setpriv to start PostgreSQL without")
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(folder, 65534, 65534)
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = subprocess.run(
        [*as_user, initdb, "-D", folder / "data", "-U", "tester", "-A", "trust", "-N"],
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"PostgreSQL cannot be started here: {made.stderr[-200:]}")
    settings = [f"-cport={port}", "-clisten_addresses=127.0.0.1", "-cfsync=off"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*as_user, server, "-D", folder / "data", f"-cunix_socket_directories={folder}",
             *settings],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
    url = f"postgresql://tester@127.0.0.1:{port}"
    try:
        _await(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _await(url, process, log):
    engine = create_engine(_admin(url))
    for _ in range(200):
        try:
            engine.connect().close()
        except OperationalError:
            assert process.poll() is None, log.read_text()[-500:]
            time.sleep(0.05)
        else:
            break
    engine.dispose()


def _admin(url):
    return f"{url}/postgres".replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture(scope="session")
def fresh_postgres(postgres):
    """Makes a new database on the server and returns its URL."""
    names = iter(range(1000))

    def make():
        name = f"lookalike_{next(names)}"
        engine = create_engine(_admin(postgres), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{postgres}/{name}"

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder' / 'lookalike.db'}"
    return request.getfixturevalue("fresh_postgres")()
