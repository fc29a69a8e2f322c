"""The pages name everything that a user can name: public names, options, flags, request fields, errors."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
import typer.main

import heatbath as hb
from heatbath.cli import app
from heatbath.errors import HeatbathError
from heatbath.made import MAKERS, UNWRITTEN
from heatbath.sampling.orders import ENGINES
from heatbath.service import errors, unsupported, wire
from heatbath.spec import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    page.relative_to(DOCS).as_posix(): page.read_text(encoding="utf-8")
    for page in DOCS.rglob("*.rst")
    if not {"_build", "gallery"} & set(page.parts)
}
DOCUMENTED = {
    name
    for text in PAGES.values()
    for name in re.findall(r"^\.\. (?:auto|py:)\w+:: (heatbath[\w.]*)", text, re.MULTILINE)
}
TOP = typer.main.get_command(app).commands
VERBS = {name: command for name, command in TOP.items() if not hasattr(command, "commands")}
VERBS |= {
    f"{group} {name}": command
    for group, commands in TOP.items()
    for name, command in getattr(commands, "commands", {}).items()
}


@pytest.mark.parametrize("name", hb.__all__)
def test_every_name_of_the_door_has_its_place(name):
    assert f"heatbath.{name}" in DOCUMENTED, f"add '.. autofunction:: heatbath.{name}' to a page of docs/api"


@pytest.mark.parametrize(
    "room", ["core", "schedules", "stats", "sampling", "sampling.orders", "control", "spec", "embedded", "experiments"]
)
def test_every_name_of_a_room_has_its_place(room):
    names = importlib.import_module(f"heatbath.{room}").__all__
    homeless = {name for name in names if not {f"heatbath.{name}", f"heatbath.{room}.{name}"} & DOCUMENTED}
    assert not homeless, f"add them to a page of docs/api: {homeless}"


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_told(name, generated):
    for part in ("settings", "differences"):
        assert f".. heatbath-engine-{part}:: {name}\n" in PAGES["engines.rst"] + "\n"
    held, apart = generated.engine_settings(name).split("no chain carries")
    assert {f"``{row.name}``" for row in ENGINES[name].settings} == set(re.findall(r"\* - (``\w+``)", held))
    assert {f"``{each.name}``" for each in ENGINES[name].apart} <= set(re.findall(r"``\w+``", apart))
    assert all(each.says in generated.engine_differences(name) for each in ENGINES[name].differences)
    assert name in generated.engine_heat()
    assert f"orders.{ENGINES[name].function}>" in generated.engine_orders()


@pytest.mark.parametrize("kind", MAKERS)
def test_every_maker_is_in_the_text_form(kind, generated):
    assert f".. heatbath-makers:: {kind}" in PAGES["text-form.rst"]
    listed = set(re.findall(r"- :func:`(\w+) <([\w.]+)>`", generated.makers(kind)))
    assert {name for name, _ in listed} == set(MAKERS[kind]) - UNWRITTEN
    assert {home for _, home in listed} <= DOCUMENTED


def test_every_error_has_its_place_in_the_tree():
    found, waiting = set(), [HeatbathError]
    while waiting:
        error = waiting.pop()
        if error.__module__ == "heatbath.errors":
            found.add(error.__name__)
        waiting += error.__subclasses__()
    tree = re.search(r"The tree::\n\n((?:    .*\n)+)", PAGES["errors.rst"])[1]
    assert set(re.findall(r"\w+Error\b(?! *\()|\w+Error(?= \()", tree)) >= found
    for name in found:
        base = getattr(hb, name).__mro__[1].__name__
        assert name == "HeatbathError" or tree.index(base) < tree.index(name)
        assert f"autoexception:: heatbath.{name}" in PAGES["errors.rst"]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_is_told_with_its_flag_and_field(option, generated):
    assert ".. heatbath-options::" in PAGES["options.rst"]
    text = re.search(rf"confval:: {option.name}\n.*?(?=\.\. confval|\Z)", generated.options(), re.DOTALL)[0]
    assert option.help in text
    assert option.range in text or option.high >= 2**32
    flag = re.search(r"Command line: ``(.*?)``", text)[1]
    assert any(flag in parameter.opts for parameter in VERBS["sample"].params)
    field = re.search(r"Request field: ``(.*?)``", text)[1]
    assert field in wire.Asked.__struct_fields__


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_flag_is_told(verb, generated):
    assert f"heatbath {verb}\n-----" in PAGES["cli.rst"]
    assert f".. heatbath-verb:: {verb}\n" in PAGES["cli.rst"]
    text = generated.verb(verb)
    for parameter in VERBS[verb].params:
        if parameter.param_type_name == "option" and parameter.name != "help":
            assert all(re.search(rf"{re.escape(flag)}\b", text) for flag in parameter.opts), parameter.opts
        assert parameter.help, f"{verb} {parameter.name} has no help"


def rows(page, after):
    """The cells of the list-table that follows a text."""
    table = PAGES[page].split(after, 1)[1].split(".. list-table::", 1)[1]
    table = re.split(r"\n(?=\S)", table)[0]
    cells = [re.split(r"\n     - ", row) for row in re.split(r"\n   \* - ", table)[1:]]
    return [[" ".join(cell.split()) for cell in row] for row in cells][1:]


def test_every_request_field_is_told_where_it_belongs():
    told = {"chat": set(), "completions": set()}
    for names, where, _ in rows("http.rst", ".. _request-fields:"):
        fields = re.findall(r"``(\w+)``", names)
        places = where.split(", ") if ", " in where else [where] * len(fields)
        for field, place in zip(fields, places, strict=True):
            for request in told if place == "both" else [place]:
                told[request].add(field)
    assert told["chat"] == set(wire.ChatRequest.__struct_fields__)
    assert told["completions"] == set(wire.CompletionRequest.__struct_fields__)


def test_every_answer_field_is_told():
    named = set(re.findall(r"``(\w+)``", PAGES["http.rst"]))
    for struct in (wire.Answer, wire.ChatChoice, wire.CompletionChoice, wire.Usage, wire.Extension, wire.Health):
        assert set(struct.__struct_fields__) <= named, struct.__name__
    assert "context_length" in named


def test_every_error_code_is_told(generated):
    for directive, text in (
        ("error-codes", generated.error_codes()),
        ("error-types", generated.error_types()),
    ):
        assert f".. heatbath-{directive}::" in PAGES["http.rst"]
        assert text.count("* -") > 1
    assert set(re.findall(r"\* - ``(\w+)``", generated.error_codes())) == set(errors.CODES)
    for name, table in inspect.getmembers(unsupported, lambda member: isinstance(member, dict)):
        if name.isupper() and name != "COMMON":
            assert f".. heatbath-unsupported-fields:: {name}" in PAGES["http.rst"]
            assert set(re.findall(r"\* - ``(\w+)``", generated.unsupported_fields(name))) == set(table)
