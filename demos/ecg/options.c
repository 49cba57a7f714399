#include "demos/ecg/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kUsage[] =
    "ecg FILTERS SAMPLES TRACE BEATS [--lose FRAME] [--realtime]\n"
    "\n"
    "FILTERS     folder with wander.txt, noise.txt and band.txt of firbank design, for 360 Hz\n"
    "SAMPLES     16-bit samples of one lead, 360 a second, 1024 at 0 mV, 200 a mV; '-': stdin\n"
    "TRACE       to write: float32 in mV, 0.5 to 40 Hz, a sample for each frame\n"
    "BEATS       to write: a line for each beat, and for each stretch where there may be others\n"
    "--lose      the packet with that frame never arrives\n"
    "--realtime  packets come at the pace of the hardware, and not as fast as they can\n";

static int64_t lost_frame_of(const char* text) {
  char* rest = NULL;
  long long frame = 0;
  errno = 0;
  if (text != NULL) frame = strtoll(text, &rest, 10);
  if (text == NULL || *rest != '\0' || errno == ERANGE || frame < ECG_PACKET_FRAMES) {
    fprintf(stderr, "ecg: --lose is '%s'; allowed: a frame from %d on, behind the first packet\n",
            text == NULL ? "" : text, ECG_PACKET_FRAMES);
    exit(2);
  }
  return frame;
}

ecg_options ecg_parse_options(int argc, char** argv) {
  const char* paths[4];
  ecg_options result = {NULL, NULL, NULL, NULL, -1, 0};
  int count = 0;
  int k;
  for (k = 1; k < argc; ++k) {
    if (strcmp(argv[k], "--help") == 0) {
      fputs(kUsage, stdout);
      exit(0);
    } else if (strcmp(argv[k], "--realtime") == 0) {
      result.is_realtime = 1;
    } else if (strcmp(argv[k], "--lose") == 0) {
      result.lost_frame = lost_frame_of(k + 1 < argc ? argv[++k] : NULL);
    } else if (count == 4 || strncmp(argv[k], "--", 2) == 0) {
      fprintf(stderr, "ecg: there is no use for '%s'; ecg --help\n", argv[k]);
      exit(2);
    } else {
      paths[count++] = argv[k];
    }
  }
  if (count < 4) {
    fputs("ecg: FILTERS, SAMPLES, TRACE and BEATS are needed; ecg --help\n", stderr);
    exit(2);
  }
  result.filters = paths[0];
  result.samples = paths[1];
  result.trace = paths[2];
  result.beats = paths[3];
  return result;
}
