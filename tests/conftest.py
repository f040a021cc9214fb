"""Every test has a home of its own and no key, server or plugin of the user's."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import hypothesis
import pytest

from yunjue.models.local import catalog
from yunjue.models.local.pull import folder, pull

pytest_plugins = ["yunjue.testing"]

sys.path.append(str(Path(__file__).parent))  # story.py serves tests of several folders

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# Ray reads these when it is imported, so all clusters of a test process are one kind: those that
# obey only who knows the token.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

LIVE_MODEL = os.environ.get("YUNJUE_LIVE_MODEL", "coder-0.5b")
USERS_MODELS = folder()


@pytest.fixture(autouse=True)
def own_home(yunjue_home) -> Path:
    """Every test has a home of its own."""
    return yunjue_home


@pytest.fixture
def live_model(own_home) -> str:
    """The embedded model of live tests (``YUNJUE_LIVE_MODEL``), in a home of its own that
    borrows weights from the user's, so that they are downloaded once."""
    own = own_home / "models"
    own.mkdir(parents=True)
    USERS_MODELS.mkdir(parents=True, exist_ok=True)
    entry = catalog.find(LIVE_MODEL)
    pull(entry, USERS_MODELS)
    for file in (entry.file, f"{entry.file}.ok"):
        (own / file).symlink_to(USERS_MODELS / file)
    return LIVE_MODEL


@pytest.fixture(scope="session")
def bases(tmp_path_factory) -> Path:
    """Where the sandbox's base is made once for all tests: it takes seconds."""
    return tmp_path_factory.mktemp("bases")


@pytest.fixture
def shared_base(own_home, bases) -> None:
    cache = own_home / "cache"
    cache.mkdir(parents=True)
    (cache / "bases").symlink_to(bases)
