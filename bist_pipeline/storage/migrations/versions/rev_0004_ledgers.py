"""Ledgers of what changes and what lacks: revisions, restatements, payloads, gaps, the second source.

Frozen: later changes are later revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for make in (_revisions, _restatements, _payloads, _gaps, _second_prices, _source_comparison):
        make()
    # What is compressed already need not be compressed again.
    op.execute("ALTER TABLE market.payloads ALTER COLUMN body SET STORAGE EXTERNAL")


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
