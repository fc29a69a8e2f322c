"""The store: the only SQL of heatbath. SQLite by default, PostgreSQL by one URL (:class:`Store`)."""

from heatbath.errors import MissingExtraError

try:
    import sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingExtraError(
        "SQLAlchemy is not installed", doing="opening a store", instead="pip install 'heatbath[gateway]'"
    ) from error

from heatbath.experiments.store.export import export
from heatbath.experiments.store.retain import retain
from heatbath.experiments.store.store import Store

__all__ = ["Store", "export", "retain"]
