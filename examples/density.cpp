#include <cstdio>
#include <exception>

#include "fjord/autodiff/autodiff.hpp"
#include "fjord/flows/flows.hpp"

using namespace fjord;

// Prints the log-density that a model file gives to three points, and the gradient of each.
void print_densities(char** argv) {
  const auto model = flows::load_model<double>(argv[1]);

  Tape<double> tape;
  flows::Context<double> context{.gradient = &ode::direct};
  const Var<double> x = tape.input({{0.0, 1.0}, {1.0, -0.5}, {0.5, 0.25}});
  const Var<double> log_density = model->log_prob(x, context);
  const auto slope = gradient_values<double>(sum(log_density), {{x}});
  for (int row = 0; row < 3; ++row) {
    std::printf("%7.3f nats, gradient (%.3f, %.3f)\n", log_density.value()(row), slope[0](row, 0),
                slope[0](row, 1));
  }
}

int main(int argc, char** argv) {
  try {
    require(argc == 2, "density", "one name is needed: density MODEL.safetensors");
    print_densities(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
