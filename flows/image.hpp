/// What a bijector can reach.
#pragma once

#include <limits>

#include "fjord/flows/bijector.hpp"

namespace fjord::flows {

/// The numbers between two others, without these.
struct OpenInterval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// A bijector that knows of columns whose numbers are not onto the whole line.
class WithImage {
 public:
  virtual ~WithImage() = default;
  /// The numbers that rows of its values have in a column.
  virtual OpenInterval image(Index column) const = 0;

 protected:
  WithImage() = default;
  WithImage(const WithImage&) = default;
  WithImage& operator=(const WithImage&) = default;
};

/// What a map can reach in a column, as far as it knows of bounds: those of its last part.
template <class T>
OpenInterval image_of(const Bijector<T>& map, Index column) {
  if (const auto* chain = dynamic_cast<const Chain<T>*>(&map))
    return image_of(*chain->parts().back(), column);
  const auto* known = dynamic_cast<const WithImage*>(&map);
  return known == nullptr ? OpenInterval{} : known->image(column);
}

}  // namespace fjord::flows
