"""The compiled kernel: a chain in one pass over each row, drawing exactly what the reference draws.

It is imported at the first draw that it can serve, never before. Numba keeps what it compiled beside the source, and
compiles a file again when that file changes, but not when one does whose functions were built into it; so whatever is
older than the newest source here is forgotten first.
"""

from contextlib import suppress
from pathlib import Path

_here = Path(__file__).parent
_built_in = ("mass.py", "adaptive.py", "random.py")
_newest = max(source.stat().st_mtime for source in (*_here.glob("*.py"), *(_here.parent / name for name in _built_in)))
for _kept in (_here / "__pycache__").glob("*.nbi"):
    with suppress(OSError):  # a place that cannot be written, or another process was first
        if _kept.stat().st_mtime < _newest:
            _kept.unlink()
