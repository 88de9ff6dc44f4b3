"""The only reader of the environment.

Belongs here: every variable the package understands, typed, validated, frozen. Does not belong here: acting on them.
`settings.env` in the home holds what `bist-pipeline up` was last told, so that other commands on the same home agree;
the environment wins over it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.core.homes import DEFAULT_HOME, HOME_FILE, SIMULATED_HOME, last_started
from bist_pipeline.core.hosts import check_base_url, is_loopback
from bist_pipeline.core.predecessor import check_period, requests_per_second
from bist_pipeline.core.refusals import absolute, explain, told

Executor = Literal["in_process", "multiprocess"]
ArchiveBasis = Literal["as_traded", "split_adjusted", "fully_adjusted"]
BarChoice = Literal["first", "supported"]

_PREDECESSORS_BATCHES = {"collector_batch_size": 100, "collector_max_workers": 4}

# query2 first: it is the one that Yahoo's own pages ask.
YAHOO_HOSTS = ("https://query2.finance.yahoo.com", "https://query1.finance.yahoo.com")


class Settings(BaseSettings):
    """What the person who runs the pipeline decided. Field names are the variables' names in lower case."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    bist_home: Path = Field(Path(DEFAULT_HOME), description="Folder of the embedded database and Dagster's home.")
    bist_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 14 or newer for the data (`postgresql://user:password@host/database`); Dagster's "
        "records go to the database `dagster` on the same server. Unset: an embedded server in the home.",
    )
    bist_executor: Executor = Field("in_process", description="How Dagster runs the steps of a run.")
    bist_providers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("yahoo_chart", "yfinance"),
        description="Sources of history and of the end of the day, in order, comma-separated; `archive` alone where "
        "`BIST_ARCHIVE_DIR` is set and this is not.",
    )
    bist_live_providers: Annotated[tuple[str, ...], NoDecode] = Field(
        ("yahoo_quote", "yahoo_spark", "yahoo_chart"),
        description="Sources of the session in progress, in order; none where `BIST_ARCHIVE_DIR` is set and this is "
        "not.",
    )
    yahoo_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        YAHOO_HOSTS, description="Base URLs that speak Yahoo's protocol, tried in order, comma-separated."
    )
    yahoo_requests_per_second: float = Field(
        1.0,
        ge=0,
        le=10,
        description="Pace of all processes on this database together; 0, no pacing, for loopback hosts alone.",
    )
    yf_user_agents: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="User agents, quoted, `|`-separated, one per session; none: a browser's own."
    )
    yf_max_retries: int = Field(4, ge=0, le=10, description="Further tries of one request after a transient failure.")
    yf_backoff_base_seconds: float = Field(
        2.0, gt=0, le=60, description="First wait before a further try; it doubles. The circuit opens for 450 times it."
    )
    bist_archive_dir: Path | None = Field(None, description="Folder with one CSV or Parquet file per symbol.")
    bist_archive_basis: ArchiveBasis = Field("fully_adjusted", description="What its prices are adjusted for.")
    bist_second_provider: str = Field(
        "",
        description="A second source, compared with the first bar by bar: `second_archive`, or a name of "
        "`BIST_PROVIDERS`; empty: none.",
    )
    bist_second_archive_dir: Path | None = Field(None, description="Folder of the second source `second_archive`.")
    bist_second_archive_basis: ArchiveBasis = Field("fully_adjusted", description="What its prices are adjusted for.")
    bist_bar_choice: BarChoice = Field(
        "first", description="Whose bar is served where two sources disagree: the first one's, or the supported one."
    )
    min_history_days: int = Field(
        365,
        ge=1,
        le=36_500,
        description="Days between a share's first and last session below which its history is asked for again.",
    )
    bist_payload_days: int = Field(
        14, ge=0, le=3650, description="How long answers are kept as they were received, compressed; 0: not at all."
    )
    bist_universe: str = Field(
        "packaged",
        description="`packaged` (listed shares, plus what the archive holds) or a CSV with at least a column `symbol`.",
    )
    bist_kill_switch: Path | None = Field(None, description="A file whose presence stops all work.")
    max_idle_seconds: int = Field(
        900,
        ge=60,
        description="While the exchange trades, `status` calls what is served stale after so long without news.",
    )
    bist_simulation: str = Field(
        "",
        description="What `up --simulated` invented in this home, `seed=7 symbols=150 first=2023-11-01`; empty: none.",
    )
    collector_delay_range: str | None = Field(
        None,
        description="The predecessor's, `1.0,3.0`: mapped, with the next one, onto `YAHOO_REQUESTS_PER_SECOND` where "
        "that is unset.",
    )
    batch_sleep_seconds: str | None = Field(None, description="The predecessor's; see `COLLECTOR_DELAY_RANGE`.")
    collection_period: str | None = Field(
        None, description="The predecessor's, `3mo`: understood and without effect, the whole history is fetched."
    )
    priority_period: str | None = Field(None, description="The predecessor's; as `COLLECTION_PERIOD`.")
    collector_max_workers: int = Field(4, ge=1, le=64, description="Files or requests read at the same time.")
    collector_batch_size: int = Field(
        100, ge=1, le=1000, description="Symbols that are written in one transaction, and held in memory at once."
    )

    @model_validator(mode="before")
    @classmethod
    def _archive_alone(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Where a folder of files is named and no provider, the files are what is meant."""
        if not given.get("bist_archive_dir"):
            return given
        return {"bist_providers": ("archive",), "bist_live_providers": (), **given}

    @model_validator(mode="before")
    @classmethod
    def _pace_of_the_predecessor(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Its waits become a pace, once, where no pace is named."""
        waits = [given.get(name) or None for name in ("collector_delay_range", "batch_sleep_seconds")]
        if given.get("yahoo_requests_per_second") is not None or waits == [None, None]:
            return given
        size, workers = (int(given.get(name, default)) for name, default in _PREDECESSORS_BATCHES.items())
        return {**given, "yahoo_requests_per_second": told(requests_per_second, *waits, size, workers)}

    @field_validator("collection_period", "priority_period")
    @classmethod
    def _period(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            told(check_period, str(info.field_name).upper(), value)
        return value

    @model_validator(mode="after")
    def _pace(self) -> Self:
        if self.yahoo_requests_per_second == 0 and not self.asks_loopback:
            raise ValueError("YAHOO_REQUESTS_PER_SECOND = 0, no pacing, is legal for loopback hosts alone")
        return self

    @field_validator("bist_providers", "bist_live_providers", "yahoo_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("yf_user_agents", mode="before")
    @classmethod
    def _unquote(cls, value: object) -> object:
        parts = value.split("|") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        return tuple(part.strip().strip("\"'") for part in parts if str(part).strip().strip("\"'"))

    @field_validator("yahoo_hosts")
    @classmethod
    def _base_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one base URL")
        for url in value:
            check_base_url(url)
        return tuple(url.rstrip("/") for url in value)

    @field_validator("bist_providers")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one provider")
        return value

    @field_validator("bist_home", "bist_archive_dir", "bist_second_archive_dir", "bist_kill_switch")
    @classmethod
    def _absolute_path(cls, value: Path | None) -> Path | None:
        return None if value is None else absolute(value)

    @field_validator("bist_universe")
    @classmethod
    def _absolute_universe(cls, value: str) -> str:
        # A remembered relative path would mean another file to a command that runs in another folder.
        return value if value == "packaged" else str(absolute(Path(value)))

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

    @property
    def asks_loopback(self) -> bool:
        """Whether every host is on this machine."""
        return all(is_loopback(url) for url in self.yahoo_hosts)

    def with_home(self, home: Path) -> Self:
        """Return a copy that lives in another home."""
        return self.model_copy(update={"bist_home": absolute(home)})

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
        raise SettingsError("; ".join(explain(detail, Settings.model_fields) for detail in error.errors())) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{home / HOME_FILE} cannot be read: {error}") from error


def home_of_up(*, simulated: bool) -> Path:
    """The home that `up` means: the one that BIST_HOME names, else one of its own for each kind of market."""
    return Path(os.environ.get("BIST_HOME") or (SIMULATED_HOME if simulated else DEFAULT_HOME))


def inherited_environment() -> dict[str, str]:
    """Return the whole environment, to be handed on to a child process; nothing in it is read."""
    return dict(os.environ)


def set_default(name: str, value: str) -> None:
    """Put a variable into the environment of this process and its children, unless a person has set it."""
    os.environ.setdefault(name, value)


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
    home = Path(told or os.environ.get("BIST_HOME") or last_started())
    try:
        return absolute(home)
    except ValueError as error:
        raise SettingsError(f"BIST_HOME = {str(home)!r}: {error}") from error
