/* Finds the heart's beats in one lead of an electrocardiogram, as it comes in.
 *
 * A detector of QRS complexes after Pan and Tompkins, "A Real-Time QRS Detection Algorithm", IEEE
 * Transactions on Biomedical Engineering 32 (1985), 230-236; numbers in brackets are its equations.
 * Their band-pass of integers is left to the caller, who has a better one: what comes in here has
 * passed 5 to 15 Hz with linear phase, its delay is taken off, and NaN stands for the unknown.
 *
 * - The slope [7], its square [10], and the mean of that over 150 ms [11] make one hump of a QRS
 *   complex, whatever its shape. A peak of it is what nothing within 200 ms exceeds: no heart beats
 *   again sooner.
 * - A peak above a threshold between what noise was and what beats were like [12-14] is a beat.
 *   While the rhythm is irregular, the threshold is half of it [22].
 * - Within 360 ms of a beat, a peak with less than half of its slope is its T wave.
 * - Where no beat comes for 166% of the usual interval [28], the highest peak that was refused is
 *   one, if it reaches half the threshold [15, 20].
 *
 * The second set of thresholds, over the band itself [16-19], is left out. The first two seconds
 * that are known teach the thresholds; their beats are told then.
 *
 * Where a beat is not known to be there or not, it says so: QRS_UNKNOWN covers all frames whose
 * beat might have been missed, and no beat is told from there. Peaks behind it that are a beat or
 * not, as there was one before them or not, are unknown as well.
 *
 * No memory is allocated. Thread: one at a time. Realtime: safe. */
#ifndef FIRBANK_DEMOS_ECG_QRS_DETECTOR_H
#define FIRBANK_DEMOS_ECG_QRS_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QRS_MIN_RATE_HZ 100
#define QRS_MAX_RATE_HZ 2000

enum {
  QRS_HISTORY = 1024, /* frames: 350 ms at the highest rate, and a power of two */
  QRS_WAITING = 16,   /* peaks 200 ms apart, while two seconds are learned from */
  QRS_INTERVALS = 8   /* that an average is over [24, 25] */
};

typedef enum qrs_kind {
  QRS_NOTHING = 0,
  QRS_BEAT,   /* at .frame */
  QRS_UNKNOWN /* from .frame up to, and without, .end */
} qrs_kind;

typedef struct qrs_event {
  qrs_kind kind;
  int64_t frame;     /* of a beat: its R wave, the highest point of the band */
  int64_t end;       /* of QRS_UNKNOWN */
  int64_t rr_frames; /* since the beat before; 0 where one may be missing between */
} qrs_event;

/* A peak of the integrated waveform. */
typedef struct qrs_peak {
  int64_t frame; /* of its R wave */
  double height; /* of the peak: PEAKI */
  double slope;  /* the steepest one within it */
} qrs_peak;

/* The last intervals between beats, the oldest one first. */
typedef struct qrs_intervals {
  int64_t frames[QRS_INTERVALS];
  size_t count;
} qrs_intervals;

typedef struct qrs_detector {
  int64_t window;     /* 150 ms, in frames, as all that follow */
  int64_t refractory; /* 200 ms */
  int64_t t_wave;     /* 360 ms */
  int64_t learning;   /* 2 s */

  int64_t next_frame;
  double band[QRS_HISTORY]; /* of frame n at n % QRS_HISTORY, as the next two */
  double slope[QRS_HISTORY];
  double integrated[QRS_HISTORY];

  int64_t learned; /* frames */
  double signal;   /* SPKI */
  double noise;    /* NPKI */

  qrs_peak waiting[QRS_WAITING]; /* to be judged, the oldest first */
  size_t waiting_count;
  qrs_peak refused; /* the highest one since the last beat; height 0: none */

  qrs_peak last; /* the last beat */
  int has_last;  /* and nothing is unknown since */
  qrs_intervals recent;
  qrs_intervals regular;
  int is_irregular;

  int64_t unknown_from; /* not told yet, in terms of the band */
  int64_t unknown_end;
  int is_unknown;
  int64_t known_from; /* the end of what was told to be unknown */
} qrs_detector;

/* For frames from 0 on. Returns 0 where the rate is not QRS_MIN_RATE_HZ to QRS_MAX_RATE_HZ. */
int qrs_init(qrs_detector* detector, double rate_hz);

/* Takes the band of the next frame, NaN where it is not known, and tells what is known since. Beats
 * and unknown stretches come in their order. */
qrs_event qrs_take(qrs_detector* detector, double band);

/* What is unknown at the end of all frames, or QRS_NOTHING. 200 ms or more that are not known must
 * have come last, as they do where a filter ends: a peak is one by what follows. */
qrs_event qrs_end(const qrs_detector* detector);

#ifdef __cplusplus
}
#endif

#endif
