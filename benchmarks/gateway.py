"""Requests per second and added latency of the gateway, beside a direct call, a bare pass-through and other gateways.

`python benchmarks/gateway.py [--quick]`. The upstream answers at once (`peers/gateways/upstream.py`); everything is on
loopback, one worker each, and the rounds are interleaved. heatbath runs as its users run it, with a task's policy that
changes the temperature, a route that renames the model, metrics and the log of requests; decisions go to no store yet.
The load comes
from `wrk` where it is installed (a package of every distribution), else from a small one of its own.

On a machine that others use, too, requests per second say little: the CPU time of the gateway's process for each
request is printed beside them, and the claims compare that. LiteLLM's proxy takes part where HEATBATH_LITELLM names its
program, TensorZero where its package is installed."""

import argparse
import asyncio
import importlib.util
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PEERS = Path(__file__).parent / "peers" / "gateways"
ANY = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")

HEATBATH = """
[upstreams.mock]
url = "UPSTREAM/v1"
provider = "openai"
max_connections = 1000
[routes."poet-*"]
upstream = "mock"
model = "gpt-4.1"
[[tasks]]
name = "poem"
models = ["poet-*"]
policy = "fixed(1.2)"
"""
LITELLM = """
model_list:
  - model_name: poet-1
    litellm_params: {model: openai/gpt-4.1, api_base: UPSTREAM/v1, api_key: none, temperature: 1.2}
"""
TENSORZERO = """
[gateway]
observability.enabled = false
[models.poet]
routing = ["mock"]
[models.poet.providers.mock]
type = "openai"
model_name = "gpt-4.1"
api_base = "UPSTREAM/v1"
api_key_location = "none"
"""


class Peer(NamedTuple):
    name: str
    url: str
    pid: int
    model: str = "poet-1"


class Figure(NamedTuple):
    rate: float
    p50: float
    """Milliseconds."""
    p99: float
    cpu: float
    """Microseconds of the process, its children included, for each request."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ANY, 0))
        return int(probe.getsockname()[1])


@contextmanager
def program(*words: str, **options) -> Iterator[subprocess.Popen]:
    started = subprocess.Popen(words, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options})
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


def body(model: str, stream: bool) -> bytes:
    messages = [{"role": "user", "content": "write a poem about spring"}]
    return json.dumps({"model": model, "messages": messages, "temperature": 0.7, "stream": stream}).encode()


def wait_for(peer: Peer, seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    while time.monotonic() < end:
        request = urllib.request.Request(f"{peer.url}/chat/completions", body(peer.model, False), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return b"Spring" in answer.read()
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    return False


def processor_seconds(pid: int) -> float:
    """Of a process and its children, as far as they live."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            waiting += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def load(peer: Peer, stream: bool, connections: int, seconds: float, folder: Path) -> Figure:
    """So many connections for so long, each asking again when it has its answer."""
    before = processor_seconds(peer.pid)
    if shutil.which("wrk"):
        count, rate, p50, p99 = by_wrk(peer, stream, connections, seconds, folder)
    else:
        count, rate, p50, p99 = asyncio.run(by_sockets(peer, stream, connections, seconds))
    return Figure(rate, p50, p99, (processor_seconds(peer.pid) - before) / max(count, 1) * 1e6)


