"""The process: its port, its start and its end."""

import json
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from heatbath.embedded.toy import ToyModel
from heatbath.errors import InputError
from heatbath.service.run import address, listen, serve

PROGRAM = """
import sys
from heatbath.service import run
from heatbath.embedded.toy import ToyModel
run.PATIENCE = 0.2
run.serve(ToyModel(stop=0, context=10**9), port=int(sys.argv[1]), announce=lambda url: print(url, flush=True))
"""


def test_a_port_in_use_is_one_clear_error():
    with listen(port=0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as raised:
            serve(ToyModel(), port=port)
    assert raised.value.field == "port"
    said = str(raised.value)
    assert said.startswith(f"starting the service on 127.0.0.1:{port}: ")
    assert "in use" in said
    assert f"--port {port + 1}" in said
    assert "\n" not in said


@pytest.mark.parametrize("host", ["no.such.host.invalid", "1.2.3.4.5", "a" * 300, "256.0.0.1"])
def test_a_host_that_is_no_address_of_this_machine(host):
    with pytest.raises(InputError, match="starting the service on"):
        listen(host, 0)


def test_an_address_of_another_machine():
    with pytest.raises(InputError, match=r"starting the service on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_a_port_that_is_none(port):
    with pytest.raises(InputError, match="starting the service on"):
        listen(port=port)


def test_the_address_that_is_told():
    with listen(port=0) as listening:
        assert address(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    with listen("0.0.0.0", 0) as listening:
        assert address(listening) == f"http://localhost:{listening.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_the_address_in_ipv6():
    try:
        listening = listen("::1", 0)
    except InputError:
        pytest.skip("this machine has no IPv6")
    with listening:
        assert address(listening) == f"http://[::1]:{listening.getsockname()[1]}"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_order_while_an_answer_streams(end):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().strip()
        body = {"prompt": "", "stream": True, "max_tokens": 10**8}
        with httpx.stream("POST", f"{url}/v1/completions", json=body, timeout=60) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: {")
            process.send_signal(end)
            last = [line for line in lines if line][-1]
        access, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "shutting_down"
    assert "Traceback" not in log, log
    assert '"POST /v1/completions HTTP/1.1" 200' in access
    assert process.returncode in (0, -end)
