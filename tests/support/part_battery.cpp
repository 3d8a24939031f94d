#include "fjord/tests/support/part_battery.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "fjord/autodiff/gradient_check.hpp"
#include "fjord/flows/model_file.hpp"
#include "fjord/tests/support/check_flow.hpp"

namespace fjord::test {
namespace {

using flows::Context;
using flows::Distribution;

std::map<std::string, ProvedType>& proved() {
  static std::map<std::string, ProvedType> types;
  return types;
}

void add_if_new(const std::string& name, std::vector<std::string>& names) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// Takes note of a part and all parts below it.
void note(const nn::Config& config, const std::string& row) {
  ProvedType& type = proved()[config.type];
  for (const auto& setting : config.settings) add_if_new(setting.first, type.settings);
  for (const nn::Config::Child& child : config.children) {
    add_if_new(child.name + (child.is_list ? " (list)" : ""), type.children);
    for (const nn::Config& part : child.parts) note(part, row);
  }
  if (type.rows.empty() || type.rows.back() != row) type.rows.push_back(row);
}

// Takes note of the tensors of one part alone: those whose paths do not begin with a child's.
void note_tensors(nn::Part<double>& part) {
  const nn::Description<double> description = part.describe();
  std::vector<std::string>& names = proved()[description.config().type].tensors;
  names.clear();
  for (const auto& p : description.parameters()) {
    bool is_own = true;
    for (const nn::Config::Child& child : description.config().children)
      is_own &= !p.name.starts_with(child.name + ".");
    if (is_own) names.push_back(p.name);
  }
}

// The case's key; its value does not matter.
const RandomKey key(5);

template <class T>
Tensor<T> log_prob_of(const Distribution<T>& model, const Tensor<double>& x,
                      const Tensor<double>& given) {
  Tape<T> tape;
  Context<T> context;
  if (given.shape().rank() == 2) context.given = tape.input(given.as<T>());
  return Tensor<T>(model.log_prob(tape.input(x.as<T>()), context).value());
}

void check_routes(const Distribution<double>& model, const Tensor<double>& x,
                  const Tensor<double>& given, double tolerance) {
  const CheckedFunction f = [&](const Vars<double>& inputs) {
    Context<double> context;
    if (inputs.size() > 1) context.given = inputs[1];
    return model.log_prob(inputs[0], context);
  };
  std::vector<Tensor<double>> at{x};
  if (given.shape().rank() == 2) at.push_back(given);
  const GradientCheck check = check_gradient(f, at, 1e-3);
  CHECK(check.reverse < 1e-6);
  CHECK(check.recorded < tolerance);
  CHECK(check.forward < tolerance);
  CHECK(check.stacked < tolerance);
  CHECK(check.second < tolerance);
  CHECK(check.symmetry < tolerance);
  CHECK(check.curvature < 1e-5);
}

// Rows in company, rows by themselves.
void check_company(const Distribution<double>& model, const Tensor<double>& x,
                   const Tensor<double>& given) {
  const Tensor<double> together = log_prob_of<double>(model, x, given);
  for (Index row = 0; row < x.shape()[0]; ++row) {
    const bool has_given = given.shape().rank() == 2;
    const Tensor<double> alone =
        log_prob_of<double>(model, rows_of(x, row, 1), has_given ? rows_of(given, row, 1) : given);
    CHECK(alone(0) == doctest::Approx(together(row)).epsilon(1e-9));
  }
}

// Through the bytes of a file: in double the same bits, in float the same but for rounding.
void check_file(Distribution<double>& model, const Tensor<double>& x, const Tensor<double>& given,
                const std::string& name) {
  const nn::Description<double> description = model.describe();
  note(description.config(), name);
  note_tensors(model);
  for (nn::Part<double>* part : description.parts()) note_tensors(*part);
  const nn::State state =
      nn::parse_safetensors(nn::format_safetensors(flows::state_of(model)), "model");
  const auto again = flows::model_of<double>(state);
  flows::set_solver(model, {});
  const Tensor<double> log_prob = log_prob_of<double>(model, x, given);
  CHECK(log_prob_of<double>(*again, x, given) == log_prob);
  CHECK(nn::format_safetensors(flows::state_of(*again)) ==
        nn::format_safetensors(flows::state_of(model)));
  const auto single = flows::model_of<float>(state);
  const Tensor<float> in_float = log_prob_of<float>(*single, x, given);
  for (Index row = 0; row < x.shape()[0]; ++row)
    CHECK(std::abs(static_cast<double>(in_float(row)) - log_prob(row)) <
          1e-3 * (1 + std::abs(log_prob(row))));
}

}  // namespace

const std::map<std::string, ProvedType>& proved_types() {
  return proved();
}

void check_bijector(const BijectorCase& c) {
  CAPTURE(c.name);
  const Index dim = c.x.shape()[1];
  const auto columns = static_cast<std::size_t>(dim);
  auto made = c.make(key);
  flows::Bijector<double>& flow = *made;
  const nn::NamedParameters<double> parameters = nn::parameters_of(flow);
  std::uint64_t fold = 0;
  for (const auto& p : parameters) {
    if (!p.is_trained) continue;
    Tensor<double> noise = Tensor<double>::zeros(p.parameter->value().shape());
    key.fold(++fold).normal(noise.storage());
    const std::span<double> values = p.parameter->mutable_values();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += c.disturbance * noise.storage()[i];
  }
  const FlowCheck check = check_flow(flow, parameters, c.x, c.given);
  CHECK(check.inverse < c.tolerance);
  CHECK(check.log_det < c.tolerance);
  CHECK(check.trace_free < c.tolerance);
  CHECK(check.without_gradient == c.idle);
  Tape<double> tape;
  Context<double> context;
  if (c.given.shape().rank() == 2) context.given = tape.input(c.given);
  const Tensor<double> y(flow.forward(tape.input(c.x), context).value());
  tape.clear();
  flows::TransformedDistribution<double> model(
      std::make_unique<flows::DiagonalNormal<double>>(std::vector<double>(columns, 0.1),
                                                      std::vector<double>(columns, 1.2)),
      std::move(made));
  check_routes(model, y, c.given, c.tolerance);
  check_company(model, y, c.given);
  check_file(model, y, c.given, c.name);
}

void check_distribution(const DistributionCase& c) {
  CAPTURE(c.name);
  const auto model = c.make(key);
  CHECK(model->dim() == c.x.shape()[1]);
  if (c.tolerance > 0) check_routes(*model, c.x, c.given, c.tolerance);
  check_company(*model, c.x, c.given);
  check_file(*model, c.x, c.given, c.name);
  const Index rows = 6;
  const auto context_for = [&](Tape<double>& tape, Index first, Index count) {
    Context<double> context;
    context.random = key;
    context.first_row = static_cast<std::uint64_t>(first);
    if (c.given.shape().rank() == 2) {
      Tensor<double> given = Tensor<double>::zeros({count, c.given.shape()[1]});
      for (Index i = 0; i < count; ++i)
        for (Index d = 0; d < c.given.shape()[1]; ++d) given(i, d) = c.given(0, d);
      context.given = tape.input(given);
    }
    return context;
  };
  Tape<double> tape;
  Context<double> context = context_for(tape, 0, rows);
  const flows::SampleAndLogProb<double> drawn = model->sample_and_log_prob(tape, rows, context);
  const Tensor<double> whole(drawn.sample.value());
  Context<double> again = context_for(tape, 0, rows);
  CHECK(worst_difference(Tensor<double>(model->log_prob(drawn.sample, again).value()),
                         Tensor<double>(drawn.log_prob.value())) < 1e-9);
  Context<double> part = context_for(tape, 2, 3);
  CHECK(Tensor<double>(model->sample(tape, 3, part).value()) == rows_of(whole, 2, 3));
}

}  // namespace fjord::test
