"""From what was asked and what the policy says to what is sent, and what the provider makes of it."""

import json
import math
import re
from typing import Literal, NamedTuple

import msgspec

from heatbath.service.errors import ApiError
from heatbath.service.gateway.providers import Rule, State
from heatbath.service.gateway.scan import REMOVED, Scanned

Setting = float | Literal["inherit", "leave out"]
"""What a policy decides: a value, what the client wrote, or no value at all."""

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class Effect(NamedTuple):
    """What a request asked for, what the provider is sent and what that does."""

    requested: float | None
    sent: float | None
    effective: float | None
    state: State
    change: bytes | None
    """The value of the field, in JSON, to be written in place of the client's; None where it stays as it is."""


def requested(scanned: Scanned) -> float | None:
    """The temperature that the client wrote; None where it wrote none, or null.

    Raises:
        ApiError: it is no number.
    """
    raw = scanned.raw("temperature")
    if raw is None or raw == b"null":
        return None
    if not NUMBER.fullmatch(raw):
        raise ApiError(
            f"reading the request on temperature={raw[:40].decode(errors='replace')}: a temperature is a number; "
            "write for example 0.7, or leave it out",
            code="invalid_type",
            param="temperature",
        )
    return float(raw)


def effect(asked: float | None, setting: Setting, rule: Rule, *, written: bool) -> Effect:
    """What a setting comes to under a provider's rule.

    Arguments:
        asked: the client's temperature.
        setting: what the policy decided.
        rule: the provider's row for the model.
        written: whether the client's body has the field at all, with null perhaps.

    Raises:
        ApiError: the temperature lies outside the provider's range.
    """
    wanted = asked if setting == "inherit" else None if setting == "leave out" else float(setting)
    if rule.state == "rejected":
        return Effect(asked, None, rule.effective(None), "rejected", REMOVED if written else None)
    if wanted is not None and not is_taken(wanted, rule):
        raise out_of_range(wanted, rule, by_client=setting == "inherit")
    state = rule.greedy if wanted == 0 and rule.greedy else rule.state
    if setting == "inherit":
        change = None
    elif wanted is None:
        change = REMOVED if written else None
    else:
        change = msgspec.json.encode(wanted)
    return Effect(asked, wanted, rule.effective(wanted), state, change)


def is_taken(temperature: float, rule: Rule) -> bool:
    """Whether a provider takes a temperature, as far as is known."""
    return temperature in rule.range if rule.range else math.isfinite(temperature)


def out_of_range(temperature: float, rule: Rule, *, by_client: bool) -> ApiError:
    """The refusal of a temperature that the provider would not take."""
    span = str(rule.range or "the finite numbers")
    if by_client:
        return ApiError(
            f"reading the request on temperature={temperature:g}: this route takes temperatures in {span}; write one "
            "of those, or leave it out",
            code="temperature_out_of_range",
            param="temperature",
        )
    return ApiError(
        f"deciding the temperature: the policy chose {temperature:g}, and this route takes temperatures in {span}; "
        "change the policy in the configuration",
        code="policy_out_of_range",
        status=500,
    )


REJECTIONS = re.compile(
    r"temperature\W.{0,80}?(?:is deprecated|not permitted|not supported|unsupported|does not support|isn't supported"
    r"|only (?:the default|\S+ is (?:allowed|supported)))"
    r"|(?:unsupported|unknown|unrecognized|does not support)\W.{0,60}?temperature",
    re.IGNORECASE | re.DOTALL,
)
"""How providers say that a model takes no temperature. What they say of a value outside a range does not match."""


def is_rejection(body: bytes) -> bool:
    """Whether the body of a 400 says that the model takes no temperature.

    >>> is_rejection(b'{"error": {"message": "invalid temperature: only 1 is allowed for this model"}}')
    True
    >>> is_rejection(b'{"error": {"message": "temperature must be in [0, 2]", "param": "temperature"}}')
    False
    """
    try:
        error = json.loads(body)
    except ValueError:
        return False
    error = error.get("error", error) if isinstance(error, dict) else error
    if isinstance(error, dict):
        if error.get("param") == "temperature" and error.get("code") in ("unsupported_value", "unsupported_parameter"):
            return True
        error = error.get("message", "")
    return isinstance(error, str) and bool(REJECTIONS.search(error))
