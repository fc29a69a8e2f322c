"""The page and its files: served from memory, with nothing allowed that the page does not need."""

import hashlib
import json
import math
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heatbath.service.errors import ApiError
from heatbath.spec import OPTIONS

STATIC = Path(__file__).parent / "static"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
SECURITY = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

mimetypes.add_type("text/javascript", ".js")  # some systems' tables say otherwise, and browsers then refuse modules


def read_files(folder: Path = STATIC) -> dict[str, bytes]:
    """Every file of the page by its path below ``folder``."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def options_module() -> bytes:
    """The table of options as a JavaScript module, so that the page accepts exactly what the service accepts."""
    rows = {
        name: {
            "whole": option.kind is int,
            "low": None if math.isinf(option.low) else option.low,
            "high": None if math.isinf(option.high) else option.high,
            "aboveLow": option.above_low,
        }
        for name, option in OPTIONS.items()
        if option.kind is not str
    }
    return f"// Made from heatbath.spec.OPTIONS.\nexport const OPTIONS = {json.dumps(rows)};\n".encode()


def version_of(files: Mapping[str, bytes]) -> str:
    """A name for exactly these files; it stands in their addresses, so that they may be kept forever."""
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def page_routes() -> list[BaseRoute]:
    """``/``, ``/favicon.ico`` and the files under ``/studio/static/<version>/``."""
    files = {**read_files(), "options.js": options_module()}
    version = version_of(files)
    modules = "".join(
        f'<link rel="modulepreload" href="{{{{static}}}}/{name}">\n' for name in files if name.endswith(".js")
    )
    page = files["index.html"].decode().replace("{{modules}}", modules)
    page = page.replace("{{static}}", f"studio/static/{version}")

    async def index(_: Request) -> Response:
        return _answer(page.encode(), "index.html", ASK_AGAIN)

    async def favicon(_: Request) -> Response:
        return _answer(files["icon.svg"], "icon.svg", ASK_AGAIN)

    async def static(request: Request) -> Response:
        name = request.path_params["path"]
        if name not in files or name == "index.html":
            raise ApiError(f"GET {request.url.path}: there is no such file", code="not_found", status=404)
        current = request.path_params["version"] == version
        return _answer(files[name], name, FOREVER if current else ASK_AGAIN)

    return [
        Route("/", index),
        Route("/favicon.ico", favicon),
        Route("/studio/static/{version}/{path:path}", static),
    ]


def _answer(content: bytes, name: str, caching: str) -> Response:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(content, media_type=kind, headers={**SECURITY, "Cache-Control": caching})
