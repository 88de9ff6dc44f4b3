"""Dagster's own records in PostgreSQL, without a variable to set.

Belongs here: finding the database of the home (or of `BIST_DATABASE_URL`) and handing it to dagster-postgres. A
`postgres_url` in dagster.yaml would need the environment prepared before the first command, and a bare
`postgresql://` would name a driver that is not installed.
"""

from typing import Any, Self

from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine

from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline.dagster_records import running_dagster_url
from bist_pipeline.settings import load_settings


class BistDagsterStorage(DagsterPostgresStorage):
    """dagster-postgres at the address that the settings lead to."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """No configuration: dagster.yaml holds no address and no secret."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: object) -> Self:
        """Build the storage.

        Raises:
            SystemExit: There is no database to be reached. One line says what to type; a traceback through Dagster's
                loader would bury it.
        """
        del config_value
        try:
            url = running_dagster_url(load_settings())
        except BistError as error:
            raise SystemExit(f"bist-pipeline: {error}") from error
        storage = cls(inst_data=inst_data, postgres_url=url.sqlalchemy, should_autocreate_tables=True)
        for part in (storage._event_log_storage, storage._run_storage):
            part._engine = _pooled(url.sqlalchemy)
        return storage


def _pooled(url: str) -> Any:
    """An engine that keeps a connection.

    dagster-postgres opens two connections per event outside the webserver, which makes a range run's plan, one row per
    partition and asset, several times slower. Pinged before use, so that a restarted server is noticed.
    """
    return create_pg_engine(
        url, None, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20, pool_recycle=3600, pool_pre_ping=True
    )
