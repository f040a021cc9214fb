"""Programs that do nothing: a set of cases that one of them passes proves nothing."""

from __future__ import annotations

from yunjue.types import Case, ToolSpec

_EMPTY = {
    "str": "",
    "int": 0,
    "float": 0.0,
    "bool": False,
    "list[str]": [],
    "list[int]": [],
    "list[float]": [],
}


def stubs(spec: ToolSpec, cases: list[Case]) -> dict[str, str]:
    """what the stub does -> a function of the specified name that does it.

    One returns the empty value, one the first case's expected value, and one each input
    whose type is the output's.
    """
    returned = {"returns an empty value": repr(_EMPTY[spec.output.type])}
    if cases and not cases[0].raises:
        returned["returns a constant"] = repr(cases[0].expected)
    for field in spec.inputs:
        if field.type == spec.output.type:
            returned[f"returns its input {field.name}"] = field.name
            break
    arguments = ", ".join(field.name for field in spec.inputs)
    return {
        what: f"def {spec.name}({arguments}):\n    return {value}"
        for what, value in returned.items()
    }
