"""Progress of long work: a bar where there is tqdm, or anybody's own function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[int, int], object]


@contextmanager
def teller(progress: bool | Tell | None, unit: str = "samples") -> Iterator[Tell | None]:
    """What is to be called with (done, total), or None."""
    if progress is None or progress is False:
        yield None
        return
    if progress is not True:
        if not callable(progress):
            raise TypeError(
                f"progress is {progress!r}; allowed: True, or a function of (done, total)"
            )
        yield progress
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(total=None, unit=unit, unit_scale=True, desc="firbank") as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell
