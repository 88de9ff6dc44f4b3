"""Chart patterns and their census; levels and locked bars beside candlesticks.

Frozen: later changes are later revisions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _chart_patterns()
    _chart_candidates()
    op.add_column(
        "candlestick_patterns", sa.Column("level_distance_atr", sa.Double(), nullable=True), schema="analytics"
    )
    op.add_column("candlestick_patterns", sa.Column("is_locked", sa.Boolean(), nullable=True), schema="analytics")


def _chart_patterns() -> None:
    op.create_table(
        "chart_patterns",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("last_pivot_on", sa.Date(), nullable=False),
        sa.Column("formed_on", sa.Date(), nullable=False),
        *_shape(),
        sa.Column("tape", sa.Text(), nullable=False),
        sa.Column("is_tradeable", sa.Boolean(), nullable=True),
        sa.Column("is_strong", sa.Boolean(), nullable=True),
        sa.Column("pivots", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "session_date", "event_id", name="chart_patterns_pkey"),
        schema="analytics",
    )
    op.create_index(
        "chart_patterns_session_date_idx", "chart_patterns", ["session_date"], unique=False, schema="analytics"
    )


def _shape() -> list[sa.Column]:
    """What is measured of a structure."""
    return [
        sa.Column("scale", sa.Double(), nullable=False),
        sa.Column("close_try", sa.Double(), nullable=False),
        sa.Column("line_try", sa.Double(), nullable=True),
        sa.Column("target_try", sa.Double(), nullable=True),
        sa.Column("stop_try", sa.Double(), nullable=True),
        sa.Column("height_atr", sa.Double(), nullable=False),
        sa.Column("touches", sa.BigInteger(), nullable=False),
        sa.Column("shape_confidence", sa.Double(), nullable=False),
        sa.Column("confidence_touches", sa.Double(), nullable=True),
        sa.Column("confidence_fit", sa.Double(), nullable=True),
        sa.Column("confidence_structure", sa.Double(), nullable=True),
        sa.Column("confidence_recency", sa.Double(), nullable=True),
        sa.Column("confidence_volume", sa.Double(), nullable=True),
        sa.Column("volume_first_third", sa.Double(), nullable=True),
        sa.Column("volume_middle_third", sa.Double(), nullable=True),
        sa.Column("volume_last_third", sa.Double(), nullable=True),
        sa.Column("volume_z", sa.Double(), nullable=True),
    ]


def _chart_candidates() -> None:
    op.create_table(
        "chart_candidates",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("candidates", sa.BigInteger(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("symbol", "session_date", name="chart_candidates_pkey"),
        schema="analytics",
    )
    op.create_index(
        "chart_candidates_session_date_idx", "chart_candidates", ["session_date"], unique=False, schema="analytics"
    )
