#include "fjord/autodiff/diagnostics.hpp"

#include <cstdio>
#include <map>

#include "fjord/autodiff/errors.hpp"
#include "fjord/autodiff/record/watch.hpp"

namespace fjord {

using namespace record;

namespace {

std::string table_line(const OperationSummary& line) {
  char text[200];
  std::snprintf(text, sizeof text, "%-28.100s %10zu %14zu %12.6f %12.6f\n", line.name.c_str(),
                line.count, line.bytes, line.record_seconds, line.sweep_seconds);
  return text;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return result;
}

template <class T>
std::string drawn_node(const Tape<T>& tape, std::uint32_t head, bool is_output) {
  std::string text = escaped(operation_name(tape, head)) + " " + std::to_string(head) + "\\n";
  std::string labels;
  for (std::uint32_t k = 0; k < tape.node(head).outputs; ++k) {
    text += (k == 0 ? "" : " ") + to_string(tape.node(head + k).shape.shape());
    const std::string_view label = tape.label_at(head + k);
    if (!label.empty()) labels += "\\n" + escaped(label);
  }
  return "  n" + std::to_string(head) + " [label=\"" + text + labels + "\"" +
         (is_output ? ", peripheries=2" : "") + "];\n";
}

template <class T>
std::string drawn_edges(const Tape<T>& tape, std::uint32_t head) {
  std::string text;
  const Node<T>& node = tape.node(head);
  for (std::uint32_t k = 0; k < node.input_count; ++k) {
    const std::uint32_t output = tape.node(node.inputs[k]).output;
    text += "  n" + std::to_string(node.inputs[k] - output) + " -> n" + std::to_string(head);
    if (output > 0) text += " [label=\"output " + std::to_string(output) + "\"]";
    text += ";\n";
  }
  return text;
}

}  // namespace

template <class T>
TapeSummary Tape<T>::summary() const {
  std::map<std::string, OperationSummary> lines;
  TapeSummary result;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    OperationSummary& line = lines[operation_name(*this, i)];
    line.count += nodes_[i].output == 0 ? 1 : 0;
    line.bytes += static_cast<std::size_t>(nodes_[i].shape.size) * sizeof(T);
  }
  if (kept_watch_ != nullptr) {
    for (const auto& [name, times] : kept_watch_->times) {
      lines[name].record_seconds = times.record;
      lines[name].sweep_seconds = times.sweep;
    }
  }
  for (auto& [name, line] : lines) {
    line.name = name;
    result.count += line.count;
    result.bytes += line.bytes;
    result.operations.push_back(line);
  }
  const auto is_before = [](const OperationSummary& a, const OperationSummary& b) {
    const double time_a = a.record_seconds + a.sweep_seconds;
    const double time_b = b.record_seconds + b.sweep_seconds;
    return time_a != time_b ? time_a > time_b : a.bytes > b.bytes;
  };
  std::stable_sort(result.operations.begin(), result.operations.end(), is_before);
  result.peak_bytes = peak_bytes();
  return result;
}

std::string to_string(const TapeSummary& summary) {
  char heading[200];
  std::snprintf(heading, sizeof heading, "%-28s %10s %14s %12s %12s\n", "operation", "count",
                "bytes", "record s", "sweep s");
  std::string text = heading;
  OperationSummary total{"total", summary.count, summary.bytes};
  for (const OperationSummary& line : summary.operations) {
    text += table_line(line);
    total.record_seconds += line.record_seconds;
    total.sweep_seconds += line.sweep_seconds;
  }
  return text + table_line(total) + "peak bytes " + std::to_string(summary.peak_bytes) + "\n";
}

template <class T>
std::string graph_text(const Vars<T>& outputs) {
  require(!outputs.empty(), "graphviz", "at least one variable is needed");
  const Tape<T>& tape = outputs.front().tape();
  const auto head_of = [&](std::uint32_t index) { return index - tape.node(index).output; };
  std::vector<bool> is_needed(tape.size());
  std::vector<bool> is_output(tape.size());
  for (const Var<T>& output : outputs) {
    static_cast<void>(tape.node(output, "graphviz"));
    is_needed[head_of(output.index())] = true;
    is_output[head_of(output.index())] = true;
  }
  for (auto i = static_cast<std::uint32_t>(tape.size()); i-- > 0;) {
    if (!is_needed[i]) continue;
    const Node<T>& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count; ++k) is_needed[head_of(node.inputs[k])] = true;
  }
  std::string nodes;
  std::string edges;
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    if (!is_needed[i]) continue;
    nodes += drawn_node(tape, i, is_output[i]);
    edges += drawn_edges(tape, i);
  }
  return "digraph tape {\n  node [shape=box];\n" + nodes + edges + "}\n";
}

#define FJORD_INSTANTIATE(T)                     \
  template TapeSummary Tape<T>::summary() const; \
  template std::string graph_text(const Vars<T>&);
FJORD_INSTANTIATE(float)
FJORD_INSTANTIATE(double)
#undef FJORD_INSTANTIATE

}  // namespace fjord
