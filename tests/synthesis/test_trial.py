"""What the chosen candidate must pass; the programs here are ours and run on this host."""

from __future__ import annotations

import pytest

from yunjue.protocols import SandboxLimits
from yunjue.sandbox.process import ProcessSandbox
from yunjue.synthesis.choose import best
from yunjue.synthesis.generated import generated_inputs
from yunjue.synthesis.panel import run_programs
from yunjue.synthesis.prove import Bench
from yunjue.synthesis.trial import try_winner
from yunjue.types import Case, FieldSpec, ToolSpec

SPEC = ToolSpec(
    name="double",
    description="Doubles.",
    inputs=[FieldSpec(name="program", type="int")],  # a name the panel would like to use
    output=FieldSpec(name="result", type="int"),
)
GOOD = "def double(program):\n    return program * 2"
CASES = [Case(inputs={"program": n}, expected=2 * n) for n in (1, 5, 30)]
LIMITS = SandboxLimits(seconds=2.0)


@pytest.fixture
async def bench(own_home):
    sandbox = ProcessSandbox(allow_unsafe=True)
    await sandbox.prepare()
    yield Bench(sandbox, SPEC, LIMITS, {})
    await sandbox.close()


async def candidate(bench, body, cases=CASES, number=0):
    made = await bench.examine(number, body)
    assert made.sound
    generated = generated_inputs(SPEC, [case.inputs for case in cases])
    await bench.exercise(made, [case.inputs for case in cases], generated)
    return made


async def tried(bench, body, cases=CASES, others=()):
    winner = await candidate(bench, body, cases)
    asked = [case.inputs for case in cases]
    rest = [await candidate(bench, other, cases, 1) for other in others]
    trial = await try_winner(bench, winner, cases, asked, generated_inputs(SPEC, asked), rest)
    return trial, {stage.name: stage for stage in trial.stages}


async def test_a_good_tool_with_good_cases_passes_everything(bench):
    trial, stages = await tried(bench, GOOD)
    assert all(stage.passed for stage in trial.stages), stages
    assert list(stages) == ["tests can fail", "generated inputs", "determinism", "resources"]
    assert stages["tests can fail"].evidence["killed"] == 3
    assert trial.cases == CASES
    assert not trial.weak


async def test_cases_that_miss_the_mutants_are_weak(bench):
    body = (
        "def double(program):\n    if program > 900:\n        return program * 7 - 3 + program\n"
        "    return program * 2 if program < 800 else program + program * 1 + 0"
    )
    trial, stages = await tried(bench, body)
    assert not stages["tests can fail"].passed
    assert trial.weak
    assert len(stages["tests can fail"].evidence["survived"]) > 3


async def test_what_other_programs_agree_to_becomes_a_case_if_it_catches_a_mutant(bench):
    cases = [Case(inputs={"program": 2}, expected=4)]
    alone, _ = await tried(bench, GOOD, cases)
    assert alone.cases == cases
    trial, _ = await tried(
        bench, GOOD, cases, ["def double(program):\n    return program + program"]
    )
    assert [case.origin for case in trial.cases] == ["tester", "agreed"]
    assert trial.cases[1].expected == 2 * trial.cases[1].inputs["program"]


async def test_a_tool_that_rolls_dice_is_not_deterministic(bench):
    body = (
        "import random\ndef double(program):\n"
        "    return 2 * program + (program not in (1, 5, 30)) * random.randrange(99)"
    )
    trial, stages = await tried(bench, body)
    assert not stages["determinism"].passed
    assert stages["determinism"].evidence["differ"]
    assert not trial.weak


async def test_the_order_of_a_set_is_not_deterministic(bench):
    body = "def double(program):\n    return hash(str(program)) if program > 30 else program * 2"
    _, stages = await tried(bench, body)
    assert not stages["determinism"].passed


async def test_a_tool_that_fits_only_its_cases_breaks_on_others(bench):
    body = "def double(program):\n    return {1: 2, 5: 10, 30: 60}[program]"
    _, stages = await tried(bench, body)
    assert not stages["generated inputs"].passed
    assert "KeyError" in stages["generated inputs"].evidence["broken"][0]["error"]


async def test_a_tool_that_takes_half_its_time_has_no_reserve(bench):
    body = (
        "import time\ndef double(program):\n"
        "    time.sleep(1.1 * (program == 30))\n    return program * 2"
    )
    _, stages = await tried(bench, body)
    assert not stages["resources"].passed
    assert stages["resources"].evidence["peak_mib"] > 1


async def test_a_candidate_that_hangs_is_given_up(bench):
    made = await candidate(bench, "def double(program):\n    while True:\n        pass")
    outcomes = [*made.outcomes, *made.unlabelled]
    assert {outcome.reason for outcome in outcomes} == {"timeout"}
    assert [outcome.error.startswith("not run") for outcome in outcomes[:4]] == [
        False,
        False,
        True,
        True,
    ]


async def test_programs_side_by_side_have_nothing_in_common(bench):
    programs = [
        "SEEN = []\ndef double(program):\n    SEEN.append(program)\n    return len(SEEN)",
        "def double(program):\n    return len(globals())",
        "from __future__ import annotations\n"
        "def double(program) -> None:\n    global X\n    X = 4\n    return X",
    ]
    calls = [(number, {"program": 1}) for number in (0, 1, 2, 0)]
    sandbox = bench._sandbox
    outcomes = await run_programs(sandbox, SPEC, programs, calls, files={}, limits=LIMITS)
    assert [outcome.output for outcome in outcomes] == [{"result": value} for value in (1, 3, 4, 1)]


async def test_the_best_agrees_most_and_is_shortest(bench):
    odd = "def double(program):\n    return program * 2 if program < 31 else 0"
    long = "def double(program):\n    total = program\n    total += program\n    return total"
    group = [
        await candidate(bench, body, number=number)
        for number, body in enumerate([odd, long, GOOD, long])
    ]
    asked = [case.inputs for case in CASES]
    assert best(group, asked, CASES).body == GOOD
    assert best(group[:2] + group[3:], asked, CASES).number == 1
    assert best(group[:1], asked, CASES).body == odd


def test_what_went_wrong_is_told_in_the_order_it_came():
    from yunjue.synthesis.making import _commonest
    from yunjue.synthesis.prove import Candidate
    from yunjue.types import CallOutcome

    errors = [f"error {number}" for number in range(20)]
    outcomes = [CallOutcome(status="failed", reason="raised", error=error) for error in errors]
    assert _commonest([Candidate(0, "", "", outcomes=outcomes)]) == errors[:2]
