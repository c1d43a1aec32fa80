"""Vectors: a real Chroma (embedded, and a real server) beside the exact matrix."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.config import load_settings
from engine.errors import StoreError
from engine.metrics import scores
from engine.rows import RowFile
from engine.vectors import Vectors
from engine.vectors.collection import Collection
from engine.vectors.mirror import Mirror

KEY = "open_clip:ViT-B-32/laion2b_s34b_b79k"
FORMULAS = ["cosine", "l2", "l1", "correlation"]


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def some(count, width=32, seed=0):
    """Unit vectors in loose groups, as pictures of a few topics are."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, count // 20), width))
    rows = centres[rng.integers(0, len(centres), count)] + 0.6 * rng.standard_normal((count, width))
    return unit(rows)


def names(count, first=1):
    # Spread over the 64 bits like real ids, the topmost bit included.
    return [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(first, first + count)]


def recall(vectors, queries, k=10):
    hits = 0
    for query in queries:
        exact = {name for name, _ in vectors.exact(query, "cosine", k)}
        hits += len(exact & {name for name, _ in vectors.query(query, k)})
    return hits / (k * len(queries))


def by_chroma(vectors, query, k=10):
    """What the index itself says, without the matrix behind it."""
    [found] = vectors._collection.nearest(query[None], k)
    return [name for name, _ in found]


@pytest.fixture
def settings(tmp_path):
    return load_settings(data_dir=tmp_path / "data", chroma_url=None)


