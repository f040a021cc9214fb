import re

from slugs import slugify


def test_all():
    for text in ("A  b", "--x--", "1, 2; 3", "", "plain"):
        assert slugify(text) == "-".join(re.findall("[a-z0-9]+", text.lower()))
