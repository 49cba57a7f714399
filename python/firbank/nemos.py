"""Convolutional predictors as NeMoS makes them, at firbank's speed and in bounded memory.

`create_convolutional_predictor` takes the place of the function of that name in ``nemos.convolve``:
the same arguments, shapes, NaN padding, shifts and containers. `RaisedCosineLog` gives the kernels
of ``nemos.basis.RaisedCosineLogConv``. Neither needs NeMoS, JAX or pynapple to be installed.

What differs from NeMoS (0.2.8), on purpose:

- Results are NumPy arrays, or pynapple objects where the series are. They are float32 where
  ``numpy.result_type`` of series and basis is float32 or float16, and float64 otherwise, whatever
  JAX is set to.
- An infinity in a series gives NaN wherever the window touches it, as a NaN does.
- A basis that is not finite is a ValueError, and so is an unknown causality even where every series
  is too short to be convolved.
- A `batch_size_samples` that holds the window is taken with any series: one that is too short gives
  NaN and a warning, as it does without batches.
- With a pynapple object, `axis` may be another than time: the epochs are then put together again
  along time, where NeMoS joins them along `axis`.
- What has no shape, such as a number or a string in a list, is a TypeError, and so is an array with
  a mask, which NeMoS overlooks.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arguments import array, count, one_of, require_finite, require_out, whole
from ._arrays import as_numpy, require_real
from ._convolve import check_apart, convolve
from ._mapped_out import written_at_once
from ._raised_cosine import RaisedCosineLog
from ._series_tree import leaves, rebuild
from ._shared_progress import shared_progress

__all__ = ["RaisedCosineLog", "create_convolutional_predictor"]

Causality = Literal["causal", "acausal", "anti-causal"]
_CAUSALITIES = ("causal", "acausal", "anti-causal")


def create_convolutional_predictor(
    basis_matrix: ArrayLike,
    time_series: Any,
    predictor_causality: Causality = "causal",
    shift: bool | None = None,
    axis: int = 0,
    batch_size_samples: int | None = None,
    batch_size_channels: int | None = None,
    batch_size_basis: int | None = None,
    *,
    memory_limit: int | str | None = None,
    out: Any = None,
    threads: int | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    resume: bool = True,
) -> Any:
    r"""Convolve series with every kernel of a basis, padded with NaN to the series' length.

    With the window of W samples and N samples in a series, the N - W + 1 frames whose window lies
    within the series are computed,

    .. math:: y_b[n] = \sum_{k=0}^{W-1} h_b[k]\, x[n - k],

    and placed so that a frame tells of the past, the surroundings or the future of its sample.

    Parameters
    ----------
    basis_matrix : array_like, shape (W, B), real
        A kernel in each column; W is at least 2.
    time_series : array, pynapple object, or a tree of them, real
        A series has any number of dimensions, with N samples along `axis`; the other axes are
        channels. Trees are lists, tuples and mappings, nested at will, whose series may differ in
        shape. Arrays may be NumPy's, JAX's or others that NumPy can read; a memory map is read in
        batches. The epochs of a pynapple object (``Tsd``, ``TsdFrame``, ``TsdTensor``) are
        convolved each by itself.
    predictor_causality : {'causal', 'acausal', 'anti-causal'}, default 'causal'
        'causal' pads the first W - 1 frames, so that frame n uses samples up to n; 'anti-causal'
        pads the last W - 1, so that it uses samples from n on; 'acausal' pads (W - 1) // 2 frames
        before and the rest after.
    shift : bool, optional
        Whether a frame leaves out its own sample: results move one frame later ('causal') or
        earlier ('anti-causal'), and one more frame is NaN. True unless given, but False for
        'acausal', where it is not allowed.
    axis : int, default 0
        The axis of time, from 0 on.
    batch_size_samples : int, optional
        The most samples convolved at a time, at least W.
    batch_size_channels, batch_size_basis : int, optional
        The most channels and kernels at a time, at least 1. No batch size changes the result by
        more than rounding; unless given, all three are chosen.
    memory_limit : int or str, optional
        Bytes, or such as '2GiB', that a convolution may take besides the series and the result.
    out : ndarray, or a tree of them, optional
        Where results are written: of each series an array of its shape with a last axis of B, in
        the result's dtype; a tree has the shape of `time_series`. It may be a memory map. None may
        overlap another, a series or the basis. A pynapple object is made from it.
    threads : int, optional
        How many threads compute; chosen unless given.
    progress : bool or callable, optional
        True shows a bar, if tqdm is installed; a callable is called as ``progress(done, total)`` in
        the calling thread, counted in values of the result over all series.
    resume : bool
        Of work on memory maps in `out`: whether it goes on where an earlier call of the same was
        stopped. Where another call was stopped, True is a ValueError.

    Returns
    -------
    ndarray, pynapple object, or a tree of them
        Of each series an array of its shape with a last axis of B; float32 if ``numpy.result_type``
        of series and basis is float32 or float16, float64 otherwise. Of a pynapple object a
        ``TsdFrame`` or ``TsdTensor`` with its times and epochs. A series or epoch shorter than W
        gives NaN alone. NaN or infinity in a series gives NaN in the frames whose window touches
        it, and nowhere else.

    Raises
    ------
    ValueError
        If the basis has not two dimensions, fewer than 2 rows, no columns, or a value that is not
        finite; if a series is empty or has no axis `axis`; if `predictor_causality`, `shift`, a
        batch size or the shape of `out` is outside what is allowed, or `out` overlaps a series, the
        basis or itself.
    OSError
        If a mapped file cannot be read or written: it has shrunk, or the disk is full.
    TypeError
        If a series or the basis is complex or no array of numbers, or `axis` is no whole number, or
        `out` is no array of the result's dtype.

    Warns
    -----
    UserWarning
        If 'acausal' is used with an even W, or if a series or an epoch is shorter than W.

    Notes
    -----
    Thread-safe, as long as no two calls write to one `out`.

    Examples
    --------
    >>> import numpy as np
    >>> basis = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> create_convolutional_predictor(basis, np.array([1.0, 2.0, 4.0, 8.0]))
    array([[nan, nan],
           [nan, nan],
           [ 2.,  3.],
           [ 4.,  6.]])
    """
    basis = array("basis_matrix", basis_matrix)
    kernels = _kernels(basis)
    window = kernels.shape[1]
    axis = whole("axis", axis, 0)
    shift = _checked_shift(shift, predictor_causality)
    batches = {
        "batch_size_samples": batch_size_samples,
        "batch_size_channels": batch_size_channels,
        "batch_size_basis": batch_size_basis,
    }
    for name, size in batches.items():
        try:
            count(name, size)
        except TypeError as error:  # NeMoS's is a ValueError
            raise ValueError(*error.args) from None
    if batch_size_samples is not None and batch_size_samples < window:
        raise ValueError(
            f"batch_size_samples is {batch_size_samples}; allowed: the window of basis_matrix, "
            f"{window}, or more"
        )

    series = [
        _Series.read(leaf, name, axis, kernels.dtype)
        for name, leaf in leaves(time_series, "time_series")
    ]
    predictors = _predictors(series, basis, out)
    epochs = [
        epoch
        for one, predictor in zip(series, predictors, strict=True)
        for epoch in one.epochs(predictor)
    ]
    _warn_of_padding([epoch.length(axis) for epoch in epochs], window, predictor_causality)
    computed = [epoch.pad(axis, window, predictor_causality, shift) for epoch in epochs]

    with shared_progress(progress, [epoch.frames.size for epoch in computed]) as progress_of:
        for number, epoch in enumerate(computed):
            if epoch.frames.size == 0:
                continue
            convolve(
                epoch.samples,
                kernels,
                axis=axis,
                mode="valid",
                routing="bank",
                memory_limit=memory_limit,
                precision=epoch.frames.dtype.name,
                out=epoch.frames,
                progress=progress_of(number),
                threads=threads,
                resume=resume,
                **batches,
            )

    results = iter([one.result(own) for one, own in zip(series, predictors, strict=True)])
    return rebuild(time_series, lambda _: next(results))


@dataclass(frozen=True)
class _Epoch:
    """Samples that are convolved by themselves, and where their frames go: views of arrays."""

    samples: NDArray[Any]
    frames: NDArray[np.floating]

    def length(self, axis: int) -> int:
        return self.samples.shape[axis]

    def pad(self, axis: int, window: int, causality: Causality, shift: bool) -> _Epoch:
        """Write the padding, and tell what is left: the valid frames, and the samples they need.

        The frame that a shift pushes out is left out by the samples, so it is never computed.
        """
        length = self.length(axis)
        dropped = int(shift)
        frames = max(0, length - window + 1 - dropped)
        if causality == "causal":
            first_sample, first_frame = 0, length - frames
        elif causality == "anti-causal":
            first_sample, first_frame = dropped, 0
        else:
            first_sample, first_frame = 0, (window - 1) // 2
        before = (slice(None),) * axis
        for padded in (slice(0, first_frame), slice(first_frame + frames, None)):
            part = self.frames[(*before, padded)]
            with written_at_once(part, "out") as write:
                write(np.broadcast_to(part.dtype.type(np.nan), part.shape))
        return _Epoch(
            self.samples[(*before, slice(first_sample, first_sample + length - dropped))],
            self.frames[(*before, slice(first_frame, first_frame + frames))],
        )


@dataclass(frozen=True)
class _Series:
    """One series as an array, and what gives its result the same form."""

    source: Any
    name: str
    samples: NDArray[Any]
    dtype: np.dtype[Any]  # of the result
    is_pynapple: bool

    @classmethod
    def read(cls, source: Any, name: str, axis: int, basis_dtype: np.dtype[Any]) -> _Series:
        is_pynapple = all(hasattr(source, what) for what in ("times", "data", "time_support"))
        values = source.values if is_pynapple else source
        if not hasattr(values, "shape"):
            kind = type(source).__name__
            raise TypeError(f"{name} is a {kind}; allowed: arrays and pynapple objects")
        samples = as_numpy(values, name)
        require_real(samples, name)
        if samples.ndim <= axis:
            raise ValueError(
                f"{name} has {samples.ndim} dimensions; allowed: more than axis, {axis}"
            )
        if samples.size == 0:
            raise ValueError(f"{name} has shape {samples.shape}; allowed: no empty dimension")
        dtype = _result_type(samples.dtype, basis_dtype)
        return cls(source, name, samples, dtype, is_pynapple)

    def epochs(self, predictor: NDArray[np.floating]) -> Iterator[_Epoch]:
        if not self.is_pynapple:
            yield _Epoch(self.samples, predictor)
            return
        bounds = np.asarray(self.source.time_support.values)
        starts = np.searchsorted(self.source.t, bounds[:, 0], side="left")
        stops = np.searchsorted(self.source.t, bounds[:, 1], side="right")
        for start, stop in zip(starts, stops, strict=True):
            yield _Epoch(self.samples[start:stop], predictor[start:stop])

    def result(self, predictor: NDArray[np.floating]) -> Any:
        if not self.is_pynapple:
            return predictor
        import pynapple  # the series comes from it, so it is there

        kind = pynapple.TsdFrame if predictor.ndim == 2 else pynapple.TsdTensor
        return kind(t=self.source.t, d=predictor, time_support=self.source.time_support)


def _result_type(samples: np.dtype[Any], basis: np.dtype[Any]) -> np.dtype[Any]:
    # Half precision holds neither the sums nor their padding well, so it gives float32 as well.
    common = np.result_type(samples, basis)
    return np.dtype(np.float32 if common in (np.float16, np.float32) else np.float64)


def _kernels(basis: NDArray[Any]) -> NDArray[Any]:
    """Check the basis and lay each kernel out in a row of its own."""
    require_real(basis, "basis_matrix")
    if basis.ndim != 2:
        raise ValueError(f"basis_matrix has {basis.ndim} dimensions; allowed: 2")
    if basis.shape[0] < 2 or basis.shape[1] < 1:
        raise ValueError(
            f"basis_matrix has shape {basis.shape}; allowed: 2 or more rows, 1 or more columns"
        )
    require_finite("basis_matrix", basis)
    return np.ascontiguousarray(basis.T)


def _checked_shift(shift: bool | None, causality: Causality) -> bool:
    one_of("predictor_causality", causality, _CAUSALITIES)
    if shift is None:
        return causality != "acausal"
    if shift and causality == "acausal":
        raise ValueError(
            f"shift is {shift!r} with predictor_causality 'acausal'; allowed: False or None"
        )
    return bool(shift)


def _predictors(series: list[_Series], basis: NDArray[Any], out: Any) -> list[NDArray[np.floating]]:
    """Give the arrays that results are written to: new ones, or those of `out`, checked.

    They are checked against everything that is read, before the padding is the first to be written.
    """
    shapes = [(*one.samples.shape, basis.shape[1]) for one in series]
    if out is None:
        return [np.empty(shape, one.dtype) for one, shape in zip(series, shapes, strict=True)]
    given = list(leaves(out, "out"))
    wanted = ["out" + one.name.removeprefix("time_series") for one in series]
    if [name for name, _ in given] != wanted:
        raise ValueError(
            f"out holds {[name for name, _ in given]}; allowed: {wanted}, as time_series does"
        )
    for (name, target), one, shape in zip(given, series, shapes, strict=True):
        require_out(name, target, shape, one.dtype)
    targets = [target for _, target in given]
    check_apart(wanted, targets, [*(one.samples for one in series), basis])
    return targets


def _warn_of_padding(lengths: list[int], window: int, causality: Causality) -> None:
    if any(0 < length < window for length in lengths):
        warnings.warn(
            f"a series or an epoch is shorter than the window of {window} samples; its predictor "
            f"is NaN",
            UserWarning,
            stacklevel=3,
        )
    if causality == "acausal" and window % 2 == 0 and any(n >= window for n in lengths):
        warnings.warn(
            f"basis_matrix has {window} rows, an even number: an acausal predictor has one frame "
            f"of NaN more at its end than at its beginning",
            UserWarning,
            stacklevel=3,
        )
