// Prints how fast tables are read, and with what memory and time density scores one:
// tables_bench DENSITY.
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "fjord/apps/common/row_stream.hpp"
#include "fjord/autodiff/file_streams.hpp"
#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/bench/timing.hpp"

namespace {

using namespace fjord;

constexpr Index rows = 1'000'000;
constexpr Index columns = 7;
constexpr int runs = 5;

// Normal numbers of 5 to 8 digits; little of the text is kept in memory, which programs that are
// started from here would count as theirs.
void write_table(const std::string& file, Index count) {
  FileOutput output(file);
  output.write("a,b,c,d,e,f,g\n");
  std::string line;
  for (Index i = 0; i < count; ++i, line.clear()) {
    std::array<double, columns> numbers{};
    RandomKey(1).normal(std::span<double>(numbers), static_cast<std::uint64_t>(i * columns));
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      std::array<char, 32> number{};
      const int length = std::snprintf(number.data(), number.size(), "%.5f", 10 * numbers[k]);
      line.append(number.data(), static_cast<std::size_t>(length));
      line += k + 1 == numbers.size() ? '\n' : ',';
    }
    output.write(line);
  }
  output.close();
}

// As fast as numbers alone can be read by std::from_chars().
double sum_of_numbers(const std::string& text) {
  const char* at = text.data() + text.find('\n') + 1;
  const char* end = text.data() + text.size();
  double sum = 0;
  for (double number = 0; at < end; ++at) {
    at = std::from_chars(at, end, number).ptr;
    sum += number;
  }
  return sum;
}

void read_rows(const std::string& file) {
  const auto stream = apps::open_rows(file, apps::Header::automatic, "--data");
  std::vector<Index> all(columns);
  for (Index k = 0; k < columns; ++k) all[static_cast<std::size_t>(k)] = k;
  stream->need(all);
  Index count = 0;
  for (Index some = 1; some > 0; count += some) some = stream->next(65'536).shape()[0];
  if (count != rows) std::abort();
}

struct ProgramRun {
  double seconds = 0;
  long megabytes = 0;  // resident
};

// Runs a program to its end, without its output.
ProgramRun run(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t quiet{};
  posix_spawn_file_actions_init(&quiet);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&quiet, stream, "/dev/null", O_WRONLY, 0);
  int status = -1;
  rusage usage{};
  const double seconds = bench::seconds_of([&] {
    pid_t process = 0;
    if (posix_spawn(&process, pointers[0], &quiet, nullptr, pointers.data(), environ) == 0)
      wait4(process, &status, 0, &usage);
  });
  posix_spawn_file_actions_destroy(&quiet);
  if (status != 0) throw std::runtime_error(arguments[1] + " failed");
  return {seconds, usage.ru_maxrss / 1024};
}

void print(const char* what, const ProgramRun& run) {
  std::printf("%-42s %6.2f s, %ld MB resident\n", what, run.seconds, run.megabytes);
}

void measure_programs(const std::string& program, const std::filesystem::path& folder) {
  const std::string table = folder / "table.csv";
  const std::string few = folder / "few.csv";
  write_table(few, 3000);
  const std::string out = folder / "run";
  run({program, "fit", few, "--preset", "fast", "--out", out});
  print("score of 10^6 rows x 7, CSV, two threads",
        run({program, "score", "--model", out + "/model.safetensors", "--data", table, "--out",
             folder / "scores.npy", "--threads", "2"}));
  print("convert of 10^6 rows x 7", run({program, "convert", table, folder / "parts"}));
}

void measure_reading(const std::string& table) {
  const double reading = bench::shortest_seconds(runs, [&] { read_rows(table); });
  const std::string text = read_file(table);
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  volatile double sum = 0;
  const double numbers = bench::shortest_seconds(runs, [&] { sum = sum_of_numbers(text); });
  std::printf("%-42s %6.0f MB/s (std::from_chars alone: %.0f)\n",
              "CSV of 10^6 rows x 7, one thread", megabytes / reading, megabytes / numbers);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "tables_bench: the program is needed: tables_bench DENSITY\n");
    return 2;
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "tables_XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  const std::string table = folder / "table.csv";
  write_table(table, rows);
  measure_programs(argv[1], folder);
  measure_reading(table);
  std::filesystem::remove_all(folder);
  return 0;
}
