"""Makes the package of a new plugin, which works as it is."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import yunjue
from yunjue.errors import UsageError
from yunjue.files import writing

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
MAX_NAME = 30
TAKEN = ("auto", "none")


def make(name: str, folder: Path | None = None) -> Path:
    """Write the package ``yunjue-NAME`` with a domain, a tool with its cases, a skill, tasks,
    tests and a CI file.

    Args:
        folder: to make; ``./yunjue-NAME`` by default.

    Returns:
        The folder.

    Raises:
        UsageError: the name cannot be one, or the folder is there already.
    """
    name = name.removeprefix("yunjue-")
    if not _NAME.match(name) or len(name) > MAX_NAME or name in TAKEN:
        raise UsageError(
            f"{name!r} is no name of a plugin.",
            hint=f"Lower-case letters, digits and single hyphens, at most {MAX_NAME}: my-field.",
        )
    folder = (folder or Path(f"yunjue-{name}")).absolute()
    if folder.exists():
        raise UsageError(f"{folder} is there already.", hint="Name another with --output.")
    field = name.replace("-", "_")
    files = _rendered(name=name, field=field, module=f"yunjue_{field}", version=yunjue.__version__)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".yunjue-new-", dir=folder.parent))
        try:
            for path, text in files.items():
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_text(text, encoding="utf-8")
            work.chmod(0o755)
            os.rename(work, folder)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return folder


def _rendered(**values: str) -> dict[str, str]:
    """Path in the package -> text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    module, field = values["module"], values["field"]
    places = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "ci.yml": ".github/workflows/test.yml",
        "init.py": f"{module}/__init__.py",
        "tool.py": f"{module}/tools/{field}_count_word.py",
        "cases.json": f"{module}/tools/cases.json",
        "skill.md": f"{module}/skills/{values['name']}-report/SKILL.md",
        "tasks.jsonl": f"{module}/tasks.jsonl",
        "conftest.py": "tests/conftest.py",
        "test_domain.py": f"tests/test_{field}.py",
    }
    environment = Environment(
        loader=PackageLoader("yunjue", "plugin_template"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - code and prose, not HTML
    )
    return {
        path: environment.get_template(f"{name}.j2").render(**values)
        for name, path in places.items()
    }
