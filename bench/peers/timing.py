"""What the peers share: the arguments, the data and the clock."""

import argparse
import statistics
import time

import torch


def arguments(works, steps):
    """Sets the number of threads; returns the works to time and the steps of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", default=works, help=f"of {', '.join(works)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=steps, help="timed, after a tenth and two more that are not")
    given = parser.parse_args()
    if unknown := sorted(set(given.works) - set(works)):
        parser.error(f"works are {', '.join(works)}, got {', '.join(unknown)}")
    torch.set_num_threads(given.threads)
    return given.works, given.steps


def rows(count, dim):
    """Correlated normals, the same in every run."""
    random = torch.Generator().manual_seed(0)
    mix = torch.randn(dim, dim, generator=random) / dim**0.5
    return torch.randn(count, dim, generator=random) @ mix


def time_training(work, parameters, loss, batch, steps):
    """Prints the median time of a step of Adam: the loss of the next batch, its gradient, the update."""
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    times = []
    for x in batch(steps + steps // 10 + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    print(f"{work} {1e3 * statistics.median(times[-steps:]):.3f}", flush=True)
