/// Clusters of rows around their means.
#pragma once

#include <functional>
#include <vector>

#include "fjord/autodiff/random.hpp"
#include "fjord/autodiff/tensor.hpp"
#include "fjord/autodiff/workers.hpp"

namespace fjord::apps::density {

/// The cluster, below `clusters`, of each row: Lloyd's rounds until the centres move by less than
/// 1e-4 in all, at most 300, or until `stop` returns true. Centres begin at rows, each next one of
/// a few that are drawn by their squared distance from the nearest centre: the one that leaves the
/// least of these.
///
/// Shapes:  rows [N, D], standardised; weights [N], > 0. A cluster may end without rows.
/// Source:  Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28, 1982; Arthur &
///          Vassilvitskii, k-means++, SODA 2007, with the greedy choice of their section 6.
std::vector<std::size_t> k_means(const Tensor<double>& rows, const std::vector<double>& weights,
                                 std::size_t clusters, const RandomKey& random, Workers& workers,
                                 const std::function<bool()>& stop);

}  // namespace fjord::apps::density
