"""A seccomp filter for bubblewrap, assembled from numbers: classic BPF, 8 bytes a line.

It denies what sandboxes get broken with and no ordinary Python code needs. Docker has its
own, stricter list (seccomp.json).
"""

from __future__ import annotations

import platform
import struct

EPERM, ENOSYS = 1, 38
AF_ALLOWED = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: what `--unshare-net` keeps apart; not AF_VSOCK."""
NEW_NAMESPACES = 0x7E020000
"""Every CLONE_NEW* flag that clone() takes."""
LAST_KNOWN = 466
"""Calls with higher numbers are newer than this list (and x32's): they do not exist."""

# Since 424 the numbers are the same on every architecture.
_COMMON = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "memfd_secret": 447,
    "process_mrelease": 448,
}
_X86_64 = {
    "shmget": 29,  # what System V makes would stay from one call to the next
    "semget": 64,
    "msgget": 68,
    "ptrace": 101,
    "syslog": 103,
    "uselib": 134,
    "personality": 135,
    "sysfs": 139,
    "vhangup": 153,
    "modify_ldt": 154,
    "pivot_root": 155,
    "adjtimex": 159,
    "chroot": 161,
    "acct": 163,
    "settimeofday": 164,
    "mount": 165,
    "umount2": 166,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "iopl": 172,
    "ioperm": 173,
    "init_module": 175,
    "delete_module": 176,
    "quotactl": 179,
    "lookup_dcookie": 212,
    "clock_settime": 227,
    "mbind": 237,
    "set_mempolicy": 238,
    "kexec_load": 246,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "migrate_pages": 256,
    "unshare": 272,
    "splice": 275,
    "tee": 276,
    "vmsplice": 278,
    "move_pages": 279,
    "perf_event_open": 298,
    "fanotify_init": 300,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "clock_adjtime": 305,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "finit_module": 313,
    "kexec_file_load": 320,
    "bpf": 321,
    "userfaultfd": 323,
    "mq_open": 240,
}
_AARCH64 = {
    "lookup_dcookie": 18,
    "umount2": 39,
    "mount": 40,
    "pivot_root": 41,
    "chroot": 51,
    "vhangup": 58,
    "quotactl": 60,
    "vmsplice": 75,
    "splice": 76,
    "tee": 77,
    "acct": 89,
    "personality": 92,
    "unshare": 97,
    "kexec_load": 104,
    "init_module": 105,
    "delete_module": 106,
    "clock_settime": 112,
    "mq_open": 180,
    "msgget": 186,
    "semget": 190,
    "shmget": 194,
    "syslog": 116,
    "ptrace": 117,
    "reboot": 142,
    "settimeofday": 170,
    "adjtimex": 171,
    "add_key": 217,
    "request_key": 218,
    "keyctl": 219,
    "swapon": 224,
    "swapoff": 225,
    "mbind": 235,
    "set_mempolicy": 237,
    "migrate_pages": 238,
    "move_pages": 239,
    "perf_event_open": 241,
    "fanotify_init": 262,
    "name_to_handle_at": 264,
    "open_by_handle_at": 265,
    "clock_adjtime": 266,
    "setns": 268,
    "process_vm_readv": 270,
    "process_vm_writev": 271,
    "kcmp": 272,
    "finit_module": 273,
    "bpf": 280,
    "userfaultfd": 282,
    "kexec_file_load": 294,
}
# machine -> audit number of the architecture, denied calls, clone, socket
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64, 56, 41),
    "aarch64": (0xC00000B7, _AARCH64, 220, 198),
}
_CLONE3 = 435

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def supported(machine: str | None = None) -> bool:
    return (machine or platform.machine()) in _MACHINES


def program(machine: str | None = None) -> bytes:
    """The filter for ``machine`` (this one's without it), as the kernel reads it."""
    arch, denied, clone, socket = _MACHINES[machine or platform.machine()]
    lines = [
        _line(_LOAD, _ARCH),
        _line(_JUMP_EQUAL, arch, 1, 0),
        _line(_RETURN, _KILL),  # 32-bit calls have other numbers
        _line(_LOAD, _NUMBER),
        *_answer(_JUMP_GREATER, LAST_KNOWN, ENOSYS),
        *_answer(_JUMP_EQUAL, _CLONE3, ENOSYS),  # libc then falls back to clone
    ]
    for number in sorted({*denied.values(), *_COMMON.values()}):
        lines += _answer(_JUMP_EQUAL, number, EPERM)
    lines += [
        _line(_JUMP_EQUAL, clone, 0, 4),
        _line(_LOAD, _ARGUMENT),
        *_answer(_JUMP_ANY_BIT, NEW_NAMESPACES, EPERM),
        _line(_RETURN, _ALLOW),
        _line(_JUMP_EQUAL, socket, 0, len(AF_ALLOWED) + 2),
        _line(_LOAD, _ARGUMENT),
    ]
    for index, family in enumerate(AF_ALLOWED):
        lines.append(_line(_JUMP_EQUAL, family, len(AF_ALLOWED) - index, 0))
    lines += [_line(_RETURN, _ERRNO | EPERM), _line(_RETURN, _ALLOW)]
    return b"".join(lines)


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _answer(jump: int, value: int, errno: int) -> list[bytes]:
    return [_line(jump, value, 0, 1), _line(_RETURN, _ERRNO | errno)]
