from datetime import timedelta

from durations import seconds_of


def test_all():
    for hours in range(3):
        for minutes in range(0, 60, 7):
            for seconds in (0, 1, 59):
                known = timedelta(hours=hours, minutes=minutes, seconds=seconds)
                text = f"{hours}h{minutes}m{seconds}s"
                assert seconds_of(text) == known.total_seconds()
