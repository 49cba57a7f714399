"""What a convolution does to the process that it runs in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import firbank
import numpy as np
import pytest
from convolve_test import peak_of

linux = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's accounts")


@linux
@pytest.mark.parametrize("calls", [1, 5])
def test_long_kernels_keep_to_a_limit_where_memory_was_freed_before(calls):
    """Each task makes an engine anew, of which an allocator might keep what was freed."""
    grown = peak_of(f"""
        x = rng.standard_normal((64, 200_000), dtype=np.float32)
        h = rng.standard_normal((64, 50_000), dtype=np.float32)
        out = np.ones_like(x)
        freed = np.ones(3_000_000)
        del freed
        watcher = threading.Thread(target=watch)
        before = anonymous()
        watcher.start()
        for _ in range({calls}):
            firbank.convolve(x, h, mode="same", out=out, memory_limit=20_000_000)
    """)
    assert grown <= 20_000_000 + 2**21  # threads, and what lies about


def test_what_describes_a_large_matrix_counts():
    x, h = np.zeros((1000, 100), np.float32), np.ones((1000, 1000, 4), np.float32)
    with pytest.raises(ValueError, match=r"memory_limit is 2000000 bytes; .* at least 1\d{8}$"):
        firbank.convolve(x, h, routing="matrix", memory_limit=2_000_000)


def test_planning_a_large_matrix_makes_no_kernels():
    x, h = np.zeros((128, 20_000), np.float32), np.ones((128, 128, 1000), np.float32)
    begin = time.process_time()
    assert firbank.plan(x, h, routing="matrix").method == "fft"
    assert time.process_time() - begin < 5


def status_of(body: str) -> int:
    return subprocess.run([sys.executable, "-c", textwrap.dedent(body)], timeout=60).returncode


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no forks")
@pytest.mark.parametrize("end", ["pass", "stream.close()", "stream(x); del stream"])
def test_a_fork_ends_well_whatever_it_does_with_a_stream(end):
    code = f"""
        import os, sys, numpy as np, firbank
        stream = firbank.Stream(np.ones((8, 3000), np.float32), threads=4)
        x = np.zeros((8, 256), np.float32)
        stream(x)
        child = os.fork()
        if child == 0:
            {end}
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        stream(x)
    """
    assert status_of(code) == 0


def test_ctrl_c_is_heard_among_many_long_kernels():
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("""
            import numpy as np, firbank
            x, h = np.zeros((400_000, 32), np.float32), np.ones((64, 100_000), np.float32)
            print("begin", flush=True)
            try:
                firbank.convolve(x, h, 0, "causal", routing="bank", method="direct")
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """)],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "begin\n"
    time.sleep(1)
    sent = time.perf_counter()
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert time.perf_counter() - sent < 1.5  # 5 s when it was asked once for all kernels
    assert process.wait(timeout=30) == 0
