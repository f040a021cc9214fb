"""What the model did wrong, and can mend."""

from __future__ import annotations


class Mistake(Exception):
    """What the model can mend."""
