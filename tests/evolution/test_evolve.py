from __future__ import annotations

import json
import shutil

import pytest
from stream_story import FAMILIES, stream

from yunjue.errors import LimitReached, ModelUnavailable, UsageError
from yunjue.evolution.evolve import Evolution, Options, batches, begin
from yunjue.evolution.folder import Folder, find_folder
from yunjue.evolution.replay import replay_evolution
from yunjue.evolution.task_run import read_outcome
from yunjue.evolution.undo import undo_to
from yunjue.evolution.warm import warm_start
from yunjue.library.open import open_library
from yunjue.metrics.record import History


def names(settings) -> dict[str, str]:
    library = open_library(settings, print)
    try:
        return {tool.name: tool.id for tool in library.active()}
    finally:
        library.close()


def calls(settings) -> dict[str, int]:
    library = open_library(settings, print)
    try:
        return {tool.name: library.stats(tool.id)["calls"] for tool in library.active()}
    finally:
        library.close()


async def evolve(settings, tasks, **options) -> tuple[Folder, History]:
    folder = begin(tasks, settings, Options(**options))
    return folder, await Evolution(folder).go_on()


async def test_library_converges_and_tools_are_reused(story):
    settings = story()
    folder, past = await evolve(settings, stream(9), batch_size=3)
    assert set(names(settings)) == {family.tool for family in FAMILIES}
    assert [task.made for task in past.arm("evolve")] == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert [task.reused for task in past.arm("evolve")] == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert all(task.right for task in past.arm("evolve"))
    assert [step.size for step in past.steps] == [3, 3, 3]
    assert calls(settings) == {family.tool: 3 for family in FAMILIES}
    assert folder.journal()[-1]["data"]["tools"] == names(settings)


async def test_tasks_of_a_batch_do_not_see_each_others_tools(story):
    settings = story()
    _, past = await evolve(settings, stream(4, FAMILIES[:1]), batch_size=4)
    assert [task.made for task in past.arm("evolve")] == [1, 1, 1, 1]
    (step,) = past.steps
    assert (step.size, step.added, step.merges, step.merged) == (1, 1, 1, 4)
    # The calls of all four are the canonical tool's.
    assert calls(settings) == {"reverse_text": 4}


async def test_frozen_makes_no_tools(story):
    settings = story()
    _, past = await evolve(settings, stream(3), frozen=True)
    assert names(settings) == {}
    assert {(task.status, task.made) for task in past.arm("evolve")} == {("not_solved", 0)}


async def test_warm_start_needs_fewer_new_tools(story, tmp_path):
    first = story(library=tmp_path / "first")
    await evolve(first, stream(3))
    second = story(library=tmp_path / "second")
    warm_start(first.library_dir, second.library_dir)
    folder, past = await evolve(second, stream(6)[3:])
    assert sum(task.made for task in past.arm("evolve")) == 0
    assert names(second) == names(first)
    assert (await replay_evolution(folder.path, second)).differences == []


def test_warm_start_wants_a_new_library(story, tmp_path):
    settings = story()
    with pytest.raises(UsageError, match="There is no library"):
        warm_start(tmp_path / "nowhere", settings.library_dir)
    settings.library_dir.mkdir(parents=True)
    (settings.library_dir / "library.db").write_bytes(b"")
    with pytest.raises(UsageError, match="is a library already"):
        warm_start(tmp_path / "nowhere", settings.library_dir)


async def test_a_task_that_always_crashes_fails_alone(story, monkeypatch):
    from yunjue.agent import critic

    verdict = critic._verdict

    async def boom(state, services):
        if "vowels" in state["task"]:
            raise ZeroDivisionError("a bug")
        return await verdict(state, services)

    monkeypatch.setattr(critic, "_verdict", boom)
    settings = story()
    folder, past = await evolve(settings, stream(3), batch_size=3)
    status = {task.task: task.status for task in past.arm("evolve")}
    assert status == {"reverse-0": "solved", "vowels-1": "failed", "double-2": "solved"}
    assert read_outcome(folder.task(1)).error == "ZeroDivisionError: a bug"
    # What it made and called before it failed is kept all the same.
    assert "count_vowels" in names(settings)
    assert (await replay_evolution(folder.path, settings)).differences == []


async def test_a_limit_of_one_task_is_its_own(story):
    _, past = await evolve(story(max_tokens=100), stream(2))
    assert [task.status for task in past.arm("evolve")] == ["limit", "limit"]
    assert all(task.tokens > 0 for task in past.arm("evolve"))


