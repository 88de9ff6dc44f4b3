"""The model of the scores against what is stored under its version, and preparing a database only where both agree.

Belongs here: storing the weights once, and refusing others under the same name, before anything is written. Does not
belong here: the weights themselves (`signals/`), how a database is migrated (`storage/`).
"""

from collections.abc import Sequence
from typing import Any

from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.signals.explain import weights_table
from bist_pipeline.signals.model import MODEL, Model
from bist_pipeline.storage.database import Database, Statements
from bist_pipeline.storage.migrate import current_fingerprint, migrate

_STORED = "SELECT * FROM serving.signal_models WHERE model_version = :version"


def prepare(database: Database) -> None:
    """Migrate a database, unless the weights in use are stored otherwise under the same version.

    A term that was added without a new version would get its column, and its scores, and be refused by the publish.

    Raises:
        StorageError: The version must be raised, or the database cannot be prepared; nothing is changed then.
    """
    with database.statements("comparing the weights with those stored") as statements:
        exists = statements.rows("SELECT to_regclass('serving.signal_models') IS NOT NULL AS told")[0]["told"]
        _require_same(statements.rows(_STORED, {"version": MODEL.version}) if exists else [], MODEL)
    migrate(database, database_shape())


def is_prepared(database: Database) -> bool:
    """Whether a database has the shape that this version wants."""
    return current_fingerprint(database) == f"bist_pipeline {database_shape().fingerprint()}"


def record_model(connection: Statements, model: Model) -> None:
    """Store the weights that made the scores.

    Raises:
        StorageError: They differ from those stored under the same version: the version must be raised.
    """
    stored = connection.rows(_STORED, {"version": model.version})
    _require_same(stored, model)
    if not stored:
        connection.run(
            """INSERT INTO serving.signal_models VALUES
            (:model_version, :term, :sub_signal, :sub_signal_weight, :term_weight, :description)""",
            _rows(model),
        )


def _require_same(stored: Sequence[dict[str, Any]], model: Model) -> None:
    if stored and {row["term"]: _weights(row) for row in stored} != {r["term"]: _weights(r) for r in _rows(model)}:
        raise StorageError(
            f"model {model.version} is stored with other weights: raise MODEL.version in signals/model.py"
        )


def _rows(model: Model) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in weights_table(model).to_dict("records")]


def _weights(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["sub_signal"], row["sub_signal_weight"], row["term_weight"]
