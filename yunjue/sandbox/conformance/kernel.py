"""Probes of the system calls that sandboxes get broken with, and of privileges."""

from __future__ import annotations

from yunjue.sandbox.conformance.probe import Probe, returned

LIBC = """
import platform
libc, x86 = ctypes.CDLL(None, use_errno=True), platform.machine() == "x86_64"
ctypes.set_errno(0)
"""

CALLS = {
    "no ptrace": ["libc.ptrace(0, 0, 0, 0)", "libc.ptrace(16, os.getppid(), 0, 0)"],
    "no reading of other processes' memory": ["libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)"],
    "no new namespaces": [
        "libc.unshare(0x10000000)",
        "libc.unshare(0x00020000)",
        "libc.syscall(56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0)",  # clone, CLONE_NEWUSER
        "libc.syscall(435, 0, 0)",  # clone3, whose flags no filter can read
        "libc.setns(0, 0)",
    ],
    "no mounts": [
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.umount2(b'/tmp', 2)",
        "libc.syscall(155 if x86 else 41, b'/tmp', b'/tmp')",  # pivot_root
        "libc.syscall(428, -100, b'/', 1)",  # open_tree
        "libc.syscall(430, b'tmpfs', 0)",  # fsopen
        "libc.chroot(b'/tmp')",
    ],
    "no io_uring": ["libc.syscall(425, 1, 0)"],
    "no bpf": ["libc.syscall(321 if x86 else 280, 0, 0, 0)"],
    "no kernel keys": [
        "libc.syscall(248 if x86 else 217, b'user', b'a', b'b', 1, -3)",  # add_key
        "libc.syscall(250 if x86 else 219, 0, -3, 1)",  # keyctl
    ],
    "no userfaultfd": ["libc.syscall(323 if x86 else 282, 0)"],
    "no performance counters": ["libc.syscall(298 if x86 else 241, 0, 0, -1, -1, 0)"],
    "no file handles": ["libc.syscall(304 if x86 else 265, -100, 0, 0)"],
    "no kernel modules and no reboot": [
        "libc.syscall(175 if x86 else 105, 0, 0, b'')",  # init_module
        "libc.syscall(246 if x86 else 104, 0, 0, 0, 0)",  # kexec_load
        "libc.reboot(0)",
    ],
    "no change of the clock": ["libc.clock_settime(0, ctypes.byref((ctypes.c_long * 2)(1, 0)))"],
}

PROBES = [
    *(
        Probe(
            name,
            "syscalls",
            LIBC
            + f"done = []\nfor call in {calls!r}:\n"
            + "    ctypes.set_errno(0)\n"
            + "    if eval(call) != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):\n"
            + "        done.append([call, errno.errorcode.get(ctypes.get_errno(), 'done')])\n"
            + "return OutputModel(result=done)",
            returned([]),
        )
        for name, calls in CALLS.items()
    ),
    Probe(
        "no privileges",
        "filesystem",
        """
        lines = open("/proc/self/status").read().splitlines()
        fields = {line.split(":")[0]: line.split(":")[1].split() for line in lines if ":" in line}
        found = [name for name in ("Uid", "Gid") if "0" in fields[name]]
        found += [name for name in ("CapEff", "CapPrm", "CapInh") if int(fields[name][0], 16)]
        found += [] if fields["NoNewPrivs"] == ["1"] else ["NoNewPrivs"]
        return OutputModel(result=found)
        """,
        returned([]),
    ),
    Probe(
        "nobody else can be become",
        "filesystem",
        """
        become = []
        for change in (os.setuid, os.setgid, lambda number: os.setgroups([number])):
            for number in (0, 1000):
                try:
                    change(number)
                    become.append(number)
                except OSError:
                    pass
        return OutputModel(result=become)
        """,
        returned([]),
    ),
]
