"""firbank.Stream: equal to the offline result however the signal is cut."""

from __future__ import annotations

import doctest
import io
import os
import pickle
import signal
import sys
import threading
import time
import tracemalloc

import firbank.stream
import numpy as np
import pytest
from direct_sums import assert_follows, direct_sums, norms
from firbank import Bank, Stream
from hypothesis import given, settings
from hypothesis import strategies as st


def test_examples_run():
    failed, attempted = doctest.testmod(firbank.stream)
    assert attempted > 0 and failed == 0


def offline(x, kernels, routing="rows", mode="causal", outputs=None, axis=-1):
    """Direct sums for each kernel by itself, put together.

    'full' is as long as that of the longest kernel: shorter ones end in silence.
    """
    rows = np.asarray(x).T if axis == 0 else np.asarray(x)
    taps = max(kernel.size for kernel in kernels)
    real = np.longdouble if kernels[0].dtype == np.float64 else np.float64

    def one(row, kernel):
        full = direct_sums(row, kernel, real=real)
        full = np.pad(full, (0, taps - kernel.size))
        return full[: row.size] if mode == "causal" else full

    if routing == "rows":
        many = kernels if len(kernels) > 1 else list(kernels) * len(rows)
        y = np.stack([one(row, kernel) for row, kernel in zip(rows, many, strict=True)])
        return y.T if axis == 0 else y
    if routing == "bank":
        y = np.stack([np.stack([one(row, kernel) for kernel in kernels], -1) for row in rows])
        return np.swapaxes(y, 0, 1) if axis == 0 else y
    own = [kernels[first : first + len(rows)] for first in range(0, len(kernels), len(rows))]
    y = [sum(one(row, kernel) for row, kernel in zip(rows, ks, strict=True)) for ks in own]
    return y[0] if outputs is None else np.stack(y, -1)


def chunks_of(rng, frames):
    """Sizes from 0 on, that add up to `frames`."""
    sizes = []
    while sum(sizes) < frames:
        most = frames - sum(sizes)
        sizes.append(int(min(most, rng.choice([0, 1, 7, 64, 256, 300, 1000, 5000]))))
    return sizes


