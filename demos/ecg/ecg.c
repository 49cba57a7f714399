/* What software for electrocardiograms does with firbank: one lead comes in, in small packets of
 * 16-bit samples as an amplifier delivers them; out come the trace for the eyes and the beats.
 *
 *     ecg FILTERS SAMPLES TRACE BEATS [--lose FRAME] [--realtime]
 *
 * FILTERS is a folder with what `firbank design` made (demos/ecg/check shows how). Two filters with
 * linear phase hear the same lead:
 *
 * - "trace": a high-pass at 0.5 Hz, against the wander of the baseline, and a low-pass at 40 Hz. As
 *   all frequencies are delayed alike, no wave is moved against another, and the ST segment stays
 *   where it is. That is why a cut-off as high as 0.67 Hz is accepted of such filters (Kligfield et
 *   al., Circulation 115 (2007), 1306-1324).
 * - "band": 5 to 15 Hz, where QRS complexes stand out, for the detector.
 *
 * Each is told of with its own delay, which is taken off: sample k of an output answers to frame
 * k - delay of the input. That of the trace is 2.1 s and that of the band 0.25 s, so beats need not
 * wait for the trace.
 *
 * A packet that is lost leaves a gap in the index. firbank holds the last sample there and marks
 * these frames, so the trace goes on; the detector is given nothing that has heard them. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, clock_nanosleep */

#include <errno.h>
#include <firbank/firbank.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "demos/ecg/options.h"
#include "demos/ecg/qrs_detector.h"

#define RATE_HZ 360
#define NS_PER_S 1000000000LL

enum { PULL_FRAMES = 64, TRACE = 0, BAND = 1, OUTPUTS = 2 };

static const char kRun[] =
    "[stream]\n"
    "inputs = ['lead']\n"
    "outputs = ['trace', 'band']\n"
    "[engine]\n"
    "block = 12\n"
    "[[filter]]\n"
    "name = 'wander'\n"
    "file = 'wander.txt'\n"
    "[[filter]]\n"
    "name = 'noise'\n"
    "file = 'noise.txt'\n"
    "[[filter]]\n"
    "name = 'trace'\n"
    "chain = ['wander', 'noise']\n"
    "[[filter]]\n"
    "name = 'band'\n"
    "file = 'band.txt'\n"
    "[[edge]]\n"
    "input = 'lead'\n"
    "output = 'trace'\n"
    "filter = 'trace'\n"
    "[[edge]]\n"
    "input = 'lead'\n"
    "output = 'band'\n"
    "filter = 'band'\n";

typedef struct packet_times {
  int64_t packets;
  int64_t sum_ns;
  int64_t longest_ns;
} packet_times;

typedef struct session {
  firbank_engine* engine;
  firbank_reader* reader;
  FILE* trace;
  FILE* beats;
  qrs_detector detector;

  int64_t delay[OUTPUTS];
  int64_t next_out;   /* of the engine's outputs */
  int64_t end;        /* of the input; INT64_MAX until it is known */
  int64_t known_from; /* since this output frame the band has heard nothing but real frames */
  int64_t time_frame; /* of which the time is known, and that time */
  int64_t time_ns;

  int64_t beat_count;
  int64_t rr_count;
  int64_t rr_sum;
  int64_t rr_min;
  int64_t rr_max;
} session;

