"""OpenTelemetry: a span for each request, where the program that runs the gateway has set up tracing. Only the API is
used.
"""

from opentelemetry import propagate, trace
from opentelemetry.trace import ProxyTracerProvider, Span, SpanKind, Status, StatusCode, Tracer

from heatbath.service.gateway.journal import Line

NAMES = {
    "status": "http.response.status_code",
    "path": "http.route",
    "sent": "gen_ai.request.temperature",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "error": "error.type",
}
"""Attributes that have a name in OpenTelemetry's conventions; the others are called as in the log, behind
``heatbath.``."""


def tracer() -> Tracer | None:
    """The tracer; None where nobody collects spans."""
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider) else provider.get_tracer("heatbath.gateway")


def begin(tracing: Tracer, path: str, headers: list[tuple[str, str]]) -> tuple[Span, list[tuple[str, str]]]:
    """Open a span below the client's, and give the headers that make the upstream's a child of it."""
    span = tracing.start_span(f"POST {path}", context=propagate.extract(dict(headers)), kind=SpanKind.SERVER)
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context=trace.set_span_in_context(span))
    return span, [pair for pair in headers if pair[0] not in carrier] + [*carrier.items()]


def end(span: Span, line: Line) -> None:
    """Close it with what the log says of the request: numbers and names, never a prompt."""
    for name in line.__struct_fields__:
        value = getattr(line, name)
        if value is not None:
            span.set_attribute(NAMES.get(name, f"heatbath.{name}"), value)
    if line.error is not None:
        span.set_status(Status(StatusCode.ERROR, line.error))
    span.end()
