// The ways that packets of `firbank serve` come and go: which source or sink a PacketWay means.
#pragma once

#include <memory>
#include <string>

#include "engine/config/serve_settings.hpp"
#include "io/packet_endpoint.hpp"
#include "io/wire_parser.hpp"

namespace firbank::program {

/// `name` becomes where it is, with the port that it has. Senders are waited for, one after
/// another. Throws: Error naming the place in the configuration.
std::unique_ptr<PacketSource> open_packet_source(const ServeSettings& serve,
                                                 const WireExpectation& expected,
                                                 std::string& name);

/// The same for packets that go; not of files. Throws: Error.
std::unique_ptr<PacketSink> create_packet_sink(const PacketWay& way, const StreamHeader& header,
                                               std::string& name);

}  // namespace firbank::program
