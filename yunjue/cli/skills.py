"""``yunjue skills``: how whole jobs go, written by people, for the agent to follow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yunjue.cli import options, skill_distil
from yunjue.cli.output import print_json, print_table, say
from yunjue.errors import UsageError

if TYPE_CHECKING:
    from yunjue.skills.shelf import Entry
    from yunjue.skills.types import Problem, Skill

app = typer.Typer(help="Agent Skills: list, check, add, trust, distil.", no_args_is_help=True)
app.command("distil")(skill_distil.distil)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The skill's name.")]
Project = Annotated[
    Path, typer.Argument(metavar="[DIR]", help="The project's folder; default: this one.")
]


@app.command("list")
def list_skills(json: options.Json = False) -> None:
    """List all skills that are found, and which are used with --skills on."""
    from yunjue.skills.shelf import open_shelf

    entries = open_shelf().entries
    if json:
        print_json([_summary(entry) for entry in entries])
        return
    rows = [(entry.name, entry.owner, entry.status, _about(entry)) for entry in entries]
    print_table(("name", "of", "status", "description"), rows)


@app.command("show")
def show(name: Name, json: options.Json = False) -> None:
    """Show a skill: what it says, its files, and what is worth a look."""
    from yunjue.skills.shelf import open_shelf

    entry = open_shelf().get(name)
    skill = entry.skill
    if json:
        print_json({**_summary(entry), **(_document(skill) if skill else {})})
        return
    print(f"{entry.name}  {entry.status}{f': {entry.why}' if entry.why else ''}")
    print(f"of        {entry.owner}, {entry.folder}")
    if skill is None:
        for problem in entry.problems:
            print(f"problem   {problem}")
        return
    print(f"id        {skill.id}")
    for key, value in (("license", skill.license), ("needs", skill.compatibility)):
        if value:
            print(f"{key:<9} {value}")
    for key, value in skill.metadata.items():
        print(f"metadata  {key}: {value}")
    if skill.allowed:
        _print_allowed(skill)
    for path in sorted(skill.files):
        runs = "  (can be run)" if path in skill.scripts.values() else ""
        print(f"file      {path}, {len(skill.files[path])} bytes{runs}")
    for note in skill.notes:
        print(f"note      {note}")
    print(f"\n{skill.description}\n\n{skill.body}")


@app.command("validate")
def validate(
    where: Annotated[list[str], typer.Argument(metavar="PATH|NAME...", help="Skills to check.")],
    json: options.Json = False,
) -> None:
    """Check skills against the specification; exit 1 if one has a problem."""
    checked = [_validated(one) for one in where]
    if json:
        print_json([document for document, _ in checked])
    for document, lines in checked:
        for line in lines:
            say(line) if json else print(line)
        if not json and not document["problems"]:
            print(f"{document['where']}: valid")
    if any(document["problems"] for document, _ in checked):
        raise typer.Exit(1)


@app.command("add")
def add(
    where: Annotated[str, typer.Argument(metavar="DIR|FILE|URL", help="DIR, .zip, .skill, URL.")],
    replace: Annotated[bool, typer.Option("--replace", help="Over one of the same name.")] = False,
    json: options.Json = False,
) -> None:
    """Check skills and copy them into your own folder: all, or none if one has a problem."""
    from yunjue.skills.install import install, take
    from yunjue.skills.shelf import open_shelf

    skills = take(where)
    folder = install(skills, replace)
    shelf = open_shelf()
    if json:
        print_json({"folder": str(folder), "skills": [_document(skill) for skill in skills]})
    for skill in skills:
        say(f"added: {skill.name} ({skill.id[:12]})")
        for note in skill.notes:
            say(f"note: {skill.name}: {note}")
        for entry in shelf.entries:
            if entry.name == skill.name and entry.status == "shadowed":
                say(f"shadowed: {entry.folder}: {entry.why}")


@app.command("remove")
def remove(name: Name, json: options.Json = False) -> None:
    """Remove a skill that you added."""
    from yunjue.skills.install import remove as remove_skill
    from yunjue.skills.shelf import open_shelf

    folder = remove_skill(name, open_shelf())
    if json:
        print_json({"removed": name, "folder": str(folder)})
    else:
        say(f"Removed {folder}.")


@app.command("export")
def export(
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="A new .zip or .skill file.")],
    json: options.Json = False,
) -> None:
    """Write a skill as one file; the same skill always gives the same bytes."""
    from yunjue.files import write_whole
    from yunjue.skills.archive import pack
    from yunjue.skills.shelf import open_shelf

    skill = open_shelf().use(name)
    if output.exists():
        raise UsageError(f"{output} is there already.", hint="Name a new file.")
    data = pack(skill)
    write_whole(output, data)
    if json:
        print_json({"file": str(output), "bytes": len(data), "name": name, "id": skill.id})
    else:
        say(f"Exported {name} ({skill.id[:12]}), {len(data)} bytes.")


@app.command("trust")
def trust(project: Project = Path("."), json: options.Json = False) -> None:
    """Let runs in this project use its skills as they are now; a change asks anew."""
    from yunjue.skills import trust as trusting
    from yunjue.skills.shelf import project_content, project_entries

    project = _project(project)
    entries = list(project_entries(project))
    if not entries:
        raise UsageError(
            f"{project} has no skills.", hint="They belong in .agents/skills or .yunjue/skills."
        )
    content = project_content(entries, project)
    trusting.trust(project, content)
    if json:
        skills = [_summary(entry) for entry in entries]
        print_json({"project": str(project), "content": content, "skills": skills})
    for entry in entries:
        say(f"{'trusted' if entry.skill else 'refused'}: {entry.name}: {_about(entry)}")
        if entry.skill and entry.skill.scripts:
            say(f"  with scripts: {', '.join(entry.skill.scripts.values())}")


@app.command("untrust")
def untrust(project: Project = Path("."), json: options.Json = False) -> None:
    """Take the trust in a project's skills back."""
    from yunjue.skills.trust import untrust as take_back

    done = take_back(project)
    if json:
        print_json({"project": str(project.resolve()), "was_trusted": done})
    else:
        say("It is no longer trusted." if done else "It was not trusted.")


