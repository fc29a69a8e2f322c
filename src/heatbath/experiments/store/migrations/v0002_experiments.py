"""Experiments, what they decided, and what has been learned."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiments",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_experiments_task", "experiments", ["task"])
    op.create_table(
        "overrides",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("experiment", sa.Text, sa.ForeignKey("experiments.name"), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "learners",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_table(
        "preferences",
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("knob", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
