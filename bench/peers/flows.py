"""Common flows in zuko, and flow matching in PyTorch: milliseconds a training step.

python3 flows.py [realnvp] [coupling] [nsf] [maf] [matching] [--threads N] [--steps N]

8 columns, 256 rows a step. realnvp, coupling, nsf and maf: five transforms of two hidden layers of 64. nsf is
autoregressive, coupling the same splines with two passes.
matching: three hidden layers of 64, independent pairs of base and data.
"""

import functools
import sys

import torch
import zuko

sys.dont_write_bytecode = True

import timing

DIM = 8
BATCH = 256
FLOWS = {
    "realnvp": zuko.flows.RealNVP,
    "coupling": functools.partial(zuko.flows.NSF, passes=2),
    "nsf": zuko.flows.NSF,
    "maf": zuko.flows.MAF,
}


def density():
    def make(kind):
        flow = kind(DIM, transforms=5, hidden_features=[64, 64])
        return flow.parameters(), lambda x: -flow().log_prob(x).mean()

    return {work: lambda kind=kind: make(kind) for work, kind in FLOWS.items()}


def matching():
    sizes = [DIM + 1, 64, 64, 64, DIM]
    layers = [torch.nn.Linear(*pair) for pair in zip(sizes, sizes[1:])]
    net = torch.nn.Sequential(*(part for layer in layers for part in (layer, torch.nn.SELU())))[:-1]

    def loss(x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1), 1)
        return ((net(torch.cat([t, (1 - t) * x0 + t * x1], 1)) - (x1 - x0)) ** 2).mean()

    return net.parameters(), loss


WORKS = density() | {"matching": matching}


if __name__ == "__main__":
    works, steps = timing.arguments(list(WORKS), 200)
    for work in works:
        torch.manual_seed(0)
        parameters, loss = WORKS[work]()
        timing.time_training(
            work, parameters, loss, lambda count: timing.rows(BATCH * count, DIM).split(BATCH), steps)