@st.composite
def settings_of_a_stream(draw):
    routing = draw(st.sampled_from(["rows", "bank", "matrix"]))
    channels = draw(st.integers(1, 4))
    outputs = draw(st.sampled_from([None, 1, 3])) if routing == "matrix" else None
    kernels = {
        "rows": draw(st.sampled_from([1, channels])),
        "bank": draw(st.integers(1, 5)),
        "matrix": channels * (outputs or 1),
    }[routing]
    return {
        "routing": routing,
        "channels": channels,
        "outputs": outputs,
        "kernels": kernels,
        "longest": draw(st.sampled_from([1, 2, 30, 257, 1500])),
        "block": draw(st.sampled_from([1, 16, 63, 256])),
        "axis": draw(st.sampled_from([0, -1])),
        "dtype": draw(st.sampled_from([np.float32, np.float64])),
        "threads": draw(st.sampled_from([1, 2])),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def make(case):
    rng = np.random.default_rng(case["seed"])
    sizes = rng.integers(1, case["longest"], case["kernels"], endpoint=True)
    kernels = [rng.standard_normal(size).astype(case["dtype"]) for size in sizes]
    stream = Stream(
        Bank(kernels, max_taps=case["longest"]),
        **{name: case[name] for name in ("channels", "block", "routing", "outputs", "threads")},
        axis=case["axis"],
    )
    return rng, kernels, stream


def run(stream, x, sizes, axis):
    """All results behind each other."""
    parts, first = [], 0
    for size in sizes:
        parts.append(stream(np.take(x, range(first, first + size), axis=axis)))
        first += size
    time_axis = 0 if axis == 0 or parts[0].ndim < 2 or stream._routing == "matrix" else 1
    return parts, time_axis


@settings(max_examples=60)
@given(case=settings_of_a_stream(), frames=st.integers(1, 3000))
def test_any_chunks_give_the_offline_result(case, frames):
    rng, kernels, stream = make(case)
    shape = (frames, case["channels"]) if case["axis"] == 0 else (case["channels"], frames)
    x = rng.standard_normal(shape).astype(case["dtype"])
    parts, time_axis = run(stream, x, [0, *chunks_of(rng, frames)], case["axis"])
    assert all(part.dtype == case["dtype"] for part in parts)
    assert all(part.flags.c_contiguous for part in parts)
    assert stream.position == frames
    rest = {name: case[name] for name in ("routing", "outputs", "axis")}
    causal = offline(x, kernels, **rest)
    full = offline(x, kernels, mode="full", **rest)
    # The first frames alone may be next to nothing beside what the kernels give later.
    size = norms(full, time_axis)
    assert_follows(np.concatenate(parts, axis=time_axis), causal, time_axis, size)
    parts.append(stream.flush())
    assert_follows(np.concatenate(parts, axis=time_axis), full, time_axis)
    assert stream.flush().size == 0 or stream.flush().shape[time_axis] == 0
    assert stream.position == full.shape[time_axis]


@settings(max_examples=40)
@given(case=settings_of_a_stream(), data=st.data())
def test_another_stream_goes_on_from_a_state(case, data):
    rng, kernels, first = make(case)
    x = rng.standard_normal((case["channels"], 3000)).astype(case["dtype"])
    if case["seed"] % 3 == 0:
        x[0, 1100] = np.nan
    x = x.T if case["axis"] == 0 else x
    part = data.draw(st.sampled_from([0, 1, 100, 1234, 2000]))
    run(first, x, chunks_of(rng, part) or [0], case["axis"])
    state = first.state()
    stored = io.BytesIO()
    np.savez(stored, **state)
    stored.seek(0)
    state = data.draw(
        st.sampled_from([state, pickle.loads(pickle.dumps(state)), dict(np.load(stored))])
    )
    other = {**case, "block": data.draw(st.sampled_from([1, 50, 512])), "threads": 2}
    _, _, second = make(other)
    axis = case["axis"]
    second(np.take(x, range(77), axis=axis))  # a past of its own, which is forgotten
    second.load_state(state)
    assert second.position == part
    rest = np.take(x, range(part, 3000), axis=axis)
    parts, time_axis = run(second, rest, chunks_of(rng, 3000 - part), axis)
    parts.append(second.flush())
    expected = offline(
        x, kernels, mode="full", **{name: case[name] for name in ("routing", "outputs", "axis")}
    )
    expected = np.take(expected, range(part, expected.shape[time_axis]), axis=time_axis)
    assert_follows(np.concatenate(parts, axis=time_axis), expected, time_axis)
    assert second.stats.frames == expected.shape[time_axis]


def random_stream(seed=1, channels=2, taps=300, dtype=np.float32, **options):
    rng = np.random.default_rng(seed)
    kernels = rng.standard_normal((channels, taps)).astype(dtype)
    return rng, kernels, Stream(Bank(kernels), channels=channels, **options)


def test_one_channel_may_come_without_an_axis():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(500)
    h = rng.standard_normal((3, 20))
    assert_follows(Stream(h[0])(x), offline(x[np.newaxis], h[:1])[0])
    for axis in (0, -1):
        bank = Stream(h, routing="bank", axis=axis)
        expected = direct_sums(x, h, mode="causal", routing="bank")
        assert_follows(bank(x), expected, 0)
        one = Stream(h[:1], routing="matrix", axis=axis)
        assert_follows(one(x), expected[:, 0])
        some = Stream(h, routing="matrix", outputs=3, axis=axis)
        assert_follows(some(x), expected, 0)


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
@pytest.mark.parametrize("axis", [0, -1])
def test_an_axis_is_counted_from_either_end(routing, axis):
    rng, kernels, stream = random_stream(26, routing=routing, axis=axis)
    other = Stream(kernels, channels=2, routing=routing, axis=axis + 2 if axis < 0 else axis - 2)
    x = rng.standard_normal((2, 300)).astype(np.float32)
    x = x if axis else x.T
    np.testing.assert_array_equal(other(x), stream(x))


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
@pytest.mark.parametrize("axis", [0, -1])
def test_writes_into_out(routing, axis):
    rng = np.random.default_rng(2)
    kernels = rng.standard_normal((3, 40)).astype(np.float32)
    x = rng.standard_normal((900, 3) if axis == 0 else (3, 900)).astype(np.float32)
    outputs = 1 if routing == "matrix" else None

    def stream():
        return Stream(kernels, channels=3, routing=routing, outputs=outputs, axis=axis)

    expected = stream()(x)
    for order in "CF":
        out = np.full(expected.shape, np.nan, np.float32, order=order)
        assert stream()(x, out=out) is out
        np.testing.assert_array_equal(out, expected)
    wide = np.full([2 * size for size in expected.shape], np.nan, np.float32)
    out = wide[tuple(slice(None, None, 2) for _ in expected.shape)]
    stream()(x, out=out)
    np.testing.assert_array_equal(out, expected)
    assert np.isnan(wide).sum() == wide.size - expected.size  # nothing beside it was written
    backwards = np.flip(np.empty_like(expected))
    stream()(x, out=backwards)
    np.testing.assert_array_equal(backwards, expected)


@pytest.mark.parametrize("axis", [0, -1])
def test_out_may_lie_over_the_chunk(axis):
    rng = np.random.default_rng(3)
    kernels = rng.standard_normal((2, 40)).astype(np.float32)
    memory = rng.standard_normal(12_000).astype(np.float32)
    shape = (5000, 2) if axis == 0 else (2, 5000)
    expected = Stream(kernels, axis=axis)(memory[:10_000].reshape(shape))
    for shift in (0, 1, 500, 2000):
        own = memory.copy()
        out = own[shift : shift + 10_000].reshape(shape)
        Stream(kernels, axis=axis)(own[:10_000].reshape(shape), out=out)
        np.testing.assert_array_equal(out, expected)
    own = memory[:10_000].reshape(shape).copy()
    Stream(kernels, axis=axis)(own, out=own)
    np.testing.assert_array_equal(own, expected)
    square = memory[:4].reshape(2, 2).copy()
    expected = Stream(kernels, axis=axis)(square)
    Stream(kernels, axis=axis)(square, out=square.T)
    np.testing.assert_array_equal(square.T, expected)


def unaligned(x):
    """The same one byte further on than samples lie."""
    return np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)


