"""The catalogue, on SQLite and, where its server is installed, on PostgreSQL."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from engine.catalog import Catalog, CategoryCount, Photo, Totals
from engine.errors import StoreError
from engine.files import FileState
from engine.schema import Base, Chat, Inbox, Question, TelegramFile

pytest_plugins = ["tests.engine.databases"]


@pytest.fixture
def catalog(url):
    with Catalog.open(url) as opened:
        yield opened


def photo(number, category="cats", **facts):
    return Photo(f"{number:016x}", category, 640, 480, facts.pop("phash", number), **facts)


def file(path, number, category="cats", **facts):
    return FileState(path, f"{number:016x}", category, 1000, 5_000_000_000_000_000_000, **facts)


def stored(catalog, *photos):
    """Pictures with one file each, ready."""
    catalog.add_pending(photos)
    catalog.files.record(
        file(f"/pictures/{each.category}/{each.id}.jpg", int(each.id, 16), each.category)
        for each in photos
    )
    catalog.mark_ready(each.id for each in photos)


def names(*numbers):
    return [f"{number:016x}" for number in numbers]


def test_facts_come_back_as_they_were_given(catalog):
    full = photo(
        1, "hải cẩu", owner=-(10**12), phash=-(2**63), source="openverse", title="Seal 🦭",
        landing_page="https://example.org/1", creator="A", licence="by",
        licence_url="https://example.org/by",
    )  # fmt: skip
    stored(catalog, full)
    [found] = catalog.facts([full.id, "f" * 16]).values()
    path = Path("/pictures/hải cẩu/0000000000000001.jpg")
    assert found == Photo(
        **{name: getattr(full, name) for name in Photo.__slots__ if name not in {"state", "path"}},
        state="ready",
        path=path,
    )


def test_the_librarys_own_copy_is_the_path_of_a_picture_with_several_files(catalog):
    catalog.add_pending([photo(1)])
    catalog.files.record([file("/a.jpg", 1), file("/z.jpg", 1, is_stored=True)])
    assert catalog.facts(names(1))[f"{1:016x}"].path == Path("/z.jpg")


def test_pending_pictures_are_not_counted_until_they_are_ready(catalog):
    catalog.add_pending([photo(1), photo(2), photo(3, owner=7)])
    assert (catalog.categories(), catalog.ids_in("cats"), catalog.all_ids()) == ([], [], [])
    assert (catalog.count(), catalog.pending_ids()) == (0, names(1, 2, 3))
    catalog.mark_ready(names(1, 3))
    assert catalog.categories() == [CategoryCount("cats", 1)]
    assert catalog.categories(owner=7) == [CategoryCount("cats", 1)]
    assert (catalog.ids_in("cats"), catalog.ids_in("cats", owner=7)) == (names(1), names(3))
    assert (catalog.all_ids(), catalog.all_ids(None)) == (names(1, 3), names(1, 2, 3))
    assert (catalog.count(), catalog.count("pending")) == (2, 1)
    assert catalog.private_ids() == names(3)
    catalog.mark_pending(names(1))
    assert catalog.pending_ids() == names(1, 2)


def test_adding_again_renews_a_pending_picture_and_leaves_a_ready_one_alone(catalog):
    catalog.add_pending([photo(1, "cats"), photo(2, "cats")])
    catalog.mark_ready(names(2))
    catalog.add_pending([photo(1, "dogs"), photo(2, "dogs")])
    facts = catalog.facts(names(1, 2))
    assert [facts[name].category for name in names(1, 2)] == ["dogs", "cats"]
    assert [facts[name].state for name in names(1, 2)] == ["pending", "ready"]


def test_a_picture_follows_the_file_that_remains(catalog):
    catalog.add_pending([photo(1, "cats")])
    catalog.files.record([file("/cats/1.jpg", 1), file("/pets/1.jpg", 1, "pets")])
    catalog.mark_ready(names(1))
    assert catalog.files.forget(["/cats/1.jpg"]) == []
    assert catalog.ids_in("pets") == names(1)
    assert catalog.files.forget(["/pets/1.jpg", "/never/there.jpg"]) == names(1)
    assert catalog.files.orphans() == names(1)
    assert catalog.remove_images(catalog.files.orphans()) == 1
    assert catalog.all_ids(None) == []


def test_a_picture_keeps_its_category_while_one_file_agrees(catalog):
    catalog.add_pending([photo(1, "cats")])
    catalog.files.record([file("/z/1.jpg", 1, "cats"), file("/a/1.jpg", 1, "animals")])
    assert catalog.facts(names(1))[f"{1:016x}"].category == "cats"


def test_a_file_that_changed_gives_up_its_old_picture(catalog):
    stored(catalog, photo(1), photo(2))
    [path] = [each.path for each in catalog.files.of(names(1))[f"{1:016x}"]]
    assert catalog.files.record([file(path, 2)]) == names(1)
    assert len(catalog.files.of(names(1, 2))[f"{2:016x}"]) == 2


def test_moved_files_keep_their_picture_and_take_the_new_category(catalog):
    stored(catalog, photo(1, "cats"))
    old = "/pictures/cats/0000000000000001.jpg"
    assert catalog.files.move({old: file("/pictures/lions/new.jpg", 1, "lions")}) == []
    assert list(catalog.files.states()) == ["/pictures/lions/new.jpg"]
    assert catalog.ids_in("lions") == names(1)


def test_two_files_can_change_places(catalog):
    stored(catalog, photo(1), photo(2))
    one, two = (f"/pictures/cats/{name}.jpg" for name in names(1, 2))
    assert catalog.files.move({one: file(two, 1), two: file(one, 2)}) == []
    assert {path: each.image_id for path, each in catalog.files.states().items()} == {
        one: f"{2:016x}",
        two: f"{1:016x}",
    }


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"\xff\xfe\x80.jpg", "ảnh 100%_ø.jpg".encode(), b"new\nline'\".jpg"]
)
def test_any_file_name_the_system_allows_survives(catalog, name):
    path = f"/pictures/{os.fsdecode(name)}"
    catalog.add_pending([photo(1)])
    catalog.files.record([file(path, 1)])
    assert list(catalog.files.states(Path("/pictures"))) == [path]
    assert catalog.facts(names(1))[f"{1:016x}"].path == Path(path)
    assert catalog.files.forget([path]) == names(1)


def test_a_folder_means_what_lies_below_it_and_not_its_namesakes(catalog):
    inside = ["/p/a/1.jpg", "/p/a/b/2.jpg", "/p/a/\udcff.jpg"]
    outside = ["/p/a.jpg", "/p/a b/3.jpg", "/p/a0/4.jpg", "/p/A/5.jpg", "/p/a_/6.jpg", "/p/a-/7"]
    catalog.add_pending([photo(1)])
    catalog.files.record([file(path, 1) for path in [*inside, *outside]])
    assert sorted(catalog.files.states(Path("/p/a"))) == sorted(inside)
    assert list(catalog.files.states(Path("/p/a.jpg"))) == ["/p/a.jpg"]
    assert len(catalog.files.states(Path("/"))) == len(catalog.files.states()) == 9


@pytest.mark.parametrize("odd", ["\udcff\udcfe", "nul\0nul", "half \ud83d pair"])
def test_a_category_that_is_no_text_is_found_by_the_name_it_was_given(catalog, odd):
    catalog.add_pending([photo(1, odd, title=odd)])
    catalog.files.record([file("/a.jpg", 1, odd)])
    catalog.mark_ready(names(1))
    assert catalog.ids_in(odd) == names(1)
    [count] = catalog.categories()
    assert catalog.ids_in(count.category) == names(1)
    count.category.encode()


def test_near_duplicates_are_marked_and_only_originals_are_compared_with(catalog):
    # In one batch, the copy before its original.
    catalog.add_pending(
        [photo(5, near_of=f"{9:016x}"), photo(9, phash=-1), photo(3), photo(4, owner=1)]
    )
    ids, hashes = catalog.phashes()
    assert sorted(zip(ids, hashes.tolist(), strict=True)) == [(names(3)[0], 3), (names(9)[0], -1)]
    assert hashes.dtype == np.int64
    assert catalog.phashes(owner=1)[0] == names(4)
    assert catalog.near(f"{9:016x}") == names(5)
    catalog.mark_near({f"{3:016x}": f"{9:016x}", f"{5:016x}": None})
    assert catalog.near(f"{9:016x}") == names(3)
    assert catalog.remove_images(names(9)) == 1
    assert sorted(catalog.phashes()[0]) == names(3, 5)


def test_an_empty_catalogue_answers_everything_with_nothing(catalog):
    assert catalog.totals() == Totals(0, 0, 0, 0, 0, 0)
    ids, hashes = catalog.phashes()
    assert (ids, hashes.shape) == ([], (0,))
    assert (catalog.facts([]), catalog.files.states(), catalog.files.orphans()) == ({}, {}, [])
    catalog.add_pending([])
    catalog.mark_near({})
    assert (catalog.files.record([]), catalog.remove_images([])) == ([], 0)


def test_totals_count_what_is_there(catalog):
    stored(catalog, photo(1, "cats"), photo(2, "dogs"))
    catalog.add_pending([photo(3, near_of=f"{1:016x}")])
    assert catalog.totals() == Totals(2, 1, 0, 2, 2, 2000)


def test_totals_and_shared_ids_leave_out_what_somebody_keeps_for_himself(catalog):
    own = photo(3, "secret", owner=42, near_of=f"{1:016x}")
    stored(catalog, photo(2, "dogs"), photo(1, "cats"), own)
    catalog.add_pending([photo(4), photo(5, owner=42)])
    assert catalog.shared_ids() == names(1, 2)
    assert catalog.totals() == Totals(2, 1, 0, 2, 2, 2000)


def test_removing_a_picture_forgets_its_files_and_telegrams_ids(catalog):
    stored(catalog, photo(1), photo(2))
    with catalog.session() as session:
        session.add_all(TelegramFile(bot_id=5, image_id=name, file_id="x") for name in names(1, 2))
    assert catalog.remove_images(names(1, 7)) == 1
    with catalog.session(read_only=True) as session:
        assert session.scalars(select(TelegramFile.image_id)).all() == names(2)
    assert len(catalog.files.states()) == 1


def test_a_file_needs_its_picture(catalog):
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        catalog.files.record([file("/a.jpg", 1)])


def test_batches_larger_than_a_statement_takes_parameters(catalog):
    photos = [photo(number, f"topic {number % 7}") for number in range(1, 34_001)]
    catalog.add_pending(photos)
    catalog.mark_ready(each.id for each in photos)
    assert len(catalog.facts(each.id for each in photos)) == catalog.count() == 34_000
    assert catalog.remove_images(each.id for each in photos) == 34_000


def add_and_fail(session):
    session.add(Chat(id=2))
    session.flush()
    raise RuntimeError


def test_a_session_keeps_all_or_nothing(catalog):
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=7)))
    with catalog.session() as session:
        session.add(Chat(id=-1001234567890123, metric="l1"))
        session.add(
            Inbox(bot_id=1, update_id=2, payload={"text": "ảnh \ud83d\0"}, received_at=moment)
        )
        session.add(Question(key="k", bot_id=1, chat_id=3, flags={"topk": 5}))
    with pytest.raises(RuntimeError), catalog.session() as session:
        add_and_fail(session)
    with catalog.session(read_only=True) as session:
        assert session.scalars(select(Chat.id)).all() == [-1001234567890123]
        received = session.get_one(Inbox, (1, 2))
        assert (received.state, received.attempts, received.answered_at) == ("waiting", 0, None)
        assert received.received_at == moment
        assert received.received_at.tzinfo is UTC
        assert session.get_one(Question, "k").flags == {"topk": 5}


def test_a_time_without_its_zone_is_refused(catalog):
    with pytest.raises(Exception, match="without zone"), catalog.session() as session:
        session.add(
            Question(key="k", bot_id=1, chat_id=3, flags={}, created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point
        )


def test_threads_write_at_once_and_none_fails(catalog):
    with catalog.session() as session:
        session.add(Chat(id=1, topk=0))
    failures = []

    def work(thread):
        try:
            for step in range(15):
                catalog.add_pending([photo(thread * 100 + step)])
                with catalog.session() as session:
                    chat = session.get_one(Chat, 1, with_for_update=True)
                    chat.topk += 1
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with catalog.session(read_only=True) as session:
        assert session.get_one(Chat, 1).topk == 90
    assert catalog.count("pending") == 90


def test_a_reader_neither_waits_for_a_writer_nor_sees_its_half(catalog):
    stored(catalog, photo(1))
    with catalog.session() as session:
        session.add(Chat(id=1))
        session.flush()
        assert catalog.count() == 1
        with catalog.session(read_only=True) as other:
            assert other.get(Chat, 1) is None


def test_reading_where_there_is_no_library_says_so(tmp_path):
    with pytest.raises(StoreError, match="no library yet"):
        Catalog.open(f"sqlite:///{tmp_path / 'x' / 'none.db'}", create=False)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "content", [b"this is no database " * 100, b"SQLite format 3\0" + b"\x7f" * 3000]
)
def test_a_file_that_is_no_database_is_named(tmp_path, content):
    path = tmp_path / "lookalike.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        Catalog.open(f"sqlite:///{path}")


def test_a_server_that_is_not_there_is_named_without_the_password():
    pytest.importorskip("psycopg")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"postgresql://me:geheim@127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(StoreError, match=r"127\.0\.0\.1") as caught:
            Catalog.open(address)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "nosuchdb://host/x", "sqlite://host/x.db"])
def test_an_address_that_is_none_is_refused_in_words(address):
    with pytest.raises(StoreError):
        Catalog.open(address)


def test_every_column_of_the_design_is_there():
    columns = {table.name: set(table.columns.keys()) for table in Base.metadata.tables.values()}
    assert columns["images"] >= {
        "id", "owner", "category", "width", "height", "phash", "near_of", "source", "landing_page",
        "title", "creator", "licence", "licence_url", "state", "added_at",
    }  # fmt: skip
    assert columns["inbox"] >= {"bot_id", "update_id", "chat_id", "payload", "state", "attempts"}


def test_importing_the_catalogue_loads_no_migrations(tmp_path):
    Catalog.open(f"sqlite:///{tmp_path / 'a.db'}").close()
    code = (
        "import sys; from engine.catalog import Catalog; "
        f"Catalog.open('sqlite:///{tmp_path / 'a.db'}').close(); "
        "print('alembic' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
