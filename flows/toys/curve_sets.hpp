/// Points along curves and bent sheets, with noise.
#pragma once

#include "fjord/flows/toy_set.hpp"

namespace fjord::flows {

/// Two circles around the origin, radii 3 and 1.5, noise 0.24.
///
/// Source:  rtqichen/ffjord, lib/toy_data.py; scikit-learn's make_circles, with independent angles.
const ToySet& circles();

/// Four circles around the origin, radii 0.75, 1.5, 2.25 and 3, noise 0.08.
///
/// Source:  rtqichen/residual-flows, lib/toy_data.py, with independent angles.
const ToySet& rings();

/// The sheet (t cos t, 21 s, t sin t), t in [1.5 pi, 4.5 pi] and s in [0, 1], noise 1.
///
/// Source:  scikit-learn's make_swiss_roll; the noise is that of rtqichen/ffjord, lib/toy_data.py.
const ToySet& swiss_roll();

/// The sheet (sin t, 2 s, sign(t) (cos t - 1)), t in [-1.5 pi, 1.5 pi] and s in [0, 1], noise 0.1.
///
/// Source:  scikit-learn's make_s_curve.
const ToySet& s_curve();

}  // namespace fjord::flows
