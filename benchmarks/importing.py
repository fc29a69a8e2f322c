"""What does `import heatbath` cost over importing NumPy, and which frameworks come with it?

Fresh interpreters import NumPy and then heatbath; processor time of each import, medians. Bytecode is written by a
first interpreter that is not counted, as an installation leaves it.

    python benchmarks/importing.py [--quick]
"""

import argparse
import os
import subprocess
import sys
from statistics import median

FRAMEWORKS = [
    "torch",
    "jax",
    "transformers",
    "numba",
    "onnxruntime",
    "scipy",
    "tokenizers",
    "starlette",
    "uvicorn",
    "typer",
    "rich",
    "msgspec",
]
NUMPY = "import time; a = time.process_time(); import numpy; b = time.process_time()"
HEATBATH = "; import heatbath; c = time.process_time(); print(b - a, c - b)"
SEEN = f"import sys, heatbath; print(*sorted(set({FRAMEWORKS!r}) & set(sys.modules)))"


def fresh(script: str) -> str:
    """What a new interpreter prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    return ran.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 11 if parser.parse_args().quick else 41
    fresh("import heatbath")
    took = [[float(seconds) * 1e3 for seconds in fresh(NUMPY + HEATBATH).split()] for _ in range(rounds)]
    of_numpy, of_heatbath = (sorted(column) for column in zip(*took, strict=True))
    for name, column in (("numpy", of_numpy), ("heatbath after it", of_heatbath)):
        print(f"{name:18} {median(column):5.1f} ms, {column[0]:.1f} to {column[-1]:.1f}")
    seen = fresh(SEEN).split()
    print("frameworks that came along:", *(seen or ["none"]))
    cost = median(of_heatbath)
    print(f"claim importing.ms-over-numpy {cost:.1f} <=60 {'PASS' if cost <= 60 else 'FAIL'}")
    print(f"claim importing.frameworks {len(seen)} <=0 {'FAIL' if seen else 'PASS'}")


if __name__ == "__main__":
    main()
