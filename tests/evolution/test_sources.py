from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunjue.errors import DownloadError, UsageError, YunjueError
from yunjue.evolution.sources import StreamTask, read_tasks


@pytest.fixture
def source(tmp_path):
    """Writes a file of tasks and returns its path."""

    def write(name: str, content: str | bytes | list) -> str:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def texts(tasks: list[StreamTask]) -> list[str]:
    return [task.task for task in tasks]


def told(problems: list) -> list[str]:
    return [str(problem) for problem in problems]


# ---- formats -----------------------------------------------------------------------------


def test_json_lines(source):
    tasks, problems = read_tasks(
        source(
            "tasks.jsonl",
            [
                {"id": "a", "task": "One.", "answer": "1", "family": "numbers", "extra": []},
                {"Question": "Two.", "answer": 2},
                {"prompt": "Three.", "answer": None},
                "Four.",
            ],
        )
    )
    assert problems == []
    assert tasks == [
        StreamTask("a", "One.", "numbers", "1"),
        StreamTask("2", "Two.", "", "2"),
        StreamTask("3", "Three."),
        StreamTask("4", "Four."),
    ]


def test_blank_lines_and_a_mark_at_the_start_do_not_count(source):
    path = source("tasks.jsonl", '\ufeff{"task": "One."}\r\n\r\n  \n{"task": "Two."}')
    tasks, problems = read_tasks(path)
    assert (texts(tasks), problems) == (["One.", "Two."], [])


def test_a_json_array(source):
    path = source("tasks.json", json.dumps([{"task": "One."}, "Two.", 3]))
    tasks, problems = read_tasks(path)
    assert texts(tasks) == ["One.", "Two."]
    assert told(problems) == ["entry 3 of tasks.json: JSON, but neither an object nor a text"]


def test_json_lines_under_the_name_of_json(source):
    path = source("tasks.json", [{"task": "One."}, {"task": "Two."}])
    assert texts(read_tasks(path)[0]) == ["One.", "Two."]


def test_csv_with_quoted_newlines(source):
    text = '\ufeffid,Question,answer,note\na,"One,\n""quoted"".",1,x\nb,Two.,,\n\nc,Three.\n'
    tasks, problems = read_tasks(source("tasks.csv", text))
    assert problems == []
    assert tasks == [
        StreamTask("a", 'One,\n"quoted".', "", "1"),
        StreamTask("b", "Two."),
        StreamTask("c", "Three."),
    ]


def test_tsv(source):
    assert texts(read_tasks(source("tasks.tsv", "task\tanswer\nOne, two.\t3\n"))[0]) == [
        "One, two."
    ]


def test_problems_of_csv_name_the_line_a_row_begins_on(source):
    text = 'task,answer\n"One\nmore",1\nTwo,2,3\n"Three"x,3\nFour,4\n"Five,5\n'
    tasks, problems = read_tasks(source("tasks.csv", text))
    assert texts(tasks) == ["One\nmore", "Four"]
    places = [problem.place for problem in problems]
    assert places == [f"line {number} of tasks.csv" for number in (4, 5, 7)]
    assert problems[0].what == "3 fields, but the header has 2"


def test_a_csv_without_a_column_for_the_task_names_those_it_has(source):
    tasks, problems = read_tasks(source("tasks.csv", "key,words\n1,One.\n"))
    assert tasks == []
    assert "no task (it has 'key', 'words')" in str(problems[0])
    path = source("tasks.csv", "key,words\n1,One.\n")
    assert texts(read_tasks(path, columns={"task": "words"})[0]) == ["One."]


def test_a_column_twice_is_refused(source):
    with pytest.raises(UsageError, match="'task' twice"):
        read_tasks(source("tasks.csv", "task,task\na,b\n"))


def test_a_folder(tmp_path):
    folder = tmp_path / "tasks"
    (folder / "more").mkdir(parents=True)
    for name in ("b.txt", "a.md", ".hidden", "data.bin"):
        (folder / name).write_text(f"Task {name}\n")
    (folder / "latin.txt").write_bytes("é".encode("latin-1"))
    tasks, problems = read_tasks(str(folder))
    assert tasks == [StreamTask("a", "Task a.md"), StreamTask("b", "Task b.txt")]
    assert [problem.place for problem in problems] == ["data.bin", "latin.txt", "more"]


