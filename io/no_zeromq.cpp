// What stands in for ZeroMQ where this was built without it.
#include "io/error.hpp"
#include "io/zeromq_packets.hpp"

namespace firbank {
namespace {

[[noreturn]] void refuse() {
  throw Error(
      ErrorKind::kConfiguration,
      "this firbank was built without ZeroMQ; allowed: tcp, shared memory, pipes (on Debian, "
      "libzmq3-dev brings what the build needs)");
}

}  // namespace

std::unique_ptr<ZeromqSink> publish_packets(const std::string&, const StreamHeader&,
                                            const ZeromqSinkOptions&) {
  refuse();
}

std::unique_ptr<PacketSource> subscribe_packets(const std::string&, const ZeromqSourceOptions&) {
  refuse();
}

}  // namespace firbank
