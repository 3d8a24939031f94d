/// What nearly every source of this layer includes and no change to Fjord touches, compiled once.
// No #pragma once: GCC warns of one in the file that it compiles. Our own headers are not part of
// it, or each change to one would compile them all; a source includes all it uses all the same, for
// builds with -Db_pch=false.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xsimd/xsimd.hpp>