def test_stdin_in_both_forms():
    lines = io.BytesIO(b"One.\n\n  Two.  \n42\n")
    assert texts(read_tasks("-", stdin=lines)[0]) == ["One.", "Two.", "42"]
    objects = io.BytesIO(b'\n{"task": "One."}\nTwo.\n')
    tasks, problems = read_tasks("-", stdin=objects)
    assert texts(tasks) == ["One."]
    assert problems[0].place == "line 3 of stdin"


def test_endless_stdin_is_read_as_far_as_the_limit():
    class Endless(io.RawIOBase):
        count = 0

        def readline(self, size=-1):
            self.count += 1
            return f"Task {self.count}.\n".encode()

    assert len(read_tasks("-", stdin=Endless(), limit=5)[0]) == 5


# ---- what is wrong with a row ------------------------------------------------------------


@pytest.mark.parametrize(
    "line, what",
    [
        (b"{", "not JSON"),
        (b'{"task": "a", "answer": NaN}', "not JSON: NaN"),
        (b'{"task": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nests too deep"),
        (b"3", "neither an object nor a text"),
        (b'{"answer": "1"}', "no task (it has 'answer')"),
        (b"{}", "it has nothing"),
        (b'{"task": null}', "no task"),
        (b'{"task": 5}', "the task is a number, not text"),
        (b'{"task": [{"role": "user"}]}', "the task is a list, not text"),
        (b'{"task": " \\n"}', "the task is empty"),
        (b'""', "the task is empty"),
        (b'{"task": "' + b"x" * 100_001 + b'"}', "longer than 100000 characters"),
        (b'{"task": "a\\u0000b"}', "NUL"),
        (b'{"task": "\\ud800"}', "not UTF-8"),
        (b'{"\\ud800": 1}', "no task"),
        (b'{"task": "a", "answer": ["1"]}', "the answer is a list"),
        (b'{"task": "a", "answer": 1e999}', "no finite number"),
        (b'{"task": "a", "id": {}}', "the id is an object"),
        (b'{"task": "a", "id": "b\\nc"}', "printable"),
        (b'{"task": "a", "domain": []}', "the domain is a list"),
        (b'{"task": "a", "files": 3}', "files is a number"),
        (b'{"task": "a", "files": {"x": "gone.csv"}}', "there is no file gone.csv"),
        (b'{"task": "a", "files": {"x": 1}}', "is no text"),
        (b'{"task": "a", "files": {"../x": "tasks.jsonl"}}', "is no name of a file"),
        (b'{"task": "a", "files": ["/etc/passwd"]}', "does not lie in the folder"),
        (b'{"task": "a", "files": ["a/x", "b/x"]}', "have the same name"),
        (b'{"task": "a", "files": ["link"]}', "does not lie in the folder"),
        (b'{"task": "a", "files": {"x": "."}}', "there is no file ."),
        (b'{"task": "' + b"x" * 10_000_000 + b'"}', "longer than 10 MB"),
        (b'{"task": "Good."}', "the same task as line 1"),
        (b'{"task": "a", "id": "good"}', "the id 'good' is that of line 1"),
    ],
)
def test_a_broken_line_is_told_and_the_rest_is_read(source, tmp_path, line, what):
    (tmp_path / "link").symlink_to("/etc/passwd")
    first, last = b'{"task": "Good.", "id": "good"}', b'{"task": "Last."}'
    tasks, problems = read_tasks(source("tasks.jsonl", b"\n".join([first, line, last])))
    assert texts(tasks) == ["Good.", "Last."]
    assert [problem.place for problem in problems] == ["line 2 of tasks.jsonl"]
    assert what in problems[0].what
    str(problems[0]).encode()


def test_a_long_or_wrongly_coded_line_of_csv(source):
    rows = [b"task", b"One.", b"x" * 10_000_001, b"\xff", b"y" * 200_000, b"Two."]
    tasks, problems = read_tasks(source("tasks.csv", b"\n".join(rows)))
    assert texts(tasks) == ["One.", "Two."]
    assert [problem.place for problem in problems] == [
        f"line {number} of tasks.csv" for number in (3, 4, 5)
    ]


def test_files_are_those_beside_the_tasks(source, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1\n")
    path = str(tmp_path / "data" / "a.csv")
    tasks, problems = read_tasks(
        source(
            "tasks.jsonl",
            [
                {"task": "Sum it.", "files": {"input.csv": "data/a.csv"}},
                {"task": "Sum it.", "files": ["data/a.csv"]},  # another file: another task
                {"task": "Sum it.", "files": [path]},
            ],
        )
    )
    assert [task.files for task in tasks] == [{"input.csv": path}, {"a.csv": path}]
    assert "same task as line 2" in problems[0].what
    table = source("tasks.csv", 'task,files\nA,data/a.csv\nB,"{""b"": ""data/a.csv""}"\nC,[\nD,\n')
    tasks, problems = read_tasks(table)
    assert [task.files for task in tasks] == [{"a.csv": path}, {"b": path}, {}]
    assert "neither a path nor JSON" in problems[0].what


def test_ids_are_unique_even_beside_numbers_of_rows(source):
    rows = [{"task": "a"}, {"task": "b", "id": 1}, {"task": "c", "id": "row-1"}]
    tasks, problems = read_tasks(source("tasks.jsonl", rows))
    assert [task.id for task in tasks] == ["row-row-1", "1", "row-1"] and problems == []


def test_what_is_no_file_of_tasks_is_told_once(source):
    with pytest.raises(UsageError, match="does not look like tasks"):
        read_tasks(source("tasks.jsonl", b"\x80\x00\n" * 2000))


@pytest.mark.parametrize("name", ["tasks.jsonl", "tasks.json", "tasks.csv"])
def test_utf16_is_refused_by_its_name(source, name):
    with pytest.raises(UsageError, match="UTF-16"):
        read_tasks(source(name, "task\nOne.\n".encode("utf-16")))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.tsv", "t.txt"])
def test_an_empty_file_has_no_tasks(source, name, content):
    assert read_tasks(source(name, content)) == ([], [])


def test_sources_that_are_not_there(tmp_path):
    for name in ("gone.jsonl", "data/tasks.jsonl", "", "a\0b", "x" * 5000, "/org/name"):
        with pytest.raises(UsageError, match="no file or folder"):
            read_tasks(name)


def test_an_unreadable_file_is_told(source, tmp_path, monkeypatch):
    path = source("tasks.jsonl", [])

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match="Permission denied"):
        read_tasks(path)


# ---- order -------------------------------------------------------------------------------


@pytest.fixture
def twenty(source) -> str:
    return source(
        "tasks.jsonl", [{"task": f"Task {number}.", "id": number} for number in range(20)]
    )


def test_shuffled_the_same_for_the_same_seed_and_anew_in_each_epoch(twenty):
    plain = read_tasks(twenty)[0]
    one = read_tasks(twenty, shuffle=True, seed=1, epochs=2)[0]
    assert one == read_tasks(twenty, shuffle=True, seed=1, epochs=2)[0]
    first, second = one[:20], one[20:]
    assert first != plain and sorted(texts(first)) == sorted(texts(plain))
    assert texts(second) != texts(first)
    assert {task.id for task in second} == {f"{task.id}@2" for task in first}
    assert read_tasks(twenty, shuffle=True, seed=2)[0] != first


def test_a_limit_is_a_sample_when_shuffled_and_epochs_repeat_it(twenty):
    assert texts(read_tasks(twenty, limit=3)[0]) == ["Task 0.", "Task 1.", "Task 2."]
    tasks = read_tasks(twenty, limit=3, shuffle=True, epochs=3)[0]
    assert len(tasks) == 9
    assert set(texts(tasks[:3])) == set(texts(tasks[3:6])) == set(texts(tasks[6:]))
    assert set(texts(tasks[:3])) != {"Task 0.", "Task 1.", "Task 2."}


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"epochs": 0}, {"columns": {"tasc": "x"}}])
def test_wrong_arguments_are_refused(twenty, wrong):
    with pytest.raises(UsageError):
        read_tasks(twenty, **wrong)


