#include "demos/ecg/qrs_detector.h"

#include <math.h>
#include <string.h>

static int64_t frames_of(double milliseconds, double rate_hz) {
  return (int64_t)(milliseconds * rate_hz / 1000 + 0.5);
}

/* Where a frame lies in a history. Frames before the first one are there too, and are NaN. */
static size_t at(int64_t frame) {
  return (size_t)(frame & (QRS_HISTORY - 1));
}

int qrs_init(qrs_detector* detector, double rate_hz) {
  size_t n;
  if (!(rate_hz >= QRS_MIN_RATE_HZ && rate_hz <= QRS_MAX_RATE_HZ)) return 0;
  memset(detector, 0, sizeof *detector);
  detector->window = frames_of(150, rate_hz);
  detector->refractory = frames_of(200, rate_hz);
  detector->t_wave = frames_of(360, rate_hz);
  detector->learning = frames_of(2000, rate_hz);
  for (n = 0; n < QRS_HISTORY; ++n) {
    detector->band[n] = detector->slope[n] = detector->integrated[n] = NAN;
  }
  return 1;
}

/* ---- Intervals --------------------------------------------------------------------------- */

static void add_interval(qrs_intervals* intervals, int64_t frames) {
  if (intervals->count == QRS_INTERVALS) {
    memmove(intervals->frames, intervals->frames + 1,
            (QRS_INTERVALS - 1) * sizeof intervals->frames[0]);
    --intervals->count;
  }
  intervals->frames[intervals->count++] = frames;
}

static double average(const qrs_intervals* intervals) {
  double sum = 0;
  size_t k;
  for (k = 0; k < intervals->count; ++k) sum += (double)intervals->frames[k];
  return sum / (double)intervals->count;
}

/* [26, 27] */
static int is_usual(double frames, double usual) {
  return frames >= 0.92 * usual && frames <= 1.16 * usual;
}

/* Keeps both averages [24, 25], and whether the rhythm is irregular. */
static void learn_interval(qrs_detector* detector, int64_t frames) {
  qrs_intervals* const regular = &detector->regular;
  size_t k;
  add_interval(&detector->recent, frames);
  if (regular->count == 0 || is_usual((double)frames, average(regular))) {
    add_interval(regular, frames);
  }
  detector->is_irregular = 0;
  for (k = 0; k < detector->recent.count; ++k) {
    if (!is_usual((double)detector->recent.frames[k], average(regular))) detector->is_irregular = 1;
  }
  if (!detector->is_irregular) *regular = detector->recent;
}

/* ---- Thresholds -------------------------------------------------------------------------- */

/* THRESHOLD I1 [14, 22]; THRESHOLD I2 is half of it [15]. */
static double threshold(const qrs_detector* detector) {
  const double first = detector->noise + 0.25 * (detector->signal - detector->noise);
  return detector->is_irregular ? 0.5 * first : first;
}

static qrs_event beat(qrs_detector* detector, const qrs_peak* peak) {
  qrs_event event = {QRS_BEAT, peak->frame, 0, 0};
  if (detector->has_last) {
    event.rr_frames = peak->frame - detector->last.frame;
    learn_interval(detector, event.rr_frames);
  }
  detector->last = *peak;
  detector->has_last = 1;
  detector->refused.height = 0;
  return event;
}

/* Before the first beat behind what was unknown, a peak that may be a beat or not, as there was one
 * before it or not, is unknown as well. */
static qrs_event leave_open(qrs_detector* detector, const qrs_peak* peak) {
  const qrs_event event = {QRS_UNKNOWN, detector->known_from, peak->frame + 1, 0};
  detector->known_from = event.end;
  return event;
}

static qrs_event judge(qrs_detector* detector, const qrs_peak* peak) {
  const qrs_event nothing = {QRS_NOTHING, 0, 0, 0};
  const double first = threshold(detector);
  /* Without a last beat, one that was not seen may lie at the end of what was unknown. */
  const int64_t since =
      peak->frame - (detector->has_last ? detector->last.frame : detector->known_from);
  const int is_t_wave = since < detector->t_wave && peak->slope < 0.5 * detector->last.slope;
  const int is_beat = peak->height > first && !is_t_wave;
  if (detector->has_last && since < detector->refractory) return nothing;
  if (is_beat) {
    detector->signal = 0.125 * peak->height + 0.875 * detector->signal; /* [12] */
    return beat(detector, peak);
  }
  if (!detector->has_last && peak->height > 0.5 * first) return leave_open(detector, peak);
  detector->noise = 0.125 * peak->height + 0.875 * detector->noise; /* [13] */
  if (!is_t_wave && peak->height > detector->refused.height) detector->refused = *peak;
  return nothing;
}

/* The search back, once a beat is overdue at `frame` [28]. */
static qrs_event search_back(qrs_detector* detector, int64_t frame) {
  const qrs_event nothing = {QRS_NOTHING, 0, 0, 0};
  const qrs_peak refused = detector->refused;
  if (!detector->has_last || detector->regular.count == 0 ||
      (double)(frame - detector->last.frame) <= 1.66 * average(&detector->regular) ||
      refused.height <= 0.5 * threshold(detector)) {
    return nothing;
  }
  detector->signal = 0.25 * refused.height + 0.75 * detector->signal; /* [20] */
  return beat(detector, &refused);
}

