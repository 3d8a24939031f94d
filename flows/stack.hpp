/// Bijectors side by side.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/image.hpp"

namespace fjord::flows {

/// y = x.
template <class T>
class Identity final : public Bijector<T> {
 public:
  Identity() = default;

  explicit Identity(nn::PartReader<T>&) {}

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;
};

/// Several bijectors, each of its own columns: the first of the first widths[0] columns, and so on.
///
/// With Identity as one of them it splits a row as multi-scale flows do: in Chain{Stack{rest,
/// Identity}, block}, the columns of Identity have their density right behind the block.
/// Source:  Dinh et al., Density estimation using Real NVP, 2017, sec. 3.6, for the split.
template <class T>
class Stack final : public Bijector<T>, public WithImage {
 public:
  /// Errors:  std::invalid_argument if there are no bijectors, one is null, or there is not one
  ///          positive width for each.
  Stack(std::vector<std::unique_ptr<Bijector<T>>> parts, std::vector<Index> widths);

  explicit Stack(nn::PartReader<T>& reader)
      : Stack(reader.template children<Bijector<T>>("parts"), reader.sizes("widths")) {}

  Var<T> forward(const Var<T>& x, Context<T>& context) const override;
  Var<T> inverse(const Var<T>& y, Context<T>& context) const override;
  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  Var<T> adapt(const Var<T>& y, Context<T>& context, std::uint64_t step) override;
  Index adapting_steps() const override;
  nn::Description<T> describe() override;
  OpenInterval image(Index column) const override;

 private:
  // The columns of each part, mapped by it.
  template <class Map>
  Var<T> side_by_side(const Var<T>& x, Map map) const;

  std::vector<std::unique_ptr<Bijector<T>>> parts_;
  std::vector<Index> widths_;
};

extern template class Identity<float>;
extern template class Identity<double>;
extern template class Stack<float>;
extern template class Stack<double>;

}  // namespace fjord::flows
