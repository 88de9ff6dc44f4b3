"""The first tables.

Frozen: later changes are later revisions. The columns of indicators and of signal terms are not here:
`storage/migrate.py` appends those of every registered part, records each, and writes the comments.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One current version per symbol and session, and per event: the invariant that publishing keeps, and the index that
# "today's signals" is read through.
_CURRENT = (
    "CREATE UNIQUE INDEX signals_current ON serving.signals (session_date, symbol) WHERE superseded_by IS NULL",
    "CREATE UNIQUE INDEX pattern_events_current ON serving.pattern_events (session_date, event_id) "
    "WHERE superseded_by IS NULL",
    "CREATE INDEX signals_publish_id_idx ON serving.signals (publish_id) WHERE superseded_by IS NOT NULL",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
)


def upgrade() -> None:
    op.create_table(
        "candlestick_patterns",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("strength", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("trend_before", sa.Text(), nullable=True),
        sa.Column("trend_slope_atr", sa.Double(), nullable=True),
        sa.Column("fits_trend", sa.Boolean(), nullable=True),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", "pattern", name="candlestick_patterns_pkey"),
        schema="analytics",
    )
    op.create_index(
        "candlestick_patterns_session_date_idx",
        "candlestick_patterns",
        ["session_date"],
        unique=False,
        schema="analytics",
    )
    op.create_table(
        "indicators",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="indicators_pkey"),
        schema="analytics",
    )
    op.create_index("indicators_session_date_idx", "indicators", ["session_date"], unique=False, schema="analytics")
    op.create_table(
        "pattern_reliability",
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("horizon_sessions", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("hit_rate", sa.Double(), nullable=True),
        sa.Column("base_rate", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("pattern", "direction", "horizon_sessions", name="pattern_reliability_pkey"),
        schema="analytics",
    )
    op.create_table(
        "signals",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("trend", sa.Double(), nullable=True),
        sa.Column("momentum", sa.Double(), nullable=True),
        sa.Column("volatility", sa.Double(), nullable=True),
        sa.Column("volume", sa.Double(), nullable=True),
        sa.Column("candles", sa.Double(), nullable=True),
        sa.Column("close_try", sa.Double(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="signals_pkey"),
        schema="analytics",
    )
    op.create_index("signals_session_date_idx", "signals", ["session_date"], unique=False, schema="analytics")
    op.create_table(
        "daily_prices",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("open_try", sa.Double(), nullable=False),
        sa.Column("high_try", sa.Double(), nullable=False),
        sa.Column("low_try", sa.Double(), nullable=False),
        sa.Column("close_try", sa.Double(), nullable=False),
        sa.Column("volume_shares", sa.Double(), nullable=False),
        sa.Column("adjustment_factor", sa.Double(), nullable=False),
        sa.Column("total_return_factor", sa.Double(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("filled", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="daily_prices_pkey"),
        schema="market",
    )
    op.create_index("daily_prices_session_date_idx", "daily_prices", ["session_date"], unique=False, schema="market")
    op.create_table(
        "fetch_ledger",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("first_session", sa.Date(), nullable=True),
        sa.Column("last_session", sa.Date(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("recognised", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleaned_hash", sa.Text(), nullable=False),
        sa.Column("dirty_from", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("symbol", name="fetch_ledger_pkey"),
        schema="market",
    )
    op.create_table(
        "quarantine",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("open_raw", sa.Double(), nullable=True),
        sa.Column("high_raw", sa.Double(), nullable=True),
        sa.Column("low_raw", sa.Double(), nullable=True),
        sa.Column("close_raw", sa.Double(), nullable=True),
        sa.Column("adj_close_raw", sa.Double(), nullable=True),
        sa.Column("volume_raw", sa.Double(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", "occurrence", name="quarantine_pkey"),
        schema="market",
    )
    op.create_index("quarantine_rule_idx", "quarantine", ["rule"], unique=False, schema="market")
    op.create_index("quarantine_session_date_idx", "quarantine", ["session_date"], unique=False, schema="market")
    op.create_table(
        "raw_prices",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("open_raw", sa.Double(), nullable=True),
        sa.Column("high_raw", sa.Double(), nullable=True),
        sa.Column("low_raw", sa.Double(), nullable=True),
        sa.Column("close_raw", sa.Double(), nullable=True),
        sa.Column("adj_close_raw", sa.Double(), nullable=True),
        sa.Column("volume_raw", sa.Double(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", "occurrence", name="raw_prices_pkey"),
        schema="market",
    )
    op.create_index("raw_prices_session_date_idx", "raw_prices", ["session_date"], unique=False, schema="market")
    op.create_table(
        "corporate_actions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("amount_try", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "ex_date", "kind", name="corporate_actions_pkey"),
        schema="reference",
    )
    op.create_table(
        "schema_changes",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("sql_type", sa.Text(), nullable=False),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "column_name", name="schema_changes_pkey"),
        schema="reference",
    )
    op.create_table(
        "sessions",
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("is_session", sa.Boolean(), nullable=False),
        sa.Column("is_half_day", sa.Boolean(), nullable=False),
        sa.Column("open_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_date", name="sessions_pkey"),
        schema="reference",
    )
    op.create_table(
        "stocks",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("in_xu030", sa.Boolean(), nullable=False),
        sa.Column("in_xu050", sa.Boolean(), nullable=False),
        sa.Column("in_xu100", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name="stocks_pkey"),
        schema="reference",
    )
    op.create_table(
        "pattern_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", JSONB(), nullable=True),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("publish_id", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("symbol", "session_date", "event_id", "publish_id", name="pattern_events_pkey"),
        schema="serving",
    )
    op.create_table(
        "publishes",
        sa.Column("publish_id", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("first_session", sa.Date(), nullable=False),
        sa.Column("last_session", sa.Date(), nullable=False),
        sa.Column("last_final_session", sa.Date(), nullable=True),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("signals_superseded", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("events_superseded", sa.BigInteger(), nullable=False),
        sa.Column("symbols", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("publish_id", name="publishes_pkey"),
        schema="serving",
    )
    op.create_index("publishes_published_at_idx", "publishes", ["published_at"], unique=False, schema="serving")
    op.create_table(
        "signal_models",
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("sub_signal", sa.Text(), nullable=False),
        sa.Column("sub_signal_weight", sa.Double(), nullable=False),
        sa.Column("term_weight", sa.Double(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model_version", "term", name="signal_models_pkey"),
        schema="serving",
    )
    op.create_table(
        "signals",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("trend", sa.Double(), nullable=True),
        sa.Column("momentum", sa.Double(), nullable=True),
        sa.Column("volatility", sa.Double(), nullable=True),
        sa.Column("volume", sa.Double(), nullable=True),
        sa.Column("candles", sa.Double(), nullable=True),
        sa.Column("close_try", sa.Double(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("publish_id", sa.BigInteger(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("symbol", "session_date", "publish_id", name="signals_pkey"),
        schema="serving",
    )
    for statement in _CURRENT:
        op.execute(statement)
