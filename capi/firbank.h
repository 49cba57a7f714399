/* firbank in C: many FIR filters over a stream of many channels, for acquisition software.
 *
 * One handle is one engine. It is driven in one of two ways:
 *
 * - firbank_process() in the caller's thread: the answer to a call comes with it, with no latency;
 * - firbank_start() and firbank_push(): a thread of the library's own filters what is pushed, and
 *   any number of readers pull it, each at its own pace. Frames have the index and the time that
 *   the hardware gave them, and what was lost on the way is told where it was lost.
 *
 *     firbank_engine* engine = firbank_new();
 *     firbank_config config;
 *     firbank_config_init(&config, sizeof config);
 *     config.sample_rate_hz = 30000;
 *     config.channels = 384;
 *     config.in.type = FIRBANK_INT16;
 *     config.in.scale = 0.195;                                       (microvolts a step)
 *     if (firbank_open(engine, &config, &filters) != FIRBANK_OK) puts(firbank_message(engine));
 *     firbank_process(engine, packet, filtered, 32);
 *     firbank_free(engine);
 *
 * Errors. Set-up functions return a status and leave one clear line in firbank_message(); running
 * ones, and those that only ask, return a status alone. Nothing is thrown or printed, and a null
 * handle is a FIRBANK_BAD_ARGUMENT like any other. What is lost is counted, and told with its
 * place.
 *
 * Threads. "Owner" is whoever set the handle up, one thread at a time; where a function says
 * "producer", "reader" or "any", it may run beside all others.
 *
 * Real time. "Safe" functions allocate nothing and take no lock; with one thread and a CPU backend
 * they call the system at most to wake a thread that sleeps.
 *
 * Before version 1.0 a minor version may change all of this; the library's SONAME tells. */
#ifndef FIRBANK_FIRBANK_H
#define FIRBANK_FIRBANK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FIRBANK_VERSION_MAJOR 0
#define FIRBANK_VERSION_MINOR 1
#define FIRBANK_VERSION_PATCH 0

/* Of the library that is linked: "0.1.0". Thread: any. Realtime: safe. */
const char* firbank_version(void);

typedef enum firbank_status {
  FIRBANK_OK = 0,
  FIRBANK_BAD_ARGUMENT,    /* a null pointer, an index or a constant that is none */
  FIRBANK_BAD_CONFIG,      /* a value that is not allowed; the message names it and what is */
  FIRBANK_BAD_FILE,        /* a file cannot be read; the message names it */
  FIRBANK_NO_MEMORY,       /* memory does not suffice */
  FIRBANK_WRONG_STATE,     /* not opened, or opened already; running, or not running; ended */
  FIRBANK_TOO_MANY_FRAMES, /* more than firbank_max_frames(); nothing was read, silence came out */
  FIRBANK_BACKWARD_JUMP,   /* these frames have come already; nothing was taken */
  FIRBANK_OUT_OF_RANGE,    /* the frames or their tail end beyond the last index of int64 */
  FIRBANK_BACKEND_LOST,    /* a device is lost and nothing could take its place: silence */
  FIRBANK_RING_FULL,       /* not now: try again */
  FIRBANK_FAILED           /* anything else; see the message */
} firbank_status;

/* A short text for a status: "a backward jump". Thread: any. Realtime: safe. */
const char* firbank_status_text(firbank_status status);

/* ---- Samples ----------------------------------------------------------------------------- */

typedef enum firbank_type {
  FIRBANK_INT16 = 0,
  FIRBANK_INT32,
  FIRBANK_FLOAT32,
  FIRBANK_FLOAT64
} firbank_type;

typedef enum firbank_layout {
  FIRBANK_INTERLEAVED = 0, /* a buffer is an array of samples, frame after frame */
  FIRBANK_PLANAR           /* a buffer is an array of pointers, each to the samples of a channel */
} firbank_layout;

/* How the samples of a buffer are to be read or written, in the machine's own byte order. Buffers
 * are aligned as their type wants it; a planar one is an array of pointers to that type, none of
 * them null.
 *
 * A stored value v stands for v * scale + offset, in what unit the caller likes. On the way out
 * values are rounded to the nearest, those beyond an integer's range are limited and counted, and
 * NaN is written as 0 where there is no such thing. */
typedef struct firbank_format {
  firbank_type type;
  firbank_layout layout;
  double scale;  /* finite and not 0 */
  double offset; /* finite */
} firbank_format;

/* ---- Set-up ------------------------------------------------------------------------------ */

typedef struct firbank_engine firbank_engine;
typedef struct firbank_reader firbank_reader;

/* Filter k has lengths[k] taps from taps[k] on, all of them finite. Read during the call only. */
typedef struct firbank_filters {
  size_t count;
  const double* const* taps;
  const size_t* lengths;
  const char* const* names; /* for messages, one a filter; may be null */
} firbank_filters;

