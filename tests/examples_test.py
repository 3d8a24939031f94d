"""Tests what examples print: python3 examples_test.py PROGRAM..."""

import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.\d+(?:e[+-]\d+)?", text)]


def log_likelihood(log_scales, xs, ys):
    """Of the Gaussian process in examples/gaussian_process.cpp, and its mean at 2.75: by elimination, in plain Python."""
    length, deviation, noise = map(math.exp, log_scales)

    def covariance(a, b):
        return deviation**2 * math.exp(-((a - b) ** 2) / (2 * length**2))

    rows = [[covariance(a, b) + noise**2 * (a == b) for b in xs] + [y] for a, y in zip(xs, ys)]
    log_det = 0.0
    for k, pivot in enumerate(rows):
        log_det += math.log(pivot[k])
        for row in rows[:k] + rows[k + 1 :]:
            factor = row[k] / pivot[k]
            row[k:] = [r - factor * p for r, p in zip(row[k:], pivot[k:])]
    weights = [row[-1] / row[k] for k, row in enumerate(rows)]
    fit = sum(w * y for w, y in zip(weights, ys))
    mean = sum(w * covariance(2.75, x) for w, x in zip(weights, xs))
    return -(fit + log_det + len(xs) * math.log(2 * math.pi)) / 2, mean


def lorenz_series(y, terms=30):
    """The Taylor series of Lorenz's equations: lists of coefficients of x, y and z."""
    x, y, z = ([number] for number in y)
    for n in range(terms):
        xy = sum(x[i] * y[n - i] for i in range(n + 1))
        xz = sum(x[i] * z[n - i] for i in range(n + 1))
        slopes = 10 * (y[n] - x[n]), 28 * x[n] - xz - y[n], xy - 8 / 3 * z[n]
        for series, slope in zip((x, y, z), slopes):
            series.append(slope / (n + 1))
    return x, y, z


def at(series, h):
    value = 0.0
    for coefficient in reversed(series):
        value = value * h + coefficient
    return value


def lorenz_states_and_maxima(h=0.01, count=1000):
    """From (1, 1, 1): the states after steps of h, and times and values of the maxima of z."""
    states, maxima = [[1.0, 1.0, 1.0]], []
    for n in range(count):
        series = lorenz_series(states[-1])
        slope = [(i + 1) * c for i, c in enumerate(series[2][1:])]
        if at(slope, 0) > 0 >= at(slope, h):
            low, high = 0.0, h
            for _ in range(60):
                middle = (low + high) / 2
                low, high = (middle, high) if at(slope, middle) > 0 else (low, middle)
            maxima.append((n * h + low, at(series[2], low)))
        states.append([at(one, h) for one in series])
    return states, maxima


