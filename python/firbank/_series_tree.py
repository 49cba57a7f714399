"""Series in containers: lists, tuples and dictionaries of arrays, nested at will.

JAX calls these pytrees. What is needed of them is little, and done here without JAX: the series in
a fixed order, each with a name for messages, and a container of the same shape put together again
from what was computed of each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def leaves(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Go through the series of a tree.

    Parameters
    ----------
    tree : Any
        A series, or a list, tuple or mapping of trees. ``None`` is a tree without a series.
    name : str
        What messages call the tree.

    Yields
    ------
    tuple of str and Any
        The name of a series, such as ``"time_series['left'][0]"``, and the series. Mappings are
        gone through in their own order.

    Examples
    --------
    >>> list(leaves({"a": 1.0, "b": [2.0, None]}, "x"))
    [("x['a']", 1.0), ("x['b'][0]", 2.0)]
    """
    if _is_mapping(tree):
        for key in tree:
            yield from leaves(tree[key], f"{name}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for position, branch in enumerate(tree):
            yield from leaves(branch, f"{name}[{position}]")
    elif tree is not None:
        yield name, tree


def rebuild(tree: Any, replace: Callable[[Any], Any]) -> Any:
    """Make a tree of the same shape and the same containers, with other leaves.

    Parameters
    ----------
    tree : Any
        As for `leaves`. It is not changed.
    replace : callable
        Gives the new leaf for an old one; called in the order of `leaves`.

    Returns
    -------
    Any
        The new tree. Mappings keep their type and what else they hold (the default of a
        ``defaultdict``), tuples with names keep their names.

    Examples
    --------
    >>> rebuild({"a": 1, "b": (2, None)}, lambda leaf: leaf * 10)
    {'a': 10, 'b': (20, None)}
    """
    if _is_mapping(tree):
        replaced = copy.copy(tree)
        for key in tree:
            replaced[key] = rebuild(tree[key], replace)
        return replaced
    if isinstance(tree, (list, tuple)):
        branches = [rebuild(branch, replace) for branch in tree]
        if isinstance(tree, list):
            return branches
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return None if tree is None else replace(tree)


def _is_mapping(tree: Any) -> bool:
    # A group of time stamps (pynapple.TsGroup) is a mapping too, but it is no container of series.
    return isinstance(tree, Mapping) and not hasattr(tree, "time_support")
