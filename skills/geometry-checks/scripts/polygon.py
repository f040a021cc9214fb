"""Measures and checks a plane polygon."""

import argparse
import math
import sys
from fractions import Fraction


def point(text):
    try:
        x, y = (Fraction(part) for part in text.split(","))
    except (ValueError, ZeroDivisionError):
        sys.exit(f"{text!r} is no point X,Y")
    return x, y


def cross(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def on_segment(a, b, p):
    within = min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(
        a[1], b[1]
    )
    return cross(a, b, p) == 0 and within


def meet(a, b, c, d):
    """Whether two segments have a point in common."""
    sides = [cross(a, b, c), cross(a, b, d), cross(c, d, a), cross(c, d, b)]
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    return on_segment(a, b, c) or on_segment(a, b, d) or on_segment(c, d, a) or on_segment(c, d, b)


def simple(corners):
    edges = list(zip(corners, corners[1:] + corners[:1]))
    for i, (a, b) in enumerate(edges):
        for j in range(i + 2, len(edges)):
            if (j + 1) % len(edges) != i and meet(a, b, *edges[j]):
                return False
    return True


def place_of(p, corners):
    inside = False
    for a, b in zip(corners, corners[1:] + corners[:1]):
        if on_segment(a, b, p):
            return "on the edge"
        if (a[1] > p[1]) != (b[1] > p[1]):
            if p[0] < a[0] + (p[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1]):
                inside = not inside
    return "inside" if inside else "outside"


def shown(value):
    text = f"{float(value):.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def measures(corners):
    pairs = list(zip(corners, corners[1:] + corners[:1]))
    crosses = [a[0] * b[1] - b[0] * a[1] for a, b in pairs]
    signed = sum(crosses) / 2
    if not signed:
        sys.exit("the corners lie on one line: there is no area")
    x = sum((a[0] + b[0]) * c for (a, b), c in zip(pairs, crosses)) / (6 * signed)
    y = sum((a[1] + b[1]) * c for (a, b), c in zip(pairs, crosses)) / (6 * signed)
    triples = zip(corners, corners[1:] + corners[:1], corners[2:] + corners[:2])
    turns = {cross(*three) > 0 for three in triples if cross(*three)}
    is_simple = simple(corners)
    return {
        "area": shown(abs(signed)),
        "perimeter": shown(sum(math.dist(map(float, a), map(float, b)) for a, b in pairs)),
        "centroid": f"{shown(x)},{shown(y)}",
        "orientation": "counterclockwise" if signed > 0 else "clockwise",
        "convex": "yes" if len(turns) == 1 and is_simple else "no",
        "simple": "yes" if is_simple else "no",
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corners", nargs="+", metavar="X,Y")
    parser.add_argument("--inside", metavar="X,Y")
    names = ["area", "perimeter", "centroid", "orientation", "convex", "simple"]
    parser.add_argument("--only", choices=names)
    options = parser.parse_args()
    corners = [point(one) for one in options.corners]
    if corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3:
        sys.exit("a polygon has at least three corners")
    if options.inside:
        print(place_of(point(options.inside), corners))
        return
    found = measures(corners)
    print(found[options.only] if options.only else "\n".join(f"{k}: {v}" for k, v in found.items()))


main()
