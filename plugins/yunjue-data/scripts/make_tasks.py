"""Writes the domain's tasks and their files, with answers computed from the rows in plain
Python, not by the tools.

    python scripts/make_tasks.py

It needs the packages of the group ``test`` (openpyxl, duckdb).
"""

from __future__ import annotations

import csv
import json
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

FOLDER = Path(__file__).parents[1] / "yunjue_data" / "tasks"
FILES = FOLDER / "files"
Row = dict[str, Any]


def orders(rng: random.Random) -> list[Row]:
    prices = {"lamp": 34.5, "chair": 89.0, "desk": 240.0, "shelf": 64.25, "rug": 120.0}
    rows = []
    for number in range(1, 1201):
        product = rng.choice(list(prices))
        rows.append(
            {
                "order_id": number,
                "day": (date(2024, 1, 1) + timedelta(days=rng.randrange(366))).isoformat(),
                "region": rng.choice(["North", "South", "East", "West"]),
                "product": product,
                "quantity": rng.randint(1, 9),
                "unit_price": prices[product],
                "discount": rng.choice(["", "", 5, 10, 15]),
            }
        )
    return rows


def weather(rng: random.Random) -> list[Row]:
    rows = []
    for station, mean in {"Bergen": 8, "Oslo": 6, "Tromso": 2, "Stavanger": 9}.items():
        for offset in range(366):
            day = date(2024, 1, 1) + timedelta(days=offset)
            low = round(mean - 9 + 8 * (1 - abs(offset - 200) / 183) + rng.gauss(0, 3), 1)
            rain = round(rng.expovariate(0.25), 1) if rng.random() < 0.5 else 0.0
            high = round(low + rng.uniform(2, 11), 1)
            rows.append(
                {"station": station, "day": day, "tmin": low, "tmax": high, "rain_mm": rain}
            )
    return rows


def staff(rng: random.Random) -> tuple[list[Row], list[Row]]:
    departments = [
        {"department": "Research", "city": "Oslo", "budget": 900000},
        {"department": "Sales", "city": "Bergen", "budget": 400000},
        {"department": "Support", "city": "Oslo", "budget": 250000},
        {"department": "Legal", "city": "Tromso", "budget": 300000},
    ]
    first = ["Ada", "Bo", "Cleo", "Dag", "Eli", "Finn", "Gro", "Hal", "Ida", "Jon"]
    last = ["Berg", "Dahl", "Eide", "Foss", "Haug", "Lien", "Moe", "Ness"]
    people = []
    for number in range(160):
        people.append(
            {
                "name": f"{rng.choice(first)} {rng.choice(last)} {number}",
                "department": rng.choice(departments)["department"],
                "salary": rng.randrange(42000, 98000, 500),
                "start": date(2015, 1, 1) + timedelta(days=rng.randrange(3600)),
            }
        )
    return people, departments


def library(rng: random.Random) -> tuple[list[Row], list[Row]]:
    words = ["River", "Glass", "Winter", "Copper", "Island", "Paper", "Salt", "Harbour", "Field"]
    books = [
        {
            "book_id": n,
            "title": f"The {rng.choice(words)} {rng.choice(words)} {n}",
            "pages": rng.randint(90, 700),
        }
        for n in range(1, 61)
    ]
    loans = []
    for number in range(1, 901):
        lent = date(2023, 1, 1) + timedelta(days=rng.randrange(700))
        back = lent + timedelta(days=rng.randint(1, 60)) if rng.random() < 0.9 else None
        book = min(60, int(rng.expovariate(0.06)) + 1)
        loans.append(
            {
                "loan_id": number,
                "book_id": book,
                "lent": lent.isoformat(),
                "returned": back.isoformat() if back else None,
            }
        )
    return books, loans


def events(rng: random.Random) -> list[Row]:
    actions = {"search": 120, "view": 40, "checkout": 310, "login": 90}
    rows = []
    for number in range(1500):
        action = rng.choices(list(actions), [4, 8, 1, 2])[0]
        time = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:00"
        rows.append(
            {
                "at": f"2024-05-{1 + number // 50:02d}T{time}",
                "user": f"u{rng.randrange(220):03d}",
                "action": action,
                "ms": max(1, round(rng.gauss(actions[action], 25))),
            }
        )
    return rows


def only_most(counts: dict[Any, float]) -> str:
    """The key with the greatest value, which no other has."""
    first, second = sorted(counts.values(), reverse=True)[:2]
    assert first > second, counts
    return str(max(counts, key=lambda key: counts[key]))


def summed(rows: Iterable[Row], key: str, value: str) -> dict[Any, float]:
    sums: dict[Any, float] = defaultdict(float)
    for row in rows:
        sums[row[key]] += row[value]
    return sums


def means(rows: Iterable[Row], key: str, value: str) -> dict[Any, float]:
    groups: dict[Any, list[float]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row[value])
    return {name: fmean(values) for name, values in groups.items()}


