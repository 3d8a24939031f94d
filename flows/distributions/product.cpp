#include "fjord/flows/distributions/product.hpp"

#include <algorithm>

#include "fjord/autodiff/ops/elementwise.hpp"
#include "fjord/autodiff/ops/shape.hpp"
#include "fjord/flows/check_rows.hpp"
#include "fjord/flows/distributions/inner_context.hpp"
#include "fjord/flows/var_list.hpp"

namespace fjord::flows {

template <class T>
Product<T>::Product(std::vector<std::unique_ptr<Distribution<T>>> parts)
    : parts_(std::move(parts)) {
  require(!parts_.empty(), "product", "at least one distribution is needed, got none");
  for (const auto& part : parts_) {
    require(part != nullptr, "product", "distributions are needed, got null");
    dim_ += part->dim();
  }
}

namespace {

// The numbers that the parts have, side by side, if all have them.
template <class T>
std::optional<Tensor<double>> joined(const std::vector<std::unique_ptr<Distribution<T>>>& parts,
                                     std::optional<Tensor<double>> (Distribution<T>::*numbers)()
                                         const) {
  std::vector<double> all;
  for (const auto& part : parts) {
    const std::optional<Tensor<double>> of_part = (*part.*numbers)();
    if (!of_part) return std::nullopt;
    all.insert(all.end(), of_part->storage().begin(), of_part->storage().end());
  }
  return Tensor<double>::from({static_cast<Index>(all.size())}, all);
}

}  // namespace

template <class T>
std::optional<Tensor<double>> Product<T>::mean() const {
  return joined(parts_, &Distribution<T>::mean);
}

template <class T>
std::optional<Tensor<double>> Product<T>::variance() const {
  return joined(parts_, &Distribution<T>::variance);
}

template <class T>
std::optional<double> Product<T>::entropy() const {
  double sum = 0;
  for (const auto& part : parts_) {
    const std::optional<double> entropy = part->entropy();
    if (!entropy) return std::nullopt;
    sum += *entropy;
  }
  return sum;
}

template <class T>
Var<T> Product<T>::sample(Tape<T>& tape, Index rows, Context<T>& context) const {
  VarList<T> columns(tape, parts_.size());
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    columns.add(with_inner_context(
        context, k, [&](Context<T>& inner) { return parts_[k]->sample(tape, rows, inner); }));
  }
  return concatenate(columns.all(), 1);
}

template <class T>
Var<T> Product<T>::log_prob(const Var<T>& x, Context<T>& context) const {
  check_rows(x, dim_, "product");
  Var<T> total;
  Index first = 0;
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    const Index end = first + parts_[k]->dim();
    const Var<T> log_prob = with_inner_context(context, k, [&](Context<T>& inner) {
      return parts_[k]->log_prob(slice(x, 1, first, end), inner);
    });
    total = k == 0 ? log_prob : total + log_prob;
    first = end;
  }
  return total;
}

template <class T>
SampleAndLogProb<T> Product<T>::sample_and_log_prob(Tape<T>& tape, Index rows,
                                                    Context<T>& context) const {
  VarList<T> columns(tape, parts_.size());
  Var<T> total;
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    const SampleAndLogProb<T> drawn = with_inner_context(context, k, [&](Context<T>& inner) {
      return parts_[k]->sample_and_log_prob(tape, rows, inner);
    });
    columns.add(drawn.sample);
    total = k == 0 ? drawn.log_prob : total + drawn.log_prob;
  }
  return {concatenate(columns.all(), 1), total};
}

template <class T>
void Product<T>::adapt(const Var<T>& x, Context<T>& context, std::uint64_t step) {
  check_rows(x, dim_, "product");
  Index first = 0;
  for (std::size_t k = 0; k < parts_.size(); ++k) {
    const Index end = first + parts_[k]->dim();
    with_inner_context(context, k, [&](Context<T>& inner) {
      parts_[k]->adapt(slice(x, 1, first, end), inner, step);
      return 0;
    });
    first = end;
  }
}

template <class T>
Index Product<T>::adapting_steps() const {
  Index most = 0;
  for (const auto& part : parts_) most = std::max(most, part->adapting_steps());
  return most;
}

template <class T>
nn::Description<T> Product<T>::describe() {
  return nn::Description<T>("product").children("parts", parts_);
}

template class Product<float>;
template class Product<double>;

}  // namespace fjord::flows