def _project(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.")
    return folder.resolve()


def _about(entry: Entry) -> str:
    return entry.skill.description if entry.skill and not entry.why else entry.why


def _summary(entry: Entry) -> dict[str, Any]:
    skill = entry.skill
    return {
        "name": entry.name,
        "owner": entry.owner,
        "folder": str(entry.folder),
        "status": entry.status,
        "why": entry.why,
        "description": skill.description if skill else "",
        "id": skill.id if skill else "",
        "problems": [problem.to_dict() for problem in entry.problems],
    }


def _document(skill: Skill) -> dict[str, Any]:
    allowed = skill.allowed
    return {
        "name": skill.name,
        "id": skill.id,
        "description": skill.description,
        "license": skill.license,
        "compatibility": skill.compatibility,
        "metadata": dict(skill.metadata),
        "allowed_tools": allowed.all() if allowed else None,
        "foreign_tools": list(allowed.foreign) if allowed else [],
        "scripts": list(skill.scripts.values()),
        "files": {path: len(data) for path, data in sorted(skill.files.items())},
        "notes": [note.to_dict() for note in skill.notes],
        "body": skill.body,
    }


def _print_allowed(skill: Skill) -> None:
    assert skill.allowed
    ours = [*skill.allowed.tools, *skill.allowed.actions]
    print(f"allows    {', '.join(ours) or 'everything: it names no tool of Yunjue'}")
    if skill.allowed.foreign:
        print(f"unknown   {', '.join(skill.allowed.foreign)} (other programs' tools)")


def _validated(where: str) -> tuple[dict[str, Any], list[str]]:
    """What is said of one skill, and the lines of it: problems, then notes."""
    from yunjue.errors import SkillRefused
    from yunjue.skills.install import take
    from yunjue.skills.shelf import open_shelf

    problems: list[dict[str, Any]] = []
    notes: list[Problem] = []
    if Path(where).exists():
        try:
            notes = [note for skill in take(where) for note in skill.notes]
        except SkillRefused as error:
            problems = error.problems
    else:
        entry = open_shelf().get(where)
        problems = [problem.to_dict() for problem in entry.problems]
        notes = list(entry.skill.notes) if entry.skill else []
    listed = [note.to_dict() for note in notes]
    lines = [_line(where, one, "") for one in problems]
    lines += [_line(where, one, "note: ") for one in listed]
    return {"where": where, "problems": problems, "notes": listed}, lines


def _line(where: str, one: dict[str, Any], mark: str) -> str:
    path = Path(where) / one["path"] if Path(where).is_dir() else Path(where)
    place = f"{path}:{one['line']}" if one["line"] else str(path)
    about = "" if str(path).endswith(one["path"]) else f"{one['path']}: "
    return f"{place}: {mark}{about}{one['message']}"
