"""For tests of plugins: a pytest plugin, and helpers. In ``conftest.py``::

    pytest_plugins = ["yunjue.testing"]

Fixtures: ``yunjue_home``, ``direct_sandbox``, ``with_plugin``, ``run_task``, ``tool_library``,
``hash_embedder``, and ``sandbox_probe`` of :mod:`yunjue.sandbox.conformance`. Nothing here needs a
model, a network or a container engine. docs/plugins.md shows them at work.
"""

from __future__ import annotations

from yunjue.testing.checks import (
    assert_domain_works,
    assert_replays,
    assert_tools_prove,
    events_of,
)
from yunjue.testing.direct import DirectPlugin, DirectSandbox
from yunjue.testing.fixtures import (
    direct_sandbox,
    hash_embedder,
    run_task,
    tool_library,
    with_plugin,
    yunjue_home,
)
from yunjue.testing.scripts import answering, calling, write_script

pytest_plugins = ["yunjue.sandbox.conformance.pytest_plugin"]

__all__ = [
    "DirectPlugin",
    "DirectSandbox",
    "answering",
    "assert_domain_works",
    "assert_replays",
    "assert_tools_prove",
    "calling",
    "direct_sandbox",
    "events_of",
    "hash_embedder",
    "run_task",
    "tool_library",
    "with_plugin",
    "write_script",
    "yunjue_home",
]
