"""Writes the documents of the domain's tasks and the tasks. All of it is invented, so no model
can know it; answers come from the facts that the documents were written from.

    python scripts/make_tasks.py

It needs the package fpdf2 (group ``test``).
"""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "yunjue_research" / "tasks"
FILES = FOLDER / "files"
WRITTEN = date(2024, 1, 1)

FILLER = [
    "The door to the generator room stays closed while the wind is above force seven.",
    "Boots are left in the porch; the drying room is heated until ten in the evening.",
    "Radio contact with the mainland is made every morning before breakfast.",
    "Nobody walks on the sea ice without a second person and a rope.",
    "Waste is sorted in four bins and leaves with the ship.",
    "The library has about two hundred books, most of them left by earlier crews.",
    "The greenhouse gives lettuce and herbs from the third week on.",
    "Maps of the moraine are kept in the drawer under the chart table.",
    "The workshop lends tools by the day; they are written in the book beside the door.",
    "Visitors sleep in the north wing, two to a room.",
]


def facts(rng: random.Random) -> dict[str, Any]:
    people = ["Marit Solheim", "Teodor Brandal", "Ines Falk", "Rasmus Oye", "Lucia Ferrand"]
    rng.shuffle(people)
    return {
        "leader": people[0],
        "doctor": people[1],
        "cook": people[2],
        "founded": rng.randint(1931, 1968),
        "ship": rng.choice(["Havlandet", "Sula Nord", "Kvitskjer"]),
        "beds": rng.randint(17, 39),
        "engine": rng.choice(["Volund 44", "Wichmann 6", "Hundested D3"]),
        "depth": rng.randint(140, 460),
        "drill_day": date(2023, 6, 1) + timedelta(days=rng.randrange(60)),
        "seals": rng.randint(210, 890),
        "lake": rng.choice(["Lake Orm", "Lake Tind", "Lake Skarv"]),
        "budget": rng.randrange(310, 920) * 1000,
        "oil": rng.randint(31, 88),
        "wind": rng.randint(38, 61),
        "bear": date(2023, 7, 1) + timedelta(days=rng.randrange(30)),
        "causes": [
            "a frozen fuel line",
            "a cracked fan blade",
            "water in the battery room",
        ],
    }


def day(value: date) -> str:
    return f"{value.day} {value:%B} {value.year}"


def around(rng: random.Random, text: str, count: int = 3) -> str:
    """The sentence among others that say nothing of it."""
    others = rng.sample(FILLER, count)
    others.insert(rng.randint(0, count), text)
    return " ".join(others)


def documents(f: dict[str, Any], rng: random.Random) -> dict[str, list[str]]:
    """File name -> paragraphs; a paragraph that begins with # is a heading."""
    return {
        "handbook.pdf": [
            "# Halden Bay Station: handbook",
            around(rng, f"The station was founded in {f['founded']} as a whaling lookout."),
            around(rng, f"There are {f['beds']} beds in all, counting the sick bay."),
            "# Power",
            around(rng, f"Power comes from a {f['engine']} engine, with a second one in reserve."),
            around(rng, f"The tanks hold {f['oil']} cubic metres of oil, enough for one winter."),
        ],
        "crew.md": [
            "# Crew of the summer",
            f"{f['leader']} leads the station. {f['doctor']} is the doctor and keeps the "
            f"medicines under lock. {f['cook']} cooks.",
            around(rng, f"The crew arrives and leaves with the ship {f['ship']}."),
        ],
        "drilling.pdf": [
            "# Report on the ice core",
            around(rng, f"Drilling reached {f['depth']} metres on {day(f['drill_day'])}."),
            around(rng, f"Melt water for the drill was taken from {f['lake']}."),
        ],
        "wildlife.html": [
            "# Wildlife count",
            around(rng, f"On the western beach {f['seals']} grey seals were counted from the air."),
            around(rng, f"A polar bear came within sight of the station on {day(f['bear'])}."),
        ],
        "outages.md": [
            "# Power outages",
            around(rng, f"The outage in June came from {f['causes'][0]}."),
            around(rng, f"In July the power failed because of {f['causes'][1]}."),
            around(rng, f"The August outage was caused by {f['causes'][2]}."),
        ],
        "budget.html": [
            "# Budget",
            around(rng, f"The station has a budget of {f['budget']} kroner for the year."),
        ],
        "weather.txt": [
            "Weather notes",
            around(rng, f"The strongest gust of the season was {f['wind']} metres per second."),
        ],
    }


