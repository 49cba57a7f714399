/* The command line of the demo `ecg`. Thread: the one that starts. Realtime: no. */
#ifndef FIRBANK_DEMOS_ECG_OPTIONS_H
#define FIRBANK_DEMOS_ECG_OPTIONS_H

#include <stdint.h>

enum { ECG_PACKET_FRAMES = 12 /* 33 ms: as an amplifier sends them */ };

/* Paths are those of the arguments. */
typedef struct ecg_options {
  const char* filters;
  const char* samples; /* "-": standard input */
  const char* trace;
  const char* beats;
  int64_t lost_frame; /* whose packet never arrives; -1: none */
  int is_realtime;
} ecg_options;

/* Ends the program after --help, and with 2 and one line where the arguments are not understood. */
ecg_options ecg_parse_options(int argc, char** argv);

#endif
