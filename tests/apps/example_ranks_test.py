"""Tests the example of a program on several ranks: python3 example_ranks_test.py RANKS MPI"""

from ranks_program import RanksTest, run_tests


class Example(RanksTest):
    def test_it_prints_the_same_digits_on_any_number_of_ranks(self):
        alone = self.succeeds().out
        self.assertRegex(alone, r"^held-out loss \d+\.\d+\n$")
        for ranks in (1, 2, 3):
            self.assertEqual(self.succeed_on(ranks).out, alone)


if __name__ == "__main__":
    run_tests()
