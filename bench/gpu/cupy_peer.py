#!/usr/bin/env python3
"""CuPy's oaconvolve on one case: of a stream the output of one block, from its input and the history
that the filters reach back to; of a file as many frames at a time as do well. Prints figures as the
other programs of bench/gpu do; exit 77 with a line when CuPy is not there.

    bench/gpu/cupy_peer.py CASE [--seconds N] [--quick]
"""

import sys

sys.dont_write_bytecode = True

import peer_cases  # noqa: E402
from peer_cases import Case, tell  # noqa: E402

CHUNKS = {"bank": 16_384, "rows": 49_152}  # new frames at a time, of a file


def measure(options, cupy, cupyx, numpy, oaconvolve) -> int:
    case: Case = options.case
    new = case.block or (CHUNKS[case.wiring] if not options.quick else 4_096)
    filters = peer_cases.make_filters(numpy, case)
    samples = peer_cases.make_samples(numpy, case, case.taps - 1 + new)
    device_filters = cupy.asarray(filters)
    host_in = cupyx.empty_pinned(samples.shape, dtype=numpy.float32)
    host_in[...] = samples
    host_out = cupyx.empty_pinned((case.outputs, new), dtype=numpy.float32)

    def on_device(x):
        if case.wiring == "matrix":
            h = device_filters.reshape(case.outputs, case.inputs, case.taps)
            return oaconvolve(x[None], h, mode="valid", axes=-1).sum(axis=1)
        if case.wiring == "bank":
            y = oaconvolve(x[:, None], device_filters[None], mode="valid", axes=-1)
            return y.reshape(case.outputs, new)
        return oaconvolve(x, device_filters, mode="valid", axes=-1)

    def one_block() -> None:
        cupy.ascontiguousarray(on_device(cupy.asarray(host_in))).get(out=host_out)

    one_block()
    if not peer_cases.tell_error(peer_cases.error(numpy, case, filters, samples, host_out)):
        return 1
    if not case.is_file:
        peer_cases.tell_calls("a call", one_block, options.seconds)
        return 0
    wait = cupy.cuda.get_current_stream().synchronize
    x = cupy.asarray(host_in)
    tell(name="rate on the device", unit="frames/s",
         value=peer_cases.rate(lambda _: on_device(x), wait, new, options.seconds))  # fmt: skip
    tell(name="rate", unit="frames/s",
         value=peer_cases.rate(lambda _: one_block(), wait, new, options.seconds))  # fmt: skip
    tell(name="frames at a time", unit="frames", value=new)
    return 0


def main() -> int:
    options = peer_cases.options(__doc__)
    try:
        import cupy
        import cupyx
        import numpy
        from cupyx.scipy.signal import oaconvolve
    except ImportError as missing:
        print(f"no CuPy here: {missing}", file=sys.stderr)
        return peer_cases.MISSING
    return measure(options, cupy, cupyx, numpy, oaconvolve)


if __name__ == "__main__":
    sys.exit(main())
