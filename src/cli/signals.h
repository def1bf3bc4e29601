#pragma once

#include "moviechat/callbacks.h"

namespace moviechat::cli {

/// From now on SIGINT, SIGTERM and SIGHUP set the flag, and end the program shortly after if the
/// work does not come to an end by itself; those that were ignored stay so. A closed pipe and a
/// file that is too large are failed writes, not signals.
void catch_signals(CancelFlag& cancel);

/// 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP; 0 when there was none.
int exit_code_of_signal();

/// Opens /dev/null in place of closed standard streams, so that no file gets their numbers.
void reserve_standard_streams();

}  // namespace moviechat::cli
