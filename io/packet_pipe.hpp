// Packets through a descriptor: standard input and output, a file, or a connection to a server.
//
// Thread: one at a time; stats() and status() any.  Realtime: no.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "io/packet_endpoint.hpp"
#include "io/packet_reader.hpp"

namespace firbank {

/// The stream in a file of packets; "-" is standard input. It is over when the stream is.
/// Throws: Error (kInput) when it cannot be opened.
std::unique_ptr<PacketSource> open_packets(const std::string& path,
                                           const WireExpectation& expected = {});

/// Packets to a file that is written as they come, to a special file or a named pipe; "-" is
/// standard output. Waits for a reader that is slow; once the program is asked to stop
/// (io/interruption.hpp), no longer than 5 s in all, and then it is an Error. Who reads may go
/// away: that is an Error, where the program ignores SIGPIPE. Throws: Error (kConfiguration) when
/// the header is not allowed; Error (kOutput).
std::unique_ptr<PacketSink> create_packets(const std::string& path, const StreamHeader& header);

/// Packets to a server that takes them (TcpSource::listen()). A server that takes nothing for
/// longer than `stall` is given up, and one that has not taken the rest 5 s after a stop.
/// Throws: Error (kConfiguration) when the header is not allowed; Error (kOutput) when there is no
/// connection within `timeout`.
std::unique_ptr<PacketSink> send_packets(
    const TcpAddress& address, const StreamHeader& header, std::chrono::milliseconds timeout,
    std::chrono::milliseconds stall = std::chrono::seconds(30));

}  // namespace firbank
