#include <mpi.h>
#include <stdexcept>

#include <climits>

#include "fjord/autodiff/launched_ranks.hpp"
#include "fjord/autodiff/launcher.hpp"

namespace fjord {
namespace {

// Longer messages go in pieces, all but the last of which say that more follows.
constexpr std::size_t longest_piece = std::size_t{1} << 30;
constexpr int last_tag = 0;
constexpr int more_tag = 1;

// Errors of calls end all processes: the default of MPI.
class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }

  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  ~MpiCommunicator() override { MPI_Finalize(); }

  int rank() const override { return rank_; }

  int size() const override { return size_; }

  void send(int to, std::string_view message) const override {
    for (; message.size() > longest_piece; message.remove_prefix(longest_piece))
      send_piece(to, message.substr(0, longest_piece), more_tag);
    send_piece(to, message, last_tag);
  }

  void receive(int from, std::string& message) const override {
    message.clear();
    int tag = more_tag;
    while (tag == more_tag) {
      MPI_Message found{};
      MPI_Status status{};
      int length = 0;
      MPI_Mprobe(from, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &status);
      MPI_Get_count(&status, MPI_CHAR, &length);
      tag = status.MPI_TAG;
      const std::size_t begin = message.size();
      message.resize(begin + static_cast<std::size_t>(length));
      MPI_Mrecv(message.data() + begin, length, MPI_CHAR, &found, MPI_STATUS_IGNORE);
    }
  }

  // First its length, which only rank 0 knows.
  void broadcast(std::string& message) const override {
    std::uint64_t length = message.size();
    MPI_Bcast(&length, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    message.resize(length);
    for (std::size_t i = 0; i < length; i += longest_piece) {
      const std::size_t piece = std::min(longest_piece, length - i);
      MPI_Bcast(message.data() + i, static_cast<int>(piece), MPI_CHAR, 0, MPI_COMM_WORLD);
    }
  }

  [[noreturn]] void abort(int status) const override {
    MPI_Abort(MPI_COMM_WORLD, status);
    Communicator::abort(status);
  }

 private:
  static void send_piece(int to, std::string_view piece, int tag) {
    MPI_Send(piece.data(), static_cast<int>(piece.size()), MPI_CHAR, to, tag, MPI_COMM_WORLD);
  }

  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

std::unique_ptr<const Communicator> launched_ranks() {
  if (is_launched()) return std::make_unique<MpiCommunicator>();
  return std::make_unique<SingleProcess>();
}

std::string mpi_text() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string version(text);
  return version.substr(0, version.find_first_of(",\n"));
}

}  // namespace fjord
