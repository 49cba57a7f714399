"""A basis of cosine bumps that grow wider with time."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RaisedCosineLog:
    r"""Kernels that are cosine bumps on a logarithmic axis of time.

    They are narrow at small delays and wide at long ones, so that few of them describe what a
    neuron's past does to it: fine just after a spike, coarse later. With the delay
    :math:`t \in [0, 1]` as a share of the window and the scaling :math:`s`,

    .. math::
        u(t) = \frac{\log(s t + 1)}{\log(s + 1)}, \qquad
        b_j(t) = \frac12 \cos\left(\operatorname{clip}\left(\pi\,\frac{u(t) - c_j}{\delta w},
        -\pi, \pi\right)\right) + \frac12,

    where the peaks :math:`c_j` lie equally far, :math:`\delta`, from one another, the first of them
    at 0, and :math:`w` is the width. These are the :math:`\frac12\cos(a \log(t + c) - \phi_j) +
    \frac12` of Pillow et al. [1]_, with :math:`c = 1/s`. The kernels are those of
    ``nemos.basis.RaisedCosineLogConv`` with the same arguments, in float64.

    Parameters
    ----------
    n : int
        How many kernels, at least 2.
    window : int
        Taps of each kernel, at least 1.
    width : float, default 2.0
        Half the width of a bump, in distances between peaks: above 1, and half of a whole number,
        so that the bumps add up to a constant between the outer peaks.
    time_scaling : float, optional
        How strongly time is stretched, above 0; 50 unless given. Close to 0 the bumps lie linearly.
    enforce_decay_to_zero : bool, default True
        Whether the last kernel decays to zero within the window. Otherwise it peaks at the
        last tap.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.
    TypeError
        If `n` is not a whole number.

    References
    ----------
    .. [1] J. W. Pillow, L. Paninski, V. J. Uzzell, E. P. Simoncelli, E. J. Chichilnisky:
       Prediction and decoding of retinal ganglion cell responses with a probabilistic spiking
       model. Journal of Neuroscience 25(47), 11003-11013, 2005 (Methods).

    Examples
    --------
    >>> kernels = RaisedCosineLog(5, 100).kernels()
    >>> kernels.shape
    (100, 5)
    >>> kernels.argmax(axis=0).tolist()
    [0, 2, 5, 12, 25]
    """

    n: int
    window: int
    width: float = 2.0
    time_scaling: float | None = None
    enforce_decay_to_zero: bool = True

    def __post_init__(self) -> None:
        if operator.index(self.n) < 2:
            raise ValueError(f"n is {self.n}; allowed: 2 or more")
        try:
            taps = operator.index(self.window)
        except TypeError:
            taps = 0
        if taps < 1:
            raise ValueError(f"window is {self.window!r}; allowed: a whole number, 1 or more")
        if not (self.width > 1 and np.isclose(2 * self.width, np.round(2 * self.width))):
            raise ValueError(
                f"width is {self.width}; allowed: more than 1, and half of a whole number"
            )
        if self.time_scaling is not None and not 0 < self.time_scaling < np.inf:
            raise ValueError(f"time_scaling is {self.time_scaling}; allowed: finite, more than 0")

    def kernels(self) -> NDArray[np.float64]:
        """Compute the kernels.

        Returns
        -------
        ndarray, shape (window, n), float64
            A kernel in each column, tap 0 (no delay) first; values within [0, 1].
        """
        scaling = 50.0 if self.time_scaling is None else self.time_scaling
        delays = np.linspace(0.0, 1.0, self.window)
        stretched = np.log1p(scaling * delays) / np.log1p(scaling)
        last_peak = 1.0
        if self.enforce_decay_to_zero:
            # One width after this peak is where the stretched axis, and with it the window, ends.
            last_peak -= self.width / (self.n + self.width - 1)
        peaks, distance = np.linspace(0.0, last_peak, self.n, retstep=True)
        phase = np.pi * (stretched[:, np.newaxis] - peaks) / (distance * self.width)
        return 0.5 * np.cos(np.clip(phase, -np.pi, np.pi)) + 0.5
