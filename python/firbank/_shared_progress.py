"""One progress of several convolutions that are computed one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ._progress import check_progress

Progress = Callable[[int, int], object]


@contextmanager
def shared_progress(
    progress: bool | Progress | None, sizes: Sequence[int]
) -> Iterator[Callable[[int], Progress | None]]:
    """Join the progress of several convolutions, each of which counts up to a total of its own.

    Parameters
    ----------
    progress : bool or callable, optional
        True shows a bar while the context is open, if tqdm is installed; a callable is called as
        ``progress(done, total)``, where the total is the sum of `sizes`.
    sizes : sequence of int
        What each convolution is worth in the whole.

    Yields
    ------
    callable
        Gives, for the number of a convolution, what to pass to it as its progress.

    Examples
    --------
    >>> with shared_progress(lambda done, total: print(done, "of", total), [10, 30]) as progress_of:
    ...     progress_of(0)(1, 1)
    ...     progress_of(1)(1, 2)
    10 of 40
    25 of 40
    """
    check_progress(progress)
    if callable(progress):
        yield _joined(progress, sizes)
        return
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            pass
        else:
            with tqdm(total=sum(sizes), unit_scale=True) as bar:
                yield _joined(lambda done, _: bar.update(done - bar.n), sizes)
            return
    yield lambda number: None


def _joined(tell: Progress, sizes: Sequence[int]) -> Callable[[int], Progress]:
    total = sum(sizes)

    def progress_of(number: int) -> Progress:
        before = sum(sizes[:number])
        return lambda done, of: tell(before + sizes[number] * done // of, total)

    return progress_of
