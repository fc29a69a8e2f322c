"""What is remembered of a request: decisions, answers, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("task", sa.Text),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("requested", sa.Double),
        sa.Column("sent", sa.Double),
        sa.Column("effective", sa.Double),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("experiment", sa.Text),
        sa.Column("arm", sa.Text),
        sa.Column("propensity", sa.Double),
        sa.Column("context", sa.Text),
        sa.Column("prompt", sa.Text),
    )
    where = sa.text("experiment IS NOT NULL")
    op.create_index("decisions_of_experiment", "decisions", ["experiment"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("first_seconds", sa.Double),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("finish", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("text", sa.Text),
    )
    op.create_table(
        "feedback",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("inference", sa.Text, nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("received", sa.Double, nullable=False),
        sa.Column("number", sa.Double),
        sa.Column("text", sa.Text),
        sa.Column("other", sa.Text),
        sa.Column("said", sa.Double),
    )
    op.create_index("ix_feedback_inference", "feedback", ["inference"])
