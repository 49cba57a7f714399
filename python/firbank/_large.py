"""Convolution of arrays larger than memory: files in, files out, and streams of chunks.

`firbank.convolve` hands over to `convolve_large` whatever `is_large` recognises. The work is cut
into chunks (`_grid`), each is read (`_sources`), convolved in memory by `firbank.convolve` itself,
and written (`_sinks`), the three side by side (`_pipeline`), and what is finished is noted
(`_journal`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ._arguments import MODES, ROUTINGS, axis_of, count, frames_of_mode, one_of
from ._chunk_stream import convolve_chunks
from ._layout import check_kernels, each_kernel, is_ragged
from ._mapping import is_mapped
from ._memory import LARGEST_DEFAULT_BYTES, available_bytes, format_bytes, memory_bytes
from ._options import LargeOptions
from ._plan import FilePlan
from ._progress import ProgressCallable, check_progress
from ._separate import Place, check_separate, places_of_kernels
from ._sinks import Sink, open_sink
from ._sources import Source, open_source
from ._stores import is_group, is_hdf5, is_zarr
from ._work import Work, sizes_of


def is_large(x: object, out: object = None) -> bool:
    """Tell whether a convolution of `x` into `out` is one for `convolve_large`.

    It is if either is a path, a ``numpy.memmap`` or a view of one, an ``h5py.Dataset`` or a
    ``zarr.Array``, or if `x` gives chunks one after the other (an iterator, or
    anything else that can be iterated over and is neither an array nor a sequence), or if `out` is
    a sequence of which one is such.
    """
    if _is_stored(x) or _is_stored(out) or _is_chunks(x):
        return True
    return isinstance(out, (list, tuple)) and any(_is_stored(one) for one in out)


def convolve_large(x: Any, h: Any, *, out: Any = None, **arguments: Any) -> Any:
    """Convolve what does not fit into memory.

    Everything that is not told here is as `firbank.convolve` has it.

    Parameters
    ----------
    x : str, Path, numpy.memmap, h5py.Dataset, zarr.Array, array or iterable of arrays
        A path is that of an .npy file, in C or Fortran order. An iterable gives chunks along
        time: arrays of one dtype and one shape but for the number of samples along `axis`, which
        may be any, 0 too.
    h : array_like, or list of 1-D arrays
        In memory. For a list of kernels of different sizes a file is read once for each.
    memory_limit : int or str, optional
        For everything but `x`, `h` and `out`: buffers, and what computing takes. By default a
        quarter of what is available, 64 MiB to 1 GiB. What HDF5 and Zarr take of large chunks
        counts, as it was measured; the pages of files that the system keeps do not.
    out : None, str, Path, numpy.memmap, h5py.Dataset, zarr.Array, array, or a list of these
        Where the result goes; of the result's shape and dtype. A path is that of an .npy file,
        which is made, with all its room on the disk reserved at once. None gives an array in
        memory, or for an iterable of chunks an iterator of chunks: computed while it is iterated
        over, in any sizes, and together the result. A list, one for each kernel, is for a bank of
        kernels of different sizes. For an iterable, `out` is an object with its shape, or None.
    progress : bool or callable, optional
        Called with (done, total), in samples of the result. The first call says what an earlier
        call has left. `total` is 0 where nobody can know it, of an iterable without `out`.
    batch_size_samples, batch_size_channels, batch_size_basis : int, optional
        At most so many samples of the result, channels and kernels at a time; by default as many
        as fit and are of use.
    resume : bool, default True
        A call that writes to a file keeps a journal beside it, ``OUT.firbank-journal``, until it
        has finished. If there is one of the same call (the same x by path, size and time of
        change, the same kernels and arguments), the call goes on where that one was stopped, by
        Ctrl-C, a signal, or a power failure. Limits, devices and threads may change in between.
        What is finished is read and compared with the journal's checksums before.
        False starts anew, whatever is there. An iterable of chunks, which nobody can take again
        from the start, has no journal.

    Returns
    -------
    array, memmap, h5py.Dataset, zarr.Array, iterator of arrays, or a list of these
        `out`, of a path a ``numpy.memmap`` of the new file.

    Raises
    ------
    ValueError
        If an argument does not suit the others: among them `out` of another shape, read-only,
        or overlapping `x`, `h` or another result, a `memory_limit` in which no chunk of use fits
        (it names the least that would do), a journal of another call, or a result that is not what
        its journal says.
    TypeError
        If something is of a type or dtype that is not supported.
    FileExistsError
        If `out` is a path where something lies that is not this call's own unfinished result;
        ``resume=False`` writes over it.
    OSError
        If a file cannot be opened, read or written: it has shrunk, or the disk is full. The
        chunks that were finished are kept.
    MemoryError
        If the result does not fit into memory.
    KeyboardInterrupt
        On Ctrl-C, within a chunk's time. What is finished is on the disk and in the journal.

    Notes
    -----
    Of an HDF5 file that is open for writing and of a Zarr array the time of change says nothing, so
    that samples of the content tell whether x is the same; of an array in memory all of it does.

    May be called from several threads with different `out`, also with different parts of one
    mapped file. What lies between the elements of such a part, as the other columns do, is read
    and written back: only calls of one process may write there meanwhile, and nobody through the
    mapping. One call writes a place at a time: a second one for the same `out` is an OSError.

    An HDF5 file that is killed while compressed chunks are flushed can be left unreadable by the
    HDF5 library itself. A contiguous dataset, a Zarr array or an .npy file cannot.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name)
    >>> np.save(path / "x.npy", np.arange(6, dtype=np.float32))
    >>> y = convolve_large(path / "x.npy", [1.0, 1.0], out=path / "y.npy", precision="float32")
    >>> y.tolist()
    [0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 5.0]
    >>> chunks = convolve_large(iter([np.ones(3), np.ones(2)]), [1.0, 1.0], mode="valid")
    >>> np.concatenate(list(chunks)).tolist()
    [2.0, 2.0, 2.0, 2.0]
    >>> folder.cleanup()
    """
    options = _options(**arguments)
    if _is_chunks(x):
        return convolve_chunks(iter(x), h, out, options)
    if not is_ragged(h, options.routing):
        return _convolve_one(x, h, out, options)
    # The journals stay until all are finished, so that a call that goes on finds what is.
    each = _each_kernel(x, h, out, options)
    journals: list[str] = []
    results = [_convolve_one(x, *one, journals) for one in each]
    for path in journals:
        os.unlink(path)
    return results


def plan_large(x: Any, h: Any, *, out: Any = None, **arguments: Any) -> FilePlan:
    """Tell how `convolve_large` would compute the same; it takes the same arguments.

    No samples are read and nothing is written.

    Raises
    ------
    TypeError
        If `x` gives chunks one after the other, of which nothing is known before they are taken.
    """
    if _is_chunks(x):
        raise TypeError(
            f"x is of type {type(x).__name__}, of whose chunks nothing is known before they are "
            f"taken; allowed for a plan: arrays and files"
        )
    options = _options(**arguments)
    if not is_ragged(h, options.routing):
        return _plan_one(x, h, out, options)
    return FilePlan.of_all([_plan_one(x, *one) for one in _each_kernel(x, h, out, options)])


def _options(
    *,
    axis: int = -1,
    mode: str = "full",
    routing: str = "rows",
    memory_limit: int | str | None = None,
    device: str = "auto",
    precision: str | None = None,
    progress: ProgressCallable | bool | None = None,
    batch_size_samples: int | None = None,
    batch_size_channels: int | None = None,
    batch_size_basis: int | None = None,
    threads: int | None = None,
    method: str = "auto",
    resume: bool = True,
) -> LargeOptions:
    """Return the arguments, checked before anything is opened, or written over."""
    from ._convolve import check_options

    check_progress(progress)
    check_options(device=device, precision=precision, threads=threads, method=method)
    return LargeOptions(
        axis=axis,
        mode=one_of("mode", mode, MODES),
        routing=one_of("routing", routing, ROUTINGS),
        limit_bytes=memory_bytes(memory_limit),
        device=device,
        precision=precision,
        progress=progress,
        most_samples=count("batch_size_samples", batch_size_samples) or None,
        most_channels=count("batch_size_channels", batch_size_channels) or None,
        most_kernels=count("batch_size_basis", batch_size_basis) or None,
        threads=threads,
        method=method,
        resume=bool(resume),
    )


def _each_kernel(
    x: Any, kernels: Sequence[Any], out: Any, options: LargeOptions
) -> list[tuple[Any, Any, LargeOptions]]:
    """Return kernel, place and options for each of some kernels of different sizes.

    All places are opened and compared, before anything is written to one of them.
    """
    if out is None:
        out = [None] * len(kernels)
    if not isinstance(out, (list, tuple)) or len(out) != len(kernels):
        raise ValueError(
            f"out must be a list of {len(kernels)}, one for each kernel, since these have "
            f"different sizes"
        )
    own = replace(options, routing="rows")
    each = [(kernel, where, own) for kernel, where in zip(each_kernel(kernels), out, strict=True)]
    with closing(open_source(x, options.axis)) as source:
        for kernel, where, _ in each:
            _work(source, kernel, _no_memory(where), own).sink.close()
        results = [
            Place.of(where, f"out[{index}]") for index, where in enumerate(out) if where is not None
        ]
        check_separate(results, [Place.of(x, source.label), *places_of_kernels(kernels)])
    return each


def _no_memory(out: Any) -> Callable[[tuple[int, ...], np.dtype], Any]:
    """Return what gives `out`, or for None an array that has no memory."""
    from ._convolve import empty

    return lambda shape, dtype: empty(shape, dtype, allocate=False) if out is None else out


def _convolve_one(
    x: Any, h: Any, out: Any, options: LargeOptions, journals: list[str] | None = None
) -> Any:
    """Convolve into one array; its journal goes at the end, or stays and is told to `journals`."""
    with closing(open_source(x, options.axis)) as source:

        def place(shape: tuple[int, ...], dtype: np.dtype) -> Any:
            return _array_in_memory(shape, dtype, options.limit_bytes) if out is None else out

        work = _work(source, h, place, options)
        _check_one(x, source, h, out, work.sink)
        return work.run(journals)


def _plan_one(x: Any, h: Any, out: Any, options: LargeOptions) -> FilePlan:
    """Plan a convolution into one array."""
    with closing(open_source(x, options.axis)) as source:
        work = _work(source, h, _no_memory(out), options)
        with closing(work.sink):
            _check_one(x, source, h, out, work.sink)
            return work.plan()


def _check_one(x: Any, source: Source, h: Any, out: Any, sink: Sink) -> None:
    """Raise ValueError if the result overlaps what is read."""
    if out is not None:
        read = [Place.of(x, source.label), *places_of_kernels(h)]
        check_separate([Place.of(out, sink.label)], read)


def _work(
    source: Source,
    h: Any,
    place: Callable[[tuple[int, ...], np.dtype], Any],
    options: LargeOptions,
) -> Work:
    """Check that everything fits together; `place` gives `out` for a shape and a dtype."""
    axis = axis_of(options.axis, len(source.shape))
    if 0 in source.shape:
        raise ValueError(f"{source.label} has shape {source.shape}; allowed: nothing empty")
    kernels = check_kernels(h, options.routing, axis, source.shape)
    first, frames = frames_of_mode(options.mode, source.shape[axis], kernels.taps)
    shape = kernels.result_shape(source.shape, frames)
    dtype = options.result_dtype(source.dtype, kernels.h.dtype)
    sink = open_sink(place(shape, dtype), shape, dtype, kernels.result_axis())
    sizes = sizes_of(source, sink, kernels, frames, dtype)
    return Work(source, sink, kernels, first, sizes, shape, dtype, options)


def _array_in_memory(shape: tuple[int, ...], dtype: np.dtype, limit_bytes: int) -> np.ndarray:
    """Return a new array, if the machine has room for it beside what computing takes."""
    size = prod(shape) * dtype.itemsize
    free = available_bytes()
    # A limit may be larger than what a small result needs.
    computing = min(limit_bytes, size + LARGEST_DEFAULT_BYTES)
    if size + computing > free:
        raise MemoryError(
            f"the result of shape {shape} takes {format_bytes(size)} and computing up to "
            f"{format_bytes(computing)}, {format_bytes(free)} are available; out can be the path "
            f"of an .npy file"
        )
    return np.empty(shape, dtype)


def _is_stored(thing: object) -> bool:
    if isinstance(thing, (str, os.PathLike, np.memmap)) or is_mapped(thing):
        return True
    return is_hdf5(thing) or is_zarr(thing) or is_group(thing)


def _is_chunks(thing: object) -> bool:
    """Tell whether something can only be taken chunk by chunk."""
    arrays = ("__array__", "__array_interface__", "__dlpack__", "__len__")
    if is_group(thing):
        return False
    return isinstance(thing, Iterable) and not any(hasattr(thing, name) for name in arrays)
