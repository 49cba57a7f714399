#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <zmq.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "io/one_line.hpp"
#include "io/packet_tally.hpp"
#include "io/socket.hpp"
#include "io/zeromq_packets.hpp"
#include "io/zeromq_socket.hpp"

namespace firbank {
namespace {

constexpr std::chrono::milliseconds kSlice(50);  // between two looks at stop_requests()

class Subscriber final : public PacketSource {
 public:
  Subscriber(const std::string& endpoint, const ZeromqSourceOptions& options)
      : socket_(ZMQ_SUB, endpoint), options_(options) {
    socket_.set(ZMQ_RCVHWM, options.high_water_mark);
    socket_.set(ZMQ_LINGER, 0);
    // Who sends more is cut off by ZeroMQ, before it takes the memory.
    socket_.set(ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(kPacketHeaderBytes + kMostPacketBytes));
    socket_.set(ZMQ_SUBSCRIBE, options.topic);
    if (options.waits) {
      socket_.bind();
    } else {
      socket_.connect();
    }
  }

  PacketEvent read(std::chrono::milliseconds timeout) override {
    const Deadline deadline = deadline_in(timeout);
    packet_ = {};
    while (!is_over_) {
      if (stop_requests() > 0) {
        is_over_ = true;
        break;
      }
      if (std::exchange(has_ended_, false)) {
        parser_.reset();
        header_bytes_.clear();
        is_over_ = !options_.again;
        return PacketEvent::kStopped;
      }
      if (receive()) {
        const PacketEvent event = take();
        if (event != PacketEvent::kNothing) return event;
        if (std::chrono::steady_clock::now() < deadline) continue;
        return event;
      }
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return PacketEvent::kNothing;
      socket_.wait(std::min(left, kSlice));
    }
    return PacketEvent::kEnded;
  }

  const StreamHeader& header() const noexcept override { return header_; }
  const Packet& packet() const noexcept override { return packet_; }
  PacketStats stats() const override { return tally_.snapshot(); }
  std::string status() const override { return fmt::format("{}: {}", what(), summary(stats())); }

 private:
  std::string what() const { return fmt::format("zeromq '{}'", one_line(socket_.endpoint())); }

  /// A whole message, all parts of which come together; false when there is none.
  bool receive() {
    bool more = false;
    if (!socket_.receive(topic_, more)) return false;
    parts_ = 1;
    body_.clear();
    while (more) {
      std::string& part = ++parts_ == 2 ? body_ : unused_;
      if (!socket_.receive(part, more)) break;
    }
    return true;
  }

  PacketEvent take() {
    if (topic_ != options_.topic) return PacketEvent::kNothing;  // one that begins with ours
    try {
      if (parts_ != 2) {
        throw Error(ErrorKind::kInput,
                    fmt::format("{}: a message has {} parts; allowed: 2", what(), parts_));
      }
      return std::string_view(body_).starts_with(kPacketMagic) ? take_packet() : take_header();
    } catch (const Error& error) {
      tally_.drop(error.what());
      // Each message stands for itself: the next one may be read again.
      if (parser_) begin(header_bytes_);
      return PacketEvent::kNothing;
    }
  }

  PacketEvent take_header() {
    if (parser_ && body_ == header_bytes_) return PacketEvent::kNothing;  // for others
    WireParser parser(what(), options_.expected);
    if (feed(parser, body_) != WireParser::Event::kHeader) parser.finish();
    begin(body_);
    header_bytes_ = body_;
    header_ = parser_->header();
    tally_.begin(header_);
    return PacketEvent::kStarted;
  }

  PacketEvent take_packet() {
    if (!parser_) return PacketEvent::kNothing;  // its header is yet to come
    const WireParser::Event event = feed(*parser_, body_);
    if (event != WireParser::Event::kPacket) {
      if (parser_->is_inside_packet()) tally_.truncate(parser_->packet());
      parser_->finish();
    }
    packet_ = parser_->packet();
    tally_.take(packet_);
    has_ended_ = has(packet_.flags, BlockFlags::kEndOfStream);
    return PacketEvent::kPacket;
  }

  /// Of a message that is to hold one thing and nothing else.
  WireParser::Event feed(WireParser& parser, const std::string& bytes) const {
    std::span<const unsigned char> rest(reinterpret_cast<const unsigned char*>(bytes.data()),
                                        bytes.size());
    const WireParser::Event event = parser.feed(rest);
    if (event != WireParser::Event::kNothing && !rest.empty()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: byte {}: {} bytes more in a message; allowed: 0", what(),
                              parser.position(), rest.size()));
    }
    return event;
  }

  void begin(const std::string& header_bytes) {
    parser_.emplace(what(), options_.expected);
    feed(*parser_, header_bytes);
  }

  ZeromqSocket socket_;
  ZeromqSourceOptions options_;
  PacketTally tally_;
  std::optional<WireParser> parser_;  // behind the header
  std::string header_bytes_;
  StreamHeader header_;
  Packet packet_;
  std::string topic_;
  std::string body_;
  std::string unused_;
  std::size_t parts_ = 0;
  bool has_ended_ = false;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<PacketSource> subscribe_packets(const std::string& endpoint,
                                                const ZeromqSourceOptions& options) {
  check_zeromq(endpoint, options.topic, options.high_water_mark);
  return std::make_unique<Subscriber>(endpoint, options);
}

}  // namespace firbank
