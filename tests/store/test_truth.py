"""What the index asks of a real library (test_index.py has one in memory)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "library"))

from tool_samples import a_tool, a_verdict, open_library

from yunjue.store.truth import Truth


def test_the_texts_of_some_tools(tmp_path):
    library = open_library(tmp_path)
    tool = a_tool()
    library.add(tool, a_verdict(tool))
    texts = Truth(library._made()).texts([tool.id, "another"])
    assert list(texts) == [tool.id] and tool.description in texts[tool.id]
    library.close()