def tasks(rng: random.Random) -> list[Row]:
    sold, days = orders(rng), weather(rng)
    people, departments = staff(rng)
    books, loans = library(rng)
    log = events(rng)
    write_files(sold, days, people, departments, books, loans, log)

    march = [row for row in sold if row["day"].startswith("2024-03")]
    lamps = [row["quantity"] * row["unit_price"] for row in sold if row["product"] == "lamp"]
    july = [d["tmax"] for d in days if d["station"] == "Bergen" and d["day"].month == 7]
    in_oslo = {row["department"] for row in departments if row["city"] == "Oslo"}
    titles = {book["book_id"]: book["title"] for book in books}
    borrowed = Counter(titles[loan["book_id"]] for loan in loans)
    buyers = {row["user"] for row in log if row["action"] == "checkout"}
    return [
        task(
            "orders-north",
            "How many units (the sum of quantity) were ordered in the region North?",
            sum(row["quantity"] for row in sold if row["region"] == "North"),
            "orders.csv",
        ),
        task(
            "orders-lamp",
            "What is the revenue (quantity * unit_price) of the product lamp? Round to 2 decimals.",
            f"{sum(lamps):.2f}",
            "orders.csv",
        ),
        task(
            "orders-march",
            "Which product has the largest sum of quantity in March 2024?",
            only_most(summed(march, "product", "quantity")),
            "orders.csv",
        ),
        task(
            "orders-empty",
            "In how many orders is the discount empty?",
            sum(row["discount"] == "" for row in sold),
            "orders.csv",
        ),
        task(
            "weather-july",
            "What is the mean of tmax at the station Bergen in July 2024? Round to 2 decimals.",
            f"{fmean(july):.2f}",
            "weather.parquet",
        ),
        task(
            "weather-rain",
            "Which station has the largest sum of rain_mm?",
            only_most(summed(days, "station", "rain_mm")),
            "weather.parquet",
        ),
        task(
            "weather-frost",
            "In how many rows is tmin below 0 and rain_mm above 5?",
            sum(d["tmin"] < 0 and d["rain_mm"] > 5 for d in days),
            "weather.parquet",
        ),
        task(
            "staff-mean",
            "Which department has the highest mean salary?",
            only_most(means(people, "department", "salary")),
            "staff.xlsx",
        ),
        task(
            "staff-oslo",
            "How many people work in departments whose city is Oslo?",
            sum(row["department"] in in_oslo for row in people),
            "staff.xlsx",
        ),
        task(
            "library-open",
            "How many loans have no date in returned?",
            sum(loan["returned"] is None for loan in loans),
            "library.sqlite",
        ),
        task(
            "library-title",
            "What is the title of the book with the most loans?",
            only_most(borrowed),
            "library.sqlite",
        ),
        task(
            "events-buyers",
            "How many different users have the action checkout?",
            len(buyers),
            "events.jsonl",
        ),
    ]


def task(name: str, text: str, answer: Any, file: str) -> Row:
    return {"id": name, "task": text, "answer": str(answer), "files": [f"files/{file}"]}


def write_files(sold, days, people, departments, books, loans, log) -> None:
    import duckdb
    import openpyxl

    FILES.mkdir(parents=True, exist_ok=True)
    with (FILES / "orders.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(sold[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sold)

    duck = duckdb.connect()
    duck.execute(
        "CREATE TABLE w (station TEXT, day DATE, tmin DOUBLE, tmax DOUBLE, rain_mm DOUBLE)"
    )
    duck.executemany("INSERT INTO w VALUES (?, ?, ?, ?, ?)", [list(row.values()) for row in days])
    duck.execute(f"COPY w TO '{FILES / 'weather.parquet'}' (FORMAT parquet)")

    book = openpyxl.Workbook()
    sheet = book.active
    for rows, title in ((people, "staff"), (departments, "departments")):
        sheet.title = title
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
        if title == "staff":
            sheet = book.create_sheet()
    book.save(FILES / "staff.xlsx")

    path = FILES / "library.sqlite"
    path.unlink(missing_ok=True)
    lite = sqlite3.connect(path)
    lite.execute("CREATE TABLE books (book_id INTEGER PRIMARY KEY, title TEXT, pages INTEGER)")
    lite.execute(
        "CREATE TABLE loans (loan_id INTEGER PRIMARY KEY, book_id INTEGER, lent TEXT, "
        "returned TEXT)"
    )
    lite.executemany("INSERT INTO books VALUES (?, ?, ?)", [list(row.values()) for row in books])
    lite.executemany("INSERT INTO loans VALUES (?, ?, ?, ?)", [list(row.values()) for row in loans])
    lite.commit()
    lite.close()

    lines = "".join(json.dumps(row) + "\n" for row in log)
    (FILES / "events.jsonl").write_text(lines, "utf-8")


def main() -> None:
    listed = tasks(random.Random(11))  # noqa: S311 - invented rows
    text = "".join(json.dumps(one) + "\n" for one in listed)
    (FOLDER / "tasks.jsonl").write_text(text, "utf-8")
    print(f"{len(listed)} tasks")


if __name__ == "__main__":
    main()
