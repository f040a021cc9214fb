"""Runs one Python script of a skill and returns what it printed.

It is sent into the sandbox as text with the skill's files in :data:`FILES`
(:func:`yunjue.skills.scripts.job_for`), and has the format of a tool. The script finds the
skill's folder as it is on disk, works in the call's own scratch folder, and may leave files in
``outputs/``.
"""

import base64
import io
import pathlib
import runpy
import sys
import traceback

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "run_script",
    "description": "Runs a Python script of a skill and returns what it printed.",
    "dependencies": [],
}

FILES: dict[str, str] = {}

MOST_PRINTED = 20_000
"""Characters; a script that prints more is stopped. Long results belong in outputs/."""
ROOT = pathlib.Path("skill")


class InputModel(BaseModel):
    script: str = Field(description="path within the skill")
    args: list[str] = Field([], description="the arguments of its command line")
    stdin: str = Field("", description="what it reads from standard input")


class OutputModel(BaseModel):
    stdout: str


class ScriptFailed(Exception):
    """The script raised, or ended with an error."""


class PrintedTooMuch(BaseException):
    """No Exception: a script's own handlers are not to catch it."""


class Printed(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() + len(text) > MOST_PRINTED:
            raise PrintedTooMuch(f"the script printed more than {MOST_PRINTED} characters")
        return super().write(text)


def run(input: InputModel) -> OutputModel:
    for name, content in FILES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))
    script = (ROOT / input.script).resolve()
    if input.script not in FILES:
        raise ValueError(f"the skill has no script {input.script!r}")
    real = sys.stdout, sys.stderr, sys.stdin, sys.argv
    out, err = Printed(), Printed()
    sys.stdout, sys.stderr, sys.stdin = out, err, io.StringIO(input.stdin)
    sys.argv = [input.script, *input.args]
    sys.path.insert(0, str(script.parent))
    code, problem = 0, ""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except MemoryError:
        raise
    except SystemExit as error:
        if isinstance(error.code, str):
            code, problem = 1, error.code
        else:
            code = int(error.code or 0)
    except BaseException as error:
        code, problem = 1, described(error, script)
    finally:
        sys.stdout, sys.stderr, sys.stdin, sys.argv = real
    print(err.getvalue()[-2000:], file=sys.stderr, end="")
    if code == 0:
        return OutputModel(stdout=out.getvalue().rstrip("\n"))
    problem = problem or last_line(err.getvalue()) or last_line(out.getvalue())
    if code == 2:  # as argparse ends when the arguments are wrong
        raise ValueError(problem or "wrong arguments")
    raise ScriptFailed(f"{problem} (exit code {code})".strip())


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def described(error: BaseException, script: pathlib.Path) -> str:
    """``Type: message (line N)``, of the script's own last line."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(script)]
    try:
        message = str(error)
    except Exception:
        message = ""
    text = " ".join(f"{type(error).__name__}: {message}".split())[:300]
    return f"{text} (line {lines[-1]})" if lines else text