async def test_the_bound_of_the_whole_stops_between_batches_and_resumes(story):
    settings = story()
    folder = begin(stream(6), settings, Options(batch_size=2, total_tokens=1))
    with pytest.raises(LimitReached, match="evolution's tokens") as caught:
        await Evolution(folder).go_on()
    assert f"yunjue evolve resume {folder.id} --total-tokens" in caught.value.hint
    assert len(Evolution(folder).history().steps) == 1
    past = await Evolution(folder, options={"total_tokens": 10**9}).go_on()
    assert len(past.steps) == 3
    assert [task.index for task in past.arm("evolve")] == list(range(6))


async def test_a_task_spends_no_more_than_is_left(story):
    settings = story(max_tokens=5000)
    folder = begin(stream(1), settings, Options(total_tokens=700))
    assert Evolution(folder)._bounded().max_tokens == 700
    folder = begin(stream(1), settings, Options(total_tokens=7000))
    assert Evolution(folder)._bounded().max_tokens == 5000


async def test_what_stops_every_task_stops_the_evolution_and_it_resumes(story, monkeypatch):
    from yunjue.models.scripted import ScriptedModel

    settings = story()
    folder = begin(stream(6), settings, Options(batch_size=2))
    complete, count = ScriptedModel.complete, [0]

    async def broken(self, request):
        count[0] += 1
        if count[0] > 12:
            from yunjue.errors import ModelAuthError

            raise ModelAuthError("the key is wrong")
        return await complete(self, request)

    monkeypatch.setattr(ScriptedModel, "complete", broken)
    from yunjue.errors import ModelAuthError

    with pytest.raises(ModelAuthError):
        await Evolution(folder).go_on()
    asked = count[0]
    monkeypatch.setattr(ScriptedModel, "complete", complete)
    past = await Evolution(folder).go_on()
    assert asked > 12
    assert [(task.index, task.status) for task in past.arm("evolve")] == [
        (index, "solved") for index in range(6)
    ]
    assert set(names(settings)) == {family.tool for family in FAMILIES}


class Died(Exception):
    pass


async def test_stopped_anywhere_it_ends_as_if_it_had_not_been(story, tmp_path, monkeypatch):
    """Every write of the journal and of outcomes is a place where the process may die."""
    from yunjue.evolution import evolve as module

    whole = story(library=tmp_path / "whole")
    _, undisturbed = await evolve(whole, stream(6), batch_size=2)
    expected = [(t.index, t.status, t.made, t.calls, t.tokens) for t in undisturbed.arm("evolve")]
    note, keep = Folder.note, module.keep_outcome
    for place in range(22):
        settings = story(library=tmp_path / f"stopped-{place}")
        folder = begin(stream(6), settings, Options(batch_size=2))
        left = [place]

        def dying(write, left=left):
            def die(*arguments):
                if left[0] == 0:
                    left[0] = -1
                    raise Died
                left[0] -= 1
                return write(*arguments)

            return die

        monkeypatch.setattr(Folder, "note", dying(note))
        monkeypatch.setattr(module, "keep_outcome", dying(keep))
        try:
            await Evolution(folder).go_on()
        except Died:
            pass
        monkeypatch.setattr(Folder, "note", note)
        monkeypatch.setattr(module, "keep_outcome", keep)
        past = await Evolution(folder).go_on()
        found = [(t.index, t.status, t.made, t.calls, t.tokens) for t in past.arm("evolve")]
        assert found == expected, place
        assert [_plain(s) for s in past.steps] == [_plain(s) for s in undisturbed.steps], place
        assert names(settings) == names(whole), place
        assert calls(settings) == calls(whole), place


def _plain(step):
    return {name: value for name, value in step.to_dict().items() if name != "seconds"}


async def test_undo_takes_a_step_back_and_resume_does_it_again(story):
    settings = story()
    folder, past = await evolve(settings, stream(6), batch_size=2)
    before = names(settings), calls(settings)
    undone, left = undo_to(folder, 2, print)
    assert (undone, left) == ([3, 2], [])
    assert set(names(settings)) == {"reverse_text", "count_vowels"}
    assert calls(settings) == {"reverse_text": 1, "count_vowels": 1}
    remaining = Evolution(folder).history()
    assert [step.step for step in remaining.steps] == [1]
    assert [task.index for task in remaining.arm("evolve")] == [0, 1]
    again = await Evolution(folder).go_on()
    assert (names(settings), calls(settings)) == before
    assert [task.made for task in again.arm("evolve")] == [task.made for task in past.arm("evolve")]


async def test_undo_of_what_does_not_stand(story):
    folder, _ = await evolve(story(), stream(2), batch_size=2)
    with pytest.raises(UsageError, match=r"Step 7 of .* does not stand; there are: 1"):
        undo_to(folder, 7, print)


