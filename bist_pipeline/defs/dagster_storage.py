"""Dagster's own records in PostgreSQL, without a variable to set.

Belongs here: finding the database of the home (or of `BIST_DATABASE_URL`) and handing it to dagster-postgres. A
`postgres_url` in dagster.yaml would need the environment prepared before the first command, and a bare
`postgresql://` would name a driver that is not installed.
"""

from typing import Self

from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

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
        return cls(inst_data=inst_data, postgres_url=url.sqlalchemy, should_autocreate_tables=True)
