/// The methods of the library.
#pragma once

#include "fjord/ode/adams_bashforth.hpp"
#include "fjord/ode/explicit_runge_kutta.hpp"
#include "fjord/ode/implicit_midpoint.hpp"
#include "fjord/ode/reversible.hpp"
#include "fjord/ode/split.hpp"

namespace fjord::ode {

/// Order 1, one stage, no error estimate.
///
/// Source:  Euler, Institutiones calculi integralis (1768).
extern const ExplicitRungeKutta euler;

/// Order 2, two stages, no error estimate.
///
/// Source:  Runge, Ueber die numerische Aufloesung von Differentialgleichungen, Math. Ann. 46
///          (1895).
extern const ExplicitRungeKutta midpoint;

/// The trapezoidal rule of order 2, two stages, no error estimate.
///
/// Source:  Heun, Neue Methoden zur approximativen Integration der Differentialgleichungen einer
///          unabhaengigen Veraenderlichen, Z. Math. Phys. 45 (1900).
extern const ExplicitRungeKutta heun2;

/// Order 3, three stages, no error estimate.
///
/// Source:  Heun, as for `heun2`.
extern const ExplicitRungeKutta heun3;

/// Order 2 with the least bound of the error, two stages, no error estimate.
///
/// Source:  Ralston, Runge-Kutta methods with minimum error bounds, Math. Comp. 16 (1962).
extern const ExplicitRungeKutta ralston;

/// The classic method of order 4, four stages, no error estimate.
///
/// Source:  Kutta, Beitrag zur naeherungsweisen Integration totaler Differentialgleichungen, Z.
///          Math. Phys. 46 (1901).
extern const ExplicitRungeKutta rk4;

/// The 3/8 rule of order 4, four stages, no error estimate.
///
/// Source:  Kutta, as for `rk4`.
extern const ExplicitRungeKutta rk4_38;

/// Heun's method with Euler's for the error, 2(1), two stages.
///
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.4.
extern const ExplicitRungeKutta heun_euler;

/// Fehlberg 2(1), three stages.
///
/// Source:  Fehlberg, Low-order classical Runge-Kutta formulas with stepsize control and their
///          application to some heat transfer problems, NASA TR R-315 (1969).
/// Note:    the paper carries the solution of order 1, this table that of order 2.
extern const ExplicitRungeKutta fehlberg2;

/// Bogacki-Shampine 3(2), four stages, first same as last.
///
/// Source:  Bogacki & Shampine, A 3(2) pair of Runge-Kutta formulas, Appl. Math. Lett. 2 (1989).
extern const ExplicitRungeKutta bogacki_shampine;

/// Fehlberg 4(5), six stages: carries the solution of order 4, as the paper does.
///
/// Source:  Fehlberg, as for `fehlberg2`.
extern const ExplicitRungeKutta fehlberg45;

/// Cash-Karp 5(4), six stages.
///
/// Source:  Cash & Karp, A variable order Runge-Kutta method for initial value problems with
///          rapidly varying right-hand sides, ACM Trans. Math. Softw. 16 (1990).
extern const ExplicitRungeKutta cash_karp;

/// Owren-Zennaro 3(2), four stages, first same as last; dense output of order 3.
///
/// Source:  Owren & Zennaro, Derivation of efficient, continuous, explicit Runge-Kutta methods,
///          SIAM J. Sci. Stat. Comput. 13 (1992).
extern const ExplicitRungeKutta owren_zennaro3;

/// Owren-Zennaro 4(3), six stages, first same as last; dense output of order 4.
///
/// Source:  Owren & Zennaro, as for `owren_zennaro3`.
extern const ExplicitRungeKutta owren_zennaro4;

/// Owren-Zennaro 5(4), eight stages, first same as last; dense output of order 5.
///
/// Source:  Owren & Zennaro, as for `owren_zennaro3`.
extern const ExplicitRungeKutta owren_zennaro5;

/// Dormand-Prince 5(4), seven stages, first same as last; dense output of order 4.
///
/// Source:  Dormand & Prince, A family of embedded Runge-Kutta formulae, J. Comput. Appl. Math. 6
///          (1980); Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., table II.5.2; dense output:
///          Shampine, Some practical Runge-Kutta formulas, Math. Comp. 46 (1986).
extern const ExplicitRungeKutta dormand_prince;

/// Tsitouras 5(4), seven stages, first same as last; dense output of order 4.
///
/// Source:  Tsitouras, Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
///          assumption, Comput. Math. Appl. 62 (2011).
extern const ExplicitRungeKutta tsitouras;

/// Verner's most efficient 6(5), nine stages, first same as last; dense output of order 6 with
/// three extra stages.
///
/// Source:  Verner, Numerically optimal Runge-Kutta pairs with interpolants, Numer. Algorithms 53
///          (2010), and the coefficients on his web page.
extern const ExplicitRungeKutta verner6;

/// Verner's most efficient 7(6), ten stages; dense output of order 6 with six extra stages.
///
/// Source:  Verner, as for `verner6`.
/// Note:    the dense output is published as of order 7, but misses some of the conditions of that
///          order by up to 2e-7.
extern const ExplicitRungeKutta verner7;

/// Verner's most efficient 9(8), sixteen stages; dense output of order 9 with ten extra stages.
///
/// Source:  Verner, as for `verner6`.
extern const ExplicitRungeKutta verner9;

/// Dormand-Prince 8(7), thirteen stages.
///
/// Source:  Prince & Dormand, High order embedded Runge-Kutta formulae, J. Comput. Appl. Math. 7
///          (1981).
extern const ExplicitRungeKutta dormand_prince8;

/// Order 8 with estimates of orders 5 and 3 for the error, thirteen stages, first same as last;
/// dense output of order 7 with three extra stages.
///
/// Source:  Hairer, Norsett & Wanner, Solving ODEs I, 2nd ed., sec. II.5 and II.6, and their
///          program dop853.f.
extern const ExplicitRungeKutta dop853;

/// Symplectic Euler, order 1: velocities, then positions.
///
/// Source:  Hairer, Lubich & Wanner, Geometric Numerical Integration, 2nd ed., sec. I.1.
extern const SplitMethod semi_implicit_euler;

/// Stormer-Verlet leapfrog, order 2, with the velocities at whole steps.
///
/// Source:  Hairer, Lubich & Wanner, as for `semi_implicit_euler`.
extern const SplitMethod leapfrog;

/// Yoshida's composition of three leapfrogs, order 4.
///
/// Source:  Yoshida, Construction of higher order symplectic integrators, Phys. Lett. A 150 (1990).
extern const SplitMethod yoshida4;

/// Yoshida's composition of seven leapfrogs, order 6.
///
/// Source:  Yoshida, as for `yoshida4`, solution A of table 1.
extern const SplitMethod yoshida6;

/// See ReversibleHeun.
extern const ReversibleHeun reversible_heun;

/// The reversible form of `midpoint`; see Reversible.
extern const Reversible reversible_midpoint;

/// The reversible form of `dormand_prince`; see Reversible.
extern const Reversible reversible_dormand_prince;

/// See AdamsBashforth2.
extern const AdamsBashforth2 adams_bashforth2;

/// See ImplicitMidpoint.
extern const ImplicitMidpoint implicit_midpoint;

}  // namespace fjord::ode
