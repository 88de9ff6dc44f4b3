"""Alembic's entry: runs the revisions on the connection that `storage/migrate.py` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="bist_alembic_version",  # Dagster keeps its own `alembic_version`, perhaps in this very database
    version_table_schema="reference",
)
with context.begin_transaction():
    context.run_migrations()