def by_wrk(peer: Peer, stream: bool, connections: int, seconds: float, folder: Path):
    script = folder / f"{peer.name}-{stream}.lua"
    script.write_text(
        f"wrk.method = 'POST'\nwrk.body = '{body(peer.model, stream).decode()}'\n"
        "wrk.headers['Content-Type'] = 'application/json'\nwrk.headers['Authorization'] = 'Bearer none'\n"
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s", "-s", str(script)]
    said = subprocess.run([*command, f"{peer.url}/chat/completions"], capture_output=True, text=True, check=True).stdout
    if failed := re.search(r"Non-2xx or 3xx responses: (\d+)", said):
        print(f"  ({peer.name}: {failed[1]} answers were errors)")
    units = {"us": 1e-3, "ms": 1, "s": 1e3}
    found = {p: float(v) * units[u] for p, v, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", said)}
    count = int(re.search(r"(\d+) requests in", said)[1])
    return count, float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), found.get("50", 0), found.get("99", 0)


async def by_sockets(peer: Peer, stream: bool, connections: int, seconds: float):
    host, port = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)?", peer.url)[1], int(re.search(r":(\d+)", peer.url[5:])[1])
    path = peer.url.split(str(port), 1)[1]
    sent = body(peer.model, stream)
    head = f"POST {path}/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    request = f"{head}Authorization: Bearer none\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one():
        reader, writer = await asyncio.open_connection(host, port)
        while (begun := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if length := re.search(rb"content-length: (\d+)", answer, re.IGNORECASE):
                await reader.readexactly(int(length[1]))
            else:
                await reader.readuntil(b"\r\n0\r\n\r\n")
            took.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    took.sort()
    count = len(took)
    return count, count / seconds, took[count // 2] * 1e3, took[count * 99 // 100] * 1e3


@contextmanager
def peers(folder: Path) -> Iterator[list[Peer]]:
    """Everybody who takes part."""
    from contextlib import ExitStack

    source = str(Path(__file__).resolve().parents[1] / "src")
    paths = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"  # on loopback, for a moment
    with ExitStack() as stack:

        def start(*words, **options):
            return stack.enter_context(program(*map(str, words), env=environment, **options))

        def configured(name, text):
            (folder / name).write_text(text.replace("UPSTREAM", upstream))
            return folder / name

        port = free_port()
        upstream = f"http://{ANY}:{port}"
        found = [Peer("direct", f"{upstream}/v1", start(sys.executable, PEERS / "upstream.py", port).pid)]
        port = free_port()
        bare = start(sys.executable, PEERS / "bare.py", port, upstream)
        found.append(Peer("bare", f"http://{ANY}:{port}/v1", bare.pid))
        port = free_port()
        log = stack.enter_context((folder / "log").open("wb"))
        config = configured("heatbath.toml", HEATBATH)
        ours = start(sys.executable, "-m", "heatbath", "serve", "--config", config, "--port", port, stderr=log)
        found.append(Peer("heatbath", f"http://{ANY}:{port}/v1", ours.pid))
        if litellm := os.environ.get("HEATBATH_LITELLM") or shutil.which("litellm"):
            port = free_port()
            config = configured("litellm.yaml", LITELLM)
            other = start(litellm, "--config", config, "--port", port, "--host", ANY, cwd=folder)
            found.append(Peer("litellm", f"http://{ANY}:{port}/v1", other.pid))
        else:
            print("left out: litellm (HEATBATH_LITELLM names its program)")
        if importlib.util.find_spec("tensorzero"):
            config = configured("tensorzero.toml", TENSORZERO)
            other = start(sys.executable, PEERS / "tensorzero_.py", config, stdout=subprocess.PIPE)
            lines = (line.decode().strip() for line in other.stdout)
            url = next((line for line in lines if line.startswith("http")), "")
            found.append(Peer("tensorzero", url or "http://127.0.0.1:1", other.pid, "tensorzero::model_name::poet"))
        else:
            print("left out: tensorzero (its package is not installed)")
        ready = [peer for peer in found if wait_for(peer)]
        for peer in found:
            if peer not in ready:
                print(f"left out: {peer.name} (it gives no answer)")
        yield ready


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round")
    quick = parser.parse_args().quick
    rounds, seconds, sizes = (1, 1, (16, 64)) if quick else (3, 4, (1, 16, 64))
    figures: dict[tuple[str, bool, int], list[Figure]] = {}
    with tempfile.TemporaryDirectory() as name, peers(Path(name)) as everybody:
        for _ in range(rounds):
            for stream in (False, True):
                for connections in sizes:
                    for peer in everybody:
                        got = load(peer, stream, connections, seconds, Path(name))
                        figures.setdefault((peer.name, stream, connections), []).append(got)
    middle = {
        key: Figure(*(statistics.median(column) for column in zip(*all_of, strict=True)))
        for key, all_of in figures.items()
    }
    names = [peer.name for peer in everybody]
    print(f"\n{'':12}{'kind':8}{'at once':>8}{'req/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}")
    for (name, stream, connections), figure in sorted(
        middle.items(), key=lambda item: (item[0][1:], names.index(item[0][0]))
    ):
        kind = "stream" if stream else "plain"
        print(f"{name:12}{kind:8}{connections:8}{figure.rate:10.0f}{figure.p50:9.2f}{figure.p99:9.2f}{figure.cpu:9.0f}")
    return claims(middle, names)


def claims(middle: dict[tuple[str, bool, int], Figure], names: list[str]) -> int:
    """How many processor seconds the others need for one of ours."""
    failed = 0
    targets = {"bare": (0.7, 0.7), "litellm": (40, 40), "tensorzero": (1, 5)}
    for name, both in targets.items():
        for stream, target in zip((False, True), both, strict=True):
            for connections in (16, 64):
                if name in names and not middle[name, stream, connections].rate:
                    print(f"left out: {name}, {connections} streams at once (none ended in time)")
                elif name in names:
                    theirs, ours = (middle[each, stream, connections].cpu for each in (name, "heatbath"))
                    ratio = theirs / ours if ours else 0.0
                    failed += ratio < target
                    kind = "stream" if stream else "plain"
                    verdict = "PASS" if ratio >= target else "FAIL"
                    print(f"claim gateway.{kind}-{connections}-of-{name} {ratio:.2f} >={target:g} {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
