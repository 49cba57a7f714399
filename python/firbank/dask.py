"""Convolution of dask arrays: block by block where the blocks are, the whole never in one place.

`convolve` builds a graph and computes nothing. Each block of the result is one task, an in-memory
`firbank.convolve` of the samples that it needs: its own block, and the taps - 1 samples before it,
cut off the blocks before where these are, so that no more than that travels between workers. A task
that is lost with its worker is computed again like any other: tasks have no state and no order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from operator import getitem
from typing import Any, Literal

import dask.array as da
import numpy as np
from dask.array.core import normalize_chunks
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import ArrayLike, NDArray

from ._arguments import MODES, ROUTINGS, axis_of, finite_taps, one_of, require_kernel_shape
from ._arrays import require_numbers
from ._convolve import check_options
from ._convolve import convolve as _convolve_in_memory
from ._layout import is_ragged
from ._mapping import in_memory
from ._time_blocks import TimeBlock, time_blocks
from .bank import Bank

__all__ = ["convolve"]


def convolve(
    x: da.Array,
    h: ArrayLike | Sequence[ArrayLike],
    axis: int = -1,
    mode: Literal["full", "same", "valid", "causal"] = "full",
    routing: Literal["rows", "bank", "matrix"] = "rows",
    *,
    precision: Literal["float32", "float64"] | None = None,
    device: str = "auto",
    method: str = "auto",
    memory_limit: int | str | None = None,
    threads: int | None = 1,
    last_axis_chunks: int | tuple[int, ...] | Literal["auto"] = "auto",
) -> da.Array | list[da.Array]:
    """Convolve a dask array with kernels, lazily and block by block.

    Shapes, types and values are those of `firbank.convolve` on the whole array, to within rounding
    (float32: 1e-6 of the largest value).

    Parameters
    ----------
    x : dask.array.Array, real or complex
        Time along `axis`, N samples in all; the other axes are channels. Any chunks do, along time
        also such as are shorter than the kernels.
    h : array_like, or a list of them with routing 'bank'
        The kernels, of L taps, finite, in memory; every worker gets those that it uses.

        - 'rows': channel i with kernel i. One kernel, or an array of x's number of dimensions with
          taps along `axis`, its other axes broadcasting to x's.
        - 'bank': every channel with every kernel: (K, L) or (L,), or a list of K kernels.
        - 'matrix': sums over all channels, each convolved with its own kernel: x's shape with taps
          along `axis`, or that with one more leading axis of O outputs.
    axis : int, default -1
        The axis of time.
    mode : {'full', 'same', 'valid', 'causal'}, default 'full'
        How many frames result: N + L - 1; N, from frame (L - 1) // 2 of these on; N - L + 1, those
        that lie within x wholly; N, from the first on.
    routing : {'rows', 'bank', 'matrix'}, default 'rows'
        Which channel meets which kernel.
    precision : {'float32', 'float64'}, optional
        Of the arithmetic and of the result; by the types of `x` and `h` unless given.
    device, method : str, default 'auto'
        As for `firbank.convolve`, in every task.
    memory_limit : int or str, optional
        Bytes, or such as '2GiB', that a task may take besides its samples and its result.
    threads : int, optional
        Threads in every task. One unless given, since the scheduler runs tasks at the same time;
        None lets each task choose.
    last_axis_chunks : int, tuple of int or 'auto', default 'auto'
        Chunks of the result's last axis, of kernels ('bank') or outputs ('matrix'). 'auto' keeps
        blocks within dask's ``array.chunk-size``. Without effect for 'rows' and for kernels of
        unequal sizes, which have no such axis.

    Returns
    -------
    dask.array.Array, or a list of them
        Its chunks along channels are x's; empty ones are left out. Along time they are x's too for
        'same' and 'causal'; for 'valid' without the first L - 1 frames; for 'full' they are
        followed by L - 1 frames in chunks of at most x's largest. With 'bank' a last axis of
        kernels comes after x's axes; 'matrix' gives (M,), or (M, O). A list of kernels of unequal
        sizes gives a list, of an array without that last axis for each.

    Raises
    ------
    ValueError
        If `mode`, `routing` or the shapes are not as above, if L > N in 'valid', if `x` is empty or
        its chunks are unknown, or if a kernel is empty or not finite.
    TypeError
        If `x` is not a dask array, or `h` is one.
    IndexError
        If `x` has no axis `axis`.

    Notes
    -----
    A task holds the samples that it needs (a block and L - 1 samples before it) and its result.
    Where chunks are much shorter than the kernels, each is read by many tasks: then
    ``x.rechunk`` first. Thread-safe.

    Examples
    --------
    >>> import dask.array as da
    >>> x = da.ones((2, 9), chunks=(1, 4))
    >>> y = convolve(x, [1.0, 2.0, 3.0], mode="causal")
    >>> y.chunks
    ((1, 1), (4, 4, 1))
    >>> y[0].compute()
    array([1., 3., 6., 6., 6., 6., 6., 6., 6.])
    """
    x, axis = _checked_samples(x, axis)
    one_of("mode", mode, MODES)
    one_of("routing", routing, ROUTINGS)
    check_options(
        # A GPU is the workers' matter.
        device="auto" if str(device).startswith("cuda") else device,
        precision=precision,
        threads=threads,
        method=method,
        memory_limit=memory_limit,
    )
    if isinstance(h, Bank):
        h = list(h)
    options = {
        "precision": precision,
        "device": device,
        "method": method,
        "memory_limit": memory_limit,
        "threads": threads,
    }
    if isinstance(last_axis_chunks, str) and last_axis_chunks != "auto":
        raise ValueError(
            f"last_axis_chunks is {last_axis_chunks!r}; allowed: 'auto', or sizes of chunks"
        )
    if is_ragged(h, routing):
        each = [finite_taps(f"h[{k}]", kernel) for k, kernel in enumerate(h)]
        for k, kernel in enumerate(each):
            if kernel.ndim != 1:
                raise ValueError(f"h[{k}] has shape {kernel.shape}; allowed: (taps,)")
        return [_bank(x, kernel, axis, mode, options, 1)[..., 0] for kernel in each]
    h = finite_taps("h", h)
    require_kernel_shape(h.shape, x.shape, axis, routing)
    if routing == "rows":
        return _rows(x, h, axis, mode, options)
    convolve_all = _bank if routing == "bank" else _matrix
    return convolve_all(x, h, axis, mode, options, last_axis_chunks)


def _rows(x: da.Array, h: NDArray[Any], axis: int, mode: str, options: dict[str, Any]) -> da.Array:
    if h.ndim == 1:
        h = h.reshape([-1 if dimension == axis else 1 for dimension in range(x.ndim)])
    blocks = time_blocks(x.chunks[axis], h.shape[axis], mode)
    # Along an axis where one kernel serves all channels, its one block serves all blocks of x.
    split = [size > 1 and dimension != axis for dimension, size in enumerate(h.shape)]
    chunks = tuple(x.chunks[i] if cut else h.shape[i] for i, cut in enumerate(split))
    return _assemble(
        x,
        da.from_array(h, chunks=chunks),
        axis,
        blocks,
        routing="rows",
        chunks=(*x.chunks[:axis], _frames(blocks), *x.chunks[axis + 1 :]),
        last_blocks=1,
        kernel_at=lambda at, last: tuple(
            place if cut else 0 for place, cut in zip(at, split, strict=True)
        ),
        result_at=lambda at, last: at,
        options=options,
    )


def _bank(
    x: da.Array,
    h: NDArray[Any],
    axis: int,
    mode: str,
    options: dict[str, Any],
    last_axis_chunks: int | tuple[int, ...] | str,
) -> da.Array:
    h = np.atleast_2d(h)
    blocks = time_blocks(x.chunks[axis], h.shape[1], mode)
    chunks = (*x.chunks[:axis], _frames(blocks), *x.chunks[axis + 1 :])
    last = _last_axis(chunks, len(h), last_axis_chunks, _result_type(x, h, options["precision"]))
    return _assemble(
        x,
        da.from_array(h, chunks=(last, h.shape[1])),
        axis,
        blocks,
        routing="bank",
        chunks=(*chunks, last),
        last_blocks=len(last),
        kernel_at=lambda at, last: (last, 0),
        result_at=lambda at, last: (*at, last),
        options=options,
    )


def _matrix(
    x: da.Array,
    h: NDArray[Any],
    axis: int,
    mode: str,
    options: dict[str, Any],
    last_axis_chunks: int | tuple[int, ...] | str,
) -> da.Array:
    one_output = h.ndim == x.ndim
    if one_output:
        h = h[np.newaxis]
    taps = h.shape[axis + 1]
    blocks = time_blocks(x.chunks[axis], taps, mode)
    result = _result_type(x, h, options["precision"])
    last = _last_axis((_frames(blocks),), len(h), last_axis_chunks, result)
    # Sums of blocks of channels come first, and are then added up as any dask array is, in a tree.
    # They are of single precision at least, so that half precision is rounded to but once.
    if result == np.float16:
        options = {**options, "precision": "float32"}
    channel_chunks = list(x.chunks)
    channel_chunks[axis] = taps
    numbers = {
        at: number for number, at in enumerate(product(*map(range, _without(x.numblocks, axis))))
    }
    sums = _assemble(
        x,
        da.from_array(h, chunks=(last, *channel_chunks)),
        axis,
        blocks,
        routing="matrix",
        chunks=((1,) * len(numbers), _frames(blocks), last),
        last_blocks=len(last),
        kernel_at=lambda at, last: (last, *at[:axis], 0, *at[axis + 1 :]),
        result_at=lambda at, last: (numbers[_without(at, axis)], at[axis], last),
        options=options,
    )
    y = sums.sum(axis=0, dtype=sums.dtype).astype(result)
    return y[:, 0] if one_output else y


def _assemble(
    x: da.Array,
    kernels: da.Array,
    axis: int,
    blocks: list[TimeBlock],
    *,
    routing: str,
    chunks: tuple[tuple[int, ...], ...],
    last_blocks: int,
    kernel_at: Callable[[tuple[int, ...], int], tuple[int, ...]],
    result_at: Callable[[tuple[int, ...], int], tuple[int, ...]],
    options: dict[str, Any],
) -> da.Array:
    """Build the graph: a task for each block of channels, block of time and block of kernels.

    `kernel_at` and `result_at` give the place of a task's kernels and of its result among their
    blocks, by its place among the channels and times of x and its block of the last axis.
    """
    token = tokenize(x, kernels, axis, blocks, routing, chunks, options)
    name, cut_name = f"firbank-{routing}-{token}", f"firbank-samples-{token}"
    graph: dict[Any, Any] = {}
    counts = list(x.numblocks)
    counts[axis] = len(blocks)
    for at in product(*map(range, counts)):
        block = blocks[at[axis]]
        samples = []
        for number, begin, end in block.pieces:
            key = (x.name, *at[:axis], number, *at[axis + 1 :])
            if (begin, end) != (0, x.chunks[axis][number]):
                # A task of its own runs where the block is, and sends on only what it cuts off.
                taken = (slice(None),) * axis + (slice(begin, end),)
                whole, key = key, (cut_name, *at, number)
                graph[key] = (getitem, whole, taken)
            samples.append(key)
        task = partial(_convolve_block, block=block, axis=axis, routing=routing, options=options)
        for last in range(last_blocks):
            kernel = (kernels.name, *kernel_at(at, last))
            graph[(name, *result_at(at, last))] = (task, samples, kernel)
    dependent = HighLevelGraph.from_collections(name, graph, dependencies=[x, kernels])
    dtype = _result_type(x, kernels, options["precision"])
    return da.Array(dependent, name, chunks, meta=np.empty((0,) * len(chunks), dtype))


def _convolve_block(
    samples: list[NDArray[Any]],
    kernels: NDArray[Any],
    *,
    block: TimeBlock,
    axis: int,
    routing: str,
    options: dict[str, Any],
) -> NDArray[Any]:
    """Compute one block of the result; what runs in the workers."""
    samples = [in_memory(part, "x") for part in samples]
    window = samples[0] if len(samples) == 1 else np.concatenate(samples, axis)
    y = _convolve_in_memory(window, kernels, axis=axis, mode=block.mode, routing=routing, **options)
    time = 0 if routing == "matrix" else axis
    wanted = slice(block.skipped, block.skipped + block.frames)
    if y.shape[time] != block.frames:
        # A copy, since a view would keep the frames alive that nobody wants.
        y = y[(slice(None),) * time + (wanted,)].copy()
    return y[np.newaxis] if routing == "matrix" else y


def _checked_samples(x: da.Array, axis: int) -> tuple[da.Array, int]:
    """Check x and its axis, count the axis from the front, and drop chunks that hold nothing."""
    if not isinstance(x, da.Array):
        raise TypeError(f"x is a {type(x).__name__}; allowed: a dask array")
    require_numbers(x, "x")
    axis = axis_of(axis, x.ndim)
    if np.isnan(x.shape).any():
        raise ValueError(f"x has chunks of unknown sizes, {x.chunks}; allowed: known ones")
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}; allowed: no empty dimension")
    filled = tuple(tuple(chunk for chunk in chunks if chunk) for chunks in x.chunks)
    return x.rechunk(filled), axis


def _result_type(x: da.Array, h: NDArray[Any] | da.Array, precision: str | None) -> np.dtype[Any]:
    """Ask the in-memory convolution, so that there is one set of rules."""
    sample, tap = np.zeros((1, 1), x.dtype), np.zeros((1, 1), h.dtype)
    return _convolve_in_memory(sample, tap, precision=precision).dtype


def _frames(blocks: list[TimeBlock]) -> tuple[int, ...]:
    return tuple(block.frames for block in blocks)


def _without(items: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*items[:axis], *items[axis + 1 :])


def _last_axis(
    others: tuple[tuple[int, ...], ...],
    size: int,
    wanted: int | tuple[int, ...] | str,
    dtype: np.dtype[Any],
) -> tuple[int, ...]:
    """Choose the chunks of a last axis of `size`, by those of the axes before it if 'auto'."""
    shape = (*map(sum, others), size)
    try:
        return normalize_chunks((*others, wanted), shape=shape, dtype=dtype)[-1]
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"last_axis_chunks is {wanted!r}; allowed: 'auto', or sizes that make up {size}"
        ) from error
