#include "fjord/apps/density/plot.hpp"

#include <cstdio>
#include <stdexcept>

#include "fjord/apps/common/cores.hpp"
#include "fjord/apps/common/table_output.hpp"
#include "fjord/apps/common/trained_model.hpp"
#include "fjord/apps/density/picture.hpp"
#include "fjord/autodiff/files.hpp"

namespace fjord::apps::density {

void plot(const PlotOptions& options) {
  check_is_not_input(options.out, {{"--model", options.model}, {"--data", options.data}});
  const nn::State state = load_model_state(options.model);
  Workers workers(thread_count(options.threads));
  const std::unique_ptr<LookedAt> model = looked_at(state, options, workers);
  LookRows rows;
  if (options.data.empty()) {
    rows.names = model_columns(options.model, state).columns;
  } else {
    rows = load_look_rows(options, state, *model);
  }
  check_writable(options.out);
  const Look look = look_at(*model, rows, look_key(options.seed));
  const Drawn drawn = draw_look(options.out, look, metrics_beside(options.model));
  if (!drawn.trouble.empty()) throw std::runtime_error(drawn.trouble);
  write_file(options.out, drawn.bytes);
  std::printf("%zu rows, %lld samples, wrote %s\n", look.numbers.size(),
              static_cast<long long>(look.samples.shape()[0]), options.out.c_str());
}

}  // namespace fjord::apps::density
