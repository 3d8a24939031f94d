"""FFJORD on tables in PyTorch and torchdiffeq: milliseconds a training step.

python3 ffjord.py [table43] [table8] [--threads N] [--steps N]

One block, softplus, time as one more input, one Rademacher probe a solve, batch 1000, dopri5 at 1e-5, the gradient
through the solver. table43: 43 columns, two hidden layers of 860. table8: 8 columns, three of 160.
"""

import math
import sys

import torch
from torchdiffeq import odeint

sys.dont_write_bytecode = True

import timing

BATCH = 1000
WORKS = {"table43": (43, [860, 860]), "table8": (8, [160, 160, 160])}


class Block(torch.nn.Module):
    """The derivative of a row, and minus its log-density's."""

    def __init__(self, dim, hidden):
        super().__init__()
        sizes = [dim + 1, *hidden, dim]
        layers = [torch.nn.Linear(*pair) for pair in zip(sizes, sizes[1:])]
        self.net = torch.nn.Sequential(*(part for layer in layers for part in (layer, torch.nn.Softplus())))[:-1]
        self.probe = None

    def forward(self, t, state):
        x = state[0] if state[0].requires_grad else state[0].requires_grad_()
        y = self.net(torch.cat([t.expand(len(x), 1), x], 1))
        pulled = torch.autograd.grad(y, x, self.probe, create_graph=True)[0]
        return y, (pulled * self.probe).sum(1)


def run(work, steps):
    dim, hidden = WORKS[work]
    torch.manual_seed(0)
    block = Block(dim, hidden)
    times = torch.tensor([1.0, 0.0])  # from the data to the base

    def loss(x):
        block.probe = torch.randint(0, 2, x.shape) * 2.0 - 1
        z, log_det = odeint(block, (x, torch.zeros(len(x))), times, method="dopri5", rtol=1e-5, atol=1e-5)
        log_base = -0.5 * (z[-1] ** 2).sum(1) - 0.5 * dim * math.log(2 * math.pi)
        return -(log_base + log_det[-1]).mean()

    timing.time_training(
        work, block.parameters(), loss, lambda count: timing.rows(BATCH * count, dim).split(BATCH), steps)


if __name__ == "__main__":
    works, steps = timing.arguments(list(WORKS), 10)
    for work in works:
        run(work, steps)
