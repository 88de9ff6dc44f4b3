"""Trust: corporate actions by origin and their factors, findings, revisions, restatements, payloads, gaps, two sources.

Frozen: later changes are later revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for make in (
        _delivered_actions,
        _action_factors,
        _listings,
        _quality_findings,
        _verdicts,
        _repairs,
        _revisions,
        _restatements,
        _payloads,
        _gaps,
        _session_statistics,
        _second_prices,
        _source_comparison,
    ):
        make()
    _columns()
    # What was stored so far is what providers delivered; what is in force is resolved from it anew.
    op.execute(
        """INSERT INTO market.delivered_actions (symbol, ex_date, kind, ratio, amount_try, source, updated_at)
        SELECT symbol, ex_date, kind, ratio, amount_try, source, updated_at FROM reference.corporate_actions"""
    )
    # The same bytes compress once: the server need not try again.
    op.execute("ALTER TABLE market.payloads ALTER COLUMN body SET STORAGE EXTERNAL")


def _columns() -> None:
    """The defaults say what holds of the rows that are there; new ones state their own."""
    for schema, table, column in (
        ("market", "daily_prices", sa.Column("repaired", sa.Text(), nullable=False, server_default="")),
        ("market", "fetch_ledger", sa.Column("dirty_because", sa.Text(), nullable=False, server_default="")),
        ("analytics", "signals", sa.Column("grade", sa.Text(), nullable=False, server_default="A")),
        ("serving", "signals", sa.Column("grade", sa.Text(), nullable=False, server_default="A")),
        ("reference", "corporate_actions", sa.Column("subscription_try", sa.Double(), nullable=True)),
        ("reference", "corporate_actions", sa.Column("new_symbol", sa.Text(), nullable=False, server_default="")),
        ("reference", "corporate_actions", sa.Column("origin", sa.Text(), nullable=False, server_default="provider")),
        ("reference", "corporate_actions", sa.Column("reason", sa.Text(), nullable=False, server_default="")),
    ):
        op.add_column(table, column, schema=schema)
        op.alter_column(table, column.name, server_default=None, schema=schema)


def _delivered_actions() -> None:
    op.create_table(
        "delivered_actions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("amount_try", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "ex_date", "kind", name="delivered_actions_pkey"),
        schema="market",
    )


def _action_factors() -> None:
    op.create_table(
        "action_factors",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("base_close_try", sa.Double(), nullable=True),
        sa.Column("theoretical_try", sa.Double(), nullable=True),
        sa.Column("price_factor", sa.Double(), nullable=False),
        sa.Column("split_factor", sa.Double(), nullable=False),
        sa.Column("share_ratio", sa.Double(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "ex_date", name="action_factors_pkey"),
        schema="reference",
    )


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("delisted_on", sa.Date(), nullable=True),
        sa.Column("renamed_on", sa.Date(), nullable=True),
        sa.Column("renamed_to", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", name="listings_pkey"),
        schema="reference",
    )


def _quality_findings() -> None:
    op.create_table(
        "quality_findings",
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("occurrence", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("check_name", "symbol", "session_date", "occurrence", name="quality_findings_pkey"),
        schema="market",
    )
    op.create_index(
        "quality_findings_session_date_idx", "quality_findings", ["session_date"], unique=False, schema="market"
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "session_date", "rule", name="verdicts_pkey"),
        schema="market",
    )
    op.create_index("verdicts_session_date_idx", "verdicts", ["session_date"], unique=False, schema="market")


def _repairs() -> None:
    op.create_table(
        "repairs",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("last_session", sa.Date(), nullable=False),
        sa.Column("price_factor", sa.Double(), nullable=False),
        sa.Column("volume_factor", sa.Double(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="repairs_pkey"),
        schema="market",
    )


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision_class", sa.Text(), nullable=False),
        sa.Column("old_open_raw", sa.Double(), nullable=True),
        sa.Column("old_high_raw", sa.Double(), nullable=True),
        sa.Column("old_low_raw", sa.Double(), nullable=True),
        sa.Column("old_close_raw", sa.Double(), nullable=True),
        sa.Column("old_volume_raw", sa.Double(), nullable=True),
        sa.Column("new_open_raw", sa.Double(), nullable=True),
        sa.Column("new_high_raw", sa.Double(), nullable=True),
        sa.Column("new_low_raw", sa.Double(), nullable=True),
        sa.Column("new_close_raw", sa.Double(), nullable=True),
        sa.Column("new_volume_raw", sa.Double(), nullable=True),
        sa.Column("price_ratio", sa.Double(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("old_payload_hash", sa.Text(), nullable=False),
        sa.Column("new_payload_hash", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "session_date", "noted_at", name="revisions_pkey"),
        schema="market",
    )
    op.create_index("revisions_noted_at_idx", "revisions", ["noted_at"], unique=False, schema="market")


def _restatements() -> None:
    op.create_table(
        "restatements",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("restated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_session", sa.Date(), nullable=False),
        sa.Column("last_session", sa.Date(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("signals_changed", sa.BigInteger(), nullable=False),
        sa.Column("events_changed", sa.BigInteger(), nullable=False),
        sa.Column("publish_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "restated_at", name="restatements_pkey"),
        schema="market",
    )
    op.create_index("restatements_restated_at_idx", "restatements", ["restated_at"], unique=False, schema="market")


def _payloads() -> None:
    op.create_table(
        "payloads",
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("payload_hash", "symbol", name="payloads_pkey"),
        schema="market",
    )
    op.create_index("payloads_fetched_at_idx", "payloads", ["fetched_at"], unique=False, schema="market")
    op.create_index(
        "payloads_symbol_fetched_at_idx", "payloads", ["symbol", "fetched_at"], unique=False, schema="market"
    )


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("first_session", sa.Date(), nullable=False),
        sa.Column("last_session", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "first_session", name="gaps_pkey"),
        schema="market",
    )
    op.create_index("gaps_last_session_idx", "gaps", ["last_session"], unique=False, schema="market")


def _session_statistics() -> None:
    op.create_table(
        "session_statistics",
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("symbols", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("traded", sa.BigInteger(), nullable=False),
        sa.Column("volume_ratio", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("session_date", name="session_statistics_pkey"),
        schema="market",
    )


def _second_prices() -> None:
    op.create_table(
        "second_prices",
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
        sa.PrimaryKeyConstraint("symbol", "session_date", "occurrence", name="second_prices_pkey"),
        schema="market",
    )
    op.create_index("second_prices_session_date_idx", "second_prices", ["session_date"], unique=False, schema="market")


def _source_comparison() -> None:
    op.create_table(
        "source_comparison",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("first_close_try", sa.Double(), nullable=True),
        sa.Column("second_close_try", sa.Double(), nullable=True),
        sa.Column("return_difference", sa.Double(), nullable=True),
        sa.Column("level_difference", sa.Double(), nullable=True),
        sa.Column("volume_difference", sa.Double(), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="source_comparison_pkey"),
        schema="market",
    )
    op.create_index(
        "source_comparison_session_date_idx", "source_comparison", ["session_date"], unique=False, schema="market"
    )
