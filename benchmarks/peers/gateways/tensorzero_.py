"""TensorZero's gateway, as its client package carries it, observability off.

`python tensorzero_.py CONFIG` prints the address that it has chosen.
"""

import sys
import threading

import tensorzero
from openai import OpenAI

client = OpenAI(api_key="none", base_url="http://127.0.0.1:1")
tensorzero.patch_openai_client(client, config_file=sys.argv[1], async_setup=False)
print(str(client.base_url).rstrip("/"), flush=True)
threading.Event().wait()
