"""Corporate actions by origin and their factors, and what bars are judged to be.

Frozen: later changes are later revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for make in (_delivered_actions, _action_factors, _listings, _quality_findings, _undoings, _verdicts, _repairs):
        make()
    _columns()
    # What was stored so far is what providers delivered; what is in force is resolved from it anew.
    op.execute(
        """INSERT INTO market.delivered_actions (symbol, ex_date, kind, ratio, amount_try, source, updated_at)
        SELECT symbol, ex_date, kind, ratio, amount_try, source, updated_at FROM reference.corporate_actions"""
    )


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


def _undoings() -> None:
    op.create_table(
        "undoings",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("prices", sa.BigInteger(), nullable=False),
        sa.Column("off_grid", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", name="undoings_pkey"),
        schema="market",
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
