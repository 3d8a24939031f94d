#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

// As doctest's own main, but a filter that matches no test is a failure.
int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  static unsigned run = 0;

  struct Counter final : doctest::IReporter {
    explicit Counter(const doctest::ContextOptions&) {}

    void report_query(const doctest::QueryData&) override {}

    void test_run_start() override {}

    void test_run_end(const doctest::TestRunStats& stats) override {
      run = stats.numTestCasesPassingFilters;
    }

    void test_case_start(const doctest::TestCaseData&) override {}

    void test_case_reenter(const doctest::TestCaseData&) override {}

    void test_case_end(const doctest::CurrentTestCaseStats&) override {}

    void test_case_exception(const doctest::TestCaseException&) override {}

    void subcase_start(const doctest::SubcaseSignature&) override {}

    void subcase_end() override {}

    void log_assert(const doctest::AssertData&) override {}

    void log_message(const doctest::MessageData&) override {}

    void test_case_skipped(const doctest::TestCaseData&) override {}
  };

  doctest::registerReporter<Counter>("counter", 0, false);
  const int status = context.run();
  return status == 0 && run == 0 && !context.shouldExit() ? 3 : status;
}
