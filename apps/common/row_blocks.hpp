/// Rows of tables in the columns of a model, block by block.
#pragma once

#include <memory>

#include "fjord/apps/common/model_rows.hpp"
#include "fjord/autodiff/communicator.hpp"
#include "fjord/flows/row_source.hpp"

namespace fjord::apps {

/// The rows of a block, as many as are enough for all threads and take at most 16 MB, but some
/// shards in any case.
Index block_rows(const RowWidths& widths);

/// The rows that load_model_rows() reads, in blocks that all ranks have. A block has a number of
/// rows that is a multiple of those of a shard, but for the last one, and takes little memory.
template <class T>
class RowBlocks {
 public:
  virtual ~RowBlocks() = default;

  /// Refuses rows before work on them begins, as next() would: all that are in files which can be
  /// read twice. Every rank calls it, once, before next().
  virtual void check() = 0;

  /// The next block, until the next call; null at the end. Every rank calls it.
  ///
  /// Errors:  as load_model_rows(), and std::invalid_argument for a number beyond those of T; as
  ///          agree() on several ranks. Reading from a block has the same errors.
  virtual const flows::RowSource<T>* next() = 0;

 protected:
  RowBlocks() = default;
  RowBlocks(const RowBlocks&) = default;
  RowBlocks& operator=(const RowBlocks&) = default;
};

/// Every rank maps arrays and parts, and reads only the rows that it computes with. Rank 0 reads
/// all other files, and sends each block to every rank.
///
/// `files.data` is a table. Errors: as load_model_rows(), as far as the files' beginnings tell.
template <class T>
std::unique_ptr<RowBlocks<T>> open_row_blocks(const RowFiles& files, const nn::State& state,
                                              const RowWidths& widths, const Communicator& ranks);

extern template std::unique_ptr<RowBlocks<float>> open_row_blocks(const RowFiles&, const nn::State&,
                                                                  const RowWidths&,
                                                                  const Communicator&);
extern template std::unique_ptr<RowBlocks<double>> open_row_blocks(const RowFiles&,
                                                                   const nn::State&,
                                                                   const RowWidths&,
                                                                   const Communicator&);

}  // namespace fjord::apps
