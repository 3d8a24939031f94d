/// The families of rows, one function and one source file each.
#pragma once

#include "fjord/tests/support/battery.hpp"

namespace fjord::test {

void add_activation_rows(Rows& rows);
void add_determinant_rows(Rows& rows);
void add_einsum_rows(Rows& rows);
void add_elementwise_rows(Rows& rows);
void add_error_function_rows(Rows& rows);
void add_exponential_rows(Rows& rows);
void add_extreme_rows(Rows& rows);
void add_factor_rows(Rows& rows);
void add_gamma_rows(Rows& rows);
void add_hyperbolic_rows(Rows& rows);
void add_index_rows(Rows& rows);
void add_join_rows(Rows& rows);
void add_layer_rows(Rows& rows);
void add_linalg_rows(Rows& rows);
void add_loss_rows(Rows& rows);
void add_matrix_function_rows(Rows& rows);
void add_matrix_shape_rows(Rows& rows);
void add_mlp_rows(Rows& rows);
void add_norm_rows(Rows& rows);
void add_normalize_rows(Rows& rows);
void add_power_rows(Rows& rows);
void add_reduce_rows(Rows& rows);
void add_rounding_rows(Rows& rows);
void add_scan_rows(Rows& rows);
void add_select_rows(Rows& rows);
void add_shape_rows(Rows& rows);
void add_softmax_rows(Rows& rows);
void add_solve_rows(Rows& rows);
void add_sort_rows(Rows& rows);
void add_spectral_rows(Rows& rows);
void add_trigonometric_rows(Rows& rows);

/// The rows of all families.
Rows all_rows();

}  // namespace fjord::test
