"""Functions that only compiled code can call, called by Python."""

import numba


def called(*functions):
    """Each of them with an entry for Python."""
    return [_entered(function) for function in functions]


def _entered(function):
    @numba.njit
    def entry(*arguments):
        return function(*arguments)

    return entry
