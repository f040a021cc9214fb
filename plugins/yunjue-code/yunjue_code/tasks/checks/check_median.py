import statistics

from stats import median


def test_all():
    for count in range(1, 9):
        values = [7 * n % 10 for n in range(count)]
        assert median(values) == statistics.median(values)
