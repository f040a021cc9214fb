"""The folder of this user's library, runs, keys and models."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """``YUNJUE_HOME``, or the platform's folder for user data."""
    named = os.environ.get("YUNJUE_HOME")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("yunjue", appauthor=False)
