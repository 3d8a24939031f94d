// Runs a target without libFuzzer: replay_csv FOLDER COUNT gives it the files of a folder, and then
// COUNT mutations of them, always the same ones.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "fjord/autodiff/files.hpp"
#include "fjord/autodiff/random.hpp"
#include "fjord/tests/fuzz/fuzz.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

std::string under_way;  // the input that a failure is about

// Leaves it in a file, as libFuzzer does.
extern "C" void keep_input(int signal) {
  std::signal(signal, SIG_DFL);
  std::FILE* file = std::fopen("crash-input", "wb");
  if (file != nullptr) {
    std::fwrite(under_way.data(), 1, under_way.size(), file);
    std::fclose(file);
    std::fputs("the input is in ./crash-input\n", stderr);
  }
  std::raise(signal);
}

void run(const Bytes& bytes) {
  under_way.assign(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

// Whole numbers below a bound, one after another.
class Draws final {
 public:
  explicit Draws(const fjord::RandomKey& random) : numbers_(64) {
    random.uniform<double>(numbers_);
  }

  std::size_t below(std::size_t bound) {
    const double u = numbers_[next_++ % numbers_.size()];
    return std::min(static_cast<std::size_t>(u * static_cast<double>(bound)), bound - 1);
  }

 private:
  std::vector<double> numbers_;
  std::size_t next_ = 0;
};

// One small change: a byte, a bit, a piece that goes, comes twice, or comes from another input.
void change(Bytes& bytes, const Bytes& other, Draws& draws) {
  const std::size_t at = draws.below(bytes.size() + 1);
  const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto piece_end = [&](const Bytes& of, std::size_t from) {
    return static_cast<std::ptrdiff_t>(std::min(of.size(), from + 1 + draws.below(16)));
  };
  constexpr std::string_view telling = "0123456789,.;-+eE\"'#{}[]()=: \n\r\tnaif\x7f";
  switch (draws.below(6)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<std::uint8_t>(draws.below(256));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] ^= static_cast<std::uint8_t>(1U << draws.below(8));
      break;
    case 2:
      bytes.insert(here, static_cast<std::uint8_t>(telling[draws.below(telling.size())]));
      break;
    case 3: bytes.erase(here, bytes.begin() + piece_end(bytes, at)); break;
    case 4: {
      const Bytes piece(here, bytes.begin() + piece_end(bytes, at));
      bytes.insert(here, piece.begin(), piece.end());
      break;
    }
    default: {
      if (other.empty()) break;
      const std::size_t from = draws.below(other.size());
      bytes.insert(here, other.begin() + static_cast<std::ptrdiff_t>(from),
                   other.begin() + piece_end(other, from));
    }
  }
}

std::vector<Bytes> inputs_of(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().string());
  std::ranges::sort(names);
  std::vector<Bytes> inputs;
  for (const std::string& name : names) {
    const std::string bytes = fjord::read_file(name);
    inputs.emplace_back(bytes.begin(), bytes.end());
  }
  return inputs;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: replay FOLDER COUNT\n", stderr);
    return 2;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need more themselves
  // An input of some hundred bytes that asks for more than this is a failure, too.
  const rlimit memory{std::size_t(1) << 31U, std::size_t(1) << 31U};
  setrlimit(RLIMIT_AS, &memory);
#endif
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS}) std::signal(signal, keep_input);
  const std::vector<Bytes> inputs = inputs_of(arguments[1]);
  run({});
  for (const Bytes& bytes : inputs) run(bytes);
  const auto mutations = std::strtoull(arguments[2], nullptr, 10);
  for (std::uint64_t i = 0; i < mutations && !inputs.empty(); ++i) {
    Draws draws(fjord::RandomKey(1).fold(i));
    Bytes bytes = inputs[draws.below(inputs.size())];
    const Bytes& other = inputs[draws.below(inputs.size())];
    for (std::size_t changes = 1 + draws.below(6); changes > 0; --changes)
      change(bytes, other, draws);
    run(bytes);
  }
  std::printf("%zu inputs and %llu mutations\n", inputs.size(), mutations);
  return 0;
}
