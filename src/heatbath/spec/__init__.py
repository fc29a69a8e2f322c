"""One text form of thermostats and chains, and the one table of options."""

from heatbath.spec.options import OPTIONS, ORDER, Option, check_options, sampler_from
from heatbath.spec.text import parse

__all__ = ["OPTIONS", "ORDER", "Option", "check_options", "parse", "sampler_from"]