def test_ids_that_look_like_those_of_epochs_are_refused_with_epochs(source):
    path = source("tasks.jsonl", [{"task": "A", "id": "a"}, {"task": "B", "id": "a@2"}])
    assert len(read_tasks(path)[0]) == 2
    with pytest.raises(UsageError, match="epochs"):
        read_tasks(path, epochs=2)


# ---- a dataset of the hub ----------------------------------------------------------------


class FakeDataset:
    def __init__(self, rows: list[dict]) -> None:
        self.rows = rows
        self.column_names = list(rows[0])

    def select_columns(self, names):
        return [{name: row[name] for name in names} for row in self.rows]


@pytest.fixture
def hub(monkeypatch):
    """A module ``datasets``; ``hub.asked`` has the arguments of each load."""
    rows = [{"question": "One?", "answer": 1, "image": b"large"}, {"question": "", "answer": 2}]
    fake = types.ModuleType("datasets")
    fake.asked = []
    fake.splits = {"train": FakeDataset(rows)}
    fake.error = None

    def load_dataset(path, config=None, *, split=None):
        fake.asked.append((path, config, split))
        if fake.error:
            raise fake.error
        return fake.splits[split] if split else dict(fake.splits)

    fake.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", fake)
    return fake


@pytest.mark.parametrize(
    "name, asked",
    [
        ("org/name", ("org/name", None, None)),
        ("org/name:train", ("org/name", None, "train")),
        ("org/name/main:train", ("org/name", "main", "train")),
        ("org/name/v1.0", ("org/name", "v1.0", None)),
    ],
)
def test_a_dataset(hub, name, asked):
    tasks, problems = read_tasks(name)
    assert tasks == [StreamTask("1", "One?", "", "1")]
    assert told(problems) == [f"row 2 of {name}: the task is empty"]
    assert hub.asked == [asked]


