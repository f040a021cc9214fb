#!/usr/bin/env python3
"""Writes docs/plugins-reference.md from the hooks; a test holds the file against it.

python scripts/plugins_reference.py            write it
scripts/plugins_reference.py --check    exit 1 if it is not as it would be written
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from yunjue import hookspecs

PAGE = Path(__file__).resolve().parents[1] / "docs" / "plugins-reference.md"
HEAD = """# Hooks

The hooks of Yunjue, version {version}; `scripts/plugins_reference.py` makes this page from
`yunjue/hookspecs.py`. [plugins.md](plugins.md) shows how a plugin is written. A plugin says the
version it was written for with `yunjue_hooks = "{major}"`; the first number changes when plugins
must, the second when there is something new.

```python
from yunjue.hookspecs import hookimpl

yunjue_hooks = "{major}"


@hookimpl
def on_event(event): ...
```
"""


def page() -> str:
    """The whole page."""
    major, minor = hookspecs.HOOKS_VERSION
    parts = [HEAD.format(version=f"{major}.{minor}", major=major)]
    for name, function in vars(hookspecs).items():
        if hasattr(function, "yunjue_spec"):
            parts.append(_section(name, function))
    return "\n".join(parts)


def _section(name: str, function: object) -> str:
    words, examples = [], []
    for line in inspect.cleandoc(function.__doc__ or "").splitlines():
        if line.startswith(">>> "):
            examples.append(line.removeprefix(">>> "))
        else:
            words.append(line)
    text = "\n".join(words).strip().replace("``", "`")
    text = text.replace(":attr:`~yunjue.domains.Domain.fits`", "`Domain.fits`")
    text = text.replace(":data:`yunjue.events.KINDS`", "`yunjue.events.KINDS`")
    signature = str(inspect.signature(function)).replace("'", "")
    example = "\n".join(["```python", *examples, "```", ""])
    return f"## {name}\n\n`{name}{signature}`\n\n{text}\n\n{example}"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text("utf-8") != page())
    PAGE.write_text(page(), "utf-8")
