/// The evaluation of a user's function of which the tape keeps only the results, as one operation.
#pragma once

#include <memory>

#include "fjord/autodiff/operation.hpp"
#include "fjord/autodiff/sweep.hpp"

namespace fjord::record {

/// Nodes recorded while this object lives end with it; the numbers of some can be carried over.
template <class T>
class Evaluation final {
 public:
  /// Errors:  std::invalid_argument in the name of `op` if there is no input, or one is empty.
  Evaluation(const Vars<T>& inputs, std::string op);
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  Tape<T>& tape() const { return tape_; }

  /// The nodes from before that were read by those since, in order.
  std::vector<std::uint32_t> captured() const;

  /// Ends the evaluation and keeps the numbers of `outputs`; returns the leaves of parameters that
  /// were bound in it, which are bound anew.
  ///
  /// Errors:  std::invalid_argument if an output is empty, of another tape, or ended, or if there
  ///          are more than a node can count.
  Vars<T> close(const Vars<T>& outputs);

  /// Appends the numbers kept as the outputs of an operation, with an object that its rules need.
  Vars<T> append(const Operation<T>& op, const Vars<T>& inputs, std::shared_ptr<const void> object);

 private:
  struct Kept {
    Shape shape;
    T* numbers;
  };

  Tape<T>& tape_;
  std::string op_;
  typename Tape<T>::Mark mark_;
  bool is_closed_ = false;
  std::vector<Kept> kept_;
};

extern template class Evaluation<float>;
extern template class Evaluation<double>;

}  // namespace fjord::record
