"""Takes the values of secrets out of what a call says, before it leaves the sandbox's layer.

A tool that means to give one away can: it holds it, and may write it in any way it likes.
"""

from __future__ import annotations

from yunjue import redaction
from yunjue.types import CallOutcome, Visit

TEXTS = ("error", "stdout", "stderr")


class Redactor(redaction.Redactor):
    """Replaces each value, whatever its case, by its name in brackets."""

    def outcome(self, outcome: CallOutcome) -> CallOutcome:
        """The outcome without any value. What was cut may end in half of one: in streams and
        errors that goes too."""
        if not self.forms:
            return outcome
        said = {name: self.halves(self.text(getattr(outcome, name))) for name in TEXTS}
        visits = [self._visit(visit) for visit in outcome.visits]
        reached = [self.text(host) for host in outcome.network]
        output = self.value(outcome.output)
        clean = {**said, "output": output, "network": reached, "visits": visits}
        return outcome.model_copy(update=clean)

    def _visit(self, visit: Visit) -> Visit:
        texts = {name: self.text(value) for name, value in visit if isinstance(value, str)}
        return visit.model_copy(update=texts)
