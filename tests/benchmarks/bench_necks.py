"""How long shapes and necks take, and how much memory: python tests/benchmarks/bench_necks.py.

No peer enumerates cross-sections; a brute force that grows every polyomino and keeps one of each eight images stands
beside, and the published counts (OEIS A000105).
"""

import resource
import time
from collections.abc import Callable
from typing import Any

from nanoslab.builders.double_slab import describe_double_slab
from nanoslab.builders.neck import build_neck
from nanoslab.builders.neck_shapes import distinct_neck_shapes, most_compact_shapes
from nanoslab.builders.sandwich import build_sandwich

FREE = {6: 35, 8: 369, 9: 1285, 10: 4655, 11: 17073, 12: 63600}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time [s] and value."""
    began = time.process_time()
    value = function()
    return time.process_time() - began, value


def brute_force(n: int) -> int:
    """Free polyominoes by growing all fixed ones and comparing eight images."""
    shapes = {frozenset([(0, 0)])}
    for _ in range(n - 1):
        grown = set()
        for shape in shapes:
            for x, y in shape:
                for cell in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                    if cell not in shape:
                        grown.add(smallest(shape | {cell}))
        shapes = grown
    return len(shapes)


def smallest(shape: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """One of the eight images, always the same one."""
    images = []
    turned = set(shape)
    for _ in range(4):
        turned = {(-y, x) for x, y in turned}
        for image in (turned, {(-x, y) for x, y in turned}):
            x0, y0 = min(x for x, _ in image), min(y for _, y in image)
            images.append(sorted((x - x0, y - y0) for x, y in image))
    return frozenset(min(images))


def main() -> None:
    """Print a table."""
    slab = describe_double_slab("PbSe-rocksalt", planes=2)
    print("n   shapes  published  streamed/s  brute force/s  peak memory/MB")
    for n, published in FREE.items():
        seconds, count = timed(lambda n=n: sum(1 for _ in distinct_neck_shapes(slab, n)))
        forced = f"{timed(lambda n=n: brute_force(n))[0]:13.2f}" if n <= 10 else f"{'-':>13}"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{n:<3} {count:6d}  {published:9d}  {seconds:10.2f}  {forced}  {memory:14.0f}")
    for n in (9, 16, 25, 36):
        seconds, shapes = timed(lambda n=n: most_compact_shapes(slab, n, 3))
        print(f"3 most compact of {n} columns: {seconds:.2f} s, perimeters {[shape.perimeter for shape in shapes]}")
    seconds, atoms = timed(lambda: build_neck("PbSe-rocksalt", pairs=9))
    print(f"neck of 9 pairs, {len(atoms)} atoms: {seconds:.2f} s")
    seconds, atoms = timed(lambda: build_sandwich("PbSe-rocksalt", "oleic-fragment", gap=6.0))
    print(f"sandwich, {len(atoms)} atoms: {seconds:.2f} s")


if __name__ == "__main__":
    main()
