#include "fjord/ode/packing.hpp"

#include "fjord/autodiff/ops/shape.hpp"

namespace fjord::ode {

template <class T>
Var<T> pack(const Vars<T>& parts) {
  Vars<T> flat;
  for (const Var<T>& part : parts) flat.push_back(reshape(part, {part.shape().size()}));
  return concatenate<T>(flat, 0);
}

template <class T>
Vars<T> unpack(const Var<T>& packed, const std::vector<Shape>& shapes) {
  Vars<T> parts;
  Index at = 0;
  for (const Shape& shape : shapes) {
    parts.push_back(reshape(slice(packed, 0, at, at + shape.size()), shape));
    at += shape.size();
  }
  return parts;
}

#define FJORD_INSTANTIATE(T)            \
  template Var<T> pack(const Vars<T>&); \
  template Vars<T> unpack(const Var<T>&, const std::vector<Shape>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord::ode