def field_of_records(x):
    """The same 5 bytes apart."""
    records = np.zeros(x.shape, [("sample", x.dtype), ("flag", np.int8)])
    records["sample"] = x
    return records["sample"]


LAYOUTS = {
    "time first": np.asfortranarray,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "every other": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "other bytes": lambda x: x.astype(">f4"),
    "float64": lambda x: x.astype(np.float64),
    "unaligned": unaligned,
    "records": field_of_records,
    "memoryview": memoryview,
    "lists": np.ndarray.tolist,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_reads_any_layout(layout):
    rng, kernels, stream = random_stream(4)
    x = layout(rng.standard_normal((2, 700)).astype(np.float32))
    assert_follows(stream(x), offline(np.asarray(x), kernels))


def test_reads_a_broadcast_chunk():
    stream = Stream(np.ones((1, 5), np.float32), channels=1000, routing="rows", block=1024)
    x = np.broadcast_to(np.float32(1), (1000, 1024))
    np.testing.assert_allclose(stream(x)[:, 4:], 5, rtol=1e-6)


def test_chunks_in_order_are_not_copied():
    rng, _, stream = random_stream(5)
    x = rng.standard_normal((2, 2_000_000)).astype(np.float32)
    out = np.empty_like(x)
    tracemalloc.start()
    try:
        stream(x, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 100


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float16, np.float64])
def test_other_real_types_are_converted(dtype):
    rng = np.random.default_rng(6)
    x = (10 * rng.standard_normal((1, 500))).astype(dtype)
    h = rng.standard_normal(30).astype(np.float32)
    y = Stream(h)(x)
    assert y.dtype == np.float32
    assert_follows(y, offline(np.float32(x), [h]))


def test_precision_is_that_of_the_stream():
    rng, kernels, _ = random_stream(7)
    x = rng.standard_normal((2, 800))
    y = Stream(kernels, precision="float64")(x)
    assert y.dtype == np.float64
    assert_follows(y, offline(x, np.float64(kernels)))
    assert Stream(np.float64(kernels), precision="float32")(x).dtype == np.float32


def test_nan_and_infinity_spoil_what_hears_them():
    rng, kernels, stream = random_stream(8, taps=100)
    x = rng.standard_normal((2, 2000)).astype(np.float32)
    x[0, 500], x[0, 520], x[1, 1950] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        expected = offline(np.nan_to_num(x, nan=0, posinf=0, neginf=0), kernels)
    expected[0, 500:620] = np.nan
    expected[1, 1950:] = np.nan
    parts, _ = run(stream, x, chunks_of(rng, 2000), -1)
    assert_follows(np.concatenate(parts, 1), expected)
    assert stream.stats.spoiled_frames == 170
    assert stream.stats.first_spoiled_frame == 500
    np.testing.assert_array_equal(np.isnan(stream.flush()[1, :49]), True)


def mixed(old, new, live, fade):
    """The crossfade from `old` to `new` along the last axis."""
    weight = np.clip((np.arange(old.shape[-1]) - live + 1) / (fade + 1), 0, 1)
    return (1 - weight) * old + weight * new


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    fade=st.sampled_from([0, 1, 50, 900]),
    at=st.sampled_from([None, 0, 700, 1801]),
    block=st.sampled_from([16, 256]),
)
def test_swaps_at_a_frame(seed, fade, at, block):
    rng, kernels, stream = random_stream(seed, dtype=np.float64, block=block)
    other = rng.standard_normal((2, 250))
    x = rng.standard_normal((2, 3000))
    parts = [stream(x[:, :500])]
    ticket = stream.swap(other, crossfade=fade, at=at)
    assert stream.live_frame(ticket) is None
    parts += run(stream, x[:, 500:], chunks_of(rng, 2500), -1)[0]
    live = 500 if at is None else max(at, 500)
    assert stream.live_frame(ticket) == live
    expected = mixed(offline(x, kernels), offline(x, other), live, fade)
    assert_follows(np.concatenate(parts, 1), expected)
    assert stream.stats.swaps == 1


def test_swaps_from_another_thread_and_frees_what_it_replaced():
    rng, kernels, stream = random_stream(9)
    banks = [rng.standard_normal((2, 300)).astype(np.float32) for _ in range(20)]
    tickets = []

    def swap():
        for bank in banks:
            tickets.append(stream.swap(bank))
            while stream.live_frame(tickets[-1]) is None:
                time.sleep(0.001)

    thread = threading.Thread(target=swap)
    thread.start()
    parts, xs = [], []
    while thread.is_alive():
        xs.append(rng.standard_normal((2, 64)).astype(np.float32))
        parts.append(stream(xs[-1]))
        time.sleep(0.0005)
    thread.join()
    x = np.concatenate(xs, 1)
    expected = offline(x, kernels)
    for bank, ticket in zip(banks, tickets, strict=True):
        expected = mixed(expected, offline(x, bank), stream.live_frame(ticket), 0)
    assert_follows(np.concatenate(parts, 1), expected)


