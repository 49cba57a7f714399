// How a program that handles signals tells blocking reads and writes to give up.
//
// A read or write that a signal has broken off is begun again, unless the program says otherwise
// here. Libraries that embed firbank need not care.
#pragma once

namespace firbank {

/// How often the program has been asked to stop: from once on reads end, as at the end of the file,
/// and packets wait for their receiver no longer than told (io/packet_pipe.hpp); from twice on
/// writes fail. Called on the thread that reads or writes.
using StopRequests = int (*)() noexcept;

/// Null, the default, for never. Thread: any; before files are opened.
void set_stop_requests(StopRequests requests) noexcept;

int stop_requests() noexcept;

}  // namespace firbank
