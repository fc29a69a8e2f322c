"""The tables of the store. Times are seconds since 1970, UTC; booleans of feedback are 0 and 1.

Decisions, answers and feedback meet in the inference id, without foreign keys: they come late, in any order, and from
several gateways, and what comes is kept. All other tables are small and have one row per thing.
"""

import sqlalchemy as sa

from heatbath.experiments.records import Answer, Decision, Feedback

TABLES = sa.MetaData()

decisions = sa.Table(
    "decisions",
    TABLES,
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
sa.Index(
    "decisions_of_experiment",
    decisions.c.experiment,
    sqlite_where=decisions.c.experiment.is_not(None),
    postgresql_where=decisions.c.experiment.is_not(None),
)

answers = sa.Table(
    "answers",
    TABLES,
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

feedback = sa.Table(
    "feedback",
    TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("inference", sa.Text, nullable=False, index=True),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", sa.Text),
    sa.Column("other", sa.Text),
    sa.Column("said", sa.Double),
)

experiments = sa.Table(
    "experiments",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, nullable=False, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

overrides = sa.Table(
    "overrides",
    TABLES,
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("experiment", sa.Text, sa.ForeignKey("experiments.name"), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)

learners = sa.Table(
    "learners",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
)

preferences = sa.Table(
    "preferences",
    TABLES,
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("knob", sa.Double, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
)

keys = sa.Table(
    "keys",
    TABLES,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("revoked", sa.Double),
)

route_states = sa.Table(
    "route_states",
    TABLES,
    sa.Column("route", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
)

RECORDS = {Decision: decisions, Answer: answers, Feedback: feedback}
"""Where the records of a request are kept; a column for each field, in the same order."""
