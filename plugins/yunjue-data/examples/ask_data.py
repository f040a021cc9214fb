"""The tools of the domain without a model: profile a file, query it, draw a chart.

    python examples/ask_data.py [FOLDER]

Offline once the wheels of the tools are there (the first call fetches them: 150 MiB unpacked).
The chart is written to FOLDER, a temporary one by default.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import yunjue_data

from yunjue.bundle.folder import read_folder
from yunjue.config import load_settings
from yunjue.protocols import Outputs, SandboxJob, SandboxLimits
from yunjue.sandbox.select import opened_sandbox
from yunjue.synthesis.template import read_meta

HERE = Path(yunjue_data.__file__).parent
ORDERS = HERE / "tasks" / "files" / "orders.csv"
BY_MONTH = "SELECT month(day) AS month, sum(quantity) AS units FROM orders GROUP BY 1 ORDER BY 1"


async def main(folder: Path) -> None:
    entries = read_folder(HERE / "tools")
    sources = [text.decode() for name, text in entries.items() if name.endswith(".py")]
    tools = {read_meta(source)["name"]: source for source in sources}
    async with opened_sandbox(load_settings(), print) as sandbox:
        for name, inputs in (
            ("profile_table", {}),
            ("query_tables", {"sql": BY_MONTH}),
            ("plot_chart", {"sql": BY_MONTH, "kind": "line", "format": "svg"}),
        ):
            job = SandboxJob(
                source=tools[name],
                calls=[inputs],
                requirements=read_meta(tools[name])["dependencies"],
                files={ORDERS.name: ORDERS},
                limits=SandboxLimits(seconds=60),
                outputs=Outputs(folder / name),
            )
            (outcome,) = await sandbox.call(job)
            print(f"{name}: {outcome.output['result'] if outcome.output else outcome.error}\n")


def run(folder: Path) -> None:
    asyncio.run(main(folder))
    print("Files:", *sorted(path.name for path in folder.rglob("*") if path.is_file()))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            run(Path(temporary))
