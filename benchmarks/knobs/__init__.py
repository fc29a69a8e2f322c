"""What `benchmarks/knob.py` measures with."""