@pytest.fixture
def opened(settings):
    """Opens vectors; closes at the end what was not closed before."""
    open_ones = []

    def open_vectors(width=32, *, key=KEY, write=True, settings=settings):
        vectors = Vectors.open(settings, key, width, write=write)
        open_ones.append(vectors)
        return vectors

    yield open_vectors
    for vectors in open_ones:
        vectors._release()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """URL of a real `chroma run`."""
    folder = tmp_path_factory.mktemp("chroma")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "chroma"), "run", "--host", "127.0.0.1",
             "--port", str(port), "--path", str(folder / "data")],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
            env=os.environ | {"ANONYMIZED_TELEMETRY": "False"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()[-500:]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_a_vector_is_its_own_nearest_by_index_and_by_matrix(opened):
    vectors, rows, ids = opened(), some(200), names(200)
    vectors.add(ids, rows)
    for name, row in zip(ids[:20], rows[:20], strict=True):
        [(found, similarity)] = vectors.query(row, 1)
        assert (found, similarity) == (name, pytest.approx(1))
        for formula in FORMULAS:
            assert vectors.exact(row, formula, 1)[0][0] == name
    assert len(vectors) == 200
    assert vectors.ids() == sorted(ids)
    assert vectors.missing([*ids[:3], "f" * 16]) == ["f" * 16]
    np.testing.assert_array_equal(vectors.get([ids[7], ids[3]]), rows[[7, 3]])
    with pytest.raises(KeyError, match="ffff"):
        vectors.get(["f" * 16])


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("k", [1, 10, 499, 500, 900])
def test_exact_answers_are_those_of_the_metrics(opened, formula, k):
    vectors, rows, ids = opened(), some(500), names(500)
    vectors.add(ids, rows)
    [query] = some(1, seed=9)
    wanted = scores(formula, query, rows)[0]
    sign = 1 if formula in {"l1", "l2"} else -1
    order = sorted(range(500), key=lambda at: (sign * wanted[at], ids[at]))[:k]
    found = vectors.exact(query, formula, k)
    assert found == [(ids[at], pytest.approx(wanted[at], abs=1e-12)) for at in order]


@pytest.mark.parametrize("formula", FORMULAS)
def test_odd_rows_agree_with_the_metrics_too(opened, formula):
    # Of any length, constant, zero, with a large mean: what float32 sums get wrong.
    vectors, ids = opened(), names(60)
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((60, 32)).astype(np.float32)
    rows[10:20] *= 1e-3
    rows[20:30] += 1000
    rows[30:34] = 0
    rows[34:40] = 0.1
    vectors.add(ids, rows, shared=[False] * 60)
    for query in rows[[5, 15, 25, 30, 35]]:
        wanted = scores(formula, query, rows)[0]
        sign = 1 if formula in {"l1", "l2"} else -1
        order = sorted(range(60), key=lambda at: (sign * wanted[at], ids[at]))[:7]
        found = vectors.exact(query, formula, 7, among=ids)
        assert found == [(ids[at], pytest.approx(wanted[at])) for at in order]


@pytest.mark.parametrize("formula", FORMULAS)
def test_equal_vectors_come_in_order_of_their_ids(opened, formula):
    vectors, ids = opened(), names(50)
    rows = some(50)
    rows[5:45] = rows[5]
    vectors.add(ids, rows)
    twins = sorted(ids[5:45])
    assert [name for name, _ in vectors.exact(rows[5], formula, 12)] == twins[:12]
    if formula == "cosine":
        assert [name for name, _ in vectors.query(rows[5], 50)][:40] == twins


def test_a_category_is_searched_and_nothing_else(opened):
    vectors, rows, ids = opened(), some(900), names(900)
    vectors.add(ids, rows)
    for among in (ids[:5], ids[::2], ids[100:800], [], ["f" * 16, ids[3]]):
        found = vectors.exact(rows[0], "cosine", 900, among=among)
        assert {name for name, _ in found} == set(among) - {"f" * 16}
        everything = [each for each in vectors.exact(rows[0], "cosine", 900) if each[0] in among]
        assert found == [(name, pytest.approx(score)) for name, score in everything]


def test_private_pictures_are_found_only_by_who_names_them(opened):
    vectors, rows, ids = opened(), some(60), names(60)
    vectors.add(ids, rows, shared=[number >= 20 for number in range(60)])
    assert vectors._collection.count() == 40
    assert set(vectors._collection.ids()) == set(ids[20:])
    for answer in (vectors.query(rows[3], 60), vectors.exact(rows[3], "l2", 60)):
        assert not {name for name, _ in answer} & set(ids[:20])
    assert vectors.exact(rows[3], "cosine", 1, among=ids)[0][0] == ids[3]
    assert len(vectors) == 60
    assert vectors.missing(ids) == []
    np.testing.assert_array_equal(vectors.get(ids), rows)
    vectors.close()
    vectors = opened()
    assert vectors._collection.count() == 40
    assert vectors.audit() == []


def test_a_picture_that_turns_private_leaves_chroma_and_one_that_turns_shared_enters(opened):
    vectors, rows, ids = opened(), some(4), names(4)
    vectors.add(ids, rows, shared=[True, True, False, False])
    vectors.add(ids[1:3], rows[1:3], shared=[False, True])
    assert sorted(vectors._collection.ids()) == sorted([ids[0], ids[2]])
    assert len(vectors) == 4
    assert vectors.audit() == []


def test_a_picture_embedded_again_has_the_new_vector_everywhere(opened):
    vectors, rows, ids = opened(), some(30), names(30)
    vectors.add(ids, rows)
    [other] = unit(-rows[:1])
    vectors.add(ids[:1], other[None])
    assert vectors.query(other, 1) == [(ids[0], pytest.approx(1))]
    assert len(vectors) == 30
    assert vectors.audit() == []


def test_deleted_pictures_are_found_no_more(opened):
    vectors, rows, ids = opened(), some(50), names(50)
    vectors.add(ids, rows, shared=[True] * 40 + [False] * 10)
    vectors.delete([*ids[:3], ids[45], "f" * 16])
    gone = {*ids[:3], ids[45]}
    assert not gone & {name for name, _ in vectors.query(rows[0], 50)}
    assert not gone & {name for name, _ in vectors.exact(rows[45], "cosine", 50, among=ids)}
    assert set(vectors.missing(ids)) == gone
    assert len(vectors) == 46


def test_chroma_lagging_behind_a_delete_shows_nobody_who_is_gone(opened):
    vectors, rows, ids = opened(), some(50), names(50)
    vectors.add(ids, rows)
    vectors._shared.delete([int(name, 16) for name in ids[:5]])
    assert ids[0] in by_chroma(vectors, rows[0])
    assert not set(ids[:5]) & {name for name, _ in vectors.query(rows[0], 50)}


def test_an_empty_store_answers_with_nothing(opened):
    vectors = opened()
    query = some(1)[0]
    assert vectors.query(query, 5) == vectors.exact(query, "l1", 5) == []
    assert (vectors.audit(), vectors.ids(), len(vectors)) == ([], [], 0)
    vectors.delete(["f" * 16])
    vectors.rebuild()
    assert vectors.get([]).shape == (0, 32)


def test_asking_for_more_than_there_are_gives_all_of_them(opened):
    vectors = opened()
    vectors.add(names(5), some(5))
    assert len(vectors.query(some(1)[0], 100)) == 5
    assert vectors.query(some(1)[0], 0) == []


def test_another_encoder_has_vectors_of_its_own(opened, settings):
    first = opened(32)
    first.add(names(5), some(5))
    first.close()
    second = opened(16, key="timm:resnet50")
    assert len(second) == 0
    second.add(names(3), some(3, 16))
    second.close()
    # The same name in another width is another network.
    third = opened(16)
    assert (len(third), third.audit()) == (0, [])
    third.close()
    assert len(opened(32)) == 5
    assert Vectors.stored_dimension(settings, "timm:resnet50") == 16
    assert Vectors.stored_dimension(settings, "timm:resnet") is None


@pytest.mark.parametrize(
    "key",
    ["open_clip:local-dir:/tmp/Mô hình/../x", "timm:" + "long" * 300, "日本", "-.-", "a/b", "a-b"],
)
def test_every_encoder_key_makes_a_name_that_chroma_and_the_disk_take(opened, key):
    vectors = opened(key=key)
    vectors.add(names(2), some(2))
    assert vectors.query(some(2)[0], 1)[0][0] == names(1)[0]


def test_a_reader_follows_the_writer_without_chroma(opened):
    writer, rows, ids = opened(), some(40), names(40)
    reader = opened(write=False)
    assert reader._collection is None
    writer.add(ids, rows, shared=[True] * 30 + [False] * 10)
    assert reader.refresh()
    assert reader.query(rows[3], 5) == writer.exact(rows[3], "cosine", 5)
    assert len(reader) == 40
    writer.delete(ids[:1])
    assert reader.refresh()
    assert not reader.refresh()
    assert reader.query(rows[0], 1)[0][0] != ids[0]
    reader.close()
    assert writer._unclean.exists()
    with pytest.raises(ValueError, match="reading"):
        opened(write=False).add(ids[:1], rows[:1])


def test_opening_puts_chroma_right_after_a_crash(opened):
    vectors, rows, ids = opened(), some(60), names(60)
    vectors.add(ids[:50], rows[:50])
    # Killed between the matrix and Chroma: once while adding, once while deleting.
    vectors._shared.append(np.array([int(name, 16) for name in ids[50:]], np.uint64), rows[50:])
    vectors._shared.delete([int(name, 16) for name in ids[:10]])
    assert vectors._collection.count() == 50 == len(vectors)
    vectors._release()
    vectors = opened()
    assert set(vectors._collection.ids()) == set(ids[10:])
    assert vectors.audit() == []


def test_opening_notices_a_wrong_count_even_after_a_clean_end(opened):
    vectors, rows, ids = opened(), some(60), names(60)
    vectors.add(ids, rows)
    vectors._collection.delete(ids[:7])
    vectors.close()
    vectors = opened()
    assert vectors._collection.count() == 60
    assert vectors.audit() == []


@pytest.mark.parametrize("damage", ["database", "index", "missing index", "everything"])
def test_damaged_chroma_files_are_made_again_from_the_matrix(opened, settings, damage):
    vectors, rows, ids = opened(), some(1500), names(1500)
    vectors.add(ids, rows)
    vectors.close()
    [database] = settings.vectors_dir.glob("chroma*/chroma.sqlite3")
    index = next(database.parent.glob("*/header.bin"))
    if damage == "database":
        database.write_bytes(b"no database " * 1000)
    elif damage == "index":
        index.write_bytes(b"\xff" * 100)
    elif damage == "missing index":
        for path in index.parent.iterdir():
            path.unlink()
    else:
        for path in [*index.parent.iterdir(), database]:
            path.unlink()
    vectors = opened()
    assert vectors._collection.count() == 1500
    assert recall(vectors, rows[:30]) == 1
    assert all(name in by_chroma(vectors, row) for name, row in zip(ids[:9], rows[:9], strict=True))


def test_a_collection_in_another_space_is_refused_in_words(opened, settings):
    vectors = opened()
    name = vectors._collection.name
    client = vectors._collection._client
    client.delete_collection(name)
    client.create_collection(name, configuration={"hnsw": {"space": "l2"}}, embedding_function=None)
    vectors.close()
    with pytest.raises(StoreError, match="measures l2"):
        opened()


def lossy(vectors):
    """Replace the collection by one whose index is too thin to reach everything it holds."""
    chroma = vectors._collection
    chroma._client.delete_collection(chroma.name)
    chroma._collection = chroma._client.create_collection(
        chroma.name,
        configuration={"hnsw": {
            "space": "cosine", "max_neighbors": 2, "ef_construction": 4, "ef_search": 4,
        }},
        embedding_function=None,
    )  # fmt: skip
    for ids, rows in vectors._mirror(chroma)._blocks():
        chroma.add(ids, rows)


def test_the_audit_names_what_the_index_cannot_reach_and_a_rebuild_heals_it(opened):
    vectors, rows, ids = opened(), some(1200), names(1200)
    vectors.add(ids, rows)
    assert vectors.audit() == []
    lossy(vectors)
    assert vectors._collection.count() == 1200
    lost = vectors.audit()
    assert lost
    by_name = dict(zip(ids, rows, strict=True))
    assert all(name not in by_chroma(vectors, by_name[name]) for name in lost)
    # Those who ask are answered all the same when the index gives too little.
    assert len(vectors.query(by_name[lost[0]], 1000)) == 1000
    vectors.rebuild()
    assert vectors.audit() == []
    assert all(name in by_chroma(vectors, by_name[name]) for name in lost)


def test_records_lost_by_many_deletes_are_found_by_the_audit_and_healed(opened, shared_data):
    rows = np.load(shared_data / "clip-vectors" / "vectors.npy")
    ids, rng = names(len(rows)), np.random.default_rng(1)
    vectors = opened(rows.shape[1])
    vectors.add(ids, rows)
    for _ in range(4):
        gone = rng.permutation(len(ids))[: len(ids) * 3 // 10]
        vectors.delete([ids[at] for at in gone])
        vectors.add([ids[at] for at in gone], rows[gone])
    # Whether Chroma loses one is up to its threads; the audit agrees with what it answers.
    unreachable = [
        n for n, row in zip(ids, rows, strict=True) if n not in by_chroma(vectors, row, 16)
    ]
    assert vectors.audit() == sorted(unreachable)
    vectors.rebuild()
    assert vectors.audit() == []


def test_the_audit_names_what_is_missing_excessive_or_stale(opened):
    vectors, rows, ids = opened(), some(100), names(101)
    vectors.add(ids[:100], rows)
    chroma = vectors._collection
    chroma.delete(ids[:3])
    chroma.add(ids[1:2], unit(-rows[1:2]))
    chroma.add(ids[100:], some(1, seed=5))
    assert vectors.audit() == sorted([*ids[:3], ids[100]])
    vectors.rebuild()
    assert vectors.audit() == []


def test_the_audit_does_not_mistake_twins_for_losses(opened):
    vectors, rows, ids = opened(), some(300), names(300)
    rows[:120] = rows[0]
    vectors.add(ids, rows)
    assert vectors.audit() == []


def test_a_rebuild_that_is_cut_short_is_finished_by_the_next_start(opened, monkeypatch):
    vectors, rows, ids = opened(), some(700), names(700)
    vectors.add(ids, rows)
    add, calls = Collection.add, []

    def fails(self, names_, rows_):
        calls.append(1)
        if len(calls) == 2:
            raise StoreError("the disk is full", key="chroma")
        add(self, names_, rows_)

    monkeypatch.setattr(Mirror._blocks, "__defaults__", (256,))
    monkeypatch.setattr(Collection, "add", fails)
    with pytest.raises(StoreError, match="full"):
        vectors.rebuild()
    assert vectors._collection.count() == 256
    assert recall(vectors, rows[:20]) == 1
    vectors.close()
    monkeypatch.undo()
    vectors = opened()
    assert vectors._collection.count() == 700
    assert vectors.audit() == []


CRASH = """
import sys
from pathlib import Path
import numpy as np
from engine.config import load_settings
from engine.vectors import Vectors

rows = np.load(sys.argv[2])
vectors = Vectors.open(load_settings(data_dir=Path(sys.argv[1])), "key", rows.shape[1], write=True)
print("ready", flush=True)
for start in range(0, len(rows), 32):
    ids = [f"{number + 1:016x}" for number in range(start, start + 32)]
    vectors.add(ids, rows[start : start + 32])
    if start >= 64:
        vectors.delete(ids[:4])
"""


def test_a_writer_killed_at_any_moment_leaves_nothing_that_opening_does_not_mend(opened, tmp_path):
    rows = some(32 * 400)
    np.save(tmp_path / "rows.npy", rows)
    data = tmp_path / "killed"
    settings = load_settings(data_dir=data, chroma_url=None)
    for delay in (0.05, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", CRASH, str(data), str(tmp_path / "rows.npy")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        vectors = opened(key="key", settings=settings)
        assert vectors.audit() == []
        assert vectors.verify() == []
        for name in vectors.ids()[:20]:
            np.testing.assert_array_equal(vectors.get([name])[0], rows[int(name, 16) - 1])
        vectors._release()


def test_questions_are_answered_while_others_write(opened):
    vectors, rows, ids = opened(), some(3000), names(3000)
    vectors.add(ids[:500], rows[:500])
    failures, answered, stop = [], [], threading.Event()

    def ask(number):
        try:
            while not stop.is_set():
                assert vectors.query(rows[number], 5)[0][0] == ids[number]
                assert vectors.exact(rows[number], "l2", 5)[0][0] == ids[number]
                assert vectors.exact(rows[number], "l1", 5, among=ids)[0][0] == ids[number]
                assert vectors.get([ids[number]]).shape == (1, 32)
                answered.append(number)
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for start in range(500, 3000, 250):
        vectors.add(ids[start : start + 250], rows[start : start + 250])
        vectors.delete(ids[start : start + 125])
    vectors.rebuild()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(answered)) == 4
    assert vectors.audit() == []


def test_heavily_deleted_matrices_shrink(opened):
    vectors, rows, ids = opened(), some(3000), names(3000)
    vectors.add(ids, rows)
    vectors.delete(ids[:1500])
    assert vectors._shared.appended == len(vectors) == 1500
    assert vectors.exact(rows[2000], "cosine", 1)[0][0] == ids[2000]


def test_pictures_are_deleted_on_a_full_disk_too(opened, monkeypatch):
    vectors, rows, ids = opened(), some(3000), names(3000)
    vectors.add(ids, rows)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RowFile, "_begin", full)
    vectors.delete(ids[:1500])
    assert len(vectors) == 1500
    assert vectors.exact(rows[2000], "cosine", 1)[0][0] == ids[2000]
    assert vectors.audit() == []


@pytest.mark.parametrize("where", ["embedded", "server"])
def test_real_clip_vectors_are_recalled_also_after_deletes_and_a_rebuild(
    opened, settings, shared_data, request, where
):
    if where == "server":
        url = request.getfixturevalue("server")
        settings = settings.model_copy(update={"chroma_url": url})
    rows = np.load(shared_data / "clip-vectors" / "vectors.npy")
    ids, rng = names(len(rows)), np.random.default_rng(7)
    vectors = opened(rows.shape[1], settings=settings)
    vectors.add(ids, rows)
    assert recall(vectors, rows[::2]) >= 0.99
    gone = rng.permutation(len(ids))[: len(ids) * 3 // 10]
    vectors.delete([ids[at] for at in gone])
    vectors.add([ids[at] for at in gone], rows[gone])
    assert recall(vectors, rows[::2]) >= 0.99
    vectors.rebuild()
    assert recall(vectors, rows[::2]) >= 0.99
    assert vectors.audit() == []


def test_a_server_keeps_what_another_machine_put_there(opened, settings, server):
    here = settings.model_copy(update={"chroma_url": server})
    there = here.model_copy(update={"data_dir": settings.data_dir / "there"})
    rows, ids = some(60, seed=4), names(60, 1000)
    first = opened(settings=here, key="common")
    first.add(ids[:40], rows[:40])
    first.close()
    second = opened(settings=there, key="common")
    assert len(second) == 40
    second.add(ids[40:], rows[40:])
    second.close()
    first = opened(settings=here, key="common")
    assert first.missing(ids) == []
    np.testing.assert_allclose(first.get(ids), rows, atol=1e-6)
    assert first._collection.count() == 60


def test_a_server_that_is_gone_does_not_stop_the_answers(opened, settings, server, caplog):
    vectors = opened(settings=settings.model_copy(update={"chroma_url": server}), key="gone")
    vectors.add(names(20), some(20))
    real, vectors._collection._collection._client._api_url = (
        vectors._collection._collection._client._api_url,
        "http://127.0.0.1:9",
    )
    assert vectors.query(some(20)[3], 1)[0][0] == names(20)[3]
    assert "without Chroma" in caplog.text
    with pytest.raises(StoreError, match="cannot be reached"):
        vectors.add(names(1, 100), some(1, seed=3))
    assert vectors.query(some(1, seed=3)[0], 1)[0][0] == names(1, 100)[0]
    vectors._collection._collection._client._api_url = real
    vectors.add(names(1, 200), some(1, seed=6))
    assert vectors._collection.count() == 22
    assert vectors.audit() == []


def test_a_server_that_cannot_be_reached_is_named_soon(opened, settings, monkeypatch):
    monkeypatch.setattr("engine.vectors.collection.CONNECT_S", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(StoreError, match=f"{url} .*CHROMA_URL.* cannot be reached"):
            opened(settings=settings.model_copy(update={"chroma_url": url}))
        silent.listen()
        with pytest.raises(StoreError, match="cannot be reached"):
            opened(settings=settings.model_copy(update={"chroma_url": url}))
        assert time.monotonic() - started < 10


def test_chroma_prints_nothing_and_reads_no_settings_of_ours(opened, tmp_path, monkeypatch, capfd):
    (tmp_path / ".env").write_text("IS_PERSISTENT=nonsense\nCHROMA_SERVER_HTTP_PORT=many\n")
    monkeypatch.chdir(tmp_path)
    vectors = opened()
    vectors.add(names(5), some(5))
    vectors.query(some(1)[0], 3)
    vectors.close()
    assert capfd.readouterr() == ("", "")


def test_a_reader_never_imports_chroma(tmp_path):
    code = (
        "import sys; from pathlib import Path; from engine.config import load_settings; "
        "from engine.vectors import Vectors; "
        f"Vectors.open(load_settings(data_dir=Path({str(tmp_path)!r})), 'k', 8, write=False); "
        "print('chromadb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
