"""API keys: in one file that only its owner can read, or in the environment.

A key given by flag wins over a stored one, a stored one over the environment. Keys are
never printed, logged or put in traces.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yunjue.errors import ConfigError, UsageError
from yunjue.files import locked, write_whole, writing

_PROVIDER = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
_SECRET = re.compile(r"[A-Z][A-Z0-9_]{0,63}\Z")
_NO_SECRETS = re.compile(r"LD_.*|PYTHON.*|YUNJUE_.*|PATH|HOME|LANG|TZ|.*_PROXY|SSL_CERT_.*")
"""Variables that steer programs: what a tool is given as a secret must not."""
_VARIABLES = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
}


def path() -> Path:
    """The file of the stored keys."""
    # Imported late: settings bring pydantic, which `--help` has no use for.
    from yunjue.config import home

    return home() / "keys.json"


def variables(provider: str) -> tuple[str, ...]:
    """Environment variables that may hold the key of ``provider``, first one first."""
    return _VARIABLES.get(provider) or (f"{provider.upper().replace('-', '_')}_API_KEY",)


def stored() -> dict[str, str]:
    """provider -> key, of all stored keys.

    Raises:
        ConfigError: the file is damaged or cannot be read.
    """
    try:
        found = json.loads(path().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path()} cannot be read: {error.strerror}.", hint="") from None
    except ValueError:  # the text may hold a key: show nothing of it
        found = None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found.values()):
        raise ConfigError(
            f"{path()} is not a JSON object of keys.",
            hint="Move it away and store the keys again with `yunjue keys set PROVIDER`.",
        )
    return found


def key_for(provider: str, flag: str | None = None) -> str | None:
    """The key of ``provider`` (litellm's name of it, e.g. ``openai``): ``flag`` if given,
    else the stored one, else the environment's; None if there is none."""
    if flag:
        return flag
    if key := stored().get(provider):
        return key
    values = (os.environ.get(variable, "").strip() for variable in variables(provider))
    return next((value for value in values if value), None)


def secret_names(value: object) -> list[str]:
    """The names of secrets that a tool declares or a user grants: WEATHER_KEY and the like.

    Raises:
        ValueError: it is not a list of such names.
    """
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise ValueError("it is not a list of names")
    for name in value:
        if not _SECRET.match(name) or _NO_SECRETS.fullmatch(name):
            raise ValueError(f"{name[:80]!r} cannot be the name of a secret, as WEATHER_KEY can")
    return list(value)


def secret(name: str) -> str | None:
    """The value of the secret ``name``: stored under the name in lower case, else in the
    environment; None if there is none."""
    return stored().get(name.lower()) or os.environ.get(name, "").strip() or None


def store(provider: str, key: str) -> None:
    """Keep ``key`` for ``provider``, over an older one.

    Raises:
        UsageError: the provider's name or the key cannot be right.
    """
    if not _PROVIDER.match(provider):
        raise UsageError(
            f"{provider!r} is not the name of a provider.", hint="Names look like openai or groq."
        )
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"The key for {provider} is empty or has characters that no key has.",
            hint=f"Paste it alone on one line: `yunjue keys set {provider}`.",
        )
    with _exclusive():
        _write({**stored(), provider: key})


def remove(provider: str) -> bool:
    """Forget the key of ``provider``; False if none was stored."""
    with _exclusive():
        keys = stored()
        if provider not in keys:
            return False
        del keys[provider]
        _write(keys)
    return True


@contextmanager
def _exclusive() -> Iterator[None]:
    """Close the folder to others, and keep two writers from losing each other's key."""
    with writing(path()):
        path().parent.mkdir(parents=True, exist_ok=True)
        path().parent.chmod(0o700)
    with locked(path().with_name(".keys.lock")):
        yield


def _write(keys: dict[str, str]) -> None:
    write_whole(path(), json.dumps(keys, indent=2, sort_keys=True).encode())
