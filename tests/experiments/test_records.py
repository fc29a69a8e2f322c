"""Ids that sort by time, and that can be told from others."""

import re
import uuid

import pytest

from heatbath.errors import InputError
from heatbath.experiments import new_id, time_of


def test_an_id_is_a_uuid_of_version_7():
    for _ in range(200):
        made = uuid.UUID(new_id())
        assert made.version == 7
        assert made.variant == uuid.RFC_4122
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", new_id())


def test_ids_sort_by_time_and_differ():
    made = [new_id(1_700_000_000 + step / 1000) for step in range(500)]
    assert made == sorted(made)
    assert len({new_id(5.0) for _ in range(2000)}) == 2000


def test_every_random_bit_varies():
    numbers = [uuid.UUID(new_id(5.0)).int for _ in range(300)]
    ones = [sum(number >> bit & 1 for number in numbers) for bit in range(128)]
    random = [bit for bit in range(128) if bit not in {62, 63} and not bit >= 76]
    assert all(90 < ones[bit] < 210 for bit in random)


@pytest.mark.parametrize(
    "wrong", ["", "x" * 36, str(uuid.UUID(int=7)), str(uuid.UUID(int=5, version=4)), None, 7, "-" * 36]
)
def test_other_ids_are_refused(wrong):
    with pytest.raises(InputError, match="is no inference id"):
        time_of(wrong)
