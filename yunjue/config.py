"""Settings in layers: flags > environment > project > user > defaults.

The project's file is ``yunjue.toml`` in the working folder, the user's
``config.toml`` in the home. Environment names are ``YUNJUE_`` plus the setting in
upper case.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from yunjue import keys
from yunjue.approvals import Rule as ApprovalRule
from yunjue.errors import ConfigError
from yunjue.hosts import Rule
from yunjue.limits import Limits
from yunjue.protocols import SandboxLimits
from yunjue.user_home import home

PROJECT_FILE = "yunjue.toml"
ROLES = ("manager", "author", "tester", "executor", "critic", "integrator")
"""Who asks models in a run."""

EVOLUTION_ROLES = ("aggregator", "merger")
"""Who asks them between the batches of an evolution."""

LATER_ROLES = ("distiller",)
"""Who asks them after a run. Traces of runs name only the models of :data:`ROLES`."""

WORLD_MODEL = "world_model"
"""Who foresees what an action would do; unless it has a model of its own, the executor's does."""

GRANTS = (
    "allow_unsafe",
    "allow_net",
    "grant_secrets",
    "allow_origins",
    "allow_private",
    "web_secrets",
    "free_models",
    "image",
    "runtime",
)
"""Settings that give rights, turn off the bound on cost, or say what isolates code; a project's
file may not set them."""

ALL_ROLES = (*ROLES, *EVOLUTION_ROLES, *LATER_ROLES, WORLD_MODEL)


