import importlib.util
import threading
from pathlib import Path

import pytest
import uvicorn

from heatbath.embedded import load
from heatbath.service.app import create_app
from heatbath.service.run import address, listen

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def generated():
    """The part of the site's configuration that makes text from the program."""
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs" / "_ext" / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def service():
    """The address of a running service with the embedded model."""
    listening = listen(port=0)
    server = uvicorn.Server(uvicorn.Config(create_app(load()), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield address(listening)
    server.should_exit = True
    thread.join()
