"""library.db: transactions, and what happens when the file or the disk is not well."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading

import pytest

from yunjue.errors import DatabaseDamaged, DatabaseLocked, DiskFull, LibraryError
from yunjue.store.database import Database
from yunjue.store.migrations import NAMES, migrations


@pytest.fixture
def path(tmp_path):
    return tmp_path / "library.db"


def put(database: Database, key: str, value: str = "x") -> None:
    with database.write() as db:
        db["meta"].insert({"key": key, "value": value})


def keys(database: Database) -> set[str]:
    return {row["key"] for row in database.rows("SELECT key FROM meta")} - {"created"}


def test_a_new_database_has_every_migration_and_wal(path):
    database = Database(path)
    names = [row["name"] for row in database.rows("SELECT name FROM _sqlite_migrations")]
    assert names == list(NAMES)
    assert database.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert database.rows("PRAGMA foreign_keys")[0][0] == 1
    assert database.check() == []
    database.close()
    database.close()


def test_the_names_of_the_migrations_are_those_that_run():
    assert tuple(step.name for step in migrations()._migrations) == NAMES


def test_a_failed_block_leaves_nothing_and_the_next_write_works(path):
    database = Database(path)
    with pytest.raises(RuntimeError), database.write() as db:
        db["meta"].insert({"key": "half", "value": "x"})
        raise RuntimeError
    put(database, "whole")
    assert keys(database) == {"whole"}


def test_an_interrupt_rolls_back(path):
    database = Database(path)
    with pytest.raises(KeyboardInterrupt), database.write() as db:
        db["meta"].insert({"key": "half", "value": "x"})
        raise KeyboardInterrupt
    assert keys(database) == set()


def test_locked_by_another_writer(path):
    database = Database(path, wait=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked, match="locked"):
        put(database, "a")
    other.execute("ROLLBACK")
    put(database, "a")
    assert keys(database) == {"a"}


def test_a_reader_does_not_wait_for_a_writer(path):
    database = Database(path, wait=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert keys(database) == set()


def test_not_a_database(path):
    path.write_bytes(b"these are not the bytes you are looking for" * 100)
    with pytest.raises(DatabaseDamaged, match=r"library\.db"):
        Database(path)


def test_cut_in_half(path):
    database = Database(path)
    for number in range(300):
        put(database, f"key-{number}", "x" * 500)
    database.close()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DatabaseDamaged):
        Database(path)


def test_a_damaged_page_is_found_by_check(path):
    database = Database(path)
    for number in range(300):
        put(database, f"key-{number}", "x" * 500)
    database.close()
    data = bytearray(path.read_bytes())
    data[-8 * 4096 :] = b"\xff" * (8 * 4096)
    path.write_bytes(data)
    database = Database(path)
    assert database.check()
    with pytest.raises(DatabaseDamaged):
        database.rows("SELECT sum(length(value)) FROM meta")


def test_a_full_database_says_so_and_keeps_what_it_has(path):
    database = Database(path)
    put(database, "before")
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(DiskFull, match="no room"):
        put(database, "big", "x" * 100_000)
    database.rows("PRAGMA max_page_count = 100000")
    put(database, "after")
    assert keys(database) == {"before", "after"}
    assert database.check() == []


def _write_with_small_file_limit(path, answers):
    import resource

    database = Database(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        put(database, "big", "x" * 1_000_000)
    except DiskFull as error:
        answers.put(error.message)


def test_a_limit_on_file_sizes_is_a_full_disk(path):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=_write_with_small_file_limit, args=(path, answers))
    child.start()
    assert "no room" in answers.get(timeout=60)
    child.join()
    database = Database(path)
    assert keys(database) == set()
    assert database.check() == []


def test_made_by_a_newer_version(path):
    database = Database(path)
    with database.write() as db:
        db["_sqlite_migrations"].insert(
            {"migration_set": "yunjue.library", "name": "m999_future", "applied_at": "then"}
        )
    database.close()
    with pytest.raises(LibraryError, match=r"newer.*m999_future"):
        Database(path)


def test_another_programs_database_with_a_table_of_ours(path):
    sqlite3.connect(path).execute("CREATE TABLE tools (a)").connection.close()
    with pytest.raises(LibraryError, match="already exists") as caught:
        Database(path)
    assert not isinstance(caught.value, DatabaseDamaged)


def test_a_folder_in_its_place(path):
    path.mkdir()
    with pytest.raises(LibraryError, match="unable to open"):
        Database(path)


def test_threads_take_turns(path):
    database = Database(path)
    threads = [
        threading.Thread(target=lambda n=n: [put(database, f"{n}-{i}") for i in range(10)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys(database)) == 40


def _open_and_put(path, name):
    database = Database(path)
    for number in range(10):
        put(database, f"{name}-{number}")


def test_processes_create_and_migrate_one_database_together(path):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_open_and_put, args=(path, name)) for name in "abcd"]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
        assert child.exitcode == 0
    assert len(keys(Database(path))) == 40


def test_a_write_within_a_write_is_kept_or_dropped_with_it(tmp_path):
    database = Database(tmp_path / "library.db")
    key = "SELECT value FROM meta WHERE key = 'k'"

    def put(value):
        with database.write() as db:
            db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('k', ?)", [value])

    with pytest.raises(ZeroDivisionError), database.write():
        put("inner")
        assert database.rows(key)[0]["value"] == "inner"
        raise ZeroDivisionError
    assert database.rows(key) == []
    with database.write():
        put("kept")
        with pytest.raises(ZeroDivisionError), database.write():
            put("dropped")
            raise ZeroDivisionError
    assert database.rows(key)[0]["value"] == "kept"
    database.close()
