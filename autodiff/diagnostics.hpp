/// Views of a tape: names for nodes, a table of its operations, a picture of its graph.
#pragma once

#include <string>
#include <vector>

#include "fjord/autodiff/structure.hpp"
#include "fjord/autodiff/tape.hpp"

namespace fjord {

/// Names a node and returns it: `h = label(tanh(x), "hidden")`. Errors and pictures show the name.
template <class T>
Var<T> label(const Var<T>& x, std::string text) {
  x.tape().label(x, std::move(text));
  return x;
}

/// One line of a tape's table: all nodes of one operation.
struct OperationSummary {
  std::string name;           ///< "leaf" for inputs, parameters and constants
  std::size_t count = 0;      ///< number of its nodes on the tape now
  std::size_t bytes = 0;      ///< of its values, shared ones included
  double record_seconds = 0;  ///< from each node's recording to the next, or to a read of a value
  double sweep_seconds = 0;   ///< in sweeps of values, those inside its rule included
};

/// The table of a tape's operations, the longest and largest first.
struct TapeSummary {
  std::vector<OperationSummary> operations;
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::size_t peak_bytes = 0;  ///< as Tape::peak_bytes
};

/// A table with a heading, one operation a line, and the sums.
std::string to_string(const TapeSummary& summary);

/// The graph that some nodes depend on, as text for Graphviz's `dot`; those nodes have double
/// frames.
template <class T>
std::string graph_text(const Vars<T>& outputs);

/// graph_text for any structure of variables.
///
/// Errors:  std::invalid_argument if a handle is empty or ended, or if there is none.
template <Structure S>
std::string graphviz(const S& outputs) {
  return graph_text(vars_of(outputs));
}

}  // namespace fjord
