"""Stream: a bank on a signal that comes in chunks."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from ._arguments import (
    MOST_THREADS,
    ROUTINGS,
    lies_whole,
    one_of,
    precision_dtype,
    require_out,
    whole,
)
from ._arrays import as_numpy, like, require_real
from ._mapped_out import written_at_once
from ._mapping import in_memory, is_mapped
from .bank import Bank, as_bank

Routing = Literal["rows", "bank", "matrix"]

_STATE_FORMAT = 1
_STATE_SHAPE = ("routing", "channels", "kernels", "outputs", "dtype")
_STATE_NUMBERS = ("position", "heard", "silent")
_INT64 = np.iinfo(np.int64)
_MOST_COUNTED = 2**62  # leaves room to count on from
_MOST_FRAMES_A_SECOND = 1e12
_MOST_CHANNELS = 2**31 - 1  # more than any memory holds; products of them fit 64 bits
# Frames times kernels at work (of a channel, one in rows) between two looks at signals: from 0.4 to
# 50 ms of a core, by the taps. Quick slices grow, up to what the engine takes at once.
_SLICE_WORK = 1 << 18
_QUICK_SECONDS = 0.012
_MOST_GROWN_FRAMES = 4096


@dataclass(frozen=True)
class StreamStats:
    """What a stream has counted since it was made, or since `Stream.load_state`.

    Attributes
    ----------
    frames : int
        Frames that were put out, those of `Stream.flush` included.
    calls : int
        Chunks of at least one frame.
    spoiled_frames : int
        Frames with a NaN in at least one output.
    first_spoiled_frame : int or None
        The first of them.
    swaps : int
        Banks that went live by `Stream.swap` (on a GPU by updates of the bank as well).
    lost_frames : int
        Frames that are silent, as a GPU failed and the CPU could not take its place.
    first_lost_frame : int or None
        The first of them.
    fail_over_frame : int or None
        From which frame on the CPU has taken the place of a GPU.
    backend : str
        What computes now, such as 'cpu-avx2'.
    plan : str
        How the kernels are cut into partitions, in words.
    """

    frames: int
    calls: int
    spoiled_frames: int
    first_spoiled_frame: int | None
    swaps: int
    lost_frames: int
    first_lost_frame: int | None
    fail_over_frame: int | None
    backend: str
    plan: str


@dataclass(frozen=True)
class _Swap:
    """A bank that is to be heard, or fades in."""

    ticket: int
    bank: Bank
    version: int  # of the bank, when it was given
    crossfade: int


class Stream:
    """Filters a signal chunk by chunk, with no added latency.

    Output frame n holds tap 0 of input frame n. All chunks together give what ``firbank.convolve``
    gives with ``mode='causal'`` for the whole signal, however it is cut, and with `flush` at the
    end the result of ``mode='full'``: to 1e-6 in float32 and 1e-13 in float64, relative to the
    norm of that. Kernels of unequal sizes share one last axis of 'bank', and the tail is that of
    the longest.

    Parameters
    ----------
    bank : Bank or array_like or sequence of array_like
        The kernels, or what `Bank` makes of them. Updates of the bank are heard from the next
        chunk on, over all the past, as if the kernel had always been there.
    channels : int, optional
        Channels of a chunk, C. By default as many as the routing gives kernels for: all in rows, 1
        for 'bank', kernels / outputs for 'matrix'.
    block : int, optional
        Frames a call that the plan is made for, 1 to 65,536. Any number may come.
    routing : {'rows', 'bank', 'matrix'}, optional
        'rows': channel i with kernel i, or all with a single one. 'bank': every channel with every
        kernel. 'matrix': each output is the sum over all channels, each with its own kernel; those
        of output o are kernels o C to (o + 1) C - 1.
    outputs : int, optional
        Of a matrix: O outputs as a last axis. By default there is one output, without an axis.
    device : str, optional
        'auto' (the best CPU instructions here), 'cuda' or 'cuda:N', or another backend's name.
    threads : int, optional
        Threads that compute, 1 to 64.
    precision : {None, 'float32', 'float64'}, optional
        Of the arithmetic and the output; by default that of the bank.
    sample_rate : float, optional
        Frames a second. It changes nothing of the output.
    axis : int, optional
        The time axis of a chunk: -1 (or 1) for (channels, n), 0 (or -2) for (n, channels).
    max_taps : int, optional
        The longest kernel that `swap` or an update may bring; by default the bank's `max_taps`.

    Raises
    ------
    TypeError
        If the kernels are complex or not numbers.
    ValueError
        If an argument is not allowed, or the bank does not fit the routing.
    MemoryError
        If memory does not suffice.

    Notes
    -----
    Chunks of the stream's dtype whose frames follow each other in memory are read where they lie;
    others are copied or converted slice by slice, and a ``numpy.memmap`` is read so. Chunks may
    come as NumPy arrays, as objects with DLPack (PyTorch, JAX, CuPy) or with the buffer protocol;
    PyTorch's, JAX's and CuPy's are answered by arrays of their own, on the device that they came
    from. What lies on a GPU is copied to the host and back for now, also where `device` is that
    GPU.

    A NaN or an infinity spoils (as NaN) exactly those frames of output whose window touches it.

    Thread safety: one thread at a time may call a stream, `flush`, `reset`, `state`, `load_state`
    and `close`; a second one gets a RuntimeError. `swap`, `live_frame`, `position` and `stats` may
    come from any thread meanwhile. The interpreter's lock is let go of while the stream computes,
    so that several streams in several threads run side by side.

    Examples
    --------
    >>> import numpy as np
    >>> import firbank
    >>> x = np.arange(12, dtype=np.float32).reshape(2, 6)
    >>> with firbank.Stream(np.float32([0.5, 0.5]), channels=2) as stream:
    ...     parts = [stream(x[:, :1]), stream(x[:, 1:]), stream.flush()]
    >>> np.concatenate(parts, axis=-1).round(5)
    array([[ 0. ,  0.5,  1.5,  2.5,  3.5,  4.5,  2.5],
           [ 3. ,  6.5,  7.5,  8.5,  9.5, 10.5,  5.5]], dtype=float32)
    """

    def __init__(
        self,
        bank: Bank | ArrayLike | Sequence[ArrayLike],
        channels: int | None = None,
        block: int = 256,
        routing: Routing = "rows",
        outputs: int | None = None,
        device: str = "auto",
        threads: int = 1,
        precision: str | None = None,
        sample_rate: float = 48_000.0,
        axis: int = -1,
        max_taps: int | None = None,
    ) -> None:
        self._bank = as_bank(bank)
        self._routing = one_of("routing", routing, ROUTINGS)
        if outputs is not None and routing != "matrix":
            raise ValueError(f"outputs is {outputs}; allowed with routing {routing!r}: None")
        self._outputs = None if outputs is None else whole("outputs", outputs, 1, _MOST_CHANNELS)
        self._channels = self._check_channels(channels)
        self._time_first = whole("axis", axis, -2, 1) in (0, -2)
        self._dtype = precision_dtype(precision) or self._bank.dtype
        self._max_taps = (
            self._bank.max_taps
            if max_taps is None
            else whole("max_taps", max_taps, self._bank.max_taps)
        )
        try:
            self._sample_rate = float(sample_rate)
        except (TypeError, ValueError):
            raise TypeError(f"sample_rate is {sample_rate!r}; allowed: a number") from None
        except OverflowError:  # a whole number that no float holds
            self._sample_rate = math.inf
        if not 0 < self._sample_rate <= _MOST_FRAMES_A_SECOND:
            raise ValueError(
                f"sample_rate is {sample_rate}; allowed: above 0, up to {_MOST_FRAMES_A_SECOND:g}"
            )
        make = _core.LiveStreamFloat if self._dtype == np.float32 else _core.LiveStreamDouble
        self._version, kernels = self._bank._snapshot()
        block = whole("block", block, 1, 65_536)
        self._slice_frames = self._frames_between_signals(block)
        self._calls = 0
        self._engine = make(
            kernels=_as_double(kernels),
            routing=routing,
            channels=self._channels,
            outputs=self._outputs or 1,
            block=block,
            max_taps=self._max_taps,
            device=str(device),
            threads=whole("threads", threads, 1, MOST_THREADS),
            sample_rate_hz=self._sample_rate,
        )
        self._swaps: list[_Swap] = []
        self._last_ticket = 0
        self._turn_lock = threading.Lock()  # of the thread that calls the stream
        self._change_lock = threading.RLock()  # of what changes the kernels

    def __call__(self, chunk: Any, out: NDArray[np.floating] | None = None) -> Any:
        """Filter the next chunk.

        Parameters
        ----------
        chunk : array_like
            Shape (channels, n), or (n, channels) with ``axis=0``; also (n,) where there is one
            channel. Any n from 0 on, another one each time. Real; other dtypes than the stream's
            are converted.
        out : numpy.ndarray, optional
            Where the result goes, of its shape and the stream's dtype. It may be the chunk itself,
            and may share memory with it in any other way as well. A mapped file is written when
            the whole chunk is filtered, with an array of the result's size in memory meanwhile.

        Returns
        -------
        array
            With 'rows' of the chunk's shape; with 'bank' of that and a last axis of kernels; with
            'matrix' of shape (n,), or (n, outputs) where `outputs` was given. `out` if that was
            given, and else a new array of the chunk's own library.

        Raises
        ------
        TypeError
            If the chunk is complex or not numbers, or `out` is no NumPy array of the dtype.
        ValueError
            If a shape does not fit, `out` cannot be written to, or the stream is closed.
        OSError
            If a mapped file has shrunk or cannot be written; before the stream has gone on, where
            the disk is full.
        RuntimeError
            If another thread is using the stream, or the device has failed for good.
        KeyboardInterrupt
            If control-C stops a long chunk, which takes up to a tenth of a second, or a block's
            time if that is more: what was filtered until then is part of the stream, as `position`
            tells.
        """
        samples = as_numpy(chunk, "chunk")
        require_real(samples, "chunk")
        planes = self._planes_of(samples)
        shape = self._result_shape(samples.shape)
        if out is not None:
            require_out("out", out, shape, self._dtype)
        if out is not None and is_mapped(out):
            with written_at_once(out, "out") as write:
                write(self(chunk, np.empty(shape, self._dtype)))
            return out
        target = np.empty(shape, self._dtype) if out is None else out
        is_in_place = target is samples and self._routing == "rows"
        if out is not None and not is_in_place and np.may_share_memory(planes, target):
            planes = self._readable(planes).copy()
        frames = planes.shape[1]
        if frames > 0:
            with self._turn() as engine:
                self._follow_bank()
                self._calls += 1
                targets = self._target_planes(target)
                if frames <= self._slice_frames:
                    engine.process(self._readable(planes), targets)
                else:
                    for part in self._slices(frames):
                        engine.process(self._readable(planes[:, part]), targets[:, :, part])
        else:
            self._open_engine()
        return target if out is not None else like(chunk, target)

    def flush(self) -> NDArray[np.floating]:
        """Put out what the kernels still hold, as if silence came in.

        Returns
        -------
        numpy.ndarray
            As a chunk's result, of as many frames as the longest kernel has taps, less 1. Of no
            frames when nothing came since the last flush. A chunk that follows continues the
            stream behind that silence; `reset` begins another one.
        """
        with self._turn() as engine:
            self._follow_bank()
            most = max(self._max_taps - 1 - engine.silent_frames, 0)
            if engine.heard_frames == engine.silent_frames:
                most = 0
            # How many there are is known behind them: a swap may go live among them.
            tail = np.empty(self._result_shape(self._chunk_shape(most)), self._dtype)
            targets = self._target_planes(tail)
            frames = 0
            for part in self._slices(most):
                flushed = engine.flush(targets[:, :, part])
                frames += flushed
                if flushed < part.stop - part.start:
                    break
        if frames == most:
            return tail
        shape = self._result_shape(self._chunk_shape(frames))
        return tail[tuple(slice(size) for size in shape)].copy()

    def reset(self) -> None:
        """Forget the past, as if the stream began anew; `position` goes on counting."""
        with self._turn() as engine:
            engine.reset()

    def swap(
        self,
        bank: Bank | ArrayLike | Sequence[ArrayLike],
        crossfade: int = 0,
        at: int | None = None,
    ) -> int:
        """Hear another bank from some frame on.

        The new kernels answer as if they had always been there. Swaps go live one after another,
        in the order in which they were asked for; up to 4 may wait.

        Parameters
        ----------
        bank : Bank or array_like or sequence of array_like
            As many kernels as the stream has, with a `max_taps` up to the stream's. Its updates
            are heard once it is: those that come while it waits or fades, when the fade is over.
        crossfade : int, optional
            Frames of a linear fade from the old bank: frame k of F weighs the new one by
            (k + 1) / (F + 1).
        at : int, optional
            The first frame of the fade, as `position` counts. One that has passed, and None, mean
            the next chunk's first.

        Returns
        -------
        int
            A ticket for `live_frame`.
        """
        new = as_bank(bank)
        if len(new) != len(self._bank):
            raise ValueError(f"bank has {len(new)} kernels; allowed: {len(self._bank)}")
        if new.max_taps > self._max_taps:
            raise ValueError(
                f"bank has max_taps = {new.max_taps}; allowed: up to the stream's {self._max_taps}"
            )
        fade = whole("crossfade", crossfade, 0)
        frame = None if at is None else whole("at", at, _INT64.min + 1, _INT64.max - 1)
        with self._change_lock:
            engine = self._open_engine()
            version, kernels = new._snapshot()
            ticket = engine.swap(_as_double(kernels), frame, fade)
            self._swaps.append(_Swap(ticket, new, version, fade))
            self._last_ticket = ticket
        return ticket

    def live_frame(self, ticket: int) -> int | None:
        """The frame from which a swap has been heard; None while it waits.

        Raises
        ------
        ValueError
            If `swap` has not given this ticket.
        """
        engine = self._open_engine()
        number = whole("ticket", ticket, 1)
        if number > self._last_ticket:
            raise ValueError(f"ticket is {number}; allowed: what swap has returned")
        return engine.live_frame(number)

    def state(self) -> dict[str, np.ndarray]:
        """What another stream needs to go on from here.

        Returns
        -------
        dict of str to numpy.ndarray
            'history', of shape (channels, frames): the input that kernels of `max_taps` still
            hear; and small arrays that say where the stream stands, how it is shaped, and the
            version of this format. It can be pickled, and written by ``numpy.savez``. The kernels
            are not part of it, nor what was counted.

        Raises
        ------
        RuntimeError
            If a swap waits or fades.
        """
        with self._turn() as engine:
            self._require_no_swap("state()")
            history = np.empty((self._channels, 1, engine.past_frames), self._dtype)
            engine.copy_past(history)
            numbers = {
                "format": _STATE_FORMAT,
                "position": engine.position,
                "heard": engine.heard_frames,
                "silent": engine.silent_frames,
            }
            return {
                **{name: np.asarray(value) for name, value in self._shape().items()},
                **{name: np.asarray(value, np.int64) for name, value in numbers.items()},
                "history": history[:, 0, :],
            }

    def load_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from where another stream was, or this one.

        Parameters
        ----------
        state : mapping
            What `state` has given. Block, threads, device and axis may be others; the routing, the
            numbers of channels, kernels and outputs, and the dtype may not.

        Raises
        ------
        TypeError
            If a number of it is no whole number, or it is no mapping.
        ValueError
            If the state is of another shape, is not whole, or keeps too little history for this
            stream's `max_taps`; the stream is as it was then.
        RuntimeError
            If a swap waits or fades.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"state is of {type(state)}; allowed: a mapping, as state() gives it")
        own = self._shape()
        missing = [
            name
            for name in (*_STATE_SHAPE, *_STATE_NUMBERS, "format", "history")
            if name not in state
        ]
        if missing:
            raise ValueError(f"state lacks {missing[0]!r}")
        version = _single(state, "format")
        if version != _STATE_FORMAT:
            raise ValueError(f"state has format {version}; allowed: {_STATE_FORMAT}")
        for name in _STATE_SHAPE:
            value = _single(state, name)
            if value != own[name]:
                raise ValueError(f"state has {name} = {value!r}; the stream has {own[name]!r}")
        position, heard, silent = (
            whole(f"state[{name!r}]", _single(state, name), 0, _MOST_COUNTED)
            for name in _STATE_NUMBERS
        )
        history = in_memory(np.asarray(state["history"]), "state['history']")
        if history.dtype != self._dtype or history.ndim != 2 or len(history) != self._channels:
            raise ValueError(
                f"state has a history of shape {history.shape}, {history.dtype}; allowed: "
                f"({self._channels}, frames), {self._dtype}"
            )
        needed = min(heard, self._max_taps - 1)
        if not 0 <= needed <= history.shape[1] or not 0 <= silent <= heard:
            raise ValueError(
                f"state keeps {history.shape[1]} frames of history; max_taps = {self._max_taps} "
                f"needs {needed}"
            )
        history = history[:, history.shape[1] - needed :]
        with self._turn() as engine, self._change_lock:
            self._require_no_swap("load_state()")
            self._follow_bank()
            engine.restore(self._readable(history), min(silent, needed), position, heard)
            self._calls = 0

    def close(self) -> None:
        """Give the memory back; the stream cannot be used any more."""
        if self._engine is not None:
            with self._turn(), self._change_lock:
                self._engine = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Stream cannot be pickled; pickle its bank and its state()")

    def __repr__(self) -> str:
        engine = self._engine
        where = "closed" if engine is None else f"at frame {engine.position}"
        return f"<Stream of {self._channels} channels, {self._routing}, {self._bank!r}, {where}>"

    @property
    def bank(self) -> Bank:
        """The bank that was heard last; that of a swap comes with the chunk after its fade."""
        return self._bank

    @property
    def channels(self) -> int:
        """Channels of a chunk."""
        return self._channels

    @property
    def dtype(self) -> np.dtype:
        """Of the arithmetic and the output."""
        return self._dtype

    @property
    def max_taps(self) -> int:
        """The longest kernel that a swap or an update may bring."""
        return self._max_taps

    @property
    def sample_rate(self) -> float:
        """Frames a second."""
        return self._sample_rate

    @property
    def position(self) -> int:
        """The number of the next frame, counted from 0 on."""
        return self._open_engine().position

    @property
    def latency(self) -> int:
        """Frames by which the output is late, 0 on any device; a GPU is waited for."""
        return 0

    @property
    def stats(self) -> StreamStats:
        """What was counted."""
        with self._change_lock:
            return StreamStats(**self._open_engine().stats(), calls=self._calls)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[Any]:
        """The engine, for one thread at a time."""
        if not self._turn_lock.acquire(blocking=False):
            raise RuntimeError("the stream is in use; one thread at a time may use it")
        try:
            yield self._open_engine()
        finally:
            self._turn_lock.release()

    def _open_engine(self) -> Any:
        """The engine; taken once, since another thread may close the stream at any time."""
        engine = self._engine
        if engine is None:
            raise ValueError("the stream is closed")
        return engine

    def _require_no_swap(self, what: str) -> None:
        with self._change_lock:
            self._settle_swaps()
            is_pending = bool(self._swaps)
        if is_pending:
            raise RuntimeError(f"{what} is not allowed while a swap waits or fades")

    def _settle_swaps(self) -> None:
        """Take over the banks of swaps that are complete."""
        while self._swaps:
            swap = self._swaps[0]
            live = self._engine.live_frame(swap.ticket)
            if live is None or self._engine.position < live + swap.crossfade:
                return
            self._bank, self._version = swap.bank, swap.version
            self._swaps.pop(0)

    def _follow_bank(self) -> None:
        """Have the engine hear what has changed in the bank."""
        if not self._swaps and self._bank.version == self._version:
            return
        # While another thread prepares a swap, those before it need not be settled.
        if not self._change_lock.acquire(blocking=not self._swaps):
            return
        try:
            self._settle_swaps()
            if self._swaps:
                return
            version, changes = self._bank._changes_since(self._version)
            if self._engine.can_update:
                for index, kernel in changes.items():
                    self._engine.update(index, kernel.astype(np.float64))
            elif changes:
                version, kernels = self._bank._snapshot()
                self._engine.swap(_as_double(kernels), None, 0)
            self._version = version
        finally:
            self._change_lock.release()

    def _check_channels(self, channels: int | None) -> int:
        kernels = len(self._bank)
        if channels is None:
            outputs = self._outputs or 1
            channels = {"rows": kernels, "bank": 1, "matrix": max(kernels // outputs, 1)}[
                self._routing
            ]
        count = whole("channels", channels, 1, _MOST_CHANNELS)
        if self._routing == "rows" and kernels not in (1, count):
            raise ValueError(
                f"bank has {kernels} kernels; allowed with {count} channels in rows: "
                + (f"1 or {count}" if count > 1 else "1")
            )
        if self._routing == "matrix" and kernels != count * (self._outputs or 1):
            raise ValueError(
                f"bank has {kernels} kernels; allowed in a matrix of {count} channels and "
                f"{self._outputs or 1} outputs: {count * (self._outputs or 1)}"
            )
        return count

    def _shape(self) -> dict[str, str | int]:
        """What two streams must have in common for one to go on from the other."""
        return {
            "routing": self._routing,
            "channels": self._channels,
            "kernels": len(self._bank),
            "outputs": self._outputs or 0,
            "dtype": self._dtype.name,
        }

    def _planes_of(self, samples: np.ndarray) -> np.ndarray:
        """The chunk as (channels, n)."""
        if samples.ndim == 1 and self._channels == 1:
            return samples[np.newaxis, :]
        planes = samples.T if self._time_first else samples
        if samples.ndim != 2 or planes.shape[0] != self._channels:
            wanted = f"(n, {self._channels})" if self._time_first else f"({self._channels}, n)"
            also = " or (n,)" if self._channels == 1 else ""
            raise ValueError(f"chunk has shape {samples.shape}; allowed: {wanted}{also}")
        return planes

    def _readable(self, planes: np.ndarray) -> np.ndarray:
        """In memory, of the stream's dtype and whole samples apart; a copy only where not so."""
        planes = in_memory(planes, "chunk")
        if planes.dtype != self._dtype:
            planes = planes.astype(self._dtype)
        return planes if lies_whole(planes) else planes.copy()

    def _frames_between_signals(self, block: int) -> int:
        """Whole blocks, which is what the plan is made for."""
        times = {"rows": 1, "bank": len(self._bank), "matrix": self._outputs or 1}[self._routing]
        frames = block
        while 2 * frames * self._channels * times <= _SLICE_WORK:
            frames *= 2
        return frames

    def _slices(self, frames: int) -> Iterator[slice]:
        """Parts of a chunk between which Python looks at signals, by the time that each takes."""
        first, count = 0, self._slice_frames
        while first < frames:
            began = time.perf_counter()
            yield slice(first, min(first + count, frames))
            first += count
            if 2 * count <= _MOST_GROWN_FRAMES and time.perf_counter() - began < _QUICK_SECONDS:
                count *= 2

    def _chunk_shape(self, frames: int) -> tuple[int, int]:
        return (frames, self._channels) if self._time_first else (self._channels, frames)

    def _result_shape(self, chunk_shape: tuple[int, ...]) -> tuple[int, ...]:
        if self._routing == "rows":
            return chunk_shape
        if self._routing == "bank":
            return (*chunk_shape, len(self._bank))
        frames = chunk_shape[0 if self._time_first or len(chunk_shape) == 1 else 1]
        return (frames,) if self._outputs is None else (frames, self._outputs)

    def _target_planes(self, result: np.ndarray) -> np.ndarray:
        """A result as (rows, columns, n): the engine's outputs in their order."""
        if self._routing == "matrix":
            return result[np.newaxis, np.newaxis, :] if result.ndim == 1 else result.T[np.newaxis]
        if self._routing == "rows":
            if result.ndim == 1:
                return result[np.newaxis, np.newaxis, :]
            return (result.T if self._time_first else result)[:, np.newaxis, :]
        if result.ndim == 2:  # of a chunk of one channel, without an axis for it
            return result.T[np.newaxis]
        return np.moveaxis(result, 0 if self._time_first else 1, -1)


def _single(state: Mapping[str, ArrayLike], name: str) -> Any:
    """A value of a state that is an array of no dimension."""
    value = np.asarray(state[name])
    if value.ndim:
        raise ValueError(f"state[{name!r}] has shape {value.shape}; allowed: a single value")
    return value.item()


def _as_double(kernels: Sequence[NDArray[np.floating]]) -> list[NDArray[np.float64]]:
    return [kernel.astype(np.float64) for kernel in kernels]
