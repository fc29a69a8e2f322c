"""What operators see and do: metrics, traces, logs, reloads, the programs of the command line."""

import json
import subprocess
import sys

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from heatbath.service.gateway import tracing
from tests.service.gateway.conftest import PLAIN, run_gateway
from tests.service.gateway.test_forward import CHAT, TASKS, ask


def samples(running):
    text = httpx.get(running.url + "/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "bucket" not in sample.name
    }


def test_metrics_count_what_happened(configured, mock):
    with run_gateway(configured(TASKS)) as running:
        ask(running, model="poet-1")
        ask(running, model="poet-2", stream=True)
        ask(running, model="none-of-these")
        ask(running, model="gpt-4.1", temperature=9)
        seen = samples(running)
        assert seen["heatbath_requests_total", "200", "poem", "poet-*"] == 2
        assert seen["heatbath_requests_total", "", "", "404"] == 1
        assert seen["heatbath_requests_total", "", "", "400"] == 1
        assert seen["heatbath_request_seconds_count", "poet-*"] == 2
        assert seen["heatbath_first_seconds_count", "poet-*"] == 1
        assert seen["heatbath_decide_seconds_count",] == 2
        assert seen["heatbath_upstream_attempts_total", "200", "mock"] == 2
        assert seen["heatbath_running",] == 0


def test_rejections_are_counted(gateway):
    ask(gateway, model="openai", temperature=0.7)
    ask(gateway, model="openai", temperature=0.7)
    assert samples(gateway)["heatbath_temperature_rejections_total", "*"] == 1


def test_the_log_has_numbers_and_names_and_no_texts(configured, mock):
    with run_gateway(configured(TASKS)) as running:
        ask(running, model="poet-1", temperature=0.3, user="anna", heatbath={"conversation": "c-7"})
        [line] = running.lines()
    assert line.keys() == {
        "at",
        "status",
        "seconds",
        "path",
        "id",
        "route",
        "upstream",
        "task",
        "policy",
        "requested",
        "sent",
        "effective",
        "state",
        "prompt_tokens",
        "completion_tokens",
        "finish",
    }
    assert (line["requested"], line["sent"], line["task"]) == (0.3, 1.2, "poem")
    assert not {"春", "Spring", "anna", "c-7"} & set(json.dumps(line, ensure_ascii=False).split('"'))


@pytest.fixture
def spans(monkeypatch):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


def test_a_span_tells_the_temperatures_and_the_upstream_is_its_child(gateway, mock, spans):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ask(gateway, temperature=0.7, headers={"traceparent": parent})
    [span] = spans.get_finished_spans()
    assert span.attributes["gen_ai.request.temperature"] == 0.7
    assert span.attributes["heatbath.state"] == "adjustable"
    assert span.attributes["http.response.status_code"] == 200
    assert format(span.context.trace_id, "032x") == parent[3:35]
    assert format(span.parent.span_id, "016x") == parent[36:52]
    [sent] = mock.seen[-1].header("traceparent")
    assert sent == f"00-{parent[3:35]}-{span.context.span_id:016x}-01"
    assert "春" not in str(span.attributes)


def test_a_failed_request_is_a_failed_span(gateway, spans):
    ask(gateway, model="html")
    [span] = spans.get_finished_spans()
    assert not span.status.is_ok
    assert span.attributes["error.type"] == "upstream_invalid"


def test_without_a_collector_there_are_no_spans():
    assert tracing.tracer() is None


def test_a_reload_changes_everything_or_nothing(configured, mock):
    path = configured(PLAIN)
    with run_gateway(path) as running:
        upstream = running.gateway.live.upstreams["mock"]
        path = configured(PLAIN + 'policy = "fixed(0.4)"')
        answer = httpx.post(running.url + "/admin/reload")
        assert answer.json() == {"config": running.gateway.live.config.digest}
        assert ask(running).headers["heatbath-sent"] == "0.4"
        assert running.gateway.live.upstreams["mock"] is upstream, "its connections and its breaker stay"
        configured(PLAIN + 'policy = "fixed(-4)"')
        answer = httpx.post(running.url + "/admin/reload")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_configuration")
        assert f'{path}, line 8, [routes."*"] policy' in answer.json()["error"]["message"]
        assert ask(running).headers["heatbath-sent"] == "0.4"
        assert [line["event"] for line in running.lines() if "event" in line] == ["reloaded", "reload refused"]


def test_requests_end_under_the_configuration_they_began_with(configured, mock):
    with run_gateway(configured(PLAIN)) as running:
        before = running.gateway.live.upstreams["mock"]
        with httpx.stream("POST", running.url + CHAT, json={"model": "gated", "stream": True}, timeout=30) as stream:
            chunks = stream.iter_raw()
            next(chunks)
            configured(PLAIN.replace("timeout = 20", "timeout = 21"))
            assert httpx.post(running.url + "/admin/reload").status_code == 200
            assert running.gateway.live.upstreams["mock"] is not before
            assert ask(running).status_code == 200
            mock.gate.set()
            assert b"[DONE]" in b"".join(chunks)
        assert before.users == 0


def test_what_was_learned_is_forgotten_by_a_reload(gateway, mock):
    ask(gateway, model="kimi", temperature=0.7)
    httpx.post(gateway.url + "/admin/reload")
    ask(gateway, model="kimi", temperature=0.7)
    assert len(mock.seen) == 4


def test_readiness(gateway):
    assert httpx.get(gateway.url + "/healthz").json() == {"status": "ok", "running": 0}
    assert httpx.get(gateway.url + "/readyz").json() == {"status": "ready", "upstreams": {"mock": "closed"}}
    gateway.gateway.draining = True
    assert httpx.get(gateway.url + "/readyz").status_code == 503


def heatbath(*words):
    return subprocess.run([sys.executable, "-m", "heatbath", *words], capture_output=True, text=True, check=False)


def test_the_program_says_what_is_wrong(configured, tmp_path):
    ended = heatbath("serve", "--config", str(configured("[upstreams.a]\nurl = 3")))
    assert ended.returncode == 2
    assert "line 2, [upstreams.a] url: Expected" in ended.stderr
    ended = heatbath("serve", "--config", str(configured(PLAIN)), "--model", "toy")
    assert (ended.returncode, "leave --model out" in ended.stderr) == (2, True)
    key = tmp_path / "key"
    key.write_text("sk-very-secret")
    text = PLAIN.replace("timeout", f'key = "file:{key}"\ntimeout')
    ended = heatbath("serve", "--config", str(configured(text)), "--host", "0.0.0.0", "--port", "0")
    assert ended.returncode == 2
    assert "could spend the keys of mock" in ended.stderr
    assert "sk-" not in ended.stderr


def test_the_program_makes_keys_that_fit(configured, mock):
    made = heatbath("key", "anna_2", "--scope", "call", "--rate", "60")
    assert made.returncode == 0
    key, table = made.stdout.split("\n", 1)
    with run_gateway(configured(PLAIN + table)) as running:
        assert ask(running).status_code == 401
        assert ask(running, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert heatbath("key", "a b").returncode == 2
    assert heatbath("key", "a", "--scope", "all").returncode == 2
