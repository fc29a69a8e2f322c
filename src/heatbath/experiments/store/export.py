"""Tables as files, chunk by chunk, so that memory does not grow with the store."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from heatbath.errors import InputError, MissingExtraError, StoreError
from heatbath.experiments.store import tables
from heatbath.experiments.store.connect import reading
from heatbath.experiments.store.store import Store

CHUNK = 20_000
"""Rows that are in memory at once."""

EXPORTED = {"decisions": tables.decisions, "answers": tables.answers, "feedback": tables.feedback}
FORMATS = (".parquet", ".csv")


def export(store: Store, table: str, path: str | Path, *, since: float | None = None) -> int:
    """Write a table to a file, by its ending in Parquet or CSV.

    Arguments:
        store: the store.
        table: "decisions", "answers" or "feedback".
        path: ends in .parquet or .csv; a file that is there is replaced, when the new one is whole.
        since: only rows from then on, in seconds since 1970, UTC.

    Returns:
        How many rows were written.

    Raises:
        InputError: an unknown table or ending, or a file that cannot be written.
        MissingExtraError: Parquet without pyarrow.
        StoreError: the store cannot be read.

    How to choose: Parquet keeps the types and is a tenth of the size; CSV opens everywhere.
    """
    doing, target = "exporting", Path(path)
    if table not in EXPORTED:
        raise InputError("there is no such table to export", doing=doing, on=repr(table), instead="write decisions")
    if target.suffix not in FORMATS:
        raise InputError(
            "the ending of the file says its format", doing=doing, on=str(path), instead="write .parquet or .csv"
        )
    source = EXPORTED[table]
    partial = target.with_name(f".{target.name}.part")
    try:
        written = (_parquet if target.suffix == ".parquet" else _csv)(_chunks(store, source, since), source, partial)
        partial.replace(target)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise InputError(
            f"it cannot be written ({error.strerror or error})", doing=doing, on=str(path), instead="give another path"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return written


def _chunks(store: Store, table: sa.Table, since: float | None) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows of one moment, in the order of their key; each chunk begins behind the last key of the one before."""
    (key,) = table.primary_key.columns
    when = table.c.received if table is tables.feedback else table.c.at
    query = sa.select(table).order_by(key).limit(CHUNK)
    if since is not None:
        query = query.where(when >= since)
    with reading(store.engine, store.patience) as connection:
        rows = connection.execute(query).all()
        while rows:
            yield rows
            if len(rows) < CHUNK:
                return
            rows = connection.execute(query.where(key > rows[-1][0])).all()


def _csv(chunks: Iterator[Sequence[sa.Row[Any]]], table: sa.Table, path: Path) -> int:
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(table.columns.keys())
        for rows in chunks:
            out.writerows(rows)
            written += len(rows)
    return written


def _parquet(chunks: Iterator[Sequence[sa.Row[Any]]], table: sa.Table, path: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(
            "pyarrow is not installed", doing="exporting", instead="pip install 'heatbath[parquet]', or write .csv"
        ) from error
    kinds = {sa.Text: pa.string(), sa.Double: pa.float64(), sa.Integer: pa.int64()}
    schema = pa.schema([(column.name, kinds[type(column.type)]) for column in table.columns])
    written = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for rows in chunks:
            columns = [pa.array(values, type=field.type) for values, field in zip(zip(*rows), schema)]  # noqa: B905
            out.write_table(pa.Table.from_arrays(columns, schema=schema))
            written += len(rows)
    return written
