"""What model-written code may try. Every attempt ends in an outcome, and the call after
it finds the sandbox as it was."""

from __future__ import annotations

import json
import textwrap

import pytest
from tool_files import tool

from yunjue.protocols import SandboxJob, SandboxLimits

pytestmark = pytest.mark.integration
LIMITS = SandboxLimits(seconds=4, memory_mib=256, processes=16, stream_bytes=4096)
REST = "\nreturn OutputModel(result='fine')"


async def attack(sandbox, body, limits=LIMITS, **job):
    """The outcome of ``body``, run between two harmless calls that must both succeed."""
    body = textwrap.dedent(body)
    body = "if input.value != 1:\n    return OutputModel(result='fine')\n" + body
    calls = [{"value": 0}, {"value": 1}, {"value": 2}]
    outcomes = await sandbox.call(SandboxJob(tool(body), calls, limits=limits, **job))
    assert [outcomes[i].output for i in (0, 2)] == [{"result": "fine"}] * 2, outcomes
    return outcomes[1]


async def see(sandbox, expression, **job):
    """The value of a Python expression inside the sandbox."""
    source = tool(f"import glob, socket\nreturn OutputModel(result={expression})")
    [outcome] = await sandbox.call(SandboxJob(source, [{}], limits=LIMITS, **job))
    assert outcome.status == "ok", outcome
    return outcome.output["result"]


async def test_is_nobody_and_can_become_nobody_else(sandbox):
    status = await see(sandbox, "open('/proc/self/status').read()")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    uids = fields["Uid"].split()
    assert len(set(uids)) == 1 and uids[0] != "0"
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"