def test_a_path_that_exists_wins_over_a_dataset(hub, tmp_path):
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "name").write_text("One.\n")
    assert texts(read_tasks("org/name")[0]) == ["One."]
    assert hub.asked == []


def test_one_of_several_splits_must_be_named(hub):
    hub.splits["test"] = hub.splits["train"]
    with pytest.raises(UsageError, match="splits train, test") as caught:
        read_tasks("org/name")
    assert "org/name:test" in caught.value.hint


def test_a_dataset_without_a_column_for_the_task(hub):
    hub.splits["train"] = FakeDataset([{"text": "One?"}])
    with pytest.raises(UsageError, match="None of the dataset's columns"):
        read_tasks("org/name")
    assert texts(read_tasks("org/name", columns={"task": "text"})[0]) == ["One?"]


@pytest.mark.parametrize(
    "error, kind",
    [
        (ConnectionError("no route"), DownloadError),
        (RuntimeError("what its network stack raises"), DownloadError),
        (FileNotFoundError("Dataset 'org/name' doesn't exist on the Hub"), UsageError),
        (ValueError('Unknown split "x"'), UsageError),
    ],
)
def test_a_dataset_that_cannot_be_had(hub, error, kind):
    hub.error = error
    with pytest.raises(kind, match="org/name") as caught:
        read_tasks("org/name")
    assert str(error) in caught.value.message and caught.value.hint


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError) as caught:
        read_tasks("org/name")
    assert 'pip install "yunjue[hf]"' in caught.value.hint


# ---- any tasks, any bytes ----------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
TASKS = st.lists(
    st.tuples(WORDS.filter(str.strip), st.one_of(st.none(), WORDS)),
    max_size=8,
    unique_by=lambda row: row[0],
)


def read_back(name: str, content: bytes) -> tuple[list, list]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return read_tasks(str(path))


@given(TASKS)
def test_json_lines_come_back(rows):
    lines = [json.dumps({"task": task, "answer": answer}) + "\n" for task, answer in rows]
    tasks, problems = read_back("t.jsonl", "".join(lines).encode())
    assert [(task.task, task.answer) for task in tasks] == rows and problems == []


@given(TASKS, st.sampled_from([",", "\t"]))
def test_csv_comes_back(rows, delimiter):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("task", "answer"), *((task, answer or "") for task, answer in rows)])
    name = "t.csv" if delimiter == "," else "t.tsv"
    tasks, problems = read_back(name, text.getvalue().encode())
    assert [(task.task, task.answer) for task in tasks] == rows and problems == []


LIKE_TASKS = st.lists(
    st.sampled_from([b'{"task": "', b'"}', b"\n", b'"', b",", b"task", b"\xff", b"\0", b"[", b"a"])
).map(b"".join)


@settings(max_examples=200)
@given(
    st.one_of(st.binary(), LIKE_TASKS),
    st.sampled_from(["t.jsonl", "t.json", "t.csv", "t.tsv", "t.txt", "t"]),
)
def test_any_bytes_give_tasks_problems_or_one_clear_error(content, name):
    try:
        tasks, problems = read_back(name, content)
    except YunjueError as error:
        assert error.message
        return
    assert len({task.id for task in tasks}) == len(tasks)
    for text in (*texts(tasks), *told(problems)):
        text.encode()
