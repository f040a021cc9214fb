from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml
from bundle_samples import CASES, a_tool

from yunjue.bundle.render import langchain_file, openai_functions, skill_files, skill_name
from yunjue.hashing import content_id

TOOL = a_tool(name="double_it", origin={"licence": "MIT"})


def test_openai():
    [one] = openai_functions([TOOL])
    assert one["type"] == "function"
    assert set(one["function"]) == {"name", "description", "parameters"}
    assert one["function"]["parameters"]["required"] == ["number"]


def test_langchain(tmp_path, monkeypatch):
    pytest.importorskip("langchain_core")
    program = tmp_path / "yunjue"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "assert sys.argv[1:4] == ['tools', 'run', 'double_it'] and sys.argv[5] == '--json'\n"
        "number = json.loads(sys.argv[4].removeprefix('--args='))['number']\n"
        "if number < 0: print(json.dumps({'status': 'input_error', 'error': 'ValueError: no'}))\n"
        "else: print(json.dumps({'status': 'ok', 'output': {'result': number * 2}}))\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    described = a_tool(name="double_it", description="It's 2 × ''' and {braces}")
    module: dict = {}
    exec(compile(langchain_file([described]), "tools.py", "exec"), module)
    [tool] = module["TOOLS"]
    assert (tool.name, tool.description) == ("double_it", described.description)
    assert tool.invoke({"number": 21}) == {"result": 42}
    assert tool.invoke({"number": -1}) == "ValueError: no"


def test_skill(tmp_path):
    files = skill_files(TOOL, CASES)
    folder = tmp_path / skill_name(TOOL)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    _, front, body = files["SKILL.md"].split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["name"] == folder.name == "double-it"
    assert 0 < len(front["description"]) <= 1024 and front["license"] == "MIT"
    assert set(front) <= {"name", "description", "license", "compatibility", "metadata"}
    assert "yunjue tools run double_it" in body and '`{"number": 2}` gives `4`' in body
    assert content_id(files["scripts/double_it.py"]) == TOOL.id == front["metadata"]["yunjue-id"]

    def call(inputs):
        return subprocess.run(
            [sys.executable, folder / "scripts/call.py", json.dumps(inputs)],
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert json.loads(call({"number": 4}).stdout) == {"result": 8}
    refused = call({"number": -4})
    assert refused.returncode == 2 and "negative" in refused.stderr


def test_a_hostile_description_stays_in_its_field():
    text = "---\nname: other"
    tool = TOOL.model_copy(update={"description": text + '"\n'})
    front = yaml.safe_load(skill_files(tool, [])["SKILL.md"].split("---\n")[1])
    assert front["name"] == "double-it" and front["description"] == '--- name: other"'
    compile(langchain_file([tool]), "tools.py", "exec")