typedef enum firbank_routing {
  FIRBANK_ROWS = 0, /* filter i on channel i; a single filter on every channel */
  FIRBANK_BANK,     /* every filter on every channel: output channel * filters + filter */
  FIRBANK_MATRIX,   /* filter input * outputs + output, each output the sum over all inputs */
  FIRBANK_EDGES     /* as listed in firbank_config.edges */
} firbank_routing;

/* An output is the sum over its edges of gain * (filter * input)[frame - delay]. */
typedef struct firbank_edge {
  size_t input;
  size_t filter;
  size_t output;
  double gain;  /* finite */
  size_t delay; /* frames */
} firbank_edge;

typedef enum firbank_precision { FIRBANK_SINGLE = 0, FIRBANK_DOUBLE } firbank_precision;

/* What takes the place of frames that never came. */
typedef enum firbank_gap_policy {
  FIRBANK_GAP_ZERO = 0, /* silence */
  FIRBANK_GAP_HOLD,     /* the last sample of each channel */
  FIRBANK_GAP_RESET,    /* nothing: the history is forgotten, a new stream begins */
  FIRBANK_GAP_NAN       /* NaN: outputs are NaN wherever they would have heard the missing frames */
} firbank_gap_policy;

/* What becomes of the first output frames of a stream, firbank_tail_frames() of them, in which the
 * filters hear the silence before it. */
typedef enum firbank_transient {
  FIRBANK_TRANSIENT_KEEP = 0,
  FIRBANK_TRANSIENT_ZERO, /* they are 0, and marked as below */
  FIRBANK_TRANSIENT_MARK  /* they carry FIRBANK_TRANSIENT, where they are pulled */
} firbank_transient;

/* How the filters' spectra are kept. */
typedef enum firbank_spectra {
  FIRBANK_SPECTRA_FULL = 0, /* as the precision has it */
  FIRBANK_SPECTRA_INT16 /* of FIRBANK_SINGLE: 9/16 of the memory, errors 90 dB below the output */
} firbank_spectra;

typedef struct firbank_config {
  size_t struct_size;    /* set by firbank_config_init() */
  double sample_rate_hz; /* 48000 */
  size_t channels;       /* inputs: 1 */
  size_t outputs;        /* of FIRBANK_MATRIX and FIRBANK_EDGES: 1 */
  firbank_routing routing;
  const firbank_edge* edges; /* of FIRBANK_EDGES; read during the call only */
  size_t edge_count;
  firbank_format in;  /* int16, interleaved, scale 1, offset 0 */
  firbank_format out; /* float32, interleaved, scale 1, offset 0 */
  firbank_precision precision;
  size_t block_frames; /* 256: frames of a call or a packet, mostly; 1 to 65,536 */
  size_t max_frames;   /* of a call of firbank_process(); 0: block_frames */
  size_t max_taps;     /* longest filter that a swap may bring; 0: the longest of these */
  size_t threads;      /* 1: threads that compute, the caller's included, 1 to 64 */
  const char* backend; /* null: the best CPU; "cuda", "cuda:1", "cpu-avx2" ... */
  size_t depth_blocks; /* 0: blocks that a device may have under way, as much latency: 0 to 64,
                          and less than ring_blocks */
  size_t ring_blocks;  /* 32: in either ring, 2 to 65,536; every push takes one at least */
  size_t max_readers;  /* 4: that may be open at once, 1 to 64 */
  firbank_gap_policy gap_policy;
  int64_t max_fill_frames; /* 1,048,576: a longer gap acts as FIRBANK_GAP_RESET */
  firbank_transient transient;
  const char* const* channel_names; /* one a channel; null: "1", "2", ... */
  const char* unit;                 /* of what comes out, such as "uV"; null: "" */
  firbank_spectra spectra;
} firbank_config;

/* Sets the values that stand in the comments above; `size` is sizeof(firbank_config), by which a
 * library knows how much of it a caller has that was compiled with another header.
 * Thread: any. Realtime: safe. */
void firbank_config_init(firbank_config* config, size_t size);

/* A handle with nothing in it; null when there is no memory. Thread: any. Realtime: no. */
firbank_engine* firbank_new(void);

/* Ends what runs and frees all of it, its readers too: none of them may be used any more, nor be
 * in use. Null is all right. Thread: owner. Realtime: no. */
void firbank_free(firbank_engine* engine);

/* The status of the last set-up call that failed on this handle, and its message in one line; OK
 * and "" when none has. The text stays as it is until the next set-up call.
 * Thread: owner. Realtime: safe. */
firbank_status firbank_last_status(const firbank_engine* engine);
const char* firbank_message(const firbank_engine* engine);

/* Plans, allocates and takes the filters. A handle is opened once. Thread: owner. Realtime: no. */
firbank_status firbank_open(firbank_engine* engine, const firbank_config* config,
                            const firbank_filters* filters);

