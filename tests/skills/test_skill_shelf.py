"""Where skills are found, which one wins, and what trust is."""

from __future__ import annotations

import pytest
from skill_samples import write_skill

from yunjue.errors import SkillRefused, UnknownSkillError, YunjueError
from yunjue.hookspecs import hookimpl
from yunjue.plugins import plugins
from yunjue.skills.catalogue import BUDGET, shown
from yunjue.skills.folder import read_skill
from yunjue.skills.shelf import open_shelf, project_content, project_entries, user_folder
from yunjue.skills.trust import FILE, trust, untrust


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """A project, a user's home and a package of our own."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr("yunjue.skills.shelf.shipped_folder", lambda: tmp_path / "shipped")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return {
        "project": tmp_path / "project/.agents/skills",
        "own": tmp_path / "project/.yunjue/skills",
        "home": user_folder(),
        "user": tmp_path / "user/.agents/skills",
        "shipped": tmp_path / "shipped",
        "root": tmp_path / "project",
    }


def give_trust(root):
    trust(root, project_content(list(project_entries(root)), root))


def told(shelf):
    return [(entry.name, entry.folder.parent, entry.status) for entry in shelf.entries]


def test_the_first_of_one_name_is_used_and_the_others_are_said(places):
    for place in ("shipped", "user", "home", "project", "own"):
        write_skill(places[place])
    give_trust(places["root"])
    order = ("own", "project", "home", "user", "shipped")
    status = ("usable", *["shadowed"] * 4)
    assert told(open_shelf()) == [
        ("reverse-text", places[place], one) for place, one in zip(order, status, strict=True)
    ]
    assert all(str(places["own"]) in entry.why for entry in open_shelf().unused())


def test_skills_of_plugins_come_before_those_of_the_package(places, tmp_path):
    class Brings:
        @hookimpl
        def register_skills(self, register):
            register("texts", tmp_path / "brought")

    write_skill(places["shipped"])
    write_skill(tmp_path / "brought")
    plugin = Brings()
    plugins().manager.register(plugin, name="brings")
    try:
        assert told(open_shelf()) == [
            ("reverse-text", tmp_path / "brought", "usable"),
            ("reverse-text", places["shipped"], "shadowed"),
        ]
    finally:
        plugins().manager.unregister(plugin)


def test_a_project_is_not_used_before_trust_and_shadows_nothing(places):
    write_skill(places["project"])
    write_skill(places["shipped"])
    shelf = open_shelf()
    assert [entry.status for entry in shelf.entries] == ["untrusted", "usable"]
    assert shelf.get("reverse-text").owner == "shipped"
    give_trust(places["root"])
    assert open_shelf().get("reverse-text").owner == "project"
    assert untrust(places["root"]) and not untrust(places["root"])
    assert open_shelf().get("reverse-text").owner == "shipped"


@pytest.mark.parametrize(
    "change",
    [
        lambda skills: (skills / "reverse-text/SKILL.md").open("a").write("More."),
        lambda skills: (skills / "reverse-text/scripts/x.py").write_text("print(2)"),
        lambda skills: (skills / "reverse-text/new.md").write_text("x"),
        lambda skills: (skills / "reverse-text/scripts/x.py").unlink(),
        lambda skills: write_skill(skills, "second-one"),
        lambda skills: (skills / "reverse-text").rename(skills / "renamed"),
        lambda skills: (skills / "broken/SKILL.md").write_text("Still broken."),
    ],
)
def test_any_change_asks_for_trust_anew(places, change):
    write_skill(places["project"], files={"scripts/x.py": "print(1)"})
    (places["project"] / "broken").mkdir()
    (places["project"] / "broken/SKILL.md").write_text("Broken.")
    give_trust(places["root"])
    assert [entry.status for entry in open_shelf().entries] == ["refused", "usable"]
    change(places["project"])
    assert {entry.status for entry in open_shelf().entries} == {"untrusted"}
    with pytest.raises(YunjueError, match="not trusted: its skills changed"):
        open_shelf().use(open_shelf().entries[-1].name)


def test_trust_is_of_one_project(places, tmp_path, monkeypatch):
    write_skill(places["project"])
    give_trust(places["root"])
    other = tmp_path / "other"
    write_skill(other / ".agents/skills")
    monkeypatch.chdir(other)
    assert [entry.status for entry in open_shelf().entries] == ["untrusted"]


def test_a_damaged_record_of_trust_trusts_nothing(places, own_home):
    write_skill(places["project"])
    give_trust(places["root"])
    (own_home / FILE).write_text('{"projects": {"x": 1}}')
    (entry,) = open_shelf().entries
    assert entry.status == "untrusted" and "damaged" in entry.why


def test_links_out_of_a_project_are_no_skills(places, tmp_path):
    elsewhere = write_skill(tmp_path / "elsewhere")
    places["project"].mkdir(parents=True)
    (places["project"] / "reverse-text").symlink_to(elsewhere)
    give_trust(places["root"])
    (entry,) = open_shelf().entries
    assert entry.status == "refused" and "is a link" in entry.why
    places["user"].mkdir(parents=True)
    (places["user"] / "reverse-text").symlink_to(elsewhere)  # the user's own link
    assert open_shelf().get("reverse-text").status == "usable"


def test_what_cannot_be_used_says_why(places):
    with pytest.raises(UnknownSkillError, match="Did you mean reverse-text"):
        write_skill(places["home"])
        open_shelf().use("reverse-txt")
    (places["home"] / "broken").mkdir(parents=True)
    (places["home"] / "broken/SKILL.md").write_text("---\nname: Broken\n---\n")
    with pytest.raises(SkillRefused, match=r"SKILL.md:2: the name 'Broken' has capitals") as error:
        open_shelf().use("broken")
    assert {one["line"] for one in error.value.to_dict()["problems"]} == {1, 2}


def test_the_users_home_as_working_folder_counts_once(places, tmp_path, monkeypatch):
    write_skill(places["user"])
    monkeypatch.chdir(tmp_path / "user")
    assert len(open_shelf().entries) == 1


def test_a_catalogue_is_cut_by_nearness_and_budget(places):
    skills = [
        read_skill(write_skill(places["home"], f"skill-{n}", description=f"{n} " + "word " * 100))[
            0
        ]
        for n in range(12)
    ]
    near = [0.9 if n == 7 else 0.5 if n == 3 else 0.1 for n in range(12)]
    assert [skill.name for skill, _ in shown(skills, near)] == ["skill-7", "skill-3"]
    cut = shown(skills, None)
    assert 0 < len(cut) < 8
    assert sum(len(skill.name) + min(400, len(skill.description)) for skill, _ in cut) <= BUDGET