@pytest.mark.parametrize("axis", [0, -1])
def test_the_tail_is_that_of_a_bank_that_comes_in_it(axis):
    rng = np.random.default_rng(24)
    short, long = rng.standard_normal((1, 300)), rng.standard_normal((1, 700))
    for first, second in [(short, long), (long, short)]:
        x = rng.standard_normal((1, 900))
        stream = Stream(first, max_taps=700, axis=axis)
        parts = [stream(x if axis else x.T)]
        stream.swap(second, at=1000)
        parts.append(stream.flush())
        silent = np.pad(x, ((0, 0), (0, 699)))
        expected = mixed(offline(silent, first), offline(silent, second), 1000, 0)
        y = np.concatenate(parts, axis)
        y = y if axis else y.T
        assert y.shape[1] >= 900 + second.size - 1
        assert_follows(y, expected[:, : y.shape[1]])
        assert stream.flush().size == 0


def test_refuses_swaps_that_do_not_fit():
    _, _, stream = random_stream(10)
    with pytest.raises(ValueError, match=r"bank has 3 kernels; allowed: 2"):
        stream.swap(np.ones((3, 5)))
    with pytest.raises(ValueError, match=r"max_taps = 301; allowed: up to the stream's 300"):
        stream.swap(np.ones((2, 301)))
    with pytest.raises(ValueError, match=r"crossfade is -1; allowed: whole numbers from 0 on"):
        stream.swap(np.ones((2, 3)), crossfade=-1)
    with pytest.raises(ValueError, match=r"at is .*; allowed: whole numbers from -92"):
        stream.swap(np.ones((2, 3)), at=2**70)
    for _ in range(4):
        stream.swap(np.ones((2, 3)), at=10_000)
    with pytest.raises(ValueError, match=r"4 swaps are pending; at most 4 are allowed"):
        stream.swap(np.ones((2, 3)), at=10_000)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), block=st.sampled_from([1, 16, 256]))
def test_updates_of_the_bank_are_heard_from_the_next_chunk_on(seed, block):
    rng = np.random.default_rng(seed)
    kernels = [rng.standard_normal(size) for size in rng.integers(1, 500, 3)]
    bank = Bank(kernels, max_taps=500)
    stream = Stream(bank, block=block, routing="bank")
    other = Stream(bank, routing="bank")  # each follows for itself
    x = rng.standard_normal((1, 4000))
    expected = offline(x, kernels, "bank")
    parts, position = [], 0
    for _ in range(5):
        end = position + int(rng.integers(0, 900))
        parts.append(stream(x[:, position:end]))
        position = end
        for index in rng.integers(-3, 3, rng.integers(1, 4)):
            kernels[index] = rng.standard_normal(rng.integers(1, 500, endpoint=True))
            bank.update(index, kernels[index])
        expected[:, position:] = offline(x, kernels, "bank")[:, position:]
    parts.append(stream(x[:, position:]))
    assert_follows(np.concatenate(parts, 1), expected, 1)
    assert_follows(other(x), offline(x, kernels, "bank"), 1)


def test_updates_wait_for_swaps():
    rng = np.random.default_rng(11)
    x = rng.standard_normal((1, 3000))
    kernels = rng.standard_normal((4, 200))
    old, new = Bank(kernels[:1]), Bank(kernels[1:2])
    stream = Stream(old)
    parts = [stream(x[:, :500])]
    stream.swap(new, crossfade=300, at=1000)
    old.update(0, kernels[2])  # is never heard: its bank is on the way out
    new.update(0, kernels[3])
    parts += [stream(x[:, 500:1200]), stream(x[:, 1200:1400]), stream(x[:, 1400:])]
    first, second, _, last = (offline(x, [kernel]) for kernel in kernels)
    expected = mixed(first, second, 1000, 300)
    expected[:, 1400:] = last[:, 1400:]
    assert_follows(np.concatenate(parts, 1), expected)
    assert stream.bank is new


def test_reset_forgets_and_goes_on_counting():
    rng, kernels, stream = random_stream(12)
    x = rng.standard_normal((2, 1000)).astype(np.float32)
    stream(x)
    stream.reset()
    assert stream.position == 1000
    assert stream.flush().shape == (2, 0)
    assert_follows(stream(x), offline(x, kernels))
    ticket = stream.swap(kernels[::-1], at=2000)
    assert_follows(stream(x), offline(np.concatenate([x, x], 1), kernels[::-1])[:, 1000:])
    assert stream.live_frame(ticket) == 2000


def test_a_state_tells_where_swaps_and_spoiled_frames_are():
    rng, kernels, first = random_stream(13, taps=50)
    x = rng.standard_normal((2, 600)).astype(np.float32)
    x[1, 80] = np.nan
    first(x[:, :100])
    assert first.stats.first_spoiled_frame == 80
    second = Stream(kernels, block=7)
    second.load_state(first.state())
    assert second.stats.frames == 0 and second.stats.spoiled_frames == 0
    ticket = second.swap(kernels[::-1], at=333)
    y = second(x[:, 100:])
    assert second.live_frame(ticket) == 333
    assert second.stats.spoiled_frames == 30 and second.stats.first_spoiled_frame == 100
    clean = np.nan_to_num(x)
    expected = mixed(offline(clean, kernels), offline(clean, kernels[::-1]), 333, 0)
    expected[1, 80:130] = np.nan
    assert_follows(y, expected[:, 100:])


