#pragma once

#include <string>

#include "base/descriptor.h"
#include "media/transfer.h"
#include "moviechat/callbacks.h"

namespace moviechat {

/// Bytes from a pipe or socket. The one who writes may take any time.
class PipeTransfer : public Transfer {
 public:
  /// `wait_for_writer`: the pipe has a name, and may be opened before somebody writes to it, for
  /// which some seconds are left.
  PipeTransfer(Descriptor file, std::string name, const CancelFlag* cancel, bool wait_for_writer);

  size_t read(std::span<uint8_t> room) override;
  std::string failure() const override { return failure_; }

 private:
  Descriptor file_;
  std::string name_;
  const CancelFlag* cancel_;
  bool wait_for_writer_;
  std::string failure_;
};

}  // namespace moviechat
