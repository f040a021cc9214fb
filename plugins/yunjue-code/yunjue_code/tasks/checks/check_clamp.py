from bounds import clamp


def test_all():
    for value in range(-9, 9):
        assert clamp(value, -3, 4) == sorted((value, -3, 4))[1]