/* The same from a configuration in TOML, as `firbank run` reads it: `length` bytes of text, in
 * which files are looked for in `folder` (null: the current one). Channels, filters, routing, block
 * size, threads, backend and precision are the text's, the rest is `config`'s (null: as
 * firbank_config_init() has it), the rate too where the text has none. Thread: owner. Realtime: no.
 */
firbank_status firbank_open_toml(firbank_engine* engine, const firbank_config* config,
                                 const char* text, size_t length, const char* folder);

/* ---- What was opened: 0 or "" before. Thread: any. Realtime: safe. ----------------------- */

size_t firbank_inputs(const firbank_engine* engine);
size_t firbank_outputs(const firbank_engine* engine);
size_t firbank_max_frames(const firbank_engine* engine);
size_t firbank_latency_frames(const firbank_engine* engine); /* of push; process has none */
size_t firbank_tail_frames(const firbank_engine* engine);    /* the longest response, less 1 */
const char* firbank_backend(const firbank_engine* engine);   /* "cpu-avx2" */

/* Null for a channel that is none. An output has the name of the input that it hears, with that of
 * the filter where several outputs hear it; "a+b" where it hears several; and "#" and its number,
 * from 1, where that would be the name of another one as well. */
const char* firbank_input_name(const firbank_engine* engine, size_t input);
const char* firbank_output_name(const firbank_engine* engine, size_t output);
const char* firbank_unit(const firbank_engine* engine);

/* How late an output is: its sample k answers to input sample k - *frames. `*is_constant` is 1
 * where what it hears of each input is symmetric or antisymmetric, and of the same delay, so that
 * this holds at every frequency; otherwise it is the mean over frequency, weighted by power:
 * sum(k h[k]^2) / sum(h[k]^2). Tells of the filters that were given last.
 * Thread: owner. Realtime: no. */
firbank_status firbank_group_delay(const firbank_engine* engine, size_t output, double* frames,
                                   int* is_constant);

/* ---- In the caller's thread -------------------------------------------------------------- */

/* Filters `frames` frames, 1 to firbank_max_frames(), any number a call. Buffers are as `in` and
 * `out` of the configuration say. `out` may be `in` where both are alike.
 * Thread: one at a time, and not while it runs. Realtime: safe on a CPU. */
firbank_status firbank_process(firbank_engine* engine, const void* in, void* out, size_t frames);

/* What the filters still hold behind the last frame: up to `frames` frames of the tail, as if
 * silence came in; *written is 0 once it is complete. FIRBANK_BACKEND_LOST where silence took the
 * place of frames that a device did not give.
 * Thread: as firbank_process(). Realtime: safe on a CPU. */
firbank_status firbank_flush(firbank_engine* engine, void* out, size_t frames, size_t* written);

/* Forgets the history, as if the stream began anew.
 * Thread: as firbank_process(). Realtime: safe. */
firbank_status firbank_reset(firbank_engine* engine);

/* ---- Between two rings ------------------------------------------------------------------- */

/* Starts the thread and a new stream: what was filtered before is forgotten. Readers of an earlier
 * run do not read this one, and keep that one's ring until they are closed.
 * Thread: owner. Realtime: no. */
firbank_status firbank_start(firbank_engine* engine);

/* Ends it. What was pushed and not yet filtered is dropped; what was filtered can still be pulled,
 * as far as the ring has it. To lose nothing: firbank_end(), pull up to FIRBANK_END, then stop.
 * Thread: owner, while nobody pushes. Realtime: no. */
firbank_status firbank_stop(firbank_engine* engine);

typedef struct firbank_pushed {
  size_t frames;          /* taken; fewer than offered: the ring is full. Offer the rest again, with
                             its own buffer, index and time */
  int64_t expected_frame; /* the next first_frame without a gap */
} firbank_pushed;

/* Offers frames, the first of which has index `first_frame` and was captured at `timestamp_ns` (0:
 * unknown). The first push may have any index. Later ones that lie ahead of the expected index
 * leave a gap, which is filled as gap_policy says and told to the readers (the thread computes
 * what is filled, so a long gap takes its time); those behind it are refused
 * (FIRBANK_BACKWARD_JUMP) and counted. `pushed` may be null.
 * Thread: producer. Realtime: safe. */
firbank_status firbank_push(firbank_engine* engine, const void* in, size_t frames,
                            int64_t first_frame, int64_t timestamp_ns, firbank_pushed* pushed);

/* No frame follows: readers get the tail, without a time, then FIRBANK_END. FIRBANK_RING_FULL while
 * the ring has no room for the word. Thread: producer. Realtime: safe. */
firbank_status firbank_end(firbank_engine* engine);

