"""How docstrings become pages: their sections, and the references in them."""

from typing import Any

from docutils import nodes
from sphinx.ext.napoleon import Config, GoogleDocstring


class Docstring(GoogleDocstring):
    """What is returned is told in words; a colon among them does not set off a type."""

    def _parse_returns_section(self, section: str) -> list[str]:  # noqa: ARG002  the base's signature
        return [*self._format_block(":returns: ", self._dedent(self._consume_to_next_section())), ""]


def read_sections(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Arguments, Returns and Raises become lists; the text below an attribute has no sections and stays as it is."""
    if what not in ("attribute", "property", "data"):
        lines[:] = Docstring(lines, Config(), app, what, name, thing, options).lines()


def find_name(app: Any, env: Any, node: Any, content: nodes.Node) -> nodes.Node | None:
    """A docstring names its neighbours as its file does; what is meant is the documented name that ends so."""
    wanted, python = node.get("reftarget", ""), env.get_domain("py")
    ending = [name for name in python.objects if name.endswith(f".{wanted}")]
    if node.get("refdomain") != "py" or not ending:
        return None
    nearest = min(ending, key=lambda name: name.count("."))
    found: nodes.Node | None = python.resolve_xref(env, node["refdoc"], app.builder, "obj", nearest, node, content)
    return found


def setup(app: Any) -> dict[str, bool]:
    """Connect both."""
    app.connect("autodoc-process-docstring", read_sections)
    app.connect("missing-reference", find_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