def test_a_state_after_the_tail_has_no_tail():
    rng, kernels, first = random_stream(14)
    x = rng.standard_normal((2, 400)).astype(np.float32)
    first(x)
    first.flush()
    second = Stream(kernels)
    second.load_state(first.state())
    assert second.position == 699
    assert second.flush().shape == (2, 0)
    assert_follows(second(x), offline(x, kernels))


def test_a_state_may_keep_more_than_the_other_stream_hears():
    rng, kernels, _ = random_stream(17)
    first = Stream(kernels, max_taps=900)
    x = rng.standard_normal((2, 2000)).astype(np.float32)
    first(x[:, :1200])
    state = first.state()
    assert state["history"].shape == (2, 899)
    second = Stream(kernels)
    second.load_state(state)
    assert_follows(second(x[:, 1200:]), offline(x, kernels)[:, 1200:])


def test_refuses_states_of_other_shapes_by_name():
    rng, kernels, stream = random_stream(15)
    x = rng.standard_normal((2, 1000)).astype(np.float32)
    stream(x)
    state = stream.state()
    others = {
        "channels": Stream(kernels[:1], channels=3),
        "kernels": Stream(kernels[:1], channels=2),
        "routing": Stream(kernels, channels=2, routing="bank"),
        "dtype": Stream(kernels, precision="float64"),
    }
    for name, other in others.items():
        with pytest.raises(ValueError, match=rf"state has {name} = .*; the stream has "):
            other.load_state(state)
    four = np.ones((4, 3), np.float32)
    two_by_two = Stream(four, channels=2, routing="matrix", outputs=2)
    with pytest.raises(ValueError, match=r"state has outputs = 2; the stream has 0"):
        Stream(four, channels=4, routing="matrix").load_state(
            {**two_by_two.state(), "channels": np.array(4)}
        )
    with pytest.raises(ValueError, match=r"299 frames of history; max_taps = 400 needs 399"):
        Stream(kernels, max_taps=400).load_state(state)
    with pytest.raises(ValueError, match=r"state has format 2; allowed: 1"):
        stream.load_state({**state, "format": np.array(2)})
    with pytest.raises(ValueError, match=r"state lacks 'history'"):
        stream.load_state({name: value for name, value in state.items() if name != "history"})
    with pytest.raises(ValueError, match=r"history of shape \(1, 299\)"):
        stream.load_state({**state, "history": state["history"][:1]})
    stream.swap(kernels, at=5000)
    for act in (stream.state, lambda: stream.load_state(state)):
        with pytest.raises(RuntimeError, match=r"not allowed while a swap waits or fades"):
            act()
    more = rng.standard_normal((2, 500)).astype(np.float32)
    expected = offline(np.concatenate([x, more], 1), kernels)[:, 1000:]
    assert_follows(stream(more), expected)  # as if nothing had been


@pytest.mark.parametrize("name", ["position", "heard", "silent"])
@pytest.mark.parametrize(
    ("value", "error", "allowed"),
    [
        (2**63 - 1, ValueError, "whole numbers from 0 to 4611686018427387904"),
        (2**70, ValueError, "whole numbers from 0 to"),
        (-5, ValueError, "whole numbers from 0 to"),
        (2.7, TypeError, "whole numbers from 0 to"),
        (None, TypeError, "whole numbers from 0 to"),
        ([1, 1], ValueError, "a single value"),
    ],
)
def test_refuses_numbers_of_a_state_by_name(name, value, error, allowed):
    stream = Stream([1.0, 2.0])
    stream(np.ones(5))
    state = stream.state()
    with pytest.raises(error, match=rf"^state\['{name}'\] .*; allowed: {allowed}"):
        stream.load_state({**state, name: value})
    with pytest.raises(ValueError, match=r"^state\['format'\] has shape \(2,\); allowed"):
        stream.load_state({**state, "format": [1, 1]})
    with pytest.raises(TypeError, match="^state is of .*; allowed: a mapping"):
        stream.load_state(None)
    assert stream.position == 5


def test_goes_on_from_the_largest_position():
    stream = Stream([1.0, 2.0])
    stream.load_state(stream.state() | {"position": 2**62})
    stream(np.ones(5))
    assert stream.position == 2**62 + 5


def test_refuses_tickets_that_no_swap_has_given():
    stream = Stream([1.0, 2.0])
    with pytest.raises(ValueError, match="^ticket is 1; allowed: what swap has returned$"):
        stream.live_frame(1)
    ticket = stream.swap([1.0, 3.0], at=9)
    assert stream.live_frame(ticket) is None
    for wrong, error in ((ticket + 1, ValueError), (-1, ValueError), (1.0, TypeError)):
        with pytest.raises(error, match=f"^ticket is {wrong}; allowed: ") as refusal:
            stream.live_frame(wrong)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
