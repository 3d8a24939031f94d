/// Couplings: some columns are transformed as the others say.
#pragma once

#include "fjord/flows/bijector.hpp"
#include "fjord/flows/conditioner.hpp"
#include "fjord/flows/transformer.hpp"
#include "fjord/nn/mlp.hpp"

namespace fjord::flows {

/// Which columns of a coupling stay as they are.
enum class CouplingMask {
  alternate,  ///< every second one
  halves,     ///< the first half, or the second
};

/// The mask of that name, "alternate" or "halves", and the name of a mask.
///
/// Errors:  std::invalid_argument if there is none.
CouplingMask mask_named(std::string_view name);
std::string_view name_of(CouplingMask mask);

struct CouplingSettings {
  Index dim = 2;                                ///< D, from 2 to 2^32
  CouplingMask mask = CouplingMask::alternate;  ///< which columns stay
  bool parity = false;                          ///< no: column 0 stays; yes: it is transformed
  ConditionerSettings network = {};
};

/// Some columns stay, and a network of them and of what is given has the parameters of a
/// transformer of the others.
///
/// It begins as the identity. Of an odd D, the half or every second column from column 0 on has one
/// column more.
/// Source:  Dinh et al., NICE, 2014, sec. 3.1; Dinh et al., Real NVP, ICLR 2017, sec. 3.
template <class T>
class Coupling final : public Bijector<T> {
 public:
  /// Errors:  std::invalid_argument if dim is out of its range, the transformer is null, or the
  ///          network cannot be made.
  Coupling(CouplingSettings settings, std::unique_ptr<Transformer<T>> transformer,
           const RandomKey& random);
  explicit Coupling(nn::PartReader<T>& reader);

  WithLogDet<T> forward_with_log_det(const Var<T>& x, Context<T>& context) const override;
  WithLogDet<T> inverse_with_log_det(const Var<T>& y, Context<T>& context) const override;
  nn::Description<T> describe() override;

 private:
  using Map = WithLogSlope<T> (Transformer<T>::*)(const Var<T>&, const Var<T>&) const;

  // Columns 0, 2, ... or the first half, and the others.
  Var<T> columns(const Var<T>& x, bool first) const;
  Var<T> join(const Var<T>& first, const Var<T>& second) const;
  // The rows with the transformer's map applied, and the slopes of the columns it was applied to.
  WithLogSlope<T> apply(const Var<T>& x, const Context<T>& context, Map map) const;

  CouplingSettings settings_;
  std::unique_ptr<Transformer<T>> transformer_;
  std::unique_ptr<nn::Mlp<T>> network_;
  Tensor<Index> order_;  // where each column is once both kinds are side by side
};

extern template class Coupling<float>;
extern template class Coupling<double>;

}  // namespace fjord::flows
