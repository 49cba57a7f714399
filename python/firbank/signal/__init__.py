"""SciPy's convolutions and FIR filters, computed by :func:`firbank.convolve`.

The functions have the names, signatures, shapes and types of those in :mod:`scipy.signal`, so
that a program changes over with its import alone. SciPy itself is not needed:

    >>> import numpy as np
    >>> from firbank import signal
    >>> signal.convolve([1.0, 2.0, 3.0], [1.0, 1.0], mode="valid").tolist()
    [3.0, 5.0]
    >>> y, state = signal.lfilter([0.5, 0.5], 1.0, np.ones(3), zi=np.zeros(1))
    >>> y.tolist(), state.tolist()
    ([0.5, 1.0, 1.0], [0.5])

What differs from SciPy 1.17, on purpose, where ``convolve`` stands for ``correlate`` as well:

================================ ============================== ================================
What                             SciPy                          Here
================================ ============================== ================================
NaN or infinity in an input      the FFT methods spoil the      NaN in the frames whose window
                                 whole result; direct sums      touches it, whatever the method
                                 keep infinities                and the number of dimensions
``method``                       chooses FFT or direct sums     is checked; the way is chosen by
                                                                cost, and each is right
``convolve`` of integers         exact by direct sums; by FFT   exact, and beyond the type's
                                 where 2**52 is not exceeded    range modulo it, as NumPy's
``convolve`` of booleans         by FFT, noise may become True; exact, in any number of
                                 direct sums in 1-D only        dimensions
``convolve`` of float16          direct sums in 1-D only        sums in float32, result float16,
                                                                in any number of dimensions
long double                      long double                    double precision, and the
                                                                result's type says so
object arrays                    sums of Python objects         TypeError
masked arrays                    the mask is not looked at      TypeError
denormal numbers                 are summed                     count as 0, such as those below
                                                                2.2e-308 in double precision
``convolve`` of empty arrays     empty in 'same' where in1 is;  empty in 'same' where in1 is;
                                 else ValueError, IndexError,   else ValueError
                                 or memory as it was
an unknown ``mode`` of scalars   is not looked at               ValueError
or of empty arrays
errors of ``lfilter``            each of its own sum            may be of an FFT, relative to
                                                                the largest: small values are
                                                                off beside large ones, and
                                                                before a spike too
``lfilter`` with feedback        recursive filter               ValueError: FIR filters only
``lfilter`` of integers alone    NotImplementedError            float64
``lfilter`` of float16 alone     NotImplementedError            float16, sums in float32
``lfilter`` of empty ``x``       ValueError, or a state that    an empty result, and the state
                                 is not initialised             that came in
``lfilter_zi`` of one tap        ValueError                     the empty state
``lfilter_zi`` with ``a[0]`` 0   drops leading zeros of ``a``   ValueError
arrays of CuPy, JAX, PyTorch     their own functions            become NumPy arrays
================================ ============================== ================================

All functions may be called from several threads at once. A ``numpy.memmap`` is read into memory
as a whole; :func:`firbank.convolve` reads it in pieces.
"""

from ._convolve import convolve, correlate, fftconvolve, oaconvolve
from ._lfilter import lfilter, lfilter_zi

__all__ = ["convolve", "correlate", "fftconvolve", "lfilter", "lfilter_zi", "oaconvolve"]
