/// Chains of couplings and of autoregressive flows.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/conditioner.hpp"
#include "fjord/flows/spline.hpp"

namespace fjord::flows {

struct LayeredSettings {
  Index dim = 2;                     ///< D, > 0; > 1 for couplings
  Index layers = 5;                  ///< > 0
  ConditionerSettings network = {};  ///< of every layer
};

/// Additive couplings, whose masks alternate; they keep volumes.
///
/// Errors:  std::invalid_argument, in every function, if a setting is out of its range.
/// Source:  Dinh et al., NICE, 2014, without the scaling of its last layer.
template <class T>
std::unique_ptr<Chain<T>> make_nice(const LayeredSettings& settings, const RandomKey& random);
/// Affine couplings, whose masks alternate.
///
/// Source:  Dinh et al., Real NVP, ICLR 2017.
template <class T>
std::unique_ptr<Chain<T>> make_real_nvp(const LayeredSettings& settings, const RandomKey& random);
/// Glow's steps: from data to base act norm, an invertible matrix, and an affine coupling.
///
/// Source:  Kingma & Dhariwal, Glow: Generative Flow with Invertible 1x1 Convolutions, NeurIPS
///          2018, sec. 3, for rows.
template <class T>
std::unique_ptr<Chain<T>> make_glow(const LayeredSettings& settings, const RandomKey& random);
/// Couplings with rational-quadratic splines, whose masks alternate.
///
/// Source:  Durkan et al., Neural Spline Flows, NeurIPS 2019: RQ-NSF (C).
template <class T>
std::unique_ptr<Chain<T>> make_spline_coupling(const LayeredSettings& settings,
                                               const SplineSettings& spline,
                                               const RandomKey& random);
/// Affine autoregressive flows, every second one in the reverse order: fast from data to base.
///
/// Source:  Papamakarios et al., Masked Autoregressive Flow, NIPS 2017.
template <class T>
std::unique_ptr<Chain<T>> make_maf(const LayeredSettings& settings, const RandomKey& random);
/// Their inverses: fast from base to data.
///
/// Source:  Kingma et al., Inverse Autoregressive Flow, NIPS 2016.
template <class T>
std::unique_ptr<Chain<T>> make_iaf(const LayeredSettings& settings, const RandomKey& random);
/// Autoregressive rational-quadratic splines, every second one in the reverse order.
///
/// Source:  Durkan et al., as above: RQ-NSF (AR).
template <class T>
std::unique_ptr<Chain<T>> make_spline_autoregressive(const LayeredSettings& settings,
                                                     const SplineSettings& spline,
                                                     const RandomKey& random);

}  // namespace fjord::flows
