"""Live answers, and what is asked of providers: pace, leases, circuits, requests, the kind of market.

Frozen: later changes are later revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults say what holds of the rows that are there; new ones state their own.
    for column in (
        sa.Column("states_actions", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("strikes", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("struck_on", sa.Date(), nullable=True),
    ):
        op.add_column("fetch_ledger", column, schema="market")
        op.alter_column("fetch_ledger", column.name, server_default=None, schema="market")
    _quotes()
    _market()
    _pace()
    _circuits()
    _requests()


def _quotes() -> None:
    op.create_table(
        "quotes",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_try", sa.Double(), nullable=True),
        sa.Column("open_try", sa.Double(), nullable=True),
        sa.Column("high_try", sa.Double(), nullable=True),
        sa.Column("low_try", sa.Double(), nullable=True),
        sa.Column("volume_shares", sa.Double(), nullable=True),
        sa.Column("previous_close_try", sa.Double(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "fetched_at", name="quotes_pkey"),
        schema="market",
    )
    op.create_index(
        "quotes_session_date_symbol_idx", "quotes", ["session_date", "symbol"], unique=False, schema="market"
    )
    op.create_index("quotes_fetched_at_idx", "quotes", ["fetched_at"], unique=False, schema="market")


def _market() -> None:
    op.create_table(
        "market",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_offset_seconds", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("kind", name="market_pkey"),
        schema="operations",
    )


def _pace() -> None:
    op.create_table(
        "pace",
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cooldown_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("throttles", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("family", name="pace_pkey"),
        schema="operations",
    )
    op.create_table(
        "leases",
        sa.Column("lease_key", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lease_key", name="leases_pkey"),
        schema="operations",
    )
    op.create_index("leases_family_idx", "leases", ["family"], unique=False, schema="operations")


def _circuits() -> None:
    op.create_table(
        "circuits",
        sa.Column("circuit", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("trips", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("circuit", name="circuits_pkey"),
        schema="operations",
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("waited_seconds", sa.Double(), nullable=False),
        sa.Column("elapsed_seconds", sa.Double(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_key", name="requests_pkey"),
        schema="operations",
    )
    op.create_index("requests_requested_at_idx", "requests", ["requested_at"], unique=False, schema="operations")
    op.create_index(
        "requests_provider_requested_at_idx",
        "requests",
        ["provider", "requested_at"],
        unique=False,
        schema="operations",
    )
