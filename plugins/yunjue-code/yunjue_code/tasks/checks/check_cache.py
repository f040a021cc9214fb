from collections import OrderedDict

from caches import Cache


def test_all():
    cache, known = Cache(3), OrderedDict()
    for turn in range(60):
        key = turn * turn % 7
        if turn % 3:
            cache.put(key, turn + 1)
            known[key] = turn + 1
            known.move_to_end(key)
            while len(known) > 3:
                known.popitem(last=False)
        else:
            assert cache.get(key) == known.get(key)
            if key in known:
                known.move_to_end(key)
