#include "fjord/flows/layered_flows.hpp"

#include <algorithm>
#include <numeric>

#include "fjord/flows/affine_transformer.hpp"
#include "fjord/flows/autoregressive.hpp"
#include "fjord/flows/coupling.hpp"
#include "fjord/flows/linear_maps.hpp"
#include "fjord/flows/normalization.hpp"
#include "fjord/flows/rational_quadratic.hpp"

namespace fjord::flows {
namespace {

// Of layer(k) for every k.
template <class T, class Layer>
std::unique_ptr<Chain<T>> chain_of(const LayeredSettings& settings, Layer layer) {
  require(settings.dim > 0 && settings.layers > 0, "layered_flows", [&] {
    return "a positive dim and a positive number of layers are needed, got " +
           std::to_string(settings.dim) + " and " + std::to_string(settings.layers);
  });
  std::vector<std::unique_ptr<Bijector<T>>> parts;
  for (Index k = 0; k < settings.layers; ++k) parts.push_back(layer(k));
  return std::make_unique<Chain<T>>(std::move(parts));
}

template <class T, class Inner, class... Arguments>
std::unique_ptr<Chain<T>> couplings(const LayeredSettings& settings, const RandomKey& random,
                                    const Arguments&... arguments) {
  return chain_of<T>(settings, [&](Index k) {
    return std::make_unique<Coupling<T>>(
        CouplingSettings{settings.dim, CouplingMask::alternate, k % 2 == 1, settings.network},
        std::make_unique<Inner>(arguments...), random.fold(static_cast<std::uint64_t>(k)));
  });
}

template <class T, class Inner, class... Arguments>
std::unique_ptr<Autoregressive<T>> autoregressive(const LayeredSettings& settings, Index k,
                                                  const RandomKey& random,
                                                  const Arguments&... arguments) {
  std::vector<Index> order(static_cast<std::size_t>(settings.dim));
  std::iota(order.begin(), order.end(), Index(0));
  if (k % 2 == 1) std::ranges::reverse(order);
  return std::make_unique<Autoregressive<T>>(
      AutoregressiveSettings{std::move(order), settings.network},
      std::make_unique<Inner>(arguments...), random.fold(static_cast<std::uint64_t>(k)));
}

}  // namespace

template <class T>
std::unique_ptr<Chain<T>> make_nice(const LayeredSettings& settings, const RandomKey& random) {
  return couplings<T, AdditiveTransformer<T>>(settings, random);
}

template <class T>
std::unique_ptr<Chain<T>> make_real_nvp(const LayeredSettings& settings, const RandomKey& random) {
  return couplings<T, AffineTransformer<T>>(settings, random);
}

template <class T>
std::unique_ptr<Chain<T>> make_glow(const LayeredSettings& settings, const RandomKey& random) {
  return chain_of<T>(settings, [&](Index k) {
    const RandomKey key = random.fold(static_cast<std::uint64_t>(k));
    std::vector<std::unique_ptr<Bijector<T>>> step;
    step.push_back(std::make_unique<Coupling<T>>(
        CouplingSettings{settings.dim, CouplingMask::halves, false, settings.network},
        std::make_unique<AffineTransformer<T>>(), key.fold(0)));
    step.push_back(std::make_unique<LuLinear<T>>(settings.dim, key.fold(1)));
    step.push_back(std::make_unique<ActNorm<T>>(settings.dim));
    return std::make_unique<Chain<T>>(std::move(step));
  });
}

template <class T>
std::unique_ptr<Chain<T>> make_spline_coupling(const LayeredSettings& settings,
                                               const SplineSettings& spline,
                                               const RandomKey& random) {
  return couplings<T, RationalQuadraticSpline<T>>(settings, random, spline);
}

template <class T>
std::unique_ptr<Chain<T>> make_maf(const LayeredSettings& settings, const RandomKey& random) {
  return chain_of<T>(settings, [&](Index k) {
    return autoregressive<T, AffineTransformer<T>>(settings, k, random);
  });
}

template <class T>
std::unique_ptr<Chain<T>> make_iaf(const LayeredSettings& settings, const RandomKey& random) {
  return chain_of<T>(settings, [&](Index k) {
    return std::make_unique<Inverse<T>>(
        autoregressive<T, AffineTransformer<T>>(settings, k, random));
  });
}

template <class T>
std::unique_ptr<Chain<T>> make_spline_autoregressive(const LayeredSettings& settings,
                                                     const SplineSettings& spline,
                                                     const RandomKey& random) {
  return chain_of<T>(settings, [&](Index k) {
    return autoregressive<T, RationalQuadraticSpline<T>>(settings, k, random, spline);
  });
}

#define FJORD_INSTANTIATE(T)                                                                  \
  template std::unique_ptr<Chain<T>> make_nice(const LayeredSettings&, const RandomKey&);     \
  template std::unique_ptr<Chain<T>> make_real_nvp(const LayeredSettings&, const RandomKey&); \
  template std::unique_ptr<Chain<T>> make_glow(const LayeredSettings&, const RandomKey&);     \
  template std::unique_ptr<Chain<T>> make_spline_coupling(                                    \
      const LayeredSettings&, const SplineSettings&, const RandomKey&);                       \
  template std::unique_ptr<Chain<T>> make_maf(const LayeredSettings&, const RandomKey&);      \
  template std::unique_ptr<Chain<T>> make_iaf(const LayeredSettings&, const RandomKey&);      \
  template std::unique_ptr<Chain<T>> make_spline_autoregressive(                              \
      const LayeredSettings&, const SplineSettings&, const RandomKey&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::flows
