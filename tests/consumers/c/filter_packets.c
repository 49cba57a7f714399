/* A consumer in C: packets of 16-bit samples through a running engine, with the indices kept. */
#include <firbank/firbank.h>
#include <stdio.h>
#include <string.h>

#define CHANNELS 3
#define FRAMES 40

static int fail(const char* what, const char* why) {
  fprintf(stderr, "consumer in C: %s: %s\n", what, why);
  return 1;
}

int main(void) {
  static const double taps[] = {0.25, 0.5, 0.25};
  const double* const all_taps[] = {taps};
  const size_t lengths[] = {3};
  firbank_filters filters;
  firbank_config config;
  firbank_engine* engine = firbank_new();
  firbank_reader* reader;
  int16_t packet[FRAMES * CHANNELS];
  float out[FRAMES * CHANNELS];
  firbank_pushed pushed;
  firbank_block block;
  double delay = 0;
  int is_constant = 0;
  size_t n, c;

  if (engine == NULL) return fail("firbank_new", "no memory");
  memset(&filters, 0, sizeof filters);
  filters.count = 1;
  filters.taps = all_taps;
  filters.lengths = lengths;
  firbank_config_init(&config, sizeof config);
  config.sample_rate_hz = 30000;
  config.channels = CHANNELS;
  config.in.scale = 0.5;
  config.block_frames = FRAMES;
  if (firbank_open(engine, &config, &filters) != FIRBANK_OK) {
    return fail("firbank_open", firbank_message(engine));
  }
  if (firbank_group_delay(engine, 0, &delay, &is_constant) != FIRBANK_OK || delay != 1) {
    return fail("firbank_group_delay", "it is not 1 frame");
  }
  if (firbank_start(engine) != FIRBANK_OK) return fail("firbank_start", firbank_message(engine));
  reader = firbank_open_reader(engine, FIRBANK_LOSSLESS);
  if (reader == NULL) return fail("firbank_open_reader", firbank_message(engine));

  for (n = 0; n < FRAMES; ++n) {
    for (c = 0; c < CHANNELS; ++c) packet[n * CHANNELS + c] = n == 10 ? (int16_t)(80 * (c + 1)) : 0;
  }
  if (firbank_push(engine, packet, FRAMES, 1000, 5, &pushed) != FIRBANK_OK ||
      pushed.frames != FRAMES) {
    return fail("firbank_push", "it did not take the packet");
  }
  if (firbank_wait(reader, 10000000000LL) != 1) return fail("firbank_wait", "nothing came");
  if (firbank_pull(reader, out, FRAMES, &block) != FIRBANK_OK || block.frames != FRAMES ||
      block.first_frame != 1000 || block.timestamp_ns != 5) {
    return fail("firbank_pull", "it is another block");
  }
  for (n = 0; n < FRAMES; ++n) {
    for (c = 0; c < CHANNELS; ++c) {
      const double step = n == 10 || n == 12 ? 0.25 : n == 11 ? 0.5 : 0;
      const double difference = (double)out[n * CHANNELS + c] - 40.0 * (double)(c + 1) * step;
      if (difference > 1e-4 || difference < -1e-4) return fail("firbank_pull", "wrong samples");
    }
  }
  firbank_free(engine);
  printf("a consumer in C works with firbank %s\n", firbank_version());
  return 0;
}
