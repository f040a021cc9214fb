from searching import find


def test_all():
    values = list(range(0, 40, 3))
    for wanted in range(-2, 45):
        known = values.index(wanted) if wanted in values else -1
        assert find(values, wanted) == known
