"""One subset of every kind that a permutation group tells apart, in portions and in constant memory.

Subsets grow one point at a time, and only those that are the first of their kind in dictionary order grow on: the
beginning of such a subset is itself the first of its kind, so none is missed and none comes twice (orderly generation,
Read 1978, doi:10.1016/S0167-5060(08)70325-X). A subset is a row of 64-bit words, one bit per point, the first point the
highest bit of the first word, so that of two subsets of one size the larger is the earlier.

All children of a subset are judged at once. Let d be the first point at which the image of a subset under a
permutation differs from the subset; being first of its kind, the subset holds d and the image does not. With a further
point p the image comes earlier if p is sent before d, later if it is sent behind d, and only the one p that is sent
onto d has to be compared. So the work is one look-up per subset and permutation, whatever the number of children.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Permutations = NDArray[np.intp]
Masks = NDArray[np.uint64]
_WORD = 64
#: words of images that are worked on at once: they fit the cache of a core
_PORTION = 1 << 16


@dataclass(frozen=True)
class Choice:
    """How many points to take of every class, and what permutes the points.

    Attributes
    ----------
    permutations
        Every element of the group once, shape (n_operations, n_points): row g sends point i to point row[i].
    ends
        Classes are runs of points: class c holds the points from ends[c - 1] up to ends[c], not included.
    sizes
        Points to take of each class.
    conflicts
        Pairs that may not go together, symmetric and invariant under the group, shape (n_points, n_points).
    """

    permutations: Permutations
    ends: tuple[int, ...]
    sizes: tuple[int, ...]
    conflicts: NDArray[np.bool_] | None = None

    @property
    def n_points(self) -> int:
        """Number of points."""
        return int(self.permutations.shape[1])

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First point of every class."""
        return (0, *self.ends[:-1])

    @cached_property
    def bits(self) -> Masks:
        """The one bit of every point, shape (n_points, n_words)."""
        points = np.arange(self.n_points)
        bits = np.zeros((self.n_points, max(1, -(-self.n_points // _WORD))), dtype=np.uint64)
        bits[points, points // _WORD] = np.uint64(1) << (_WORD - 1 - points % _WORD).astype(np.uint64)
        return bits

    @cached_property
    def image_bits(self) -> Masks:
        """The bit that every point is sent to, shape (n_points, n_operations, n_words)."""
        return np.ascontiguousarray(self.bits[self.permutations.T])

    def masks(self, members: NDArray[np.intp]) -> Masks:
        """Masks of subsets given by their points (n_subsets, size)."""
        return np.asarray(self.bits[members].sum(axis=1, dtype=np.uint64))

    def members(self, masks: Masks) -> NDArray[np.intp]:
        """Points of subsets of the sizes asked for, rising, shape (n_subsets, size)."""
        places = np.flatnonzero(unpacked(masks, self.n_points)).reshape(len(masks), sum(self.sizes))
        places -= np.arange(len(masks))[:, None] * self.n_points
        return places

    def complement(self) -> tuple[Choice, Masks]:
        """The same question asked of what is left, where a class is to lose more than half, and the bits to turn."""
        lengths = np.subtract(self.ends, self.starts)
        turned = [self.conflicts is None and 2 * k > n for k, n in zip(self.sizes, lengths.tolist(), strict=True)]
        sizes = tuple(n - k if turn else k for k, n, turn in zip(self.sizes, lengths.tolist(), turned, strict=True))
        flips = np.repeat(turned, lengths)
        return Choice(self.permutations, self.ends, sizes, self.conflicts), self.masks(np.flatnonzero(flips)[None])[0]


def unpacked(masks: Masks, n_points: int) -> NDArray[np.bool_]:
    """Bits as truth values, shape (n_subsets, n_points)."""
    octets = masks.astype(">u8").view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n_points).view(np.bool_)


def orbits(choice: Choice) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32]]]:
    """Points of one subset of every kind, and how many are of its kind: portions of (n, size) and (n,), in order.

    Classes of which more than half is taken are asked through what is left of them; their order is then the reverse.
    """
    asked, flips = choice.complement()
    n_operations = len(choice.permutations)
    for members, stabilizers in _Growth(asked).subsets():
        yield choice.members(asked.masks(members) ^ flips) if flips.any() else members, n_operations // stabilizers


def canonical(choice: Choice, masks: Masks) -> tuple[Masks, NDArray[np.intp]]:
    """First of the kind of every subset, as `orbits` gives it, and how many are of its kind; same order."""
    asked, flips = choice.complement()
    inside = asked.members(masks ^ flips)
    best, numbers = np.empty_like(masks), np.empty(len(masks), dtype=np.intp)
    step = max(1, _PORTION // (len(choice.permutations) * masks.shape[1]))
    for start in range(0, len(masks), step):
        part = slice(start, start + step)
        best[part], numbers[part] = _first_image(asked, inside[part])
    return best ^ flips, len(choice.permutations) // numbers


def _first_image(choice: Choice, members: NDArray[np.intp]) -> tuple[Masks, NDArray[np.intp]]:
    """Largest image, and how many permutations give it."""
    images = np.zeros((len(members), len(choice.permutations), choice.bits.shape[1]), dtype=np.uint64)
    for points in members.T:
        images |= choice.image_bits[points]
    best = np.empty_like(images[:, 0])
    alive = np.ones(images.shape[:2], dtype=bool)
    for word in range(images.shape[2]):
        here = np.where(alive, images[:, :, word], 0)
        best[:, word] = here.max(axis=1)
        alive &= images[:, :, word] == best[:, word, None]
    return best, alive.sum(axis=1)


class _Growth:
    """Subsets that are the first of their kind, grown point by point."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        n, n_words = choice.bits.shape
        group = len(choice.permutations)
        #: class of the point that is taken at each step, and how many of that class are still to come
        steps = [(c, size - i) for c, size in enumerate(choice.sizes) for i in range(size)]
        points = np.arange(n)
        self.allowed = [(points >= choice.starts[c]) & (points <= choice.ends[c] - to_come) for c, to_come in steps]
        inverse = np.argsort(choice.permutations, axis=1)
        self.sent_to = np.concatenate([inverse, np.full((group, 1), -1)], axis=1).ravel()  # (operation, d) -> p
        self.fixes = choice.permutations == points
        self.moving = ~self.fixes.all(axis=1)
        # points sent before d, by (operation, d); with d = n, for an operation that keeps the subset, those sent back
        earlier = np.zeros((group, n + 1, n_words), dtype=np.uint64)
        for d in range(n):
            earlier[:, d + 1] = earlier[:, d] | choice.bits[inverse[:, d]]
        for g, row in enumerate(choice.permutations):
            earlier[g, n] = choice.masks(np.flatnonzero(row < points)[None])[0]
        self.earlier = earlier.reshape(-1, n_words)
        self.offsets = np.arange(group) * (n + 1)
        self.portion = max(1, _PORTION // max(group * n_words, n))
        if choice.conflicts is not None:
            self.apart = ~choice.conflicts

    def subsets(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32]]]:
        """Portions of points and of orders of the stabilizers."""
        n, n_words = self.choice.bits.shape
        empty = np.zeros((1, n_words), dtype=np.uint64)
        order = np.array([len(self.choice.permutations)], dtype=np.int32)
        images = np.zeros((1, len(self.choice.permutations), n_words), dtype=np.uint64)
        open_points = np.ones((1, n), dtype=bool)
        members = np.empty((0, 1), dtype=np.intp)
        if self.allowed:
            yield from self._grown(members, empty, images, open_points)
        else:
            yield members.T, order

    def _grown(
        self, members: NDArray[np.intp], masks: Masks, images: Masks, open_points: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32]]]:
        """Descendants of a portion, a column each; `open_points`: behind the last one, in conflict with none taken."""
        level = len(members)
        parents, points, orders = self._children(level, masks, images, open_points)
        members = np.vstack([members.take(parents, axis=1), points])
        if level + 1 == len(self.allowed):
            if len(parents):
                yield members.T, orders
            return
        for start in range(0, len(parents), self.portion):
            part = slice(start, start + self.portion)
            parent, point = parents[part], points[part]
            left = open_points[parent]
            left &= np.arange(left.shape[1]) > point[:, None]
            if self.choice.conflicts is not None:
                left &= self.apart[point]
            grown = masks[parent] | self.choice.bits[point]
            grown_images = images[parent] | self.choice.image_bits[point]
            yield from self._grown(members[:, part], grown, grown_images, left)

    def _children(
        self, level: int, masks: Masks, images: Masks, open_points: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]:
        """Parent, further point and order of the stabilizer of every child that is the first of its kind."""
        n = self.choice.n_points
        first = self._first_difference(images ^ masks[:, None])
        places = first + self.offsets
        forbidden = np.bitwise_or.reduce(self.earlier[places], axis=1)
        children = open_points & self.allowed[level]
        children &= ~unpacked(forbidden, n)
        stabilizers = np.ones(children.shape, dtype=np.int32)  # the identity
        # the child whose further point is sent onto the first difference
        sent = self.sent_to[places]
        rows, operations = np.nonzero(np.take_along_axis(children, np.maximum(sent, 0), axis=1) & (sent >= 0))
        points = sent[rows, operations]
        mine = masks[rows] | self.choice.bits[points]
        other = images[rows, operations] | self.choice.bits[first[rows, operations]]
        difference = self._first_difference(mine ^ other)
        same = difference == n
        np.add.at(stabilizers, (rows[same], points[same]), 1)
        comes_first = (other & self.choice.bits[np.minimum(difference, n - 1)]).any(axis=1) & ~same
        children[rows[comes_first], points[comes_first]] = False
        kept, operations = np.nonzero((first == n) & self.moving)
        np.add.at(stabilizers, kept, self.fixes[operations])
        parents, points = np.nonzero(children)
        return parents, points, stabilizers[parents, points]

    def _first_difference(self, differences: Masks) -> NDArray[np.intp]:
        """First point whose bit is set, the number of points where there is none; shape without the words."""
        first = np.full(differences.shape[:-1], self.choice.n_points, dtype=np.intp)
        for word in reversed(range(differences.shape[-1])):
            bits = differences[..., word]
            # without its second highest bit no word is rounded up to the next power of two
            exponent = (bits & ~(bits >> np.uint64(1))).astype(np.float64).view(np.int64) >> 52
            np.copyto(first, _WORD * (word + 1) + 1022 - exponent, where=bits != 0)
        return first
