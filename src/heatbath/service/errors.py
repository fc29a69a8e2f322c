"""One shape for every error that leaves the service: OpenAI's ``{"error": {message, type, param, code}}``."""

import logging
import secrets
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heatbath.errors import InputError, ModelError
from heatbath.service.engine import BusyError, ContextError, StoppingError

log = logging.getLogger("heatbath.service")

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "server_error",
    504: "server_error",
}
"""The error type that goes with each status."""

GATEWAY_CODES = {
    "invalid_api_key": "The request carries no key of the gateway, or a wrong one.",
    "insufficient_scope": "The key may not do this, or only from the gateway's own machine.",
    "duplicate_field": "A field that the gateway reads is there twice, and readers differ on which one counts.",
    "task_not_found": "The configuration has no such task.",
    "temperature_out_of_range": "The route's provider does not take this temperature; the message names its range.",
    "policy_out_of_range": "The configuration's policy chose a temperature that the route's provider does not take.",
    "invalid_configuration": "The configuration was not reloaded; the message says where it is wrong.",
    "upstream_unreachable": "The upstream accepted no connection, or closed it without an answer.",
    "upstream_timeout": "The upstream was silent for longer than its timeout.",
    "upstream_unavailable": "The upstream failed again and again and is left alone; Retry-After says for how long.",
    "upstream_busy": "All connections to the upstream are in use; Retry-After says when to try again.",
    "upstream_invalid": "The upstream's answer is not what its interface promises.",
    "upstream_refused_key": "The upstream refused the gateway's own key.",
    "upstream_broke_off": "The upstream's answer ended in the middle; in a stream this is the last event.",
}
"""The codes that only the gateway has."""

CODES = {
    "invalid_json": "The body is not JSON; the message says where it stops being so.",
    "invalid_type": "A field holds another kind of value than it should.",
    "invalid_value": "A field's value is out of range, or two fields contradict each other.",
    "missing_field": "A required field is not there.",
    "unknown_field": "There is no such field; the message names the nearest one.",
    "unsupported_field": "The field exists in OpenAI's interface and asks for something that this service does not do.",
    "context_length_exceeded": "The prompt leaves no room for an answer in the model's context.",
    "body_too_large": "The body is longer than the service reads.",
    "body_timeout": "The body did not arrive in time.",
    "model_not_found": "The service does not serve this model.",
    "not_found": "There is nothing at this path.",
    "method_not_allowed": "The path does not answer to this method.",
    "host_not_allowed": "The request was sent to a name that is not this service's (see --allow-host).",
    "origin_not_allowed": "A web page of another origin sent the request.",
    "rate_limit_exceeded": "Too many requests are waiting; Retry-After says when to try again.",
    "model_error": "The model failed; the log says why, under the id in the message.",
    "internal_error": "Something unexpected; the log says what, under the id in the message.",
    "shutting_down": "The service is stopping.",
    **GATEWAY_CODES,
}
"""Every error code, and what it means."""


class ApiError(Exception):
    """An answer that is an error.

    Arguments:
        message: doing what, on what, why not, and what to write instead.
        code: one of :data:`CODES`.
        param: the request field at fault.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 400,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.param = param
        self.headers = headers

    def body(self) -> dict[str, dict[str, str | None]]:
        """The error's JSON."""
        return {
            "error": {"message": self.message, "type": TYPES[self.status], "param": self.param, "code": self.code},
        }

    def response(self) -> Response:
        """The error as a whole response."""
        return JSONResponse(self.body(), self.status, dict(self.headers or {}))


def as_api_error(error: BaseException) -> ApiError:
    """Whatever went wrong, in the one shape. What nobody foresaw is logged under an id and told without its details."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ContextError):
        return ApiError(str(error), code="context_length_exceeded", param=error.field)
    if isinstance(error, InputError):
        return ApiError(str(error), code="invalid_value", param=error.field)
    if isinstance(error, BusyError):
        return ApiError(str(error), code="rate_limit_exceeded", status=429, headers={"Retry-After": "1"})
    if isinstance(error, StoppingError):
        return ApiError(str(error), code="shutting_down", status=503, headers={"Retry-After": "5"})
    if isinstance(error, ModelError):
        return unforeseen(error, code="model_error", what="the model failed")
    return unforeseen(error)


def unforeseen(error: BaseException, *, code: str = "internal_error", what: str = "answering failed") -> ApiError:
    """Log the error with its traceback under a fresh id; the client learns the id."""
    label = secrets.token_hex(6)
    log.error("%s, error %s", what, label, exc_info=error)
    return ApiError(f"{what}; the service's log has the details under error {label}", code=code, status=500)


async def answer_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for the errors of a route."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return ApiError(
            f"{request.method} {request.url.path}: this path answers to {allowed} only",
            code="method_not_allowed",
            status=405,
            headers=error.headers,
        ).response()
    if isinstance(error, HTTPException) and error.status_code == 404:
        return ApiError(
            f"{request.method} {request.url.path}: there is nothing at this path; see /v1/models, /v1/completions, "
            "/v1/chat/completions and /healthz",
            code="not_found",
            status=404,
        ).response()
    return as_api_error(error).response()


class CatchAll:
    """The outermost layer: no traceback ever reaches a client, whatever went wrong below."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except ClientDisconnect:
            pass  # nobody is left to answer
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise  # too late for an answer of ours: the server closes the connection
            await unforeseen(error).response()(scope, receive, send)
