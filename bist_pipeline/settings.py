"""The only reader of the environment.

Belongs here: every variable the package understands, typed, validated, frozen. Does not belong here: acting on them.
`settings.env` in the home holds what `bist-pipeline up` was last told, so that other commands on the same home agree;
the environment wins over it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bist_pipeline.core.errors import SettingsError

Executor = Literal["in_process", "multiprocess"]
ArchiveBasis = Literal["as_traded", "split_adjusted", "fully_adjusted"]

HOME_FILE = "settings.env"
DEFAULT_HOME = ".bist"


class Settings(BaseSettings):
    """What the person who runs the pipeline decided. Field names are the variables' names in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True)

    bist_home: Path = Field(
        Path(DEFAULT_HOME), description="Folder of the embedded database, Dagster's home and exports."
    )
    bist_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 14 or newer for the data (`postgresql://user:password@host/database`); Dagster's "
        "records go to the database `dagster` on the same server. Unset: an embedded server in the home.",
    )
    bist_executor: Executor = Field("in_process", description="How Dagster runs the steps of a run.")
    bist_providers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("archive",), description="Sources of history, in order, comma-separated."
    )
    bist_archive_dir: Path | None = Field(None, description="Folder with one CSV or Parquet file per symbol.")
    bist_archive_basis: ArchiveBasis = Field(
        "fully_adjusted", description="What the archive's prices are adjusted for."
    )
    bist_universe: str = Field(
        "packaged",
        description="`packaged` (listed shares, plus what the archive holds) or a CSV with at least a column `symbol`.",
    )
    bist_kill_switch: Path | None = Field(None, description="A file whose presence stops all work.")
    collector_max_workers: int = Field(4, ge=1, le=64, description="Files or requests read at the same time.")
    collector_batch_size: int = Field(
        100, ge=1, le=1000, description="Symbols that are written in one transaction, and held in memory at once."
    )

    @field_validator("bist_providers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("bist_providers")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one provider")
        return value

    @field_validator("bist_home", "bist_archive_dir", "bist_kill_switch")
    @classmethod
    def _absolute_path(cls, value: Path | None) -> Path | None:
        return None if value is None else _absolute(value)

    @field_validator("bist_universe")
    @classmethod
    def _absolute_universe(cls, value: str) -> str:
        # A remembered relative path would mean another file to a command that runs in another folder.
        return value if value == "packaged" else str(_absolute(Path(value)))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let explicit values win over the environment, and the environment over the home's file."""
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    def with_home(self, home: Path) -> Self:
        """Return a copy that lives in another home."""
        return self.model_copy(update={"bist_home": _absolute(home)})

    @property
    def remembered_path(self) -> Path:
        """The home's file of remembered choices."""
        return self.bist_home / HOME_FILE


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and the home's file.

    Args:
        **overrides: Values that win over both, by field name (what the command line was told).

    Raises:
        SettingsError: A value is illegal; the message names the variable, the value and the legal values.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if strangers := given.keys() - Settings.model_fields.keys():
        raise SettingsError(f"no setting is called {', '.join(sorted(strangers))}")
    # Pinned, lest the file name another home than the one it lies in.
    home = given["bist_home"] = _find_home(given.get("bist_home"))
    try:
        return Settings(_env_file=home / HOME_FILE, **given)  # pyright: ignore[reportCallIssue] - pydantic-settings' own
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(detail) for detail in error.errors())) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{home / HOME_FILE} cannot be read: {error}") from error


def inherited_environment() -> dict[str, str]:
    """Return the whole environment, to be handed on to a child process; nothing in it is read."""
    return dict(os.environ)


def remember(settings: Settings, values: Mapping[str, str]) -> None:
    """Write choices into the home's file, replacing those it holds under the same names.

    Args:
        settings: Names the home.
        values: Variable names in upper case and their values. Never a secret: the file is plain text.

    Raises:
        SettingsError: A value cannot be kept in such a file.
    """
    for name, value in values.items():
        if any(mark in value for mark in ("\n", "\r", "${")):
            raise SettingsError(f"{name} = {value!r} cannot be remembered: it has a line break or ${{")
    path = settings.remembered_path
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    quoted = {name: "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for name, value in values.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # Replaced whole: a process that is killed here leaves the old choices, not half of the new ones.
    draft = path.with_suffix(".draft")
    draft.write_text("".join(f"{k}={v}\n" for k, v in sorted({**kept, **quoted}.items())), encoding="utf-8")
    draft.replace(path)


def _find_home(told: Any) -> Path:
    home = Path(told or os.environ.get("BIST_HOME") or DEFAULT_HOME)
    try:
        return _absolute(home)
    except ValueError as error:
        raise SettingsError(f"BIST_HOME = {str(home)!r}: {error}") from error


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"the user of {path.parts[0]} has no home directory") from error


def _explain(detail: Any) -> str:
    name = str(detail["loc"][0]).lower() if detail["loc"] else "settings"
    value = "(hidden)" if name == "bist_database_url" else repr(detail.get("input"))
    legal = _legal_values(name)
    return f"{name.upper()} = {value}: {detail['msg'].removeprefix('Value error, ')}" + (
        f" (legal: {legal})" if legal else ""
    )


def _legal_values(name: str) -> str:
    field = Settings.model_fields.get(name)
    choices = get_args(field.annotation) if field else ()
    return ", ".join(choices) if choices and all(isinstance(choice, str) for choice in choices) else ""
