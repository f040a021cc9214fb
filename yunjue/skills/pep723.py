"""What a script requires, as it says at its top (inline script metadata, PEP 723)."""

from __future__ import annotations

_START, _END = "# /// script", "# ///"


def requirements(source: str) -> list[str]:
    """The requirements beyond the standard library.

    Raises:
        ValueError: the block does not end, stands there twice, or is not of the form.
    """
    import tomllib

    from packaging.requirements import InvalidRequirement, Requirement

    block = _block(source.splitlines())
    if block is None:
        return []
    try:
        listed = tomllib.loads(block).get("dependencies", [])
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"its script metadata is not TOML: {error}") from None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise ValueError("dependencies in its script metadata must be a list of texts")
    for one in listed:
        try:
            parsed = Requirement(one)
        except InvalidRequirement:
            raise ValueError(f"{one[:80]!r} in its script metadata is no requirement") from None
        if parsed.url:
            raise ValueError(f"{one[:80]!r} names a place; only names and versions are taken")
    return listed


def _block(lines: list[str]) -> str | None:
    starts = [number for number, line in enumerate(lines) if line.rstrip() == _START]
    if not starts:
        return None
    if len(starts) > 1:
        raise ValueError("its script metadata stands there twice")
    inside: list[str] = []
    for line in lines[starts[0] + 1 :]:
        if line.rstrip() == _END:
            return "\n".join(inside)
        if not line.startswith("#"):
            break
        inside.append(line[2:] if line.startswith("# ") else line[1:])
    raise ValueError("its script metadata has no end")
