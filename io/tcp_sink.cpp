#include "io/tcp_sink.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/packet_order.hpp"

namespace firbank {
namespace {

/// What is sent to everybody, made once.
struct Message {
  std::string bytes;
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
};
using SharedMessage = std::shared_ptr<const Message>;

struct Receiver {
  Descriptor connection;
  std::string peer;
  std::deque<SharedMessage> queue;
  std::size_t queued_bytes = 0;  // of the queue, and what is sent of its front as well
  std::size_t sent_bytes = 0;    // of the front
};

}  // namespace

class TcpSink::Impl {
 public:
  Impl(const TcpAddress& address, const StreamHeader& header, const TcpSinkOptions& options)
      : address_(address), header_(header), options_(options) {
    check(header, ("tcp " + to_string(address)).c_str());
    listener_ = listen_on(address_);
    wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("tcp {}: no event descriptor: {}", to_string(address_),
                              std::generic_category().message(errno)));
    }
    encode_header();
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    stop_ = true;
    wake();
    thread_.join();
  }

  bool describe(const std::string& unit, const std::vector<std::string>& channel_names) {
    const std::lock_guard lock(mutex_);
    const std::string what = "tcp " + to_string(address_);
    header_ = firbank::describe(header_, unit, channel_names, what.c_str());
    encode_header();
    return true;
  }

  void write(const Packet& packet) {
    if (packet.frames > header_.packet_frames) {
      throw Error(ErrorKind::kOutput,
                  fmt::format("tcp {}: the packet has {} frames; allowed: up to {}",
                              to_string(address_), packet.frames, header_.packet_frames));
    }
    auto made = std::make_shared<Message>();
    made->bytes = encode(header_, order_.number(packet));
    made->first_frame = packet.first_frame;
    made->frames = static_cast<std::int64_t>(packet.frames);
    const SharedMessage message = std::move(made);
    {
      const std::lock_guard lock(mutex_);
      end_frame_ = message->first_frame + message->frames;
      ++stats_.packets;
      stats_.frames += message->frames;
      for (auto at = receivers_.begin(); at != receivers_.end();) {
        const auto receiver = at++;
        if (receiver->queued_bytes > options_.queue_bytes) {
          receiver->queue.push_back(message);
          drop(receiver, fmt::format("it stalled with {} bytes waiting", receiver->queued_bytes));
        } else {
          receiver->queued_bytes += message->bytes.size();
          receiver->queue.push_back(message);
        }
      }
    }
    wake();
  }

  void finish() {
    if (const std::optional<Packet> end = order_.end()) write(*end);
    std::unique_lock lock(mutex_);
    is_ending_ = true;
    wake();
    idle_.wait_for(lock, options_.drain, [this] { return receivers_.empty(); });
    while (!receivers_.empty()) drop(receivers_.begin(), "it stalled at the end of the stream");
    wake();
  }

  SinkStats stats() const {
    const std::lock_guard lock(mutex_);
    SinkStats stats = stats_;
    stats.receivers = receivers_.size();
    return stats;
  }

  const TcpAddress& address() const noexcept { return address_; }
  const StreamHeader& header() const noexcept { return header_; }

 private:
  using Place = std::list<Receiver>::iterator;

  /// For those who come from now on. With the lock held, or before the thread begins.
  void encode_header() {
    auto message = std::make_shared<Message>();
    message->bytes = encode(header_);
    header_message_ = std::move(message);
  }

  void wake() noexcept {
    const std::uint64_t one = 1;
    // A full counter wakes as well.
    if (::write(wake_.number(), &one, sizeof one) < 0) return;
  }

  /// With the lock held.
  void drop(Place receiver, const std::string& why) {
    std::int64_t frames = 0;
    std::int64_t first = end_frame_;
    for (const SharedMessage& message : receiver->queue) {
      if (message->frames == 0) continue;
      if (frames == 0) first = message->first_frame;
      frames += message->frames;
    }
    stats_.dropped.add(first, frames);
    stats_.last_error = fmt::format("tcp {}: dropped {} at frame {}: {}", to_string(address_),
                                    receiver->peer, first, why);
    gone_.splice(gone_.end(), receivers_, receiver);  // the thread may be sending to it
  }

  void run() {
    std::vector<pollfd> descriptors;
    while (!stop_) {
      descriptors.clear();
      descriptors.push_back({wake_.number(), POLLIN, 0});
      descriptors.push_back({listener_.number(), POLLIN, 0});
      {
        const std::lock_guard lock(mutex_);
        gone_.clear();
        for (const Receiver& receiver : receivers_) {
          const short events = receiver.queue.empty() ? 0 : POLLOUT;
          descriptors.push_back({receiver.connection.number(), events, 0});
        }
      }
      ::poll(descriptors.data(), descriptors.size(), -1);
      std::uint64_t woken = 0;
      if (::read(wake_.number(), &woken, sizeof woken) < 0 && errno != EAGAIN) return;
      if ((descriptors[1].revents & POLLIN) != 0) accept_all();
      send_all();
    }
  }

  void accept_all() {
    while (true) {
      std::string peer;
      Descriptor connection = accept_from(listener_, peer);
      if (!connection) {
        if (errno == EMFILE || errno == ENFILE) {  // it stays ready: no reason to spin
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return;
      }
      const std::lock_guard lock(mutex_);
      if (is_ending_ || receivers_.size() >= options_.most_receivers) {
        stats_.last_error =
            fmt::format("tcp {}: turned {} away: {}", to_string(address_), peer,
                        is_ending_ ? "the stream has ended"
                                   : fmt::format("there are {} receivers", receivers_.size()));
        continue;
      }
      Receiver& receiver = receivers_.emplace_back();
      receiver.connection = std::move(connection);
      receiver.peer = peer;
      receiver.queue.push_back(header_message_);
      receiver.queued_bytes = header_message_->bytes.size();
      ++stats_.received_by;
    }
  }

  /// As much as each receiver takes without waiting.
  void send_all() {
    const std::lock_guard lock(mutex_);
    for (Place at = receivers_.begin(); at != receivers_.end();) {
      const Place receiver = at++;
      const bool is_there = send_to(*receiver);
      if (!is_there || (is_ending_ && receiver->queue.empty())) receivers_.erase(receiver);
    }
    if (is_ending_ && receivers_.empty()) idle_.notify_all();
  }

  /// False when the receiver has gone away, which is nobody's loss.
  static bool send_to(Receiver& receiver) {
    const int connection = receiver.connection.number();
    // What a receiver says is thrown away: unread, it would break the connection when that ends.
    char unheard[256];
    (void)::recv(connection, unheard, sizeof unheard, MSG_DONTWAIT);
    pollfd state{connection, 0, 0};
    if (::poll(&state, 1, 0) > 0) return false;
    while (!receiver.queue.empty()) {
      const std::string& bytes = receiver.queue.front()->bytes;
      const ssize_t done = ::send(connection, bytes.data() + receiver.sent_bytes,
                                  bytes.size() - receiver.sent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (done < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
      receiver.sent_bytes += static_cast<std::size_t>(done);
      if (receiver.sent_bytes < bytes.size()) return true;
      receiver.queued_bytes -= bytes.size();
      receiver.sent_bytes = 0;
      receiver.queue.pop_front();
    }
    return true;
  }

  TcpAddress address_;
  StreamHeader header_;
  TcpSinkOptions options_;
  SharedMessage header_message_;
  Descriptor listener_;
  Descriptor wake_;
  PacketOrder order_;  // the writer's
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::list<Receiver> receivers_;
  std::list<Receiver> gone_;  // to be closed by the thread
  bool is_ending_ = false;
  std::int64_t end_frame_ = 0;  // of what was queued
  SinkStats stats_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TcpSink::TcpSink(const TcpAddress& address, const StreamHeader& header,
                 const TcpSinkOptions& options)
    : impl_(std::make_unique<Impl>(address, header, options)) {}
TcpSink::~TcpSink() = default;

const TcpAddress& TcpSink::address() const noexcept {
  return impl_->address();
}
const StreamHeader& TcpSink::header() const noexcept {
  return impl_->header();
}
bool TcpSink::describe(const std::string& unit, const std::vector<std::string>& channel_names) {
  return impl_->describe(unit, channel_names);
}
void TcpSink::write(const Packet& packet) {
  impl_->write(packet);
}
void TcpSink::finish() {
  impl_->finish();
}
SinkStats TcpSink::stats() const {
  return impl_->stats();
}
std::string TcpSink::status() const {
  return fmt::format("tcp at {}: {}", to_string(impl_->address()), summary(impl_->stats()));
}

}  // namespace firbank