async def test_undo_leaves_what_has_changed_since(story):
    settings = story()
    folder, _ = await evolve(settings, stream(2), batch_size=2)
    library = open_library(settings, print)
    tool = library.find("reverse_text")
    library.retire(tool.id, "by hand")
    library.close()
    _, left = undo_to(folder, 1, print)
    assert left == [tool.id]
    assert names(settings) == {}


async def test_replay_gives_library_and_records_with_no_model(story, tmp_path):
    settings = story()
    folder, _ = await evolve(settings, stream(6), batch_size=3, baselines=("model",))
    (tmp_path / "stream.json").unlink()  # there is no model any more
    result = await replay_evolution(folder.path, settings)
    assert result.differences == []
    assert (result.tasks, result.steps, result.tools) == (12, 2, 3)


async def test_replay_notices_what_differs(story):
    settings = story()
    folder, _ = await evolve(settings, stream(3), batch_size=3)
    journal = folder.path / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    changed = [
        line.replace('"made": 1', '"made": 2') if '"reverse-0"' in line else line for line in lines
    ]
    journal.write_text("".join(changed))
    result = await replay_evolution(folder.path, settings)
    assert result.differences == ["task reverse-0: made is 1, recorded 2"]


async def test_a_replay_can_be_of_a_copied_folder(story, tmp_path):
    settings = story()
    folder, _ = await evolve(settings, stream(3), batch_size=3)
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder.path, copy)
    assert (await replay_evolution(copy, settings)).differences == []


async def test_a_model_that_asks_for_many_tools_gets_few(story):
    many = [
        {
            "when": "Which function answers the task",
            "reply": {"kind": "knowledge", "function": "x"},
        },
        {
            "when": "What next",
            "reply": {"action": "request_tools", "needs": ["one", "two", "three"]},
        },
    ]
    _, past = await evolve(story(many, max_steps=5), stream(1))
    (task,) = past.arm("evolve")
    assert task.made <= 3


async def test_baselines_run_after_and_only_once(story):
    settings = story(
        [{"when": "then give the answer alone", "reply": {"thinking": "", "answer": "radec"}}]
    )
    folder, past = await evolve(settings, stream(2), baselines=("model",))
    assert [task.right for task in past.arm("model")] == [True, False]
    again = await Evolution(folder).go_on()
    assert len(again.arm("model")) == 2


async def test_one_process_at_a_time(story):
    folder = begin(stream(1), story(), Options())
    with folder.held():
        with pytest.raises(UsageError, match="Another process works on"):
            await Evolution(folder).go_on()
        with pytest.raises(UsageError, match="Another process works on"):
            undo_to(folder, 1, print)
    await Evolution(folder).go_on()


def test_options_are_checked(story):
    for options in (Options(batch_size=0), Options(baselines=("nonsense",))):
        with pytest.raises(UsageError):
            begin(stream(1), story(), options)
    with pytest.raises(UsageError, match="There are no tasks"):
        begin([], story(), Options())


def test_batches_cover_the_stream_once():
    assert batches(5, 2) == [(1, [0, 1]), (2, [2, 3]), (3, [4])]
    assert batches(0, 2) == []


def test_a_half_written_line_is_cut_off(story):
    folder = begin(stream(1), story(), Options())
    with (folder.path / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind": "task", "da')
    folder.note("means", {"models": {}})
    assert [entry["kind"] for entry in folder.journal()] == ["started", "means"]
    json.loads((folder.path / "journal.jsonl").read_text().splitlines()[-1])


def test_find_folder(story):
    with pytest.raises(UsageError, match="no evolution"):
        find_folder("")
    folder = begin(stream(1), story(), Options())
    assert find_folder("").id == find_folder(folder.id[-6:]).id == folder.id


async def test_a_model_that_is_away_stops_absorbing_and_resumes(story, monkeypatch):
    """Two tools of one name whose codes differ need the merger."""
    from yunjue.evolution.absorb import Absorber

    settings = story()
    plan = Absorber.plan

    async def away(self, harvests):
        raise ModelUnavailable("gone")

    monkeypatch.setattr(Absorber, "plan", away)
    folder = begin(stream(2), settings, Options(batch_size=2))
    with pytest.raises(ModelUnavailable):
        await Evolution(folder).go_on()
    assert names(settings) == {}
    monkeypatch.setattr(Absorber, "plan", plan)
    await Evolution(folder).go_on()
    assert set(names(settings)) == {"reverse_text", "count_vowels"}