typedef enum firbank_policy {
  FIRBANK_LOSSLESS = 0, /* a full ring makes firbank_push() take fewer frames */
  FIRBANK_LOSSY         /* the stream goes on without it; what it misses is told and counted */
} firbank_policy;

/* What a flag says is true of all frames of the block, FIRBANK_SPOILED of one at least. */
enum {
  FIRBANK_FILLED = 1,     /* made up by the gap policy */
  FIRBANK_RESET = 2,      /* the history was forgotten before the first frame */
  FIRBANK_SPOILED = 4,    /* NaN, because an input sample was not finite */
  FIRBANK_END = 8,        /* no frames, and none will follow */
  FIRBANK_LOST = 16,      /* silence in place of what could not be computed */
  FIRBANK_TRANSIENT = 32, /* see firbank_transient */
  FIRBANK_MISSED = 64     /* the gap before is this reader's own: it was too slow */
};

typedef struct firbank_block {
  size_t frames;
  int64_t first_frame;  /* index of the first one */
  int64_t timestamp_ns; /* of its capture; 0: unknown */
  int64_t gap_before;   /* frames missing since the block before; also with FIRBANK_END */
  uint32_t flags;
} firbank_block;

/* Opens a reader of all that is put out from now on, of an engine that runs; null, with a message,
 * when max_readers are open. Without any reader, what is filtered is lost.
 * Thread: owner. Realtime: no. */
firbank_reader* firbank_open_reader(firbank_engine* engine, firbank_policy policy);

/* Null is all right. Thread: owner, while nobody uses the reader. Realtime: no. */
void firbank_close_reader(firbank_reader* reader);

/* Writes up to `frames` frames to `out` and tells of them in `block`: no frames when there is
 * nothing yet, or with FIRBANK_END. One call never crosses a gap, nor a change of FIRBANK_FILLED or
 * FIRBANK_TRANSIENT. Thread: reader. Realtime: safe. */
firbank_status firbank_pull(firbank_reader* reader, void* out, size_t frames, firbank_block* block);

/* Sleeps until there is something to pull, FIRBANK_END included, which stays: 1; 0 when that takes
 * longer than `timeout_ns`.
 * Thread: reader. Realtime: no. */
int firbank_wait(firbank_reader* reader, int64_t timeout_ns);

/* ---- While it runs ----------------------------------------------------------------------- */

/* Whether an input is silenced from the next call on: a dead or noisy electrode.
 * Thread: any. Realtime: safe. */
firbank_status firbank_set_bad_channel(firbank_engine* engine, size_t channel, int bad);

/* Replaces the filters from output frame `at_frame` on, or as soon as may be, fading over
 * `crossfade_frames`; as many filters as before, or more. The history is kept: they answer as if
 * they had always been there. While four swaps wait for their frame a fifth is FIRBANK_BAD_CONFIG.
 * `ticket` may be null. Thread: owner. Realtime: no. */
firbank_status firbank_swap(firbank_engine* engine, const firbank_filters* filters,
                            int64_t at_frame, size_t crossfade_frames, uint64_t* ticket);

/* The same with a preset of what firbank_open_toml() has read. */
firbank_status firbank_swap_preset(firbank_engine* engine, const char* preset, int64_t at_frame,
                                   size_t crossfade_frames, uint64_t* ticket);

/* 1 once the ticket's filters are heard, with the frame since which they are; 0 before.
 * Thread: any. Realtime: safe. */
int firbank_live_frame(const firbank_engine* engine, uint64_t ticket, int64_t* frame);

#define FIRBANK_NO_FRAME INT64_MIN

/* Counts since the handle was opened. first_... are frames of the stream, FIRBANK_NO_FRAME when
 * there was none. */
typedef struct firbank_stats {
  size_t struct_size; /* sizeof(firbank_stats), set by the caller */
  int64_t frames;     /* filtered, filled gaps included */
  uint64_t gaps;      /* jumps ahead of the index */
  int64_t gap_frames;
  int64_t first_gap_frame;
  uint64_t backward_jumps; /* pushes that were refused */
  int64_t first_backward_frame;
  int64_t spoiled_frames; /* with a NaN in any output */
  int64_t first_spoiled_frame;
  int64_t lost_frames; /* silence: see FIRBANK_LOST */
  int64_t first_lost_frame;
  uint64_t limited_samples;    /* beyond the range of an integer format, over all readers */
  uint64_t swaps;              /* that went live */
  int64_t missed_frames;       /* that readers were too slow for, as they were told */
  int64_t first_limited_frame; /* of the call or pull in which the first one was */
  int64_t first_missed_frame;
} firbank_stats;

/* Writes as much of it as `stats->struct_size` has room for, and sets that to what there is.
 * Thread: any. Realtime: safe. */
firbank_status firbank_get_stats(const firbank_engine* engine, firbank_stats* stats);

#ifdef __cplusplus
}
#endif

#endif