/* ---- The waveform ------------------------------------------------------------------------ */

/* The slope [7] at `frame`, and the integrated waveform [10, 11] up to there; NaN where any of it
 * is not known. A sum over the window anew each time: NaN leaves it with the frame that was NaN. */
static void integrate(qrs_detector* detector, int64_t frame) {
  const double* const x = detector->band;
  double sum = 0;
  int64_t n;
  detector->slope[at(frame)] =
      (-x[at(frame - 2)] - 2 * x[at(frame - 1)] + 2 * x[at(frame + 1)] + x[at(frame + 2)]) / 8;
  for (n = frame - detector->window + 1; n <= frame; ++n) {
    sum += detector->slope[at(n)] * detector->slope[at(n)];
  }
  detector->integrated[at(frame)] = sum / (double)detector->window;
}

static void learn_level(qrs_detector* detector, double height) {
  if (isnan(height) || detector->learned == detector->learning) return;
  ++detector->learned;
  if (height > detector->signal) detector->signal = height;
  detector->noise += (height - detector->noise) / (double)detector->learned;
}

/* Whether the integrated waveform has a peak at `frame`. What is not known exceeds nothing, but a
 * peak has known neighbours: at an edge nobody knows what came before. */
static int is_peak(const qrs_detector* detector, int64_t frame) {
  const double* const integrated = detector->integrated;
  const double height = integrated[at(frame)];
  int64_t n;
  if (!(height > integrated[at(frame - 1)] && height >= integrated[at(frame + 1)])) return 0;
  for (n = 1; n <= detector->refractory; ++n) {
    if (integrated[at(frame - n)] >= height || integrated[at(frame + n)] > height) return 0;
  }
  return 1;
}

/* The peak at `frame` of the integrated waveform, told of by the band within its window. */
static qrs_peak peak_at(const qrs_detector* detector, int64_t frame) {
  qrs_peak peak = {frame, detector->integrated[at(frame)], 0};
  int64_t n;
  for (n = frame - detector->window + 1; n <= frame; ++n) {
    if (detector->band[at(n)] > detector->band[at(peak.frame)]) peak.frame = n;
    peak.slope = fmax(peak.slope, fabs(detector->slope[at(n)]));
  }
  return peak;
}

/* ---- What is not known ------------------------------------------------------------------- */

/* A complex is told by the window behind it, so what lies that near to the unknown is unknown. */
static int64_t first_unknown(const qrs_detector* detector) {
  const int64_t first = detector->unknown_from - detector->window;
  return detector->learned < detector->learning || first < detector->known_from
             ? detector->known_from
             : first;
}

static int is_in_unknown(const qrs_detector* detector, int64_t frame) {
  return frame < detector->known_from ||
         (detector->is_unknown && frame >= first_unknown(detector) &&
          frame < detector->unknown_end + detector->window);
}

/* Tells what was unknown, and forgets what lay before it; what was being learned too. */
static qrs_event leave_unknown(qrs_detector* detector) {
  qrs_event event = {QRS_UNKNOWN, 0, 0, 0};
  event.frame = first_unknown(detector);
  event.end = detector->unknown_end + detector->window;
  if (detector->learned < detector->learning) {
    detector->learned = 0;
    detector->signal = detector->noise = 0;
    detector->waiting_count = 0;
  }
  detector->known_from = event.end;
  detector->is_unknown = 0;
  detector->has_last = 0;
  detector->refused.height = 0;
  return event;
}

qrs_event qrs_take(qrs_detector* detector, double band) {
  const int64_t newest = detector->next_frame++;
  const int64_t integrated = newest - 2;                    /* up to where the slope can be told */
  const int64_t centre = integrated - detector->refractory; /* up to where a peak can be */
  detector->band[at(newest)] = band;
  if (isnan(band)) {
    if (!detector->is_unknown) detector->unknown_from = newest;
    detector->unknown_end = newest + 1;
    detector->is_unknown = 1;
  }
  integrate(detector, integrated);
  learn_level(detector, detector->integrated[at(integrated)]);

  if (is_peak(detector, centre)) {
    const qrs_peak peak = peak_at(detector, centre);
    if (!is_in_unknown(detector, peak.frame) && detector->waiting_count < QRS_WAITING) {
      detector->waiting[detector->waiting_count++] = peak;
    }
  }
  /* The last frame of the unknown: whatever lies before it has been told. */
  if (detector->is_unknown && centre >= detector->unknown_end + detector->window - 1) {
    return leave_unknown(detector);
  }
  if (detector->learned == detector->learning && detector->waiting_count > 0) {
    const qrs_peak peak = detector->waiting[0];
    --detector->waiting_count;
    memmove(detector->waiting, detector->waiting + 1,
            detector->waiting_count * sizeof detector->waiting[0]);
    return judge(detector, &peak);
  }
  return search_back(detector, centre);
}

qrs_event qrs_end(const qrs_detector* detector) {
  qrs_event event = {QRS_NOTHING, 0, 0, 0};
  if (!detector->is_unknown && detector->learned == detector->learning) return event;
  event.kind = QRS_UNKNOWN;
  event.frame = first_unknown(detector);
  event.end = detector->next_frame;
  return event;
}