def test_torch_in_and_out(routing):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng, kernels, stream = random_stream(16, routing=routing)
    x = torch.from_numpy(rng.standard_normal((2, 900)).astype(np.float32))
    y = torch.cat(
        [stream(x[:, :100]), stream(x.T.contiguous().T[:, 100:])], 0 if routing == "matrix" else 1
    )
    assert isinstance(y, torch.Tensor) and y.dtype == torch.float32 and y.device == x.device
    time_axis = 0 if routing == "matrix" else 1
    assert_follows(y.numpy(), offline(x.numpy(), kernels, routing), time_axis)
    with pytest.raises(TypeError, match=r"chunk is a torch.Tensor that cannot be read: .*grad"):
        stream(x.clone().requires_grad_())
    with pytest.raises(TypeError, match=r"chunk is a torch.Tensor that cannot be read"):
        stream(x.to(torch.bfloat16))
    assert stream.position == 900


def test_jax_in_and_out():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    rng, kernels, stream = random_stream(17)
    x = jax.numpy.asarray(rng.standard_normal((2, 900)).astype(np.float32))
    y = jax.numpy.concatenate([stream(x[:, :100]), stream(x[:, 100:])], 1)
    assert isinstance(y, jax.Array) and y.dtype == np.float32
    assert y.devices() == x.devices()
    assert_follows(np.asarray(y), offline(np.asarray(x), kernels))


def test_imports_no_library_that_the_user_has_not():
    import subprocess
    import sys

    code = (
        "import sys, numpy, firbank; firbank.Stream([1.0])(numpy.ones(3));"
        "print([m for m in ('torch', 'jax', 'cupy', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def long_chunk(frames):
    """A stream that is busy for long with a chunk that takes little memory."""
    stream = Stream(np.ones((16, 5000), np.float32), routing="matrix", block=64)
    return stream, np.broadcast_to(np.float32(0), (16, frames))


def test_a_second_thread_is_told_so():
    stream, x = long_chunk(2_000_000)
    started, errors = threading.Event(), []

    def work():
        started.set()
        stream(x)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    while thread.is_alive() and len(errors) < 3:
        for act in (lambda: stream(x[:, :1]), stream.flush, stream.reset, stream.state):
            try:
                act()
            except RuntimeError as error:
                errors.append(str(error))
        assert stream.position >= 0 and stream.stats.calls >= 0
    thread.join()
    assert errors and set(errors) == {"the stream is in use; one thread at a time may use it"}
    stream(x[:, :1])  # and is let in again


def test_lets_go_of_the_interpreter_while_it_computes():
    stream = Stream(np.ones((100, 2000), np.float32), routing="matrix", block=65_536)
    x = np.broadcast_to(np.float32(0), (100, 65_536))  # a single slice

    def longest_pause():
        """As a share of the call. With the lock held there would be no moment but two."""
        thread = threading.Thread(target=stream, args=(x,))
        thread.start()
        moments = [time.perf_counter()]
        while thread.is_alive():
            time.sleep(0.001)
            moments.append(time.perf_counter())
        return np.diff(moments).max() / (moments[-1] - moments[0])

    # The machine may pause as well, but not each time.
    assert min(longest_pause() for _ in range(5)) < 0.5


def test_streams_run_side_by_side():
    cases = [random_stream(seed) for seed in range(4)]
    x = np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32)
    results = {}

    def work(number):
        stream = cases[number][2]
        results[number] = np.concatenate(
            [stream(x[:, n : n + 100]) for n in range(0, 20_000, 100)], 1
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, (_, kernels, _) in enumerate(cases):
        assert_follows(results[number], offline(x, kernels))


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="there are no signals here")
def test_control_c_stops_a_long_chunk():
    stream, x = long_chunk(30_000_000)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        stream(x)
    timer.join()
    assert 0 < stream.position < x.shape[1]
    stream(x[:, :10])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
@pytest.mark.parametrize("does", ["chunk", "flush"])
def test_a_signal_need_not_wait_for_many_channels(does):
    """4,096 frames of 1,000 channels take some tenths of a second; the timer goes after 20 ms."""
    stream = Stream(np.ones(4097), channels=1000, block=64)
    stream(np.ones((1000, 64)))
    chunk, out = np.ones((1000, 4096)), np.zeros((1000, 4096))

    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(KeyboardInterrupt):
            stream.flush() if does == "flush" else stream(chunk, out)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    done = stream.position - 64
    assert 0 <= done < 4096
    # What was done is part of the stream.
    expected = 64.0 if does == "flush" else 64.0 + done + np.arange(1, 33)
    np.testing.assert_allclose(
        stream(np.full((1000, 32), 0.0 if does == "flush" else 1.0))[7], expected, rtol=1e-9
    )


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
@pytest.mark.parametrize("block", [1, 24, 256])
def test_a_long_chunk_is_what_shorter_ones_are(routing, block):
    rng = np.random.default_rng(32)
    kernels = rng.standard_normal((100, 90)).astype(np.float32)
    channels = {"rows": 100, "bank": 2, "matrix": 100}[routing]
    x = rng.standard_normal((channels, 7000), dtype=np.float32)
    long, short = (Stream(kernels, channels, block, routing) for _ in range(2))
    whole = long(x)
    parts = [short(x[:, first : first + 1000]) for first in range(0, 7000, 1000)]
    axis = 0 if routing == "matrix" else 1
    assert_follows(whole, np.concatenate(parts, axis), axis)
    assert_follows(long.flush(), short.flush(), axis)
    assert (long.stats.calls, long.stats.frames) == (1, 7000 + 89)


