/// Taylor polynomials in two steps, for derivatives of any order of a function of two numbers.
#pragma once

#include <cmath>
#include <vector>

namespace fjord::kernels {

/// The sum of c(i, j) s^i t^j over i <= p and j <= q, with s and t the steps in the two arguments.
class Taylor final {
 public:
  Taylor(int p, int q) : p_(p), q_(q), c_(place(p, q) + 1) {}

  int p() const { return p_; }

  int q() const { return q_; }

  double& operator()(int i, int j) { return c_[place(i, j)]; }

  double operator()(int i, int j) const { return c_[place(i, j)]; }

  /// The derivative of order p in the first and q in the second argument.
  double last_derivative() const {
    return c_.back() * std::tgamma(p_ + 1.0) * std::tgamma(q_ + 1.0);
  }

  friend Taylor operator+(Taylor a, const Taylor& b) {
    for (std::size_t k = 0; k < a.c_.size(); ++k) a.c_[k] += b.c_[k];
    return a;
  }

  friend Taylor operator*(double scale, Taylor a) {
    for (double& c : a.c_) c *= scale;
    return a;
  }

  friend Taylor operator*(const Taylor& a, const Taylor& b) {
    Taylor product(a.p_, a.q_);
    a.for_each([&](int i, int j) {
      for (int r = 0; r <= i; ++r) {
        for (int s = 0; s <= j; ++s) product(i, j) += a(r, s) * b(i - r, j - s);
      }
    });
    return product;
  }

  /// a / b; b is not 0.
  friend Taylor operator/(const Taylor& a, const Taylor& b) {
    Taylor quotient(a.p_, a.q_);
    a.for_each([&](int i, int j) {
      double rest = a(i, j);
      for (int r = 0; r <= i; ++r) {
        for (int s = 0; s <= j; ++s) {
          if (r < i || s < j) rest -= quotient(r, s) * b(i - r, j - s);
        }
      }
      quotient(i, j) = rest / b(0, 0);
    });
    return quotient;
  }

  /// e^a.
  friend Taylor exp(const Taylor& a) {
    Taylor result(a.p_, a.q_);
    a.for_each([&](int i, int j) {
      if (i == 0 && j == 0) {
        result(0, 0) = std::exp(a(0, 0));
        return;
      }
      // The derivative of e^a is e^a times that of a, in the first step unless it has no power.
      double sum = 0;
      for (int r = 0; r <= i; ++r) {
        for (int s = 0; s <= j; ++s) sum += (i > 0 ? r : s) * a(r, s) * result(i - r, j - s);
      }
      result(i, j) = sum / (i > 0 ? i : j);
    });
    return result;
  }

 private:
  std::size_t place(int i, int j) const {
    return static_cast<std::size_t>(i) * (static_cast<std::size_t>(q_) + 1) +
           static_cast<std::size_t>(j);
  }

  template <class Body>
  void for_each(Body body) const {
    for (int i = 0; i <= p_; ++i) {
      for (int j = 0; j <= q_; ++j) body(i, j);
    }
  }

  int p_;
  int q_;
  std::vector<double> c_;
};

}  // namespace fjord::kernels
