import numpy as np
import pytest

from heatbath.core.philox import HALF, LOW, philox, upper

# The known answers published with the generator (Random123, kat_vectors, philox4x32 with 10 rounds).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((LOW, LOW, LOW, LOW), (LOW, LOW), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_python_integers_give_the_published_answers(counter, key, answer):
    assert philox(counter, key) == answer


def test_python_integers_and_arrays_agree():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**32, (6, 100), dtype=np.uint64)
    together = philox(tuple(words[:4]), tuple(words[4:]))
    for place in range(100):
        alone = philox(*(tuple(int(word[place]) for word in part) for part in (words[:4], words[4:])))
        assert alone == tuple(int(word[place]) for word in together)


def test_upper_is_the_upper_half():
    assert upper(0xABCDEF0123456789) == 0xABCDEF0123456789 >> HALF == 0xABCDEF01
