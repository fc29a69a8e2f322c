"""``heatbath serve`` as a process: it comes up, says where, answers, and goes when asked to."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from heatbath.cli.table import FLAGS

pytest.importorskip("starlette", reason="the extra heatbath[serve] is not installed")
pytest.importorskip("uvicorn", reason="the extra heatbath[serve] is not installed")


JSON = {"Content-Type": "application/json"}


def test_the_service_comes_up_says_where_answers_and_goes(heatbath):
    words = [sys.executable, "-m", "heatbath", "serve", "--model", "toy", "--port", "0", "--allow-host", "proxy.test"]
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = "".join(started.stdout.readline() for _ in range(4))
        url = re.search(r"studio\s+(http://127\.0\.0\.1:\d+)", said)[1]
        assert f"{url}/v1\n" in said
        body = re.search(r"-d '(.*)'", said)[1].encode()
        request = urllib.request.Request(f"{url}/v1/completions", body, JSON)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["model"] == "toy"
        wanted = {"model": "toy", "prompt": " rain", "temperature": 1.3, "top_p": 0.9, "seed": 7, "max_tokens": 40}
        request = urllib.request.Request(f"{url}/v1/completions", json.dumps(wanted).encode(), JSON)
        with urllib.request.urlopen(request, timeout=30) as answer:
            served = json.load(answer)["choices"][0]["text"]
        request = urllib.request.Request(f"{url}/healthz", headers={"Host": "proxy.test"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=30)
    finally:
        started.kill()
        started.communicate()
    assert started.returncode == 0
    assert "Traceback" not in err
    words = ["-T", "1.3", "--top-p", "0.9", "--seed", "7", "--max-tokens", "40", "--json"]
    sampled = json.loads(heatbath("sample", " rain", "--model", "toy", *words).out)
    assert sampled["texts"][0]["text"] == served  # one seed, one text, whichever way it is asked for


def test_a_port_in_use_is_one_line(heatbath):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = heatbath("serve", "--model", "toy", "--port", str(port))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("heatbath serve: ")
    assert str(port) in ran.err
    assert f"; choose another port: --port {port + 1}, or" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_an_address_of_another_machine_is_told_which_to_give(heatbath):
    ran = heatbath("serve", "--model", "toy", "--host", "192.0.2.1")  # set aside for examples: no machine has it
    assert (ran.code, ran.out) == (2, "")
    assert "192.0.2.1" in ran.err
    assert "; give an address of this machine: --host 127.0.0.1, or --host 0.0.0.0" in ran.err
    assert "another port" not in ran.err


@pytest.mark.parametrize("port", ["99999", "-1", "http", "1.5"])
def test_what_is_no_port_is_refused(heatbath, port):
    ran = heatbath("serve", "--model", "toy", "--port", port)
    assert ran.code == 2
    assert ran.err.startswith("heatbath serve: setting --port ")
    assert len(ran.err.splitlines()) == 1


def test_an_address_that_is_none_is_refused(heatbath):
    ran = heatbath("serve", "--model", "toy", "--host", "no such host")
    assert ran.code == 2
    assert "no such host" in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(("library", "verb"), [("uvicorn", "serve"), ("starlette", "serve"), ("onnxruntime", "sample")])
def test_a_missing_extra_says_what_to_install(library, verb):
    """In a process that cannot import the library."""
    words = {"serve": ["serve", "--port", "0"], "sample": ["sample", "a"]}[verb]
    code = f"import sys; sys.modules[{library!r}] = None; from heatbath.cli import run; sys.exit(run({words}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert library in done.stderr
    assert "pip install 'heatbath[serve]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_defaults_are_those_of_the_service(heatbath):
    from heatbath.service.run import HOST, PORT

    assert FLAGS["port"].default == PORT
    assert HOST in heatbath("serve", "--help", width=120).out
