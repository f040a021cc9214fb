from numerals import to_roman

VALUES = dict(I=1, V=5, X=10, L=50, C=100, D=500, M=1000)


def value(text):
    numbers = [VALUES[letter] for letter in text] + [0]
    return sum(-a if a < b else a for a, b in zip(numbers, numbers[1:], strict=False))


def test_all():
    for number in range(1, 4000):
        text = to_roman(number)
        assert value(text) == number
        assert not any(letter * 4 in text for letter in VALUES)