class Examples(unittest.TestCase):
    def output_of(self, name, *arguments):
        return subprocess.run([programs[name], *arguments], capture_output=True, text=True, check=True).stdout

    def near(self, found, expected, delta):
        self.assertEqual(len(found), len(expected), found)
        for number, value in zip(found, expected):
            self.assertAlmostEqual(number, value, delta=delta)

    def test_gradient(self):
        a, b = -1.2, 1.0
        value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
        slope = [-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]
        self.near(numbers(self.output_of("gradient")), [value, *slope], 1e-4)

    def test_guide(self):
        sweeps, second, hessian, line, minimum, kinks = self.output_of("guide").splitlines()
        # In closed form, of the functions that the guide names.
        self.assertEqual([sweeps, second], ["12 108", "12 36"])
        self.near(numbers(hessian), [math.exp(3) + 2] * 2, 1e-4)
        self.assertEqual(line, "36 22")
        self.near(numbers(minimum), [2], 1e-6)
        self.assertEqual(kinks, "1 0.25, 0 1")

    def test_newton(self):
        *steps, end = self.output_of("newton").splitlines()
        # 500 valleys, each of which starts at the value 24.2.
        self.near(numbers(steps[0]), [12100], 1)
        self.near(numbers(end), [1, 1], 2e-9)

    def test_gaussian_process(self):
        xs = [i / 2 for i in range(12)]
        ys = [math.sin(x) + 0.1 * math.cos(17 * i) for i, x in enumerate(xs)]
        length, deviation, noise, likelihood, _, at = numbers(self.output_of("gaussian_process"))
        best = [math.log(length), math.log(deviation), math.log(noise)]
        expected, mean = log_likelihood(best, xs, ys)
        self.assertAlmostEqual(likelihood, expected, delta=1e-5)
        self.assertAlmostEqual(at, mean, delta=1e-3)
        for k in range(3):  # it is the most likely one
            for change in (-0.02, 0.02):
                other = [scale + change * (i == k) for i, scale in enumerate(best)]
                self.assertLess(log_likelihood(other, xs, ys)[0], expected)

    def test_least_squares(self):
        # The certified values of the problem.
        b0, b1, squares = numbers(self.output_of("least_squares"))
        self.assertAlmostEqual(b0 / 2.3894212918e2, 1, delta=1e-8)
        self.assertAlmostEqual(b1 / 5.5015643181e-4, 1, delta=1e-8)
        self.assertAlmostEqual(squares / 1.2455138894e-1, 1, delta=1e-8)

    def test_eigen(self):
        place, *lines = self.output_of("eigen").splitlines()
        self.assertEqual(place, "read in place: yes")
        # By hand: A x - b = (-2.5, -2.5, -2.5), masses times velocities, the inverse of {{2, 1}, {1, 3}}.
        rows = [[-22.5, -30], [-22.5, -30], [2, 0, -2], [2, 1, 0], [0.6, -0.2, -0.2, 0.4]]
        for line, row in zip(lines, rows, strict=True):
            self.near(numbers(line), row, 1e-9)

    def test_own_operation(self):
        text = self.output_of("own_operation")
        # Tables of Bessel functions: J0(2.5) and J1(2.5); J0' = -J1, J0'' = J1 / x - J0.
        j0, j1 = -0.0483837764681979, 0.4970941024642742
        self.near(numbers(re.sub(r"\S+\(2.5\)", "", text)), [j0, -j1, j1 / 2.5 - j0], 1e-8)
        self.assertIn("below 1e-8: yes", text)

    def test_scalar(self):
        spot, strike, rate, sigma = 100, 100, 0.05, 0.2  # for one year, in closed form
        d1 = (math.log(spot / strike) + rate) / sigma + sigma / 2
        d2 = d1 - sigma
        density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)

        def cdf(x):
            return math.erfc(-x / math.sqrt(2)) / 2

        price = spot * cdf(d1) - strike * math.exp(-rate) * cdf(d2)
        first = [cdf(d1), strike * math.exp(-rate) * cdf(d2), spot * density]
        second = [density / (spot * sigma), -density * d2 / sigma]
        self.near(numbers(self.output_of("scalar")), [price, *first, *second], 1e-6)

    def test_jump(self):
        _, *rows, steps, agree = self.output_of("jump").splitlines()
        first, rate, begin, end, last, k = 0.3, 2, 1, 3, 6, 0.5
        since_begin, since_end = last - begin, last - end
        decayed = math.exp(-k * since_end), math.exp(-k * since_begin)
        amount = first * math.exp(-k * last) + rate / k * (decayed[0] - decayed[1])
        area = (first + rate * (end - begin) - amount) / k
        in_k = (-last * first * math.exp(-k * last) - rate / k**2 * (decayed[0] - decayed[1])
                + rate / k * (since_begin * decayed[1] - since_end * decayed[0]))
        exact = [amount, area, in_k, -(in_k + area) / k, rate * decayed[0]]
        for row, number in zip(rows, exact, strict=True):
            self.near(numbers(row), [number, number], 1e-6)
        with_jumps, rejected, without, more = map(int, re.findall(r"\d+", steps))
        self.assertLess(1.5 * (with_jumps + rejected), without + more)
        self.assertTrue(agree.endswith("agree: yes"), agree)

    def test_event(self):
        _, *rows = self.output_of("event").splitlines()
        speed, elevation, gravity = 10, 0.6, 9.81
        flight = 2 * speed * math.sin(elevation) / gravity
        exact = []
        for time in (flight, flight * (1 + 0.8), flight * (1 + 0.8 + 0.64)):
            place = speed * math.cos(elevation) * time
            exact += [time, time / speed, place, 2 * place / speed]
        for row, number in zip(rows, exact, strict=True):
            self.near(numbers(row), [number, number], 1e-6)

    def test_simulation(self):
        *rows, maxima, _ = self.output_of("simulation").splitlines()
        states, expected = lorenz_states_and_maxima()
        for row, place in zip(rows, (0, 250, 500, 750, 1000), strict=True):
            self.near(numbers(row), [place / 100, *states[place]], 1e-4)
        self.assertEqual(int(maxima.split()[0]), len(expected))
        time, value = expected[-1]
        self.near(numbers(maxima), [value, time], 1e-4)

    def test_own_flow(self):
        with tempfile.TemporaryDirectory() as folder:
            found = numbers(self.output_of("own_flow", f"{folder}/own.safetensors"))
        trained, loaded = found
        # No model gets below the entropy but by the chance of 4096 rows, some 0.016 nats.
        entropy = math.log(2 * math.pi * math.e * 0.3)
        self.assertGreater(trained, entropy - 0.05)
        self.assertLess(trained, entropy + 0.15)
        self.assertEqual(loaded, trained)

    def test_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            trained, first = numbers(self.output_of("parts", f"{folder}/parts.safetensors"))
        entropy = math.log(2 * math.pi * math.e * 0.3)
        self.assertGreater(trained, entropy - 0.05)
        self.assertLess(trained, entropy + 0.1)
        self.assertGreater(first, trained)

    def test_matching(self):
        entropy, *models = (numbers(line) for line in self.output_of("matching").splitlines())
        likelihood, matching, both = models
        for nll, _ in models:
            self.assertGreater(nll, entropy[0] - 0.06)
            self.assertLess(nll, entropy[0] + 0.2)
        self.assertLess(matching[1], likelihood[1])
        self.assertLess(both[1], likelihood[1])

    def test_metropolis(self):
        # The closed form; what learning and sampling leave open is some 0.03.
        self.near(numbers(self.output_of("metropolis")), [0.8, 0.2, 0.48, 0.712], 0.12)


if __name__ == "__main__":
    programs = {pathlib.Path(path).stem: pathlib.Path(path).resolve() for path in sys.argv[1:]}
    unittest.main(argv=sys.argv[:1] + [f"Examples.test_{name}" for name in programs])
