"""The tables' history: what the revisions make is what the program's models say."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from engine import database, migrations
from engine.catalog import Catalog, Photo
from engine.crawls import CrawlLog
from engine.errors import StoreError
from engine.schema import Base

pytest_plugins = ["tests.engine.databases"]

LATER = '''
"""A change to come."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None


def upgrade():
    with op.batch_alter_table("images") as table:
        table.add_column(sa.Column("rating", sa.Integer(), nullable=False, server_default="3"))
    {more}
'''


@pytest.fixture
def later(tmp_path, monkeypatch):
    """Gives the program one more revision, as a later version of it will have."""

    def add(more="pass"):
        folder = tmp_path / "migrations"
        shutil.copytree(migrations.FOLDER, folder)
        (folder / "versions" / "9999_later.py").write_text(
            LATER.format(head=migrations.HEAD, more=more)
        )
        monkeypatch.setattr(database, "HEAD", "9999")
        monkeypatch.setattr(
            database, "upgrade", lambda c, current: migrations.upgrade(c, current, folder=folder)
        )

    return add


def connected(url):
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def revision(url):
    engine = connected(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return found


def test_the_migrated_tables_are_those_of_the_models(url):
    Catalog.open(url).close()
    engine = connected(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        # What Alembic does not compare.
        for name, table in Base.metadata.tables.items():
            inspected = inspect(connection)
            found = {each["name"] for each in inspected.get_check_constraints(name)}
            named = {
                str(each.name) for each in table.constraints if "CHECK" in repr(type(each)).upper()
            }
            assert found == named
            assert set(inspected.get_pk_constraint(name)["constrained_columns"]) == {
                column.name for column in table.primary_key
            }
            for key in inspected.get_foreign_keys(name):
                [model] = [
                    each
                    for each in table.foreign_keys
                    if each.parent.name in key["constrained_columns"]
                ]
                assert key["options"].get("ondelete") == model.ondelete
    engine.dispose()


def test_the_noted_head_is_the_newest_revision():
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_an_older_library_is_brought_up_to_date_and_keeps_its_rows(url, later):
    with Catalog.open(url) as catalog:
        catalog.add_pending([Photo("a" * 16, "cats", 1, 1, 5)])
        catalog.mark_ready(["a" * 16])
    later()
    with Catalog.open(url) as catalog:
        assert catalog.ids_in("cats") == ["a" * 16]
    engine = connected(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT rating FROM images")).scalar_one() == 3
    engine.dispose()
    assert revision(url) == "9999"


def test_a_library_from_before_crawls_gets_their_tables_and_keeps_its_rows(url):
    Catalog.open(url).close()
    engine = connected(url)
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO images (id, category, width, height, phash, state, added_at) "
                "VALUES ('aaaaaaaaaaaaaaaa', 'cats', 1, 1, 5, 'ready', '2025-01-01 00:00:00')"
            )
        )
    assert not inspect(engine).has_table("crawls")
    engine.dispose()
    with Catalog.open(url) as catalog:
        assert catalog.ids_in("cats") == ["a" * 16]
        crawl = CrawlLog(catalog.session).queue("cat", category="cats", wanted=3, sources=["x"])
        assert CrawlLog(catalog.session).unfinished() == [crawl]
    assert revision(url) == migrations.HEAD


def test_a_library_of_a_newer_version_is_left_alone_with_one_clear_word(url, later, monkeypatch):
    later()
    Catalog.open(url).close()
    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"newer version.*9999") as caught:
        Catalog.open(url)
    assert caught.value.key == "catalog_newer"
    assert revision(url) == "9999"


def test_a_change_that_fails_half_way_leaves_the_tables_as_they_were(url, later, monkeypatch):
    with Catalog.open(url) as catalog:
        catalog.add_pending([Photo("a" * 16, "cats", 1, 1, 5)])
    later(more='raise RuntimeError("power cut")')
    with pytest.raises(RuntimeError, match="power cut"):
        Catalog.open(url)
    monkeypatch.undo()
    engine = connected(url)
    assert "rating" not in {column["name"] for column in inspect(engine).get_columns("images")}
    engine.dispose()
    with Catalog.open(url) as catalog:
        assert catalog.pending_ids() == ["a" * 16]


def test_processes_that_open_a_new_library_at_once_all_succeed(url):
    code = f"from engine.catalog import Catalog; print(Catalog.open({url!r}).count())"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (out.strip(), err) == ("0", "")


def test_nothing_is_printed_while_tables_are_made(url, capfd):
    Catalog.open(url).close()
    assert capfd.readouterr() == ("", "")