static _Noreturn void fail(const char* what, const char* why) {
  fprintf(stderr, "ecg: %s: %s\n", what, why);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t time_ns) {
  const struct timespec time = {(time_t)(time_ns / NS_PER_S), (long)(time_ns % NS_PER_S)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* ---- The engine -------------------------------------------------------------------------- */

static int64_t delay_of(firbank_engine* engine, size_t output) {
  double frames = 0;
  int is_constant = 0;
  if (firbank_group_delay(engine, output, &frames, &is_constant) != FIRBANK_OK) {
    fail(firbank_output_name(engine, output), firbank_message(engine));
  }
  if (!is_constant || frames != floor(frames)) {
    fail(firbank_output_name(engine, output), "its filter has no linear phase of whole frames");
  }
  return (int64_t)frames;
}

static void open_engine(session* s, const char* filters) {
  firbank_config config;
  size_t output;
  s->engine = firbank_new();
  if (s->engine == NULL) fail("the engine", "memory does not suffice");
  firbank_config_init(&config, sizeof config);
  config.sample_rate_hz = RATE_HZ;
  config.in.type = FIRBANK_INT16;
  config.in.scale = 1.0 / 200;      /* the converter has 200 steps a millivolt */
  config.in.offset = -1024.0 / 200; /* and 1024 at 0 mV */
  config.unit = "mV";
  config.gap_policy = FIRBANK_GAP_HOLD;
  if (firbank_open_toml(s->engine, &config, kRun, sizeof kRun - 1, filters) != FIRBANK_OK ||
      firbank_start(s->engine) != FIRBANK_OK) {
    fail("the engine", firbank_message(s->engine));
  }
  s->reader = firbank_open_reader(s->engine, FIRBANK_LOSSLESS);
  if (s->reader == NULL) fail("the engine", firbank_message(s->engine));
  for (output = 0; output < OUTPUTS; ++output) s->delay[output] = delay_of(s->engine, output);
  /* A symmetric filter is twice its delay long, and a frame more. */
  s->known_from = 2 * s->delay[BAND];
}

/* ---- What comes out ---------------------------------------------------------------------- */

static void tell_beat(session* s, int64_t frame, int64_t rr_frames) {
  const double time_s = (double)s->time_ns / NS_PER_S + (double)(frame - s->time_frame) / RATE_HZ;
  ++s->beat_count;
  if (rr_frames == 0) {
    fprintf(s->beats, "beat %" PRId64 " %.3f - -\n", frame, time_s);
    return;
  }
  fprintf(s->beats, "beat %" PRId64 " %.3f %.0f %.1f\n", frame, time_s,
          1000.0 * (double)rr_frames / RATE_HZ, 60.0 * RATE_HZ / (double)rr_frames);
  if (s->rr_count == 0 || rr_frames < s->rr_min) s->rr_min = rr_frames;
  if (s->rr_count == 0 || rr_frames > s->rr_max) s->rr_max = rr_frames;
  s->rr_sum += rr_frames;
  ++s->rr_count;
}

static void tell(session* s, const qrs_event* event) {
  if (event->kind == QRS_BEAT) tell_beat(s, event->frame, event->rr_frames);
  if (event->kind == QRS_UNKNOWN) {
    fprintf(s->beats, "unknown %" PRId64 " %" PRId64 "\n", event->frame, event->end);
  }
}

/* Of the frames whose filters have all come out: each output in its own time. */
static void take_frame(session* s, int64_t frame, const float* out, int is_filled) {
  const int64_t trace_frame = frame - s->delay[TRACE];
  const int64_t band_frame = frame - s->delay[BAND];
  if (is_filled) s->known_from = frame + 1 + 2 * s->delay[BAND];
  if (trace_frame >= 0 && trace_frame < s->end) fwrite(&out[TRACE], sizeof out[TRACE], 1, s->trace);
  if (band_frame >= 0 && band_frame < s->end) {
    const int is_known = frame >= s->known_from && frame < s->end;
    const qrs_event event = qrs_take(&s->detector, is_known ? out[BAND] : NAN);
    tell(s, &event);
  }
}

/* Takes what is filtered up to output frame `until`, or to the end; waits for it. */
static void pull_until(session* s, int64_t until) {
  float out[PULL_FRAMES][OUTPUTS];
  firbank_block block;
  while (s->next_out < until) {
    size_t n;
    if (!firbank_wait(s->reader, 10 * NS_PER_S)) fail("the engine", "nothing comes out of it");
    if (firbank_pull(s->reader, out, PULL_FRAMES, &block) != FIRBANK_OK) {
      fail("the engine", "what was filtered cannot be pulled");
    }
    if (block.flags & FIRBANK_END) return;
    if (block.flags & (FIRBANK_RESET | FIRBANK_LOST)) fail("the engine", "frames were lost in it");
    if (block.timestamp_ns != 0) {
      s->time_frame = block.first_frame;
      s->time_ns = block.timestamp_ns;
    }
    for (n = 0; n < block.frames; ++n) {
      take_frame(s, block.first_frame + (int64_t)n, out[n], (block.flags & FIRBANK_FILLED) != 0);
    }
    s->next_out = block.first_frame + (int64_t)block.frames;
  }
}

/* ---- What goes in ------------------------------------------------------------------------ */

static void push(session* s, const int16_t* samples, size_t frames, int64_t first_frame) {
  const int64_t time_ns = first_frame * NS_PER_S / RATE_HZ; /* an amplifier has its own clock */
  firbank_pushed pushed;
  if (firbank_push(s->engine, samples, frames, first_frame, time_ns, &pushed) != FIRBANK_OK ||
      pushed.frames != frames) {
    fail("the engine", "it did not take a packet");
  }
}

/* Reads all packets, each of which is answered before the next one comes. */
static void run(session* s, FILE* samples, const ecg_options* options, packet_times* times) {
  const int64_t latency = (int64_t)firbank_latency_frames(s->engine);
  const int64_t begun_ns = now_ns();
  int16_t packet[ECG_PACKET_FRAMES];
  int64_t first_frame = 0;
  int64_t end = 0;
  size_t frames;
  while ((frames = fread(packet, sizeof packet[0], ECG_PACKET_FRAMES, samples)) > 0) {
    const int64_t next_frame = first_frame + (int64_t)frames;
    if (options->is_realtime) sleep_until(begun_ns + next_frame * NS_PER_S / RATE_HZ);
    if (options->lost_frame < first_frame || options->lost_frame >= next_frame) {
      const int64_t came_ns = now_ns();
      int64_t took_ns;
      push(s, packet, frames, first_frame);
      pull_until(s, next_frame - latency);
      took_ns = now_ns() - came_ns;
      if (took_ns > times->longest_ns) times->longest_ns = took_ns;
      times->sum_ns += took_ns;
      ++times->packets;
      end = next_frame;
    }
    first_frame = next_frame;
  }
  if (ferror(samples)) fail(options->samples, strerror(errno));
  if (times->packets == 0) fail(options->samples, "there are no samples in it");
  if (options->lost_frame >= first_frame) fail("--lose", "the recording ends before that frame");
  s->end = end;
  if (firbank_end(s->engine) != FIRBANK_OK) fail("the engine", "it cannot end");
  pull_until(s, INT64_MAX);
}

/* ---- The program ------------------------------------------------------------------------- */

static void summarise(const session* s, const packet_times* times) {
  firbank_stats stats;
  stats.struct_size = sizeof stats;
  firbank_get_stats(s->engine, &stats);
  printf("packets  %" PRId64 " of %d frames; lost: %" PRIu64 ", of %" PRId64 " frames\n",
         times->packets, ECG_PACKET_FRAMES, stats.gaps, stats.gap_frames);
  printf("time     %.0f us a packet from push to answer, %.0f us at most (%s)\n",
         1e-3 * (double)times->sum_ns / (double)times->packets, 1e-3 * (double)times->longest_ns,
         firbank_backend(s->engine));
  printf("delay    trace %.0f ms, beats %.0f ms, both taken off\n",
         1000.0 * (double)s->delay[TRACE] / RATE_HZ, 1000.0 * (double)s->delay[BAND] / RATE_HZ);
  printf("beats    %" PRId64 "\n", s->beat_count);
  if (s->rr_count > 0) {
    printf("rate     %.1f a minute in the mean; RR %.0f to %.0f ms\n",
           60.0 * RATE_HZ * (double)s->rr_count / (double)s->rr_sum,
           1000.0 * (double)s->rr_min / RATE_HZ, 1000.0 * (double)s->rr_max / RATE_HZ);
  }
}

static FILE* opened(const char* path, const char* mode) {
  FILE* const file = fopen(path, mode);
  if (file == NULL) fail(path, strerror(errno));
  return file;
}

static void close_written(FILE* file, const char* path) {
  const int has_failed = ferror(file);
  if (fclose(file) != 0 || has_failed) fail(path, "it cannot be written");
}

int main(int argc, char** argv) {
  static session s; /* all 0 */
  const ecg_options options = ecg_parse_options(argc, argv);
  packet_times times = {0, 0, 0};
  FILE* const samples = strcmp(options.samples, "-") == 0 ? stdin : opened(options.samples, "rb");
  qrs_event event;
  s.end = INT64_MAX;
  open_engine(&s, options.filters);
  qrs_init(&s.detector, RATE_HZ);
  s.trace = opened(options.trace, "wb");
  s.beats = opened(options.beats, "w");
  fputs("# beat FRAME SECONDS RR_MS RATE_PER_MINUTE, or unknown FROM_FRAME TO_FRAME\n", s.beats);

  run(&s, samples, &options, &times);
  event = qrs_end(&s.detector);
  tell(&s, &event);
  summarise(&s, &times);

  close_written(s.trace, options.trace);
  close_written(s.beats, options.beats);
  firbank_free(s.engine);
  return 0;
}
