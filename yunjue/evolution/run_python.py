"""Runs a program and returns what it printed: the one tool of the interpreter baseline.

It is sent into the sandbox as text, as tools are, and has their format. Each call is a
process of its own, so nothing is kept from one program to the next.
"""

import ast
import io
import sys
import traceback
import types

from pydantic import BaseModel, Field

__TOOL_META__ = {
    "name": "run_python",
    "description": "Runs a Python program and returns what it printed.",
    "dependencies": [],
}

PROGRAM = "program.py"
MOST_PRINTED = 20_000
"""Characters; a program that prints more is stopped, as it hardly prints an answer."""


class InputModel(BaseModel):
    code: str = Field(description="a whole Python program")


class OutputModel(BaseModel):
    stdout: str


class ProgramFailed(Exception):
    """The program raised, or ended itself with an error."""


class PrintedTooMuch(BaseException):
    """No Exception: a program's own handlers are not to catch it."""


class Printed(io.StringIO):
    """What was printed."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > MOST_PRINTED:
            raise PrintedTooMuch(f"the program printed more than {MOST_PRINTED} characters")
        return super().write(text)


def run(input: InputModel) -> OutputModel:
    real, printed, problem = sys.stdout, Printed(), ""
    sys.stdout = printed
    try:
        execute(input.code, printed)
    except MemoryError:
        raise
    except SystemExit as error:
        problem = described(error, input.code) if error.code not in (None, 0) else ""
    except BaseException as error:
        problem = described(error, input.code)
    finally:
        sys.stdout = real
    if problem:
        print(printed.getvalue()[-1000:])  # the caller sees it beside the error
        raise ProgramFailed(problem)
    return OutputModel(stdout=printed.getvalue())


def execute(code: str, printed: Printed) -> None:
    """Run the program as a script; like a notebook, if it prints nothing the value of a
    last line that is an expression is printed."""
    tree = ast.parse(code, PROGRAM)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    exec(compile(tree, PROGRAM, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    if last is not None:
        expression = compile(ast.Expression(last.value), PROGRAM, "eval", dont_inherit=True)
        value = eval(expression, module.__dict__)  # noqa: S307 - its purpose
        if value is not None and not printed.getvalue():
            print(value)


def described(error: BaseException, code: str) -> str:
    """``Type: message (line N: its text)``."""
    try:
        message = str(error)
    except Exception:
        message = ""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == PROGRAM]
    number = lines[-1] if lines else None
    if isinstance(error, SyntaxError) and error.filename == PROGRAM:
        number, message = error.lineno, error.msg
    text = " ".join(f"{type(error).__name__}: {message}".split())[:300]
    rows = code.splitlines()
    if number and number <= len(rows):
        text += f" (line {number}: {rows[number - 1].strip()[:120]})"
    return text
