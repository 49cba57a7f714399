"""What a large convolution tells while it works."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest
from firbank._large import convolve_large


def test_a_callable_hears_each_chunk_in_the_caller_s_thread():
    told = []
    x = np.ones((2, 1000), np.float32)

    def tell(done: int, total: int) -> None:
        told.append((done, total, threading.current_thread()))

    convolve_large(x, np.ones(3), mode="same", batch_size_samples=300, progress=tell)
    me = threading.current_thread()
    assert told == [(done, 2000, me) for done in (0, 600, 1200, 1800, 2000)]


def test_a_bar(capsys):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    convolve_large(np.ones(1000), np.ones(3), mode="same", progress=True)
    shown = capsys.readouterr().err
    assert "firbank" in shown
    assert "100%" in shown


def test_no_bar_without_tqdm(capsys, monkeypatch):
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    assert convolve_large(np.ones(1000), np.ones(3), progress=True).shape == (1002,)
    assert capsys.readouterr().err == ""


def test_no_bar_unless_asked(capsys):
    convolve_large(np.ones(1000), np.ones(3), progress=False)
    convolve_large(np.ones(1000), np.ones(3))
    assert capsys.readouterr().err == ""