class Settings(BaseSettings):
    """All settings; see docs/settings.md, which a test holds against this class."""

    model_config = SettingsConfigDict(env_prefix="YUNJUE_", extra="forbid")

    model: str | None = Field(None, description="model of every role that names none of its own")
    roles: dict[Literal[ALL_ROLES], str] = Field({}, description="role -> model")
    fallbacks: list[str] = Field([], description="models to try when one is not reachable")
    free_models: list[str] = Field([], description="models whose calls cost nothing")
    cache: bool = Field(False, description="answer repeated model requests from disk")
    library: Path | None = Field(None, description="folder of the tool library")
    sandbox: str = Field("auto", description="auto, docker, bubblewrap, process or a plugin's")
    allow_unsafe: bool = Field(False, description="let the sandbox `process` run code on the host")
    allow_net: list[str] = Field([], description="hosts that tools which declare them may reach")
    grant_secrets: list[str] = Field([], description="secrets for tools which declare them")
    image: str | None = Field(None, description="container image to use instead of our own")
    runtime: str | None = Field(None, description="the engine's runtime, e.g. runsc (gVisor)")
    embedder: str = Field(
        "minilm", description="minilm, sentence-transformers, litellm/MODEL, hash or a plugin's"
    )
    principles: bool = Field(False, description="use lessons of earlier runs and learn new ones")
    domain: str = Field("auto", description="domain of tasks: auto, none or a name")
    skills: str = Field("off", description="on, off, or the names of the skills to use")
    start_url: str | None = Field(None, description="page where a task in the browser begins")
    allow_origins: list[str] = Field([], description="origins that the browser may reach")
    allow_private: bool = Field(False, description="let the browser reach private addresses")
    web_secrets: list[str] = Field([], description="NAME=ORIGIN: secrets to type there only")
    headless: bool = Field(True, description="run the browser without a window")
    screenshots: Literal["end", "each"] = Field("end", description="pictures that a run keeps")
    look_ahead: Literal["auto", "never", "always", "critic"] = Field(
        "auto", description="when actions are imagined before one is taken"
    )
    look_ahead_depth: Literal[1, 2] = Field(1, description="actions that are imagined in a row")
    look_ahead_candidates: PositiveInt = Field(3, description="actions that are compared")
    look_ahead_from: PositiveInt = Field(3, description="first decision that compares any")
    approval: list[str] = Field([], description="rules before those of HOME/approval.toml")
    mcp: bool = Field(True, description="offer the tools of MCP servers that were added")
    top_k: PositiveInt = Field(5, description="tools shown to the model")
    min_similarity: float = Field(
        0.5, ge=-1, le=1, description="cosine below which a tool is not shown for a task"
    )
    candidates: PositiveInt = Field(6, description="most solutions the author writes per tool")
    repairs: int = Field(1, ge=0, description="rounds of repair with the evidence of failures")
    repair_in_use: bool = Field(True, description="write a tool anew when it becomes suspect")
    guess: bool = Field(True, description="run unproven code for a task that is not solved")
    max_new_tools: int = Field(3, ge=0, description="most tools made for one task; 0 for none")
    max_cost: PositiveFloat | None = Field(None, description="USD a run may cost")
    max_tokens: PositiveInt | None = Field(None, description="tokens a run may use")
    max_calls: PositiveInt | None = Field(200, description="model calls a run may make")
    max_steps: PositiveInt = Field(12, description="decisions the executor may take")
    max_actions: PositiveInt = Field(30, description="actions a run may take in an environment")
    fresh_ideas: int = Field(
        2, ge=0, description="how often a model that is stuck while acting is asked less coldly"
    )
    timeout: PositiveFloat | None = Field(None, description="wall seconds a run may take")
    tool_seconds: PositiveFloat = Field(10.0, description="wall seconds of one tool call")
    tool_memory: PositiveInt = Field(512, description="MiB of memory of one tool call")

    @field_validator("allow_net")
    @classmethod
    def _hosts(cls, value: list[str]) -> list[str]:
        return [str(Rule.parse(text)) for text in value]

    @field_validator("skills")
    @classmethod
    def _skills(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")]
        if not all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names):
            raise ValueError("it is on, off, or names of skills with commas between them")
        return ",".join(names)

    @field_validator("web_secrets")
    @classmethod
    def _bound_secrets(cls, value: list[str]) -> list[str]:
        keys.secret_names([text.partition("=")[0] for text in value])
        if wrong := [text for text in value if not text.partition("=")[2].startswith("http")]:
            raise ValueError(f"{wrong[0]!r} is not NAME=ORIGIN, as SHOP_KEY=https://shop.example")
        return value

    @field_validator("approval")
    @classmethod
    def _rules(cls, value: list[str]) -> list[str]:
        return [str(ApprovalRule.parse(text)) for text in value]

    @field_validator("grant_secrets")
    @classmethod
    def _secrets(cls, value: list[str]) -> list[str]:
        return keys.secret_names(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            _ProjectFile(settings_cls, Path(PROJECT_FILE)),
            TomlConfigSettingsSource(settings_cls, home() / "config.toml"),
        )

    @property
    def library_dir(self) -> Path:
        return (self.library or home() / "library").expanduser().absolute()

    def wanted_skills(self) -> list[str] | None:
        """Names of the only skills to use; empty for all, None if skills are off."""
        return {"off": None, "on": []}.get(self.skills, self.skills.split(","))

    def limits(self) -> Limits:
        return Limits(
            self.max_cost,
            self.max_tokens,
            self.max_calls,
            self.max_steps,
            self.timeout,
            self.max_actions,
        )

    def tool_limits(self) -> SandboxLimits:
        """The bounds of one tool call."""
        return SandboxLimits(seconds=self.tool_seconds, memory_mib=self.tool_memory)


class _ProjectFile(TomlConfigSettingsSource):
    """The project's file. A folder that somebody else made may not relax what is asked about."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        rules = values.get("approval", [])
        # As Rule.parse reads them: it takes no notice of space around a rule.
        if isinstance(rules, list) and any(str(rule).strip().startswith("allow") for rule in rules):
            raise ConfigError(
                f"{PROJECT_FILE} may ask and deny, but not allow: remove its `allow` rules.",
                hint="Give them with --approve, or write them to approval.toml in the home.",
            )
        if given := sorted(name for name in GRANTS if values.get(name)):
            raise ConfigError(
                f"{PROJECT_FILE} may not grant {given[0]}: remove it.",
                hint="Give it with its flag, or in config.toml in the home.",
            )
        return values


def load_settings(**flags: Any) -> Settings:
    """Read all layers; a flag that is None counts as not given.

    Raises:
        ConfigError: a file is not TOML, or a value has a wrong name or type; says which.
    """
    import tomllib

    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
        raise ConfigError(f"Settings are wrong: {problems}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"A settings file is not TOML: {error}.") from None
    except ValueError as error:  # pydantic-settings: an environment value that is not JSON
        raise ConfigError(f"Settings are wrong: {error}.") from None
