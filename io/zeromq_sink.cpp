#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <zmq.h>

#include "io/error.hpp"
#include "io/one_line.hpp"
#include "io/packet_order.hpp"
#include "io/zeromq_packets.hpp"
#include "io/zeromq_socket.hpp"

namespace firbank {
namespace {

StreamHeader with_id(StreamHeader header) {
  std::random_device random;
  while (header.stream_id == 0) header.stream_id = std::uint64_t{random()} << 32 | random();
  return header;
}

class Publisher final : public ZeromqSink {
 public:
  Publisher(const std::string& endpoint, const StreamHeader& header,
            const ZeromqSinkOptions& options)
      // An XPUB is a PUB that is told of subscriptions.
      : socket_(ZMQ_XPUB, endpoint),
        header_(with_id(header)),
        header_bytes_(encode(header_)),
        options_(options) {
    socket_.set(ZMQ_SNDHWM, options.high_water_mark);
    socket_.set(ZMQ_LINGER, static_cast<int>(options.linger.count()));
    socket_.set(ZMQ_XPUB_VERBOSER, 1);
    if (options.connects) {
      socket_.connect();
    } else {
      socket_.bind();
    }
  }

  const std::string& endpoint() const noexcept override { return socket_.endpoint(); }
  const StreamHeader& header() const noexcept override { return header_; }

  /// Subscribers take another header for another stream: only before the first packet.
  bool describe(const std::string& unit, const std::vector<std::string>& channel_names) override {
    if (order_.sent() > 0) return false;
    const std::string what = fmt::format("zeromq '{}'", one_line(endpoint()));
    header_ = firbank::describe(header_, unit, channel_names, what.c_str());
    header_bytes_ = encode(header_);
    return true;
  }

  void write(const Packet& packet) override {
    if (packet.frames > header_.packet_frames) {
      throw Error(ErrorKind::kOutput,
                  fmt::format("zeromq '{}': the packet has {} frames; allowed: up to {}",
                              endpoint(), packet.frames, header_.packet_frames));
    }
    const bool is_new_to_somebody = take_subscriptions();
    if (is_new_to_somebody || order_.sent() % options_.packets_a_header == 0) send(header_bytes_);
    send(encode(header_, order_.number(packet)));
    const std::lock_guard lock(mutex_);
    ++stats_.packets;
    stats_.frames += static_cast<std::int64_t>(packet.frames);
  }

  void finish() override {
    if (const std::optional<Packet> end = order_.end()) write(*end);
  }

  SinkStats stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  std::string status() const override {
    return fmt::format("zeromq at {}: {}", endpoint(), summary(stats()));
  }

 private:
  void send(const std::string& bytes) {
    if (socket_.send(options_.topic, true)) socket_.send(bytes, false);
  }

  /// Whether somebody has subscribed, to whom the header is new.
  bool take_subscriptions() {
    bool is_new = false;
    bool more = false;
    while (socket_.receive(message_, more)) {
      const bool is_ours = !message_.empty() && options_.topic.starts_with(message_.substr(1));
      if (!is_ours) continue;
      const std::lock_guard lock(mutex_);
      if (message_.front() == 1) {
        is_new = true;
        ++stats_.receivers;
        ++stats_.received_by;
      } else if (stats_.receivers > 0) {
        --stats_.receivers;
      }
    }
    return is_new;
  }

  ZeromqSocket socket_;
  StreamHeader header_;
  std::string header_bytes_;
  ZeromqSinkOptions options_;
  std::string message_;
  PacketOrder order_;
  mutable std::mutex mutex_;
  SinkStats stats_;
};

}  // namespace

std::unique_ptr<ZeromqSink> publish_packets(const std::string& endpoint, const StreamHeader& header,
                                            const ZeromqSinkOptions& options) {
  check(header, fmt::format("zeromq '{}'", one_line(endpoint)).c_str());
  check_zeromq(endpoint, options.topic, options.high_water_mark);
  if (options.packets_a_header == 0) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("zeromq '{}': packets a header is 0; allowed: from 1 on", one_line(endpoint)));
  }
  return std::make_unique<Publisher>(endpoint, header, options);
}

}  // namespace firbank
