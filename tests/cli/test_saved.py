"""Files that ``heatbath diagnose`` reads."""

import io

import numpy as np
import pytest

import heatbath as hb
from heatbath.cli.saved import read_saved


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_each_kind_of_file_is_known_by_its_beginning(tmp_path):
    path = tmp_path / "file"
    np.save(tmp_path / "scores.npy", np.eye(3))
    assert np.array_equal(read_saved(str(tmp_path / "scores.npy"))[0].logits, np.eye(3))
    path.write_bytes(saved(logits=np.eye(2), tokens=[0, 1], mask=np.ones((2, 2), bool)))
    [found] = read_saved(str(path))
    assert found.tokens.tolist() == [0, 1]
    assert found.mask.all()
    path.write_text('\n {"choices": [{"text": "a"}, {"text": "b"}]}')
    assert [each.text for each in read_saved(str(path))] == ["a", "b"]
    path.write_bytes(b"\xef\xbb\xbfso\r\nit is")
    assert read_saved(str(path)) == [hb.sampling.Written(text="so\nit is")]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "standard input: there is nothing in it"),
        (b"\xff\xfe", "standard input: it is not UTF-8 text"),
        (b"\x93NUMPY", "standard input: its arrays cannot be read"),
        (b"PK\x03\x04", "standard input: its arrays cannot be read"),
        (saved(scores=np.zeros((2, 3))), "standard input: it holds scores; name the arrays logits"),
        (saved(logits=np.zeros((2, 3)), tokens=[0]), "there are 2 logits and 1 tokens"),
        (saved(logits=np.array([["a"]])), "scores are real numbers"),
        (b"{}", "it has no list of choices"),
    ],
)
def test_files_that_hold_something_else_are_refused(heatbath, sent, said):
    ran = heatbath("diagnose", "--file", "-", stdin=sent)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
