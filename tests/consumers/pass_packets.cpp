// Sends packets over TCP and takes them up again, by what is installed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

#include <firbank/io/tcp_sink.hpp>
#include <firbank/io/tcp_source.hpp>

int main() {
  firbank::StreamHeader header;
  header.channels = 2;
  header.packet_frames = 3;
  firbank::TcpSink sink({"127.0.0.1", 0}, header);
  const auto source = firbank::TcpSource::connect(sink.address());
  std::thread sender([&sink] {
    while (sink.stats().received_by == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::vector<std::int16_t> samples = {1, -1, 2, -2, 3, -3};
    firbank::Packet packet;
    packet.frames = 3;
    packet.samples = samples.data();
    for (const std::int64_t first : {0, 3, 9}) {  // frames 6 to 8 are missing
      packet.first_frame = first;
      sink.write(packet);
    }
    sink.finish();
  });
  std::int64_t frames = 0;
  std::int64_t missing = 0;
  for (firbank::PacketEvent event{}; event != firbank::PacketEvent::kStopped;) {
    event = source->read(std::chrono::seconds(1));
    if (event != firbank::PacketEvent::kPacket) continue;
    frames += static_cast<std::int64_t>(source->packet().frames);
    missing += source->packet().gap_before;
  }
  sender.join();
  std::printf("packets: %lld frames came, %lld were missing\n", static_cast<long long>(frames),
              static_cast<long long>(missing));
  return frames == 9 && missing == 3 ? 0 : 1;
}
