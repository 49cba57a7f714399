"""Convolutions of arrays: ``convolve`` and ``plan``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from . import _arguments as arguments
from . import _core, _job
from ._arrays import as_numpy, like
from ._kernels import kernel_array
from ._large import convolve_large, is_large, plan_large
from ._mapping import in_memory, is_mapped
from ._plan import FilePlan, Plan
from ._progress import teller
from ._separate import share_memory
from .bank import Bank

# Of a mapped file, read at once: to read, compute and write side by side repays itself for more.
_SMALL_BYTES = 1 << 20

Mode = Literal["full", "same", "valid", "causal"]
Routing = Literal["rows", "bank", "matrix"]


def convolve(
    x: Any,
    h: ArrayLike | Sequence[ArrayLike],
    axis: int = -1,
    mode: Mode = "full",
    routing: Routing = "rows",
    memory_limit: int | str | None = None,
    device: str = "auto",
    precision: Literal["float32", "float64"] | None = None,
    out: np.ndarray | Sequence[np.ndarray] | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    *,
    batch_size_samples: int | None = None,
    batch_size_channels: int | None = None,
    batch_size_basis: int | None = None,
    threads: int | None = None,
    method: Literal["auto", "direct", "fft"] = "auto",
    resume: bool = True,
) -> Any:
    """Convolve every channel of an array along one axis.

    Parameters
    ----------
    x : array_like, N samples along `axis`, channels along its other axes
        Real or complex, of up to 64 bits a number; integers are taken as they are. What is larger
        than memory is taken as a ``numpy.memmap`` or a view of one, the path of an ``.npy`` file,
        an ``h5py.Dataset``, a ``zarr.Array``, or an iterator of chunks: see *Files and chunks*.
    h : array_like, list of array_like, or Bank
        The kernels, of finite taps. What shape they have depends on `routing`:

        * ``'rows'``: channel i with kernel i. One dimension (one kernel for all channels), or as
          many as `x`, with the taps along `axis` and the other axes of x's sizes or of size 1.
        * ``'bank'``: every channel with every kernel. ``(K, taps)``, or ``(taps,)`` for K = 1, or
          a list of K one-dimensional kernels of any sizes.
        * ``'matrix'``: every output is the sum over all channels, each with its own kernel. The
          shape of `x` with the taps along `axis`, or that behind one more axis of O outputs.
    axis : int
        The axis of x along which time goes.
    mode : {'full', 'same', 'valid', 'causal'}
        Which of the N + taps - 1 frames of a full convolution: all; the N in the middle, as SciPy
        counts them, x's length whatever the taps; the N - taps + 1 in which the kernel lies within
        x; or the first N, as a filter gives them.
    routing : {'rows', 'bank', 'matrix'}
        Which channel meets which kernel, as told of `h`.
    memory_limit : int or str, optional
        Most bytes that may be used besides x and the result, or text such as ``'2GiB'``: what the
        engine needs, with its copies of the kernels. Batches are chosen to fit; a limit in which
        nothing fits is refused before anything is computed. Not counted: what NumPy takes before,
        where x or h has to be converted (foreign byte order, unaligned, long double) or is a list.
    device : str
        ``'auto'`` or ``'cpu'``: the best instruction set here; ``'cuda'`` or ``'cuda:N'``: a GPU;
        or the name of one of the CPU's, such as ``'cpu-avx2'``.
    precision : {'float32', 'float64'}, optional
        Of the arithmetic and the result. Unless given, NumPy's promotion of x and h decides, and
        integers become float64; float16 is computed in float32.
    out : ndarray or list of ndarray, optional
        Where to put the result, of its shape and dtype; a list for a ragged bank. Any strides; it
        must not overlap x or h. Nothing is rounded to fit: `precision` is what makes a narrower
        result. Or a file: a ``numpy.memmap``, a path, a dataset of h5py or Zarr.
    progress : bool or callable, optional
        True for a bar by tqdm, where it is installed; or ``progress(done, total)`` in samples of
        the result, called in this thread some twenty times a second, and at the end.
    batch_size_samples, batch_size_channels, batch_size_basis : int, optional
        Most output samples, channels and kernels that a thread computes at once; chosen unless
        given.
    threads : int, optional
        1 to 64; unless given, as many as the processor has, where the work repays them. For a GPU
        they copy its samples there and home; unless given, up to 8.
    method : {'auto', 'direct', 'fft'}
        ``'auto'`` takes the one that is estimated to be cheaper. A GPU has ``'fft'`` alone.
    resume : bool
        Of work on files: whether it goes on where an earlier call of the same was stopped.

    Returns
    -------
    ndarray or list of ndarray
        ``'rows'``: x's shape with M frames along `axis`. ``'bank'``: that, and a new last axis of K
        kernels; of kernels of several sizes, a list of K arrays, each with its own M, in one block
        of memory.
        ``'matrix'``: ``(M,)``, or ``(M, O)``. It is `out` where that was given, and else of the
        library of `x`, of PyTorch, JAX and CuPy.

    Raises
    ------
    ValueError, TypeError
        Where an argument is not allowed; the message names it, its value and what is.
    MemoryError
        Where the result, or what is computed with, cannot be allocated.
    KeyboardInterrupt
        Within a tenth of a second of Ctrl-C, or as soon as the kernels at hand are transformed;
        `out` is then partly written.

    Notes
    -----
    *Files and chunks.* They are read, computed and written a piece at a time, within
    `memory_limit` (unless given, a quarter of what is available, 64 MiB to 1 GiB). A path in `out`
    is made as an ``.npy`` file and given back as a ``numpy.memmap``. What is finished is kept in a
    journal beside the file, ``OUT.firbank-journal``, until all is: the same call goes on where one
    was stopped, by Ctrl-C, a signal or a power failure, after it has compared what is finished with
    the journal's checksums. An iterator of chunks, arrays of any number
    of samples along `axis`, gives an iterator of chunks, computed as they are asked for, whose
    concatenation is the result.

    The result equals a direct convolution in double precision to 1e-6 (float32) or 1e-13 (float64)
    of its norm, whatever the batches, threads and method, where sums do not cancel: the error is of
    what is summed. Of a small signal upon a large offset, take the offset away first, or use
    ``precision='float64'``. Numbers below 1e-38 in float32 and 2e-308 in float64 count
    as zero; sums beyond 3e38 and 1.8e308 become infinite or NaN, by the method. NaN and infinities
    in x make exactly those frames NaN whose window touches them. The interpreter's lock is released
    meanwhile, but for what takes microseconds; calls from several threads run side by side.

    Examples
    --------
    >>> import numpy as np, firbank
    >>> firbank.convolve(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.5]))
    array([0.5, 1.5, 2.5, 1.5])
    >>> x = np.random.default_rng(1).standard_normal((4, 1000), dtype=np.float32)
    >>> firbank.convolve(x, np.ones((3, 8), np.float32), mode="same", routing="bank").shape
    (4, 1000, 3)
    """
    if (
        out is None
        and precision is None
        and memory_limit is None
        and progress is None
        and threads is None
        and batch_size_samples is None
        and batch_size_channels is None
        and batch_size_basis is None
        and routing == "rows"
        and method == "auto"
        and device == "auto"
        and type(axis) is int
        and axis in (-1, 0)
        and (getattr(x, "base", None) is None or not is_mapped(x))
        and (getattr(h, "base", None) is None or not is_mapped(h))
    ):
        quick = _core.convolve_quickly(x, h, mode)
        if quick is not None:
            return quick
    if not isinstance(x, np.ndarray) and hasattr(x, "__dlpack__"):
        result = convolve(
            as_numpy(x, "x"), h, axis, mode, routing, memory_limit, device, precision, out,
            progress, batch_size_samples=batch_size_samples,
            batch_size_channels=batch_size_channels, batch_size_basis=batch_size_basis,
            threads=threads, method=method, resume=resume,
        )  # fmt: skip
        return like(x, result) if out is None else result
    if _is_read_at_once(x, out, memory_limit):
        x = in_memory(x, "x")
    if is_large(x, out):
        if isinstance(h, Bank):
            h = list(h) if routing == "bank" else _one_array(list(h))
        return convolve_large(
            x, h, axis=axis, mode=mode, routing=routing, memory_limit=memory_limit, device=device,
            precision=precision, out=out, progress=progress, batch_size_samples=batch_size_samples,
            batch_size_channels=batch_size_channels, batch_size_basis=batch_size_basis,
            threads=threads, method=method, resume=resume,
        )  # fmt: skip
    bank = h if isinstance(h, Bank) else None
    if bank is not None:
        version, h = bank._snapshot()
        if routing != "bank":
            h = _one_array(h)
            bank = None
    prepared = _prepare(x, h, axis, mode, routing, precision, out)
    if prepared.job is not None:
        options = _options(
            memory_limit, device, batch_size_samples, batch_size_channels, batch_size_basis,
            threads, method,
        )  # fmt: skip
        options = prepared.scaled(options)
        with teller(progress, prepared.planes) as tell:
            # What is kept is not counted in a plan.
            if bank is None or memory_limit is not None:
                prepared.job.run(prepared.job.convolver(**options), tell)
            else:
                bank._convolvers.run(
                    (prepared.job.shape(), *options.values()),
                    prepared.job,
                    lambda: prepared.job.convolver(**options),
                    version,
                    lambda had: bank._changes_since(had)[1],
                    tell,
                )
    return prepared.result


def plan(
    x: ArrayLike,
    h: ArrayLike | Sequence[ArrayLike],
    axis: int = -1,
    mode: Mode = "full",
    routing: Routing = "rows",
    memory_limit: int | str | None = None,
    device: str = "auto",
    precision: Literal["float32", "float64"] | None = None,
    out: Any = None,
    progress: bool | Callable[[int, int], object] | None = None,
    *,
    batch_size_samples: int | None = None,
    batch_size_channels: int | None = None,
    batch_size_basis: int | None = None,
    threads: int | None = None,
    method: Literal["auto", "direct", "fft"] = "auto",
    resume: bool = True,
) -> Plan | FilePlan:
    """Tell how ``convolve`` would compute the same, without doing it.

    Takes the arguments of `convolve`, of which `progress` and `resume` change nothing here; nothing
    of the result's size is allocated. ``print`` of what it returns explains the method, the batches
    and the memory.

    Where x or `out` is a file, a `FilePlan` tells of the pieces in which it is read, computed and
    written, and how one of them is computed. No samples are read and no file is written. Of an
    iterator of chunks there is no plan: nothing is known of them before they are taken.

    Examples
    --------
    >>> import numpy as np, firbank
    >>> firbank.plan(np.zeros((8, 100_000), np.float32), np.ones(2_000, np.float32)).method
    'fft'
    """
    if isinstance(h, Bank):
        h = list(h) if routing == "bank" else _one_array(list(h))
    if _is_read_at_once(x, out, memory_limit):
        # Of its shape and strides, and no memory: a plan reads no sample.
        one = np.empty(1, x.dtype.newbyteorder("="))
        x = np.lib.stride_tricks.as_strided(one, x.shape, x.strides, writeable=False)
    if is_large(x, out):
        return plan_large(
            x, h, axis=axis, mode=mode, routing=routing, memory_limit=memory_limit, device=device,
            precision=precision, out=out, batch_size_samples=batch_size_samples,
            batch_size_channels=batch_size_channels, batch_size_basis=batch_size_basis,
            threads=threads, method=method,
        )  # fmt: skip
    prepared = _prepare(x, h, axis, mode, routing, precision, out, allocate=False)
    options = _options(
        memory_limit, device, batch_size_samples, batch_size_channels, batch_size_basis, threads,
        method,
    )  # fmt: skip
    if prepared.job is None:
        return Plan(result_shape=prepared.shapes, result_dtype=str(prepared.dtype))
    facts = prepared.job.convolver(**prepared.scaled(options)).plan()
    return Plan.of(facts, prepared.shapes, prepared.dtype, prepared.planes)


def _is_read_at_once(x, out, memory_limit) -> bool:
    """Tell whether `x` lies in a mapped file that is read before it is convolved as an array."""
    return (
        memory_limit is None
        and is_mapped(x)
        and x.nbytes <= _SMALL_BYTES
        and not is_large(None, out)
    )


def check_options(
    *,
    device: str = "auto",
    precision: str | None = None,
    threads: int | None = None,
    method: str = "auto",
    memory_limit: int | str | None = None,
) -> None:
    """Raise what `convolve` would, for arguments that are not allowed with any arrays."""
    arguments.memory(memory_limit)
    plan(
        np.zeros(1), np.ones(1), device=device, precision=precision, threads=threads, method=method
    )


def _one_array(kernels: list[np.ndarray]) -> np.ndarray:
    """Kernels of a bank for the other routings, which have them in one array."""
    if len({kernel.size for kernel in kernels}) > 1:
        raise ValueError(
            "h is a Bank of kernels of several sizes; allowed with routing 'rows' and 'matrix': "
            "one size"
        )
    return kernels[0] if len(kernels) == 1 else np.stack(kernels)


def _options(memory_limit, device, samples, channels, basis, threads, method) -> dict[str, Any]:
    if not isinstance(device, str):
        raise TypeError(f"device is {device!r}; allowed: a name, such as 'auto', 'cpu' or 'cuda'")
    return {
        "memory_limit": arguments.memory(memory_limit),
        "device": device,
        "samples_at_once": arguments.count("batch_size_samples", samples),
        "channels_at_once": arguments.count("batch_size_channels", channels),
        "outputs_at_once": arguments.count("batch_size_basis", basis),
        "threads": arguments.count("threads", threads, arguments.MOST_THREADS),
        "method": arguments.one_of("method", method, arguments.METHODS),
    }


class _Prepared:
    """Arrays that fit each other, and the job that they make; none where nothing is to compute."""

    def __init__(self, result, shapes, dtype: np.dtype, planes: int, job: _job.Job | None) -> None:
        self.result = result
        self.shapes = shapes
        self.dtype = dtype
        self.planes = planes  # of one output: 2 for complex ones
        self.job = job

    def scaled(self, options: dict[str, Any]) -> dict[str, Any]:
        return options | {"outputs_at_once": options["outputs_at_once"] * self.planes}


def _prepare(x, h, axis, mode, routing, precision, out, allocate: bool = True) -> _Prepared:
    arguments.one_of("mode", mode, arguments.MODES)
    arguments.one_of("routing", routing, arguments.ROUTINGS)
    x = arguments.array("x", x)
    axis = arguments.axis_of(axis, x.ndim)
    kernels, sizes, starts = kernel_array(h, routing)
    arguments.require_kernel_shape(kernels.shape, x.shape, axis, routing)
    dtype = arguments.result_type(x.dtype, kernels.dtype, precision)
    samples = x.shape[axis]
    shape = list(x.shape)
    if routing == "bank":
        windows = [arguments.frames_of_mode(mode, samples, size) for size in sizes]
        ragged = len(set(sizes)) > 1
        each = [_with(shape, axis, count) for _, count in windows]
        shapes = each if ragged else (*each[0], len(sizes))
    else:
        taps = kernels.shape[0] if kernels.ndim == 1 else kernels.shape[axis - x.ndim]
        window = arguments.frames_of_mode(mode, samples, taps)
        ragged = False
        if routing == "rows":
            shapes = _with(shape, axis, window[1])
        elif kernels.ndim > x.ndim:
            shapes = (window[1], kernels.shape[0])
        else:
            shapes = (window[1],)
    result = _result(shapes, dtype, out, (x, kernels, *_originals(h)), allocate)
    planes = 2 if dtype.kind == "c" else 1
    outs = result if ragged else [result]
    if all(each.size == 0 for each in outs):
        return _Prepared(result, shapes, dtype, planes, None)
    is_double = dtype in (np.dtype(np.float64), np.dtype(np.complex128))
    if not is_double:
        arguments.require_float32("h", kernels)
    if routing == "rows":
        job = _job.rows(x, kernels, axis, window, result, is_double)
    elif routing == "bank":
        job = _job.bank(x, kernels, sizes, starts, axis, windows, outs, is_double)
    else:
        many = kernels if kernels.ndim > x.ndim else kernels[np.newaxis]
        to = result if kernels.ndim > x.ndim else result[:, np.newaxis]
        job = _job.matrix(x, many, axis, window, to, is_double)
    return _Prepared(result, shapes, dtype, planes, job)


def _originals(h) -> list[np.ndarray]:
    if isinstance(h, np.ndarray):
        return [h]
    if isinstance(h, (list, tuple)):
        return [kernel for kernel in h if isinstance(kernel, np.ndarray)]
    return []


def _with(shape: Sequence[int], axis: int, count: int) -> tuple[int, ...]:
    return (*shape[:axis], count, *shape[axis + 1 :])


def _result(shapes, dtype: np.dtype, out, others: Sequence[np.ndarray], allocate: bool):
    if isinstance(shapes, list):
        if out is None:
            return _empty_together(shapes, dtype, allocate)
        if not isinstance(out, (list, tuple)) or len(out) != len(shapes):
            raise ValueError(
                f"out is {_described(out)}; allowed with a bank of several sizes: a list of "
                f"{len(shapes)} arrays"
            )
        names = [f"out[{k}]" for k in range(len(out))]
        for name, each, shape in zip(names, out, shapes, strict=True):
            arguments.require_out(name, each, shape, dtype)
        check_apart(names, out, others)
        return list(out)
    if out is None:
        return empty(shapes, dtype, allocate)
    arguments.require_out("out", out, shapes, dtype)
    check_apart(["out"], [out], others)
    return out


def _empty_together(
    shapes: Sequence[tuple[int, ...]], dtype: np.dtype, allocate: bool
) -> list[np.ndarray]:
    """Arrays in one block: the system gives large blocks sooner than many small ones."""
    if not allocate:
        return [empty(shape, dtype, allocate) for shape in shapes]
    sizes = [math.prod(shape) for shape in shapes]
    block = np.empty(sum(sizes), dtype)
    ends = accumulate(sizes)
    return [
        block[end - size : end].reshape(shape)
        for size, end, shape in zip(sizes, ends, shapes, strict=True)
    ]


def check_apart(
    names: Sequence[str], outs: Sequence[np.ndarray], others: Sequence[np.ndarray]
) -> None:
    """Raise ValueError where a result overlaps another one, or what is read. Only neighbours in
    memory can."""
    names = [name for name, out in zip(names, outs, strict=True) if out.size]
    arrays = [array for array in (*outs, *others) if array.size]
    of_outs = len(names)
    spans = [_span(array) for array in arrays]
    order = sorted(range(len(arrays)), key=spans.__getitem__)
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            if spans[other][0] >= spans[one][1]:
                break
            first, second = sorted((one, other))
            if first >= of_outs or not share_memory(arrays[first], arrays[second]):
                continue
            what = names[second] if second < of_outs else "an array that is read"
            raise ValueError(f"{names[first]} overlaps {what}; allowed: memory of its own")


def _span(array: np.ndarray) -> tuple[int, int]:
    """The addresses between which its elements lie."""
    first = array.__array_interface__["data"][0]
    reach = [step * (size - 1) for step, size in zip(array.strides, array.shape, strict=True)]
    low = first + sum(step for step in reach if step < 0)
    return low, first + sum(step for step in reach if step > 0) + array.itemsize


def empty(shape: tuple[int, ...], dtype: np.dtype, allocate: bool) -> np.ndarray:
    """An array, or one that looks like it and has the memory of one element."""
    if allocate:
        return np.empty(shape, dtype)
    # Strides like those of a whole array, and no memory: for plans, which nobody writes to.
    strides = np.empty((0, *shape[1:]), dtype).strides if shape else ()
    return np.lib.stride_tricks.as_strided(np.empty(1, dtype), shape, strides)


def _described(out) -> str:
    if isinstance(out, np.ndarray):
        return f"an array of shape {out.shape}"
    return f"{len(out)} arrays" if isinstance(out, (list, tuple)) else f"of {type(out)}"
