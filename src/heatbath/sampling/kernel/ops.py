"""The steps that the kernel knows, by the name that :class:`heatbath.sampling.step.Op` gives and by number."""

NAMES = (
    "temperature", "top_k", "top_p", "min_p", "typical", "top_n_sigma", "sample_sigma", "epsilon", "eta", "top_a",
    "p_less", "p_less_normalised", "surprisal", "xtc", "smoothing", "adaptive_p", "tail_free", "top_h", "min_k", "more",
)  # fmt: skip

(
    TEMPERATURE, TOP_K, TOP_P, MIN_P, TYPICAL, TOP_N_SIGMA, SAMPLE_SIGMA, EPSILON, ETA, TOP_A,
    P_LESS, P_LESS_NORMALISED, SURPRISAL, XTC, SMOOTHING, ADAPTIVE_P, TAIL_FREE, TOP_H, MIN_K, MORE,
) = range(len(NAMES))  # fmt: skip
"""Their numbers are T, k, p, ln p (less what rounding is allowed), p, n, n, ln eps, ln eps, ln a, none, none, mu, ln
threshold (and the probability, the place in the chain, protected options), factor (and curve), aim, z, h, tau. "more"
is no step, and holds a further number of the one before it."""

PLAIN = (TEMPERATURE, TOP_K, TOP_P, MIN_P)
"""The commonest steps, for which a part of the kernel is compiled by itself."""

OPS = {name: number for number, name in enumerate(NAMES)}

NAN, INFINITE, NOTHING, GIVE_UP = -1, -2, -3, -4
"""What stands in place of a choice: the row cannot be drawn from, or the reference has to do it."""
