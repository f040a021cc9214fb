"""Control groups, on a tree of files that looks like the kernel's."""

from __future__ import annotations

import os

import pytest

from yunjue.protocols import SandboxLimits
from yunjue.sandbox import cgroups

LIMITS = SandboxLimits(memory_mib=3, processes=5)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Writes make the file: the kernel's are there as soon as a group is."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)

    def write(folder, name, value):
        (folder / name).write_text(str(value))

    monkeypatch.setattr(cgroups, "_write", write)

    def own(groups):
        monkeypatch.setattr(cgroups, "_own_groups", lambda: groups)

    return tmp_path, own


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def second(root, folder, controllers="memory pids cpu"):
    (root / "cgroup.controllers").touch()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)


def test_version_2_bounds_all_together(kernel):
    root, own = kernel
    second(root, root)
    own({"": "/"})
    group = cgroups.make(LIMITS)
    assert group.folders == (group.memory,) and group.memory.parent == root
    assert contents(group.memory) == {
        "memory.max": str(3 << 20),
        "memory.swap.max": "0",
        "pids.max": str(5 + cgroups.OWN_PROCESSES),
        "cpu.max": "100000 100000",
    }
    assert group.inside == str(root)


def test_version_2_beside_our_own_group_with_the_controllers_it_lacks(kernel):
    root, own = kernel
    second(root, root / "slice", "memory pids")
    own({"": "/slice/scope"})
    group = cgroups.make(LIMITS)
    assert group.memory.parent == root / "slice"
    assert (root / "slice" / "cgroup.subtree_control").read_text() == "+cpu"


def test_version_1_has_a_folder_for_each_controller(kernel):
    root, own = kernel
    own({"memory": "/here", "pids": "/", "cpu,cpuacct": "/"})
    for folder in ("memory/here", "pids", "cpu,cpuacct"):
        (root / folder).mkdir(parents=True)
    group = cgroups.make(LIMITS)
    assert [folder.parent.relative_to(root).as_posix() for folder in group.folders] == [
        "memory/here",
        "pids",
        "cpu,cpuacct",
    ]
    assert contents(group.memory)["memory.limit_in_bytes"] == str(3 << 20)
    assert contents(group.folders[2])["cpu.cfs_quota_us"] == "100000"
    assert group.inside == str(root / "memory")


@pytest.mark.parametrize("groups", [{}, {"": "/"}, {"memory": "/", "pids": "/"}])
def test_where_a_controller_is_missing_none_can_be_made(kernel, groups):
    root, own = kernel
    own(groups)
    (root / "memory").mkdir()
    with pytest.raises(OSError):
        cgroups.make(LIMITS)
    cgroups.usable.cache_clear()
    assert not cgroups.usable()
    cgroups.usable.cache_clear()
    assert not list(root.rglob(f"{cgroups.PREFIX}*"))


def test_the_command_joins_before_it_starts(kernel):
    root, own = kernel
    second(root, root)
    own({"": "/"})
    command = cgroups.make(LIMITS).enter(["/bin/program", "one argument"])
    assert command[0] == "/bin/sh"
    assert command[-2:] == ["/bin/program", "one argument"]


@pytest.mark.parametrize(
    ("file", "text", "death"),
    [
        ("memory.events", "low 0\noom 2\noom_kill 1\n", "memory"),
        ("memory.events", "low 0\noom_kill 0\n", "crashed"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "memory"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", "crashed"),
    ],
)
def test_the_end_says_whether_memory_ran_out(kernel, file, text, death, monkeypatch):
    root, own = kernel
    second(root, root)
    own({"": "/"})
    group = cgroups.make(LIMITS)
    monkeypatch.setattr(cgroups, "REMOVE_SECONDS", 0.0)
    (group.memory / file).write_text(text)
    assert group.end() == death


def test_groups_left_by_killed_processes_are_swept(kernel):
    root, own = kernel
    second(root, root)
    own({"": "/"})
    left, busy, fresh = (f"{cgroups.PREFIX}{pid}-x" for pid in (4194305, 4194306, os.getpid()))
    for name in (left, busy, fresh, "other"):
        (root / name).mkdir()
    (root / busy / "process").touch()
    cgroups.sweep()
    found = {path.name for path in root.iterdir() if path.is_dir()}
    assert found == {"other", busy, fresh}
