"""Where in the text of a configuration something stands, for the errors that name it."""

import re
from pathlib import Path
from typing import NamedTuple

from heatbath.errors import InputError


class Lines(NamedTuple):
    """The text of a configuration, to find the line of an error."""

    path: Path
    text: str

    def line(self, table: str, field: str | None) -> int | None:
        """Where a field stands in a table, or the table itself; a ``tasks`` table is named ``tasks 2``."""
        name, _, number = table.partition(" ")
        pattern = re.escape(name).replace('"', "[\"']?")
        if "." in name and '"' not in name:
            room, _, rest = name.partition(".")
            pattern = rf"{re.escape(room)}\.[\"']?{re.escape(rest)}[\"']?"
        heads = [*re.finditer(rf"^[ \t]*\[\[?\s*{pattern}\s*\]\]?", self.text, re.MULTILINE)]
        nth = int(number or 1) - 1
        if nth >= len(heads):
            return None
        start = heads[nth].end()
        following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(self.text, start)
        body = self.text[start : following.start() if following else None]
        found = re.search(rf"^[ \t]*[\"']?{re.escape(field)}[\"']?\s*=", body, re.MULTILINE) if field else None
        at = start + found.start() if found else heads[nth].start()
        return self.text.count("\n", 0, at) + 1

    def wrong(self, why: str, *, table: str, field: str | None = None, instead: str = "") -> InputError:
        """An error in a table of this file."""
        number = self.line(table, field)
        shown = "[[tasks]]" if table.startswith("tasks ") else f"[{table}]"
        where = f"{self.path}{f', line {number}' if number else ''}, {shown}{f' {field}' if field else ''}"
        return InputError(why, doing="reading the configuration", on=where, instead=instead, field=field)
