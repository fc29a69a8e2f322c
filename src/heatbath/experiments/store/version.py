"""Which version a database has, and how an older one is brought up to date."""

from pathlib import Path

import sqlalchemy as sa

from heatbath.errors import StoreError

VERSIONS = ("0001", "0002", "0003")
"""From the oldest to the one that this code reads and writes."""

LOCK = 0x68656174
"""The advisory lock of PostgreSQL that lets one process at a time migrate."""


def version_of(connection: sa.Connection) -> str | None:
    """The version of the tables; None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def check_version(version: str | None, shown: str) -> bool:
    """Whether the version is the newest.

    Raises:
        StoreError: it is newer than this code.
    """
    if version is not None and version not in VERSIONS:
        raise StoreError(
            f"its tables have version {version}, and this heatbath knows them up to {VERSIONS[-1]}: a newer heatbath "
            "has written it",
            doing="opening the store",
            on=shown,
            instead="upgrade heatbath, or give another store",
        )
    return version == VERSIONS[-1]


def migrate(connection: sa.Connection, shown: str, *, to: str = VERSIONS[-1]) -> list[str]:
    """Bring the tables up to date, inside the transaction of this connection.

    Arguments:
        connection: one that may write.
        shown: the address, for an error.
        to: the last version to make.

    Returns:
        The versions that were gone through; none where somebody else has been faster.

    Raises:
        StoreError: the tables are newer than this code.
    """
    from alembic.operations import Operations  # takes a while, and is needed once in the life of a version
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    current = version_of(connection)
    check_version(current, shown)
    ahead = VERSIONS[VERSIONS.index(current) + 1 if current else 0 : VERSIONS.index(to) + 1]
    folder = Path(__file__).with_name("migrations")
    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    context = MigrationContext.configure(connection)
    for version in ahead:
        revision = script.get_revision(version)
        with Operations.context(context):
            revision.module.upgrade()
        context.stamp(script, version)
    return list(ahead)
