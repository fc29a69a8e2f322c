"""Stores of every age open with what is in them, and end up with the same tables as new ones."""

import multiprocessing
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from heatbath.errors import InputError, MissingExtraError, StoreError
from heatbath.experiments import Store
from heatbath.experiments.store import migrations
from heatbath.experiments.store.connect import connect, writing
from heatbath.experiments.store.tables import TABLES
from heatbath.experiments.store.version import VERSIONS, migrate, version_of
from tests.experiments.made import decision


def differences(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, TABLES)


def test_the_migrations_make_the_tables(store):
    assert differences(store.engine) == []
    with store.engine.connect() as connection:
        assert version_of(connection) == VERSIONS[-1]
        connection.execute(sa.text("ALTER TABLE keys ADD COLUMN more FLOAT"))
        connection.commit()
    assert differences(store.engine) != []


def test_the_versions_are_the_files():
    folder = Path(migrations.__file__).parent
    assert tuple(sorted(file.name[1:5] for file in folder.glob("v*.py"))) == VERSIONS
    for before, file in zip((None, *VERSIONS), sorted(folder.glob("v*.py")), strict=False):
        text = file.read_text(encoding="utf-8")
        assert re.search(r"^down_revision = (.*)$", text, re.MULTILINE)[1] == (f'"{before}"' if before else "None")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_older_version_opens_with_what_is_in_it(url, version):
    engine, row = connect(url), decision()
    with writing(engine, 1.0) as connection:
        assert migrate(connection, url, to=version) == list(VERSIONS[: VERSIONS.index(version) + 1])
        names = ", ".join(row._fields)
        values = ", ".join(f":{name}" for name in row._fields)
        connection.execute(sa.text(f"INSERT INTO decisions ({names}) VALUES ({values})"), row._asdict())
    engine.dispose()
    with Store.open(url) as store:
        assert differences(store.engine) == []
        with store.engine.connect() as connection:
            assert tuple(connection.execute(sa.text("SELECT * FROM decisions")).one()) == row
        assert store.migrate() == []


def test_a_store_of_a_newer_version_is_refused(url):
    with Store.open(url) as store, writing(store.engine, 1.0) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"version 9999.*a newer heatbath has written it; upgrade heatbath"):
        Store.open(url)


def opened(url, barrier, results):
    barrier.wait()
    with Store.open(url):
        results.put(True)


def test_several_processes_may_open_a_new_store_at_once(url):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=opened, args=(url, barrier, results)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with Store.open(url) as store:
        assert differences(store.engine) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("heatbath.db", "it is no address of a database; write sqlite:///heatbath.db"),
        ("nonsense://x", "nonsense is not among the databases"),
        ("mysql://a:b@c/d", "mysql is not among the databases"),
        ("sqlite://", "it is a store that forgets"),
        ("sqlite:///:memory:", "it is a store that forgets"),
        (None, "it is no address of a database"),
    ],
)
def test_what_is_no_address_is_refused(url, says):
    with pytest.raises(InputError, match=re.escape(says)):
        Store.open(url)


def test_what_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(StoreError, match="the file cannot be opened or made; give a file in a folder that exists"):
        Store.open(f"sqlite:///{tmp_path}/nowhere/heatbath.db")
    (tmp_path / "text.db").write_text("not a database " * 100)
    with pytest.raises(StoreError, match="the file is no database of SQLite"):
        Store.open(f"sqlite:///{tmp_path}/text.db")
    with pytest.raises(StoreError, match="it cannot be reached") as caught:
        Store.open("postgresql://user:secret@127.0.0.1:1/nothing", patience=0.1)
    assert "secret" not in str(caught.value)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'heatbath\[postgresql\]'"):
        Store.open("postgresql://127.0.0.1/x")


@pytest.mark.parametrize("wrong", [{"patience": -1}, {"limit": 0}, {"patience": float("nan")}])
def test_bad_settings_are_refused(tmp_path, wrong):
    with pytest.raises(InputError, match="patience is >= 0, and limit is >= 1"):
        Store.open(f"sqlite:///{tmp_path}/heatbath.db", **wrong)
