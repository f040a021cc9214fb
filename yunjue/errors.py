"""Every error Yunjue raises on purpose, each with an exit code and a way out.

::

    YunjueError                     1
    ├── UsageError                  2   flags, settings, files the user named
    │   ├── ConfigError
    │   ├── UnknownModelError
    │   ├── UnknownToolError
    │   └── UnknownPrincipleError
    ├── NotSolved                   3   the agent worked, and has no answer
    ├── LimitReached                4   cost, tokens, calls, steps or time
    ├── SandboxUnavailable          5   no backend can contain model-written code
    ├── Paused                      6   waits for a decision; says how to resume
    ├── Interrupted               130   Ctrl-C; says how to resume
    ├── ModelError                  1
    │   ├── ModelAuthError              a key is missing or wrong
    │   ├── ModelUnavailable            not reachable after the retries
    │   ├── PromptTooLong               prompt and reply exceed the context window
    │   ├── ModelOutputInvalid          not the asked-for JSON after the repairs
    │   ├── UnknownPriceError           cost cannot be counted
    │   └── ReplayMiss                  a replay asks what the trace does not hold
    ├── SandboxError                1   the backend itself failed
    │   └── DependencyError             a tool's requirements cannot be had
    ├── LibraryError                1
    │   ├── NameTaken
    │   ├── DatabaseLocked
    │   ├── DatabaseDamaged
    │   └── DiskFull
    ├── BundleRefused               1   a bundle, or a tool in it, is not taken
    ├── PrincipleRefused            1   a sentence that the guard does not let in
    ├── DownloadError               1   weights could not be had or do not match their hash
    ├── BrowserError                1   the browser ended or does not answer
    │   └── BrowserUnavailable          there is none, or it does not start
    ├── PluginError                 1
    ├── EngineError                 1   workers of an evolution, or what they share, are gone
    └── TraceError                  1

What a model can mend (wrong arguments, a tool that raised) is not an error of
this tree: it travels as a :class:`yunjue.types.CallOutcome` back to the model.
"""

from __future__ import annotations


class YunjueError(Exception):
    """Base of all expected failures.

    Args:
        message: one sentence that says what happened, for a person.
        hint: what to do about it; the class has a default.
    """

    exit_code: int = 1
    default_hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint

    def to_dict(self) -> dict[str, str]:
        """The error as the ``error`` member of a ``--json`` document."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint}


class UsageError(YunjueError):
    exit_code = 2
    default_hint = "See `yunjue --help`."


class ConfigError(UsageError):
    default_hint = "See docs/settings.md for the names and types of settings."


class UnknownModelError(UsageError):
    default_hint = "`yunjue models list` shows what can be used."


class UnknownToolError(UsageError):
    default_hint = "`yunjue tools list` shows the library."


class UnknownPrincipleError(UsageError):
    default_hint = "`yunjue principles list` shows the bank."


class NotSolved(YunjueError):
    exit_code = 3
    default_hint = "`yunjue runs show RUN` shows what was tried; a stronger --model often helps."


class LimitReached(YunjueError):
    exit_code = 4
    default_hint = "`yunjue resume RUN` goes on with a higher limit, for example --timeout 1200."


class SandboxUnavailable(YunjueError):
    exit_code = 5
    default_hint = (
        "Install and start a container engine (Debian: apt-get install docker.io) or "
        "bubblewrap (apt-get install bubblewrap); `yunjue doctor` says what is missing."
    )


class Paused(YunjueError):
    """A run waits for a decision.

    Args:
        proposal: what it is about, as :meth:`yunjue.approvals.Proposal.to_dict` gives it.
    """

    exit_code = 6
    default_hint = (
        "`yunjue resume RUN --decide approve` goes on; --decide reject --say WORDS does not do "
        "it; --inputs JSON does it with other inputs."
    )

    def __init__(
        self, message: str, *, hint: str | None = None, proposal: dict | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.proposal = proposal or {}

    def to_dict(self) -> dict:
        return {**super().to_dict(), "proposal": self.proposal}


class Interrupted(YunjueError):
    exit_code = 130


class ModelError(YunjueError):
    pass


class ModelAuthError(ModelError):
    default_hint = "`yunjue keys set PROVIDER` stores a key; --model local needs none."


class ModelUnavailable(ModelError):
    default_hint = "Check the network or the server; --model local needs neither."


class ModelOutputInvalid(ModelError):
    default_hint = "The model does not keep to JSON; try a stronger one with --model."


class PromptTooLong(ModelError):
    """The prompt and the reply do not fit the model's context window."""


class UnknownPriceError(ModelError):
    default_hint = "If the model costs nothing, say so: --free-model, or free_models in settings."


class ReplayMiss(ModelError):
    default_hint = "The trace was recorded by other code or settings; record it again."


class SandboxError(YunjueError):
    default_hint = "`yunjue doctor` checks the sandbox."


class DependencyError(SandboxError):
    default_hint = "Only wheels named by plain requirements (name==version) can be installed."


class LibraryError(YunjueError):
    pass


class NameTaken(LibraryError):
    default_hint = "`yunjue tools show NAME` shows the tool that holds the name."


class DatabaseLocked(LibraryError):
    default_hint = "Another process holds the library; try again when it has finished."


class DatabaseDamaged(LibraryError):
    default_hint = "Restore the file from a backup, or move it away to start an empty one."


class DiskFull(LibraryError):
    default_hint = "Free some space and run the same command again: nothing was lost."


class BundleRefused(YunjueError):
    """``reason`` is a short name for programs and tables, such as ``wrong-hash``."""

    default_hint = "The library is as it was. docs/bundles.md lists what is checked."

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    def to_dict(self) -> dict[str, str]:
        return {**super().to_dict(), "reason": self.reason}


class PrincipleRefused(YunjueError):
    """``reason`` is a short name for programs and tables, such as ``orders-the-agent``."""

    default_hint = "The bank is as it was. docs/principles.md lists what is checked."

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    def to_dict(self) -> dict[str, str]:
        return {**super().to_dict(), "reason": self.reason}


class DownloadError(YunjueError):
    default_hint = "Run the same command again: a download resumes where it stopped."


class BrowserError(YunjueError):
    default_hint = "`yunjue doctor` checks the browser."


class BrowserUnavailable(BrowserError):
    default_hint = (
        "Install one (Debian: apt-get install chromium; elsewhere: playwright install chromium), "
        "or name one with YUNJUE_CHROMIUM."
    )


class PluginError(YunjueError):
    default_hint = "YUNJUE_LOAD_PLUGINS='' starts without third-party plugins."


class EngineError(YunjueError):
    default_hint = "`yunjue evolve resume` goes on; nothing finished is done again."


class TraceError(YunjueError):
    default_hint = "`yunjue runs list` shows the runs."
