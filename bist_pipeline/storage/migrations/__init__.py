"""Alembic's folder: frozen revisions, oldest first."""