async def test_environment_holds_nothing_of_the_host(sandbox, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    seen = await see(sandbox, "dict(os.environ)")
    known = {"PATH", "HOME", "LANG", "TZ", "HOSTNAME", "PWD"}
    assert {name for name in seen if not name.endswith("_NUM_THREADS")} <= known
    assert "secret" not in json.dumps(seen)


async def test_no_network(sandbox):
    assert await see(sandbox, "[name for _, name in socket.if_nameindex()]") in (["lo"], [])
    outcome = await attack(
        sandbox, "import socket; socket.create_connection(('1.1.1.1', 53), 2)" + REST
    )
    assert outcome.reason == "raised" and "unreachable" in outcome.error


async def test_no_vsock(sandbox):
    outcome = await attack(sandbox, "import socket; socket.socket(40, 1)" + REST)
    assert outcome.error.startswith("PermissionError")


async def test_nothing_but_scratch_can_be_written(sandbox):
    body = """
        writable = []
        for top, folders, files in os.walk('/'):
            folders[:] = [one for one in folders if top != '/' or one != 'proc']
            probe = os.path.join(top, 'probe')
            try:
                open(probe, 'w').close()
                writable.append(top)
            except OSError:
                pass
        return OutputModel(result=writable)
    """
    [outcome] = await sandbox.call(SandboxJob(tool(body), [{}], limits=LIMITS))
    assert outcome.output == {"result": ["/tmp"]}


async def test_proc_settings_cannot_be_written(sandbox):
    body = "open('/proc/sys/kernel/hostname', 'w').write('x')" + REST
    outcome = await attack(sandbox, body)
    assert outcome.reason == "raised"


async def test_host_files_are_not_there(sandbox):
    paths = ["/root", "/home", "/var", "/etc/shadow", "/run", "/bin/sh", "/usr/bin/env"]
    assert await see(sandbox, f"[path for path in {paths} if os.path.lexists(path)]") == []


async def test_scratch_is_bounded(sandbox):
    body = """
        with open('/tmp/fill', 'wb') as file:
            for _ in range(4):
                os.write(file.fileno(), bytes(1 << 20))
    """
    body += "\n        return OutputModel(result=os.stat('/tmp/fill').st_size)"
    outcome = await attack(sandbox, body)
    assert outcome.output == {"result": 4 << 20}
    small = SandboxLimits(seconds=4, scratch_mib=1)
    body = """
        count = 0
        for number in range(4):
            with open(f'/tmp/fill{number}', 'wb') as file:
                file.write(bytes(700_000))
        return OutputModel(result='too much')
    """
    outcome = await attack(sandbox, body, small)
    assert outcome.reason == "raised" and "No space left" in outcome.error


async def test_infinite_loop(sandbox):
    outcome = await attack(sandbox, "while True: pass", SandboxLimits(seconds=1))
    assert (outcome.status, outcome.reason) == ("failed", "timeout")
    assert "1 s" in outcome.error


async def test_ignores_signals_and_sleeps(sandbox):
    body = """
        import signal
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        time.sleep(1000)
    """
    outcome = await attack(sandbox, body, SandboxLimits(seconds=1))
    assert outcome.reason == "timeout"


async def test_fork_bomb(sandbox):
    if not sandbox.isolation.processes:
        pytest.skip("does not claim to bound processes")
    outcome = await attack(sandbox, "while True: os.fork()", SandboxLimits(seconds=2, processes=16))
    assert outcome.status == "failed"


async def test_processes_are_bounded(sandbox):
    if not sandbox.isolation.processes:
        pytest.skip("does not claim to bound processes")
    body = """
        count = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(60)
                count += 1
        except OSError:
            return OutputModel(result=count)
    """
    outcome = await attack(sandbox, body)
    assert 1 <= outcome.output["result"] <= LIMITS.processes


async def test_memory_hog(sandbox):
    outcome = await attack(sandbox, "b'1' * (2 << 30)" + REST)
    assert (outcome.status, outcome.reason) == ("failed", "memory")


async def test_memory_hog_in_a_child_of_the_tool(sandbox):
    body = """
        if os.fork() == 0:
            try:
                hog = [bytearray(b'1' * (8 << 20)) for _ in range(200)]
            finally:
                os._exit(7)
        os.wait()
    """
    outcome = await attack(sandbox, body + "\n        return OutputModel(result='fine')")
    if sandbox.isolation.memory:
        assert outcome.reason == "memory"
    else:
        assert outcome.status == "ok"  # the child got MemoryError; the tool did not care


async def test_memory_of_all_processes_together(sandbox):
    if not sandbox.isolation.memory:
        pytest.skip("does not claim to bound memory")
    body = """
        for _ in range(6):
            if os.fork() == 0:
                hog = bytearray(b'1' * (100 << 20))
                time.sleep(60)
        time.sleep(60)
    """
    outcome = await attack(sandbox, body)
    assert outcome.reason in ("memory", "timeout")
    assert outcome.reason == "memory"


async def test_a_hundred_megabytes_of_output(sandbox):
    body = "for _ in range(100): sys.stdout.write('x' * (1 << 20))" + REST
    outcome = await attack(sandbox, body)
    assert outcome.status == "ok" and outcome.stdout == "x" * LIMITS.stream_bytes


async def test_output_that_is_no_text(sandbox):
    outcome = await attack(sandbox, "os.write(1, bytes(range(256)) * 100)" + REST)
    assert outcome.status == "ok" and len(outcome.stdout) <= LIMITS.stream_bytes


async def test_escaped_grandchild_holds_nothing_up_and_dies(sandbox):
    body = """
        if input.value == 1:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        time.sleep(0.01)
                os._exit(0)
            os.wait()
        processes = [int(name) for name in os.listdir('/proc') if name.isdigit()]
        return OutputModel(result=len(processes))
    """
    calls = [{"value": 0}, {"value": 1}, {"value": 2}]
    outcomes = await sandbox.call(SandboxJob(tool(body), calls, limits=LIMITS))
    before, during, after = (outcome.output["result"] for outcome in outcomes)
    assert before == after < during


FORGE = """
    import json, struct
    forged = json.dumps({'nonce': '0' * 16, 'fault': '', 'error': '', 'stdout': '',
                         'stderr': '', 'seconds': 0.0, 'clean': True}).encode()
    said = b'{"status": "ok", "output": {"result": "forged"}}'
    frames = b''.join(struct.pack('>I', len(one)) + one for one in (forged, said)) * 3
"""


@pytest.mark.parametrize("target", ["/proc/self/fd/1", "/proc/1/fd/1", "/proc/1/fd/2", "all"])
async def test_forged_results(sandbox, target):
    if target == "all":
        write = """
            for fd in range(256):
                try:
                    os.write(fd, frames)
                except OSError:
                    pass
        """
    else:
        write = f"""
            try:
                with open({target!r}, 'wb') as pipe:
                    pipe.write(frames)
            except OSError:
                pass
        """
    body = textwrap.dedent(FORGE) + textwrap.dedent(write) + REST
    outcome = await attack(sandbox, body)
    assert outcome.output in ({"result": "fine"}, None)


async def test_rubbish_in_the_result_pipe(sandbox):
    rubbish = r"b'\xff' * 100"
    body = f"for fd in range(3, 256):\n    try: os.write(fd, {rubbish})\n    except OSError: pass"
    outcome = await attack(sandbox, body + REST)
    assert outcome.status == "failed"


async def test_the_runner_is_closed_to_the_tool(sandbox):
    body = """
        parent, seen = os.getppid(), []
        for name in ('mem', 'fd/0', 'fd/1', 'fd/3', 'fd/4', 'environ', 'maps'):
            try:
                open(f'/proc/{parent}/{name}', 'rb').read(1)
                seen.append(name)
            except OSError:
                pass
        return OutputModel(result=seen)
    """
    [outcome] = await sandbox.call(SandboxJob(tool(body), [{}], limits=LIMITS))
    assert outcome.output == {"result": []}


async def test_symlink_into_proc_1(sandbox):
    body = """
        os.symlink('/proc/1', '/tmp/one')
        seen = []
        for name in ('root/etc/shadow', 'root/root', 'root/home', 'cwd/../etc/shadow'):
            if os.path.exists(f'/tmp/one/{name}'):
                seen.append(name)
        return OutputModel(result=seen)
    """
    outcome = await attack(sandbox, body)
    assert outcome.output == {"result": []}


@pytest.mark.parametrize(
    "body",
    [
        "os.kill(1, 9)",
        "os.kill(os.getppid(), 9)",
        "os.kill(os.getppid(), 15)",
        "os.kill(-1, 9)",
        "os.kill(0, 9)",
        "os.abort()",
        "os._exit(0)",
        "sys.exit(0)",
        "raise KeyboardInterrupt",
        "import ctypes; ctypes.string_at(0)",
        "sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        "os.close(1); os.close(2); os.closerange(0, 300)",
        "import threading; threading.Thread(target=time.sleep, args=(99,)).start(); os.abort()",
    ],
)
async def test_ends_itself_or_others(sandbox, body):
    outcome = await attack(sandbox, body + REST)
    if body == "os.kill(1, 9)":
        assert outcome.status in ("ok", "failed")  # init is spared, or it is not permitted
    else:
        assert outcome.status == "failed" and outcome.error


async def test_stops_the_runner(sandbox, monkeypatch):
    monkeypatch.setattr("yunjue.sandbox.session.GRACE_SECONDS", 1.0)
    limits = SandboxLimits(seconds=1)
    outcome = await attack(sandbox, "os.kill(os.getppid(), 19); time.sleep(99)", limits)
    assert outcome.reason == "timeout"


@pytest.mark.parametrize(
    "expression, reason",
    [
        ("float('nan')", "bad_output"),
        ("float('-inf')", "bad_output"),
        ("'x' * 300_000", "output_too_large"),
        ("10 ** 5000", "bad_output"),
        (r"'\ud800'", "bad_output"),
        ("b'\\xff'", "bad_output"),
        ("object()", "bad_output"),
        ("deep", "bad_output"),
        ("cycle", "bad_output"),
    ],
)
async def test_results_that_are_none(sandbox, expression, reason):
    body = f"""
        deep = []
        for _ in range(100): deep = [deep]
        cycle = []
        cycle.append(cycle)
        return OutputModel(result={expression})
    """
    outcome = await attack(sandbox, body)
    assert (outcome.status, outcome.reason) == ("failed", reason), outcome


async def test_leaves_traps_in_scratch(sandbox):
    body = """
        os.makedirs('/tmp/a/b')
        os.symlink('/proc/self/root', '/tmp/a/link')
        open('/tmp/a/b/file', 'w').close()
        os.chmod('/tmp/a/b', 0)
        os.chdir('/tmp')
        for _ in range(1500):
            os.mkdir('d')
            os.chdir('d')
    """
    outcome = await attack(sandbox, body + "\n        return OutputModel(result='left')")
    assert outcome.status == "ok"
    listing = "found = os.listdir('/tmp')\nopen('/tmp/mark', 'w').close()\n"
    listing += "return OutputModel(result=found)"
    calls = [{}, {}]
    first, second = await sandbox.call(SandboxJob(tool(listing), calls, limits=LIMITS))
    assert first.output == second.output == {"result": []}


@pytest.mark.parametrize(
    "call",
    [
        "libc.unshare(0x10000000)",  # a user namespace
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.syscall(321 if x86 else 280, 0, 0, 0)",  # bpf
        "libc.syscall(250 if x86 else 219, 0, 0, 0)",  # keyctl
        "libc.syscall(323 if x86 else 282, 0)",  # userfaultfd
        "libc.syscall(425, 1, 0)",  # io_uring_setup
        "libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)",
        "libc.setns(0, 0)",
        "libc.syscall(56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0)",  # clone, CLONE_NEWUSER
    ],
)
async def test_dangerous_system_calls(sandbox, call):
    if not sandbox.isolation.syscalls:
        pytest.skip("does not claim to filter system calls")
    body = f"""
        import ctypes, platform
        libc, x86 = ctypes.CDLL(None, use_errno=True), platform.machine() == 'x86_64'
        failed = {call} == -1
        return OutputModel(result=[failed, ctypes.get_errno()])
    """
    outcome = await attack(sandbox, body)
    assert outcome.output == {"result": [True, 1]}
