"""The two seccomp filters, read as the kernel and the engine read them."""

from __future__ import annotations

import json
import struct
from importlib.resources import files

import pytest

from yunjue.sandbox import bpf

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
DANGEROUS = {
    "x86_64": {"ptrace": 101, "bpf": 321, "keyctl": 250, "userfaultfd": 323, "mount": 165,
               "unshare": 272, "setns": 308, "process_vm_readv": 310, "io_uring_setup": 425},
    "aarch64": {"ptrace": 117, "bpf": 280, "keyctl": 219, "userfaultfd": 282, "mount": 40,
                "unshare": 97, "setns": 268, "process_vm_readv": 270, "io_uring_setup": 425},
}  # fmt: skip
ORDINARY = {"x86_64": [0, 1, 2, 9, 39, 59, 231, 257], "aarch64": [56, 63, 64, 93, 172, 221, 222]}
CALLS = {"x86_64": (56, 41), "aarch64": (220, 198)}  # clone, socket


def run(machine: str, number: int, argument: int = 0, arch: int | None = None) -> int:
    """Interpret the filter, as the kernel would for this call."""
    data = struct.pack("=IIQ6Q", number, arch or ARCH[machine], 0, argument, 0, 0, 0, 0, 0)
    program = bpf.program(machine)
    place, value = 0, 0
    while True:
        code, yes, no, operand = struct.unpack_from("=HBBI", program, 8 * place)
        place += 1
        if code == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x25: value > operand, 0x45: bool(value & operand)}
            place += yes if holds[code] else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_bubblewraps_filter(machine):
    assert all(run(machine, number) == EPERM for number in DANGEROUS[machine].values())
    assert all(run(machine, number) == ALLOW for number in ORDINARY[machine])
    clone, socket = CALLS[machine]
    assert run(machine, clone, 0x11) == run(machine, clone, 0x3D0F00) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert run(machine, clone, flag | 0x11) == EPERM
    assert [run(machine, socket, family) for family in (1, 2, 10, 16)] == [ALLOW] * 4
    assert [run(machine, socket, family) for family in (0, 3, 17, 38, 40)] == [EPERM] * 5
    assert run(machine, 435) == run(machine, 9999) == run(machine, 0x40000000) == ENOSYS
    assert run(machine, 0, arch=0x40000003) == KILL


def test_filter_fits_the_kernel():
    assert all(len(bpf.program(machine)) // 8 < 4096 for machine in ARCH)
    assert bpf.supported("x86_64") and not bpf.supported("riscv64")


def test_dockers_filter():
    profile = json.loads((files("yunjue.sandbox") / "seccomp.json").read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    always = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
        for name in rule["names"]
    }
    denied = {*DANGEROUS["x86_64"], "process_vm_writev", "clone", "clone3", "socket", "add_key"}
    denied |= {"io_uring_enter", "io_uring_register", "pidfd_getfd", "open_by_handle_at"}
    denied |= {"umount2", "pivot_root", "chroot", "perf_event_open", "kexec_load", "init_module"}
    assert not always & denied
    assert {"read", "openat", "mmap", "futex", "execve", "exit_group", "rseq"} <= always
    rules = {rule["names"][0]: rule for rule in profile["syscalls"]}
    assert rules["clone3"]["errnoRet"] == 38
    [flags] = rules["clone"]["args"]
    assert (flags["value"], flags["op"]) == (bpf.NEW_NAMESPACES, "SCMP_CMP_MASKED_EQ")
    families = [
        rule["args"][0]["value"] for rule in profile["syscalls"] if rule["names"] == ["socket"]
    ]
    assert tuple(families) == bpf.AF_ALLOWED
