"""The assignment with the greatest sum (Kuhn 1955, with potentials after Munkres 1957)."""

from __future__ import annotations

from collections.abc import Sequence


def assignment(values: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column), each row and column at most once, with the greatest sum of values;
    as many pairs as the shorter side has. O(n^2 m).

    Args:
        values: rows of equal length; finite.
    """
    if not values or not values[0]:
        return []
    if len(values) > len(values[0]):
        turned = [list(column) for column in zip(*values, strict=True)]
        return sorted((row, column) for column, row in assignment(turned))
    rows, columns = len(values), len(values[0])
    # Row and column 0 are a beginning that belongs to nothing; costs are negative values.
    row_price = [0.0] * (rows + 1)
    column_price = [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)
    for row in range(1, rows + 1):
        row_of[0], column = row, 0
        slack = [float("inf")] * (columns + 1)
        came_from = [0] * (columns + 1)
        seen = [False] * (columns + 1)
        while row_of[column]:
            seen[column] = True
            current, least, nearest = row_of[column], float("inf"), 0
            for other in range(1, columns + 1):
                if seen[other]:
                    continue
                cost = -values[current - 1][other - 1] - row_price[current] - column_price[other]
                if cost < slack[other]:
                    slack[other], came_from[other] = cost, column
                if slack[other] < least:
                    least, nearest = slack[other], other
            for other in range(columns + 1):
                if seen[other]:
                    row_price[row_of[other]] += least
                    column_price[other] -= least
                else:
                    slack[other] -= least
            column = nearest
        while column:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    return sorted(
        (row_of[column] - 1, column - 1) for column in range(1, columns + 1) if row_of[column]
    )