def tasks(f: dict[str, Any]) -> list[dict[str, Any]]:
    closed = [
        ("founded", "In which year was the Halden Bay Station founded?", f["founded"]),
        ("beds", "How many beds does the Halden Bay Station have?", f["beds"]),
        ("engine", "What is the name of the engine that gives the station power?", f["engine"]),
        ("oil", "How many cubic metres of oil do the station's tanks hold?", f["oil"]),
        ("leader", "Who leads the Halden Bay Station?", f["leader"]),
        ("doctor", "What is the name of the station's doctor?", f["doctor"]),
        ("ship", "With which ship does the crew arrive?", f["ship"]),
        ("depth", "How many metres deep did the ice core drilling reach?", f["depth"]),
        ("lake", "From which lake was water for the drill taken?", f["lake"]),
        ("seals", "How many grey seals were counted on the western beach?", f["seals"]),
        ("budget", "How many kroner is the station's budget for the year?", f["budget"]),
        ("gust", "How many metres per second was the strongest gust of the season?", f["wind"]),
    ]
    opened = {
        "id": "outages",
        "task": "What caused the power outages of the summer? Note each cause, then report.",
        "findings": [
            f"The {month} outage was caused by {cause}."
            for month, cause in zip(["June", "July", "August"], f["causes"], strict=True)
        ],
    }
    rows = [{"id": name, "task": text, "answer": str(answer)} for name, text, answer in closed]
    return [{**row, "files": [f"files/{name}" for name in NAMES]} for row in [*rows, opened]]


NAMES = (
    *("handbook.pdf", "crew.md", "drilling.pdf", "wildlife.html"),
    *("outages.md", "budget.html", "weather.txt"),
)


def write_pdf(path: Path, paragraphs: list[str]) -> None:
    from datetime import UTC, datetime

    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_creation_date(datetime(WRITTEN.year, 1, 1, tzinfo=UTC))
    for paragraph in paragraphs:
        heading = paragraph.startswith("# ")
        if heading:  # each chapter has its page
            pdf.add_page()
        pdf.set_font("Helvetica", size=16 if heading else 11)
        pdf.multi_cell(0, 7, paragraph.removeprefix("# "), new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    pdf.output(str(path))


def write_html(path: Path, paragraphs: list[str]) -> None:
    title = paragraphs[0].removeprefix("# ")
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs[1:])
    path.write_text(
        f"<!DOCTYPE html>\n<html><head><title>{title}</title>\n<style>p {{ margin: 0 }}</style>"
        f"</head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n",
        "utf-8",
    )


def main() -> None:
    rng = random.Random(12)  # noqa: S311 - invented facts
    f = facts(rng)
    FILES.mkdir(parents=True, exist_ok=True)
    for name, paragraphs in documents(f, rng).items():
        path = FILES / name
        if name.endswith(".pdf"):
            write_pdf(path, paragraphs)
        elif name.endswith(".html"):
            write_html(path, paragraphs)
        else:
            path.write_text("\n\n".join(paragraphs) + "\n", "utf-8")
    listed = tasks(f)
    text = "".join(json.dumps(one) + "\n" for one in listed)
    (FOLDER / "tasks.jsonl").write_text(text, "utf-8")
    print(f"{len(listed)} tasks")


if __name__ == "__main__":
    main()
