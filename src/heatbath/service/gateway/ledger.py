"""What becomes known of a request while it is answered, told to the recorder, the metrics, the log and the trace."""

import asyncio
import time
from typing import NamedTuple

from opentelemetry.trace import Span
from starlette.types import Scope

from heatbath.experiments.records import Answer, Decision, Recorder, new_id
from heatbath.service.gateway.headers import Raw, number
from heatbath.service.gateway.journal import Journal, Line
from heatbath.service.gateway.live import Live
from heatbath.service.gateway.metrics import Metrics
from heatbath.service.gateway.plan import Plan
from heatbath.service.gateway.record import NullRecorder
from heatbath.service.gateway.tee import Told
from heatbath.service.gateway.tracing import end


class Listeners(NamedTuple):
    """Whoever wants to know."""

    recorder: Recorder
    metrics: Metrics
    journal: Journal


class Ledger:
    """One request's page."""

    def __init__(self, listeners: Listeners, live: Live, scope: Scope) -> None:
        self._recorder, self._metrics, self._journal = listeners
        self._live, self._scope = live, scope
        self._recording: asyncio.Future[None] | None = None
        self.at, self.started = time.time(), time.perf_counter()
        self.id: str | None = None
        self.key: str | None = None
        self.task: str | None = None
        self.requested: float | None = None
        self.plan: Plan | None = None
        self.status = 0
        self.attempts = 1
        self.first: float | None = None
        self.told = Told()
        self.text: str | None = None
        self.error: str | None = None
        self.span: Span | None = None
        self._metrics.running += 1

    def decided(self, plan: Plan, body: bytes) -> None:
        """Name a decision and hand it to the recorder, which writes while the upstream works."""
        if self.plan is None:
            self._metrics.decide.add(time.perf_counter() - self.started)
        self.plan = plan
        self.id = new_id(self.at)
        if isinstance(self._recorder, NullRecorder):
            return
        effect, decided = plan.effect, plan.decided
        self._recording = asyncio.ensure_future(
            self._recorder.decided(
                Decision(
                    self.id,
                    self.at,
                    plan.route.name,
                    self.task,
                    decided.policy,
                    effect.requested,
                    effect.sent,
                    effect.effective,
                    effect.state,
                    self._live.config.digest,
                    decided.unit,
                    decided.experiment,
                    decided.arm,
                    decided.propensity,
                    decided.context,
                    body.decode() if self.keeps_texts else None,
                )
            )
        )

    @property
    def keeps_texts(self) -> bool:
        """Whether prompts and answers are stored."""
        return self._live.config.store.prompts

    async def recorded(self) -> None:
        """Wait until the decision is durable: before that the client does not learn its id."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        try:
            await recording
        except Exception:  # noqa: BLE001  an answer without an id is better than none
            self._metrics.unrecorded += 1
            self.id = None

    def rejected(self) -> None:
        """The upstream refused the temperature: this decision came to nothing, and another follows."""
        if self.plan is not None:
            count = self._metrics.rejections
            count[self.plan.route.name] = count.get(self.plan.route.name, 0) + 1
        self._answered(400, "temperature_rejected")

    def began(self) -> None:
        """The first byte of the answer is there."""
        if self.first is None:
            self.first = time.perf_counter() - self.started

    def headers(self) -> list[Raw]:
        """The headers of the answer, errors included."""
        said = [] if self.requested is None else [(b"heatbath-requested", number(self.requested))]
        if self.plan is not None:
            said += self.plan.headers()
        if self.task is not None:
            said.append((b"heatbath-task", self.task.encode()))
        if self.id is not None:
            said.append((b"heatbath-inference-id", self.id.encode()))
        return said

    def close(self) -> None:
        """The request is over: tell everybody."""
        metrics, plan = self._metrics, self.plan
        seconds = time.perf_counter() - self.started
        route = plan.route.name if plan else ""
        metrics.running -= 1
        metrics.finished(route, self.task or "", self.status, seconds, self.first)
        self._answered(self.status, self.error)
        effect = plan.effect if plan else None
        line = Line(
            self.at,
            self.status,
            round(seconds, 6),
            self._scope["path"],
            self.id,
            self.key,
            route or None,
            plan.upstream.name if plan else None,
            self.task,
            plan.decided.policy if plan else None,
            self.requested,
            effect.sent if effect else None,
            effect.effective if effect else None,
            effect.state if effect else None,
            None if self.first is None else round(self.first, 6),
            self.attempts,
            *self.told,
            self.error,
        )
        self._journal.write(line)
        if self.span is not None:
            end(self.span, line)

    def _answered(self, status: int, error: str | None) -> None:
        if self.id is None or isinstance(self._recorder, NullRecorder):
            return
        self._recorder.answered(
            Answer(
                self.id,
                time.time(),
                status,
                time.perf_counter() - self.started,
                self.first,
                *self.told,
                error,
                self.attempts,
                self.text,
            )
        )
