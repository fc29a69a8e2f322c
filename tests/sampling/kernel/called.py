"""Functions that only compiled code can call, called by Python."""

import inspect

import numba

from heatbath.sampling.kernel.left import laid_out, room_for


def called(*functions):
    """Each of them with an entry for Python."""
    return [_entered(function) for function in functions]


def _entered(function):
    names = ", ".join(inspect.signature(function.py_func).parameters)  # numba builds nothing into a call with a star
    return numba.njit(eval(f"lambda {names}: function({names})", {"function": function}))


def workspace(options, kind):
    """The arrays of one thread for rows of so many options."""
    return laid_out.py_func(*room_for(options, kind), -(-options // 64))