@pytest.mark.parametrize(
    ("chunk", "error", "words"),
    [
        (np.float32(1), ValueError, ["chunk has shape ()", "(2, n)"]),
        (np.zeros(5), ValueError, ["chunk has shape (5,)", "(2, n)"]),
        (np.zeros((3, 5)), ValueError, ["chunk has shape (3, 5)", "(2, n)"]),
        (np.zeros((5, 2)), ValueError, ["chunk has shape (5, 2)", "(2, n)"]),
        (np.zeros((1, 2, 5)), ValueError, ["chunk has shape (1, 2, 5)"]),
        (np.zeros((2, 5), complex), TypeError, ["chunk", "complex128"]),
        (np.zeros((2, 5), object), TypeError, ["chunk", "object"]),
        (np.zeros((2, 5), "M8[s]"), TypeError, ["chunk", "datetime64[s]"]),
        (np.ma.array(np.zeros((2, 5)), mask=True), TypeError, ["chunk is a masked array"]),
        ("ab", TypeError, ["chunk"]),
        (None, TypeError, ["chunk"]),
        ([[1.0], [1.0, 2.0]], TypeError, ["chunk"]),
    ],
)
def test_refuses_chunks(chunk, error, words):
    _, _, stream = random_stream(21)
    with pytest.raises(error) as refusal:
        stream(chunk)
    message = str(refusal.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert stream.position == 0


def test_refuses_out():
    _, _, stream = random_stream(22)
    x = np.zeros((2, 5), np.float32)
    frozen = np.zeros((2, 5), np.float32)
    frozen.flags.writeable = False
    for out, error, words in [
        (frozen, ValueError, "out is read-only"),
        (np.zeros((2, 4), np.float32), ValueError, r"out has shape \(2, 4\); allowed: \(2, 5\)"),
        (
            np.zeros((2, 5)),
            TypeError,
            "out has dtype float64; allowed: float32, that of the result",
        ),
        ([[0.0] * 5] * 2, TypeError, "out is of <class 'list'>; allowed: a NumPy array"),
    ]:
        with pytest.raises(error, match=words):
            stream(x, out=out)
    assert stream.position == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"routing": "row"}, r"routing is 'row'; allowed: 'rows', 'bank', 'matrix'"),
        ({"channels": 0}, r"channels is 0; allowed: whole numbers from 1 to 2147483647"),
        (
            {"channels": 2**31, "routing": "bank"},
            r"channels is 2147483648; allowed: whole numbers from 1 to 2147",
        ),
        ({"channels": 3}, r"bank has 2 kernels; allowed with 3 channels in rows: 1 or 3"),
        (
            {"channels": 3, "routing": "matrix"},
            r"bank has 2 kernels; .* 3 channels and 1 outputs: 3",
        ),
        ({"outputs": 2}, r"outputs is 2; allowed with routing 'rows': None"),
        ({"block": 0}, r"block is 0; allowed: whole numbers from 1 to 65536"),
        ({"block": 65_537}, r"block is 65537; allowed: whole numbers from 1 to 65536"),
        ({"threads": 65}, r"threads is 65; allowed: whole numbers from 1 to 64"),
        ({"device": "tpu"}, r"there is no backend 'tpu'; allowed: auto, cpu"),
        ({"precision": "int16"}, r"precision is 'int16'; allowed: 'float32', 'float64'"),
        ({"sample_rate": 0.0}, r"sample_rate is 0.0; allowed: above 0, up to 1e\+12"),
        ({"sample_rate": 10**400}, r"sample_rate is 10*; allowed: above 0, up to 1e\+12"),
        ({"axis": 2}, r"axis is 2; allowed: whole numbers from -2 to 1"),
        ({"max_taps": 2}, r"max_taps is 2; allowed: whole numbers from 3 on"),
    ],
)
def test_refuses_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        Stream(np.ones((2, 3)), **options)


@pytest.mark.parametrize("rate", ["x", None, [1.0, 2.0]])
def test_refuses_a_sample_rate_that_is_no_number(rate):
    with pytest.raises(TypeError, match=r"^sample_rate is .*; allowed: a number$"):
        Stream([1.0], sample_rate=rate)


def test_refuses_kernels():
    with pytest.raises(ValueError, match=r"kernels\[0\]\[1\] is nan; allowed: finite"):
        Stream([[0.0, np.nan]])
    with pytest.raises(TypeError, match=r"kernels\[0\] has dtype complex128"):
        Stream([[1j]])


