// Prints how fast ranks read the rows of an epoch from a file that is not in the system's cache, as
// fit does, and the memory that takes: [mpirun -n RANKS] rows_bench FILE, which is made if it is
// not there and stays.
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "fjord/autodiff/communicator.hpp"
#include "fjord/autodiff/file_streams.hpp"
#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/autodiff/npy.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/bench/timing.hpp"
#include "fjord/flows/mapped_rows.hpp"
#include "fjord/flows/row_order.hpp"
#include "fjord/flows/sharded.hpp"

namespace {

using namespace fjord;
using namespace fjord::flows;

constexpr Index row_count = 10'000'000;
constexpr Index columns = 7;
constexpr Index batch = 8192;
constexpr Index shard = ShardedModel<float>::default_rows;

void write_table(const std::string& file) {
  constexpr Index at_once = 100'000;
  FileOutput output(file);
  output.write(npy_header({row_count, columns}, true));
  std::vector<double> numbers(at_once * columns);
  for (Index i = 0; i < row_count; i += at_once) {
    RandomKey(1).normal(std::span<double>(numbers), static_cast<std::uint64_t>(i * columns));
    output.write({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)});
  }
  output.close();
}

// Takes a file out of the system's cache; returns the share of its pages that are still there.
double share_left_in_cache(const std::string& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY));
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(file));
  ::fsync(opened.number());
  ::posix_fadvise(opened.number(), 0, 0, POSIX_FADV_DONTNEED);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, opened.number(), 0);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  if (memory == MAP_FAILED || ::mincore(memory, size, pages.data()) != 0) std::abort();
  ::munmap(memory, size);
  std::size_t left = 0;
  for (const unsigned char state : pages) left += state & 1U;
  return static_cast<double>(left) / static_cast<double>(pages.size());
}

// What the system says of this process, in MB.
double status_of(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != name + ":") {
  }
  double kilobytes = 0;
  status >> kilobytes;
  return kilobytes / 1024;
}

// Reads the rows of this rank's shards, step by step; returns the sum of their numbers.
double read_epoch(const RowSource<float>& rows, const Communicator& ranks) {
  const RowOrder order({rows.rows(), rows.block_rows(), batch, shard}, RandomKey(2));
  std::vector<std::uint32_t> step;
  std::vector<float> values(static_cast<std::size_t>(shard * columns));
  double sum = 0;
  for (Index first = 0; first < rows.rows(); first += batch) {
    step.resize(static_cast<std::size_t>(std::min(batch, rows.rows() - first)));
    order.read(first, step);
    const auto at_once = static_cast<std::size_t>(shard);
    const Share own = share_of((step.size() + at_once - 1) / at_once, ranks);
    for (std::size_t i = own.first; i < own.last; ++i) {
      const auto some =
          std::span(step).subspan(i * at_once).first(std::min(at_once, step.size() - i * at_once));
      rows.read(some, values.data(), nullptr);
      sum += values[0];
    }
  }
  return sum;
}

void measure(const std::string& file, const Communicator& ranks) {
  const std::string left = from_first_rank(ranks, [&] {
    if (!std::filesystem::exists(file)) write_table(file);
    return std::to_string(share_left_in_cache(file));
  });
  const MappedRows<float> rows(file);
  const double before = status_of("VmRSS");
  std::ofstream("/proc/self/clear_refs") << 5;  // begins VmHWM anew
  volatile double sum = 0;
  const double seconds =
      bench::seconds_of([&] { agree(ranks, [&] { sum = read_epoch(rows, ranks); }); });
  const double memory = status_of("VmHWM") - before;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    agree(ranks, [&] {
      if (rank != ranks.rank()) return;
      std::printf(
          "rank %d: %.2f million rows/s in all, %.0f MB resident besides, %s of the file in the "
          "cache before\n",
          rank, static_cast<double>(row_count) / seconds / 1e6, memory, left.c_str());
      std::fflush(stdout);
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "rows_bench: a file is needed: mpirun -n 2 rows_bench FILE\n");
    return 2;
  }
  const auto ranks = launched_ranks();
  measure(argv[1], *ranks);
  return 0;
}
