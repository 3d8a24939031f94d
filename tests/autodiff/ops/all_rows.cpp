#include "fjord/tests/autodiff/ops/rows.hpp"

namespace fjord::test {

Rows all_rows() {
  Rows table;
  add_elementwise_rows(table);
  add_rounding_rows(table);
  add_power_rows(table);
  add_exponential_rows(table);
  add_hyperbolic_rows(table);
  add_trigonometric_rows(table);
  add_error_function_rows(table);
  add_gamma_rows(table);
  add_activation_rows(table);
  add_extreme_rows(table);
  add_index_rows(table);
  add_matrix_shape_rows(table);
  add_join_rows(table);
  add_normalize_rows(table);
  add_norm_rows(table);
  add_reduce_rows(table);
  add_scan_rows(table);
  add_select_rows(table);
  add_shape_rows(table);
  add_softmax_rows(table);
  add_sort_rows(table);
  add_layer_rows(table);
  add_linalg_rows(table);
  add_mlp_rows(table);
  add_loss_rows(table);
  add_einsum_rows(table);
  add_factor_rows(table);
  add_solve_rows(table);
  add_determinant_rows(table);
  add_spectral_rows(table);
  add_matrix_function_rows(table);
  return table;
}

}  // namespace fjord::test