def test_a_closed_stream_says_so():
    with Stream([1.0, 2.0]) as stream:
        assert "rows" in repr(stream) and "frame 0" in repr(stream)
        stream(np.ones(3))
    stream.close()
    assert "closed" in repr(stream)
    for act in (
        lambda: stream(np.ones(3)),
        stream.flush,
        stream.reset,
        stream.state,
        lambda: stream.position,
        lambda: stream.stats,
        lambda: stream.swap([1.0]),
        lambda: stream.live_frame(1),
    ):
        with pytest.raises(ValueError, match="the stream is closed"):
            act()


@pytest.mark.parametrize(
    "ask",
    [
        lambda stream: stream.position,
        lambda stream: stream.stats,
        lambda stream: stream.live_frame(1),
        repr,
    ],
    ids=["position", "stats", "live_frame", "repr"],
)
def test_is_asked_while_another_thread_closes_it(ask):
    """Closes it between two lines of Python, wherever these ask; each line in its turn."""
    lines = 0

    def close_at(line):
        stream, seen = Stream([1.0]), 0
        stream.swap([2.0])

        def trace(frame, event, _):
            nonlocal seen
            if frame.f_code.co_filename != firbank.stream.__file__:
                return None
            if event == "line" and stream._engine is not None:
                seen += 1
                if seen == line:
                    threading.Thread(target=stream.close, daemon=True).start()
                    deadline = time.monotonic() + 0.2
                    while stream._engine is not None and time.monotonic() < deadline:
                        time.sleep(0.001)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            ask(stream)
        except ValueError as error:
            assert str(error) == "the stream is closed"
        finally:
            sys.settrace(before)
        return seen >= line

    while close_at(lines + 1):
        lines += 1
    assert lines > 0


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's accounts")
def test_closing_gives_the_memory_back():
    def anonymous():
        with open("/proc/self/status") as status:
            (line,) = [line for line in status if line.startswith("RssAnon")]
        return int(line.split()[1]) * 1024

    stream = Stream(np.ones(2, np.float32), channels=64, max_taps=100_000)
    stream(np.ones((64, 1000), np.float32))
    before = anonymous()
    stream.close()
    assert before - anonymous() > 20e6  # the past of 64 channels, twice 100,000 samples of 4 bytes


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts Linux's threads")
def test_the_engine_is_the_one_that_was_asked_for():
    def threads():
        return len(os.listdir("/proc/self/task"))

    kernel = np.ones(5000, np.float32)
    with Stream(kernel, block=16) as small, Stream(kernel, block=1024) as large:
        assert small.stats.plan != large.stats.plan
    before = threads()
    with Stream(kernel, threads=3):
        assert threads() == before + 2
    with Stream(kernel, device="cpu-scalar") as stream:
        assert stream.stats.backend == "cpu-scalar"


def test_tells_about_itself():
    _, kernels, stream = random_stream(23, sample_rate=30_000, axis=0)
    assert (stream.channels, stream.max_taps, stream.latency) == (2, 300, 0)
    assert stream.sample_rate == 30_000 and stream.dtype == np.float32
    stream(np.zeros((10, 2)))
    stream(np.zeros((0, 2)))
    stats = stream.stats
    assert (stats.frames, stats.calls, stats.swaps) == (10, 1, 0)
    assert stats.backend.startswith("cpu") and "taps" in stats.plan
    with pytest.raises(TypeError, match=r"cannot be pickled; pickle its bank"):
        pickle.dumps(stream)


@pytest.mark.full
@settings(max_examples=1500)
@given(case=settings_of_a_stream(), frames=st.integers(1, 12_000))
def test_any_chunks_give_the_offline_result_in_many_cases(case, frames):
    test_any_chunks_give_the_offline_result.hypothesis.inner_test(case, frames)


def test_a_gpu_hears_the_same():
    """Also on the fake device of the C++ tests, where FIRBANK_PLUGIN_DIR leads to it."""
    rng = np.random.default_rng(25)
    kernels = [rng.standard_normal(size).astype(np.float32) for size in (300, 20, 700)]
    bank = Bank(kernels)
    try:
        stream = Stream(bank, routing="bank", channels=2, device="cuda")
    except ValueError as error:
        pytest.skip(f"no GPU: {error}")
    x = rng.standard_normal((2, 4000)).astype(np.float32)
    expected = offline(x, kernels, "bank", mode="full")
    parts, _ = run(stream, x[:, :2000], chunks_of(rng, 2000), -1)
    state = stream.state()
    bank.update(1, kernels[2])
    kernels[1] = kernels[2]
    expected[:, 2000:] = offline(x, kernels, "bank", mode="full")[:, 2000:]
    parts += run(stream, x[:, 2000:], chunks_of(rng, 2000), -1)[0]
    parts.append(stream.flush())
    assert_follows(np.concatenate(parts, 1), expected, 1)
    assert stream.stats.backend.startswith("cuda") and stream.stats.fail_over_frame is None
    on_cpu = Stream(bank, routing="bank", channels=2)
    on_cpu.load_state(state)
    assert_follows(on_cpu(x[:, 2000:]), expected[:, 2000:4000], 1)
