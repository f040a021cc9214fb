import calendar

from years import is_leap


def test_all():
    for year in range(1600, 2500):
        assert bool(is_leap(year)) == calendar.isleap(year)
