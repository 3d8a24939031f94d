"""The log-density of rows under a model file, by numpy alone: a second reading of docs/model-file.md.

Usage: read_model.py MODEL.safetensors ROWS.npy; prints one number a row. It knows the parts of this file's tables."""

import json
import struct
import sys

import numpy as np


def read(path):
    """The tree of a model file, and its tensors by name, in double precision."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    metadata = header.pop("__metadata__")
    assert metadata["format"] == "fjord-flow"
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        tensors[name] = np.frombuffer(body[begin:end], dtype).reshape(entry["shape"]).astype(float)
    return json.loads(metadata["model"])["distribution"], tensors


def below(tensors, path):
    """The tensors below a path, named from there."""
    return {name[len(path) + 1:]: tensor for name, tensor in tensors.items() if name.startswith(path + ".")}


def mlp(tensors, x, tangents=None):
    """A network of tanh layers, and what it makes of tangents [B, K, in]."""
    layers = sum(name.endswith(".bias") for name in tensors)
    for i in range(layers):
        weight, bias = tensors[f"layers.{i}.weight"], tensors[f"layers.{i}.bias"]
        x = x @ weight.T + bias
        tangents = None if tangents is None else tangents @ weight.T
        if i + 1 < layers:
            x = np.tanh(x)
            tangents = None if tangents is None else tangents * (1 - x[:, None, :] ** 2)
    return x, tangents


def mlp_field(part, tensors, t, x):
    """dx/dt and its divergence."""
    rows, dim = x.shape
    time = np.full((rows, dim if part["time_input"] == "repeat" else 1), t)
    unit = np.zeros((rows, dim, time.shape[1] + dim))
    unit[:, np.arange(dim), time.shape[1] + np.arange(dim)] = 1
    slope, moved = mlp(below(tensors, "network"), np.hstack([time, x]), unit)
    return slope, np.trace(moved, axis1=1, axis2=2)


# The inverse of every bijector: base rows, and the log-determinant of that map.
def ffjord(part, tensors, y, steps=400):
    x, log_det = y, np.zeros(len(y))
    h = (part["t0"] - part["t1"]) / steps
    field = lambda t, x: FIELDS[part["field"]["type"]](part["field"], below(tensors, "field"), t, x)
    for k in range(steps):
        t = part["t1"] + k * h
        a, da = field(t, x)
        b, db = field(t + h / 2, x + h / 2 * a)
        c, dc = field(t + h / 2, x + h / 2 * b)
        d, dd = field(t + h, x + h * c)
        x, log_det = x + h / 6 * (a + 2 * b + 2 * c + d), log_det + h / 6 * (da + 2 * db + 2 * dc + dd)
    return x, log_det


def chain(part, tensors, y):
    log_det = np.zeros(len(y))
    for k in reversed(range(len(part["parts"]))):
        y, more = bijector(part["parts"][k], below(tensors, f"parts.{k}"), y)
        log_det = log_det + more
    return y, log_det


def affine(part, tensors, y):
    return (y - tensors["shift"]) * np.exp(-tensors["log_scale"]), np.full(len(y), -tensors["log_scale"].sum())


def standardise(part, tensors, y):
    scale = np.array(part["scale"])
    return (y - np.array(part["mean"])) / scale, np.full(len(y), -np.log(scale).sum())


def coupling(part, tensors, y):
    first = np.arange(y.shape[1]) % 2 == 0 if part["mask"] == "alternate" else np.arange(y.shape[1]) < (y.shape[1] + 1) // 2
    kept = ~first if part["parity"] else first
    parameters = mlp(below(tensors, "network"), y[:, kept])[0]
    bound = part["transformer"]["bound"]
    shift, a = np.hsplit(parameters, 2)
    log_slope = bound * np.tanh(a / bound)
    x = y.copy()
    x[:, ~kept] = y[:, ~kept] * np.exp(log_slope) + shift
    return x, log_slope.sum(axis=1)


def triangle(rows, dim, diagonal):
    """A lower triangle from its rows, with a function of the diagonal."""
    matrix = np.zeros((dim, dim))
    matrix[np.tril_indices(dim)] = rows
    np.fill_diagonal(matrix, diagonal(np.diag(matrix)))
    return matrix


def triangular(part, tensors, y):
    matrix = triangle(tensors["triangle"], part["dim"], np.exp)
    z = np.linalg.solve(matrix, (y - tensors["shift"]).T).T
    return z, np.full(len(y), -np.log(np.diag(matrix)).sum())


def stack(part, tensors, y):
    x, log_det, first = np.empty_like(y), np.zeros(len(y)), 0
    for k, width in enumerate(part["widths"]):
        columns = slice(first, first + int(width))
        x[:, columns], more = bijector(part["parts"][k], below(tensors, f"parts.{k}"), y[:, columns])
        log_det, first = log_det + more, columns.stop
    return x, log_det


def identity(part, tensors, y):
    return y, np.zeros(len(y))


def exp(part, tensors, y):
    x = np.log(y)
    return x, -x.sum(axis=1)


def sigmoid(part, tensors, y):
    share = (y - part["low"]) / (part["high"] - part["low"])
    slope = share * (1 - share) * (part["high"] - part["low"])
    return np.log(share / (1 - share)), -np.log(slope).sum(axis=1)


def sinh_arcsinh(part, tensors, y):
    weight = np.exp(tensors["log_tailweight"])
    inside = np.arcsinh(y) / weight - tensors["skewness"]
    log_slope = np.log(np.cosh(inside)) - np.log(weight) - np.log(1 + y**2) / 2
    return np.sinh(inside), log_slope.sum(axis=1)


FIELDS = {"mlp_field": mlp_field}
BIJECTORS = {"ffjord": ffjord, "chain": chain, "affine": affine, "standardise": standardise, "coupling": coupling,
             "triangular": triangular, "stack": stack, "identity": identity, "exp": exp, "sigmoid": sigmoid,
             "sinh_arcsinh": sinh_arcsinh}


def bijector(part, tensors, y):
    return BIJECTORS[part["type"]](part, tensors, y)


def log_prob(part, tensors, x):
    if part["type"] == "transformed":
        z, log_det = bijector(part["bijector"], below(tensors, "bijector"), x)
        return log_prob(part["base"], below(tensors, "base"), z) + log_det
    if part["type"] == "mixture":
        shares = np.exp(tensors["logits"] - tensors["logits"].max())
        each = [log_prob(component, below(tensors, f"components.{k}"), x) for k, component in enumerate(part["components"])]
        return np.logaddexp.reduce(np.array(each) + np.log(shares / shares.sum())[:, None], axis=0)
    if part["type"] == "full_normal":
        factor = triangle(part["factor"], len(part["mean"]), lambda diagonal: diagonal)
        z = np.linalg.solve(factor, (x - np.array(part["mean"])).T).T
        return -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1) - np.log(np.diag(factor)).sum()
    assert part["type"] == "diagonal_normal"
    scale = np.array(part["scale"])
    return -0.5 * (((x - np.array(part["mean"])) / scale) ** 2 + np.log(2 * np.pi)).sum(axis=1) - np.log(scale).sum()


if __name__ == "__main__":
    tree, tensors = read(sys.argv[1])
    for value in log_prob(tree, tensors, np.load(sys.argv[2]).astype(float)):
        print(repr(float(value)))
