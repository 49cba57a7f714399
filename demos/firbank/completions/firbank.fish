# Completion of firbank for fish.

function __firbank_backends
    echo auto
    echo cpu
    # NAME INSTRUCTIONS yes: what can compute here.
    firbank backends 2>/dev/null | awk '/ yes(,|$)/ { print $1 }'
end

function __firbank_devices
    firbank devices 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }'
end

set -l commands filter run live serve demo plan tune verify design info backends devices bench doctor
set -l none "not __fish_seen_subcommand_from $commands"

complete -c firbank -n "$none" -f
complete -c firbank -n "$none" -a filter -d 'Filter a stream'
complete -c firbank -n "$none" -a run -d 'Filter as a configuration file says'
complete -c firbank -n "$none" -a live -d 'Play a sound card through filters'
complete -c firbank -n "$none" -a serve -d 'Filter packets of other programs'
complete -c firbank -n "$none" -a demo -d 'Show how much this machine can do'
complete -c firbank -n "$none" -a doctor -d 'Find what costs latency here'
complete -c firbank -n "$none" -a bench -d 'Measure throughput'
complete -c firbank -n "$none" -a plan -d 'Print partitions, cost, latency and memory'
complete -c firbank -n "$none" -a tune -d 'Measure what plans are chosen by'
complete -c firbank -n "$none" -a verify -d 'Prove every backend of this machine'
complete -c firbank -n "$none" -a design -d 'Make a filter'
complete -c firbank -n "$none" -a info -d 'Tell what is in a file'
complete -c firbank -n "$none" -a backends -d 'List what can compute here'
complete -c firbank -n "$none" -a devices -d 'List the sound cards'
complete -c firbank -n "$none" -a bench -d 'Measure, and show what was measured'
complete -c firbank -n "$none" -l version -d 'Print the version'
complete -c firbank -s h -l help -d 'Print help'

set -l bank '__fish_seen_subcommand_from filter live plan verify throughput'
complete -c firbank -n "$bank" -s f -l filter -r -F -d 'File with filters'
complete -c firbank -n "$bank" -l routing -x -a 'rows bank matrix' -d 'How filters connect channels'
complete -c firbank -n "$bank" -l outputs -x -d 'Output channels of matrix'
complete -c firbank -n "$bank" -l no-resample -d 'Refuse filters of another rate'

set -l engine '__fish_seen_subcommand_from filter run plan verify throughput'
complete -c firbank -n "$engine" -l block -x -d 'Frames a block'
complete -c firbank -n "$engine" -l threads -x -d 'Threads that compute'
complete -c firbank -n "$engine" -l partitions -x -d 'Block sizes of the plan'
complete -c firbank -n "$engine" -l costs -r -F -a 'cached default' -d 'What the plan is chosen by'

set -l arithmetic '__fish_seen_subcommand_from filter run plan tune throughput'
complete -c firbank -n "$arithmetic" -l precision -x -a 'float double' -d 'Arithmetic'
complete -c firbank -n '__fish_seen_subcommand_from filter run live plan tune throughput' -l backend -x -a '(__firbank_backends)' -d 'What computes'
complete -c firbank -n '__fish_seen_subcommand_from filter run live plan throughput' -l spectra -x -a 'full int16' -d 'How filters are kept'
complete -c firbank -n '__fish_seen_subcommand_from filter live plan' -l depth -x -d 'Blocks under way'
complete -c firbank -n '__fish_seen_subcommand_from filter plan' -l gpu-mode -x -a 'whole hybrid throughput' -d 'What a GPU computes'
complete -c firbank -n '__fish_seen_subcommand_from filter plan' -l memory-limit -x -d 'Most memory of the plan'
complete -c firbank -n '__fish_seen_subcommand_from filter' -l on-overload -x -a 'truncate drop fail' -d 'When the CPU takes over and is too slow'

set -l filter '__fish_seen_subcommand_from filter'
complete -c firbank -n "$filter" -l mode -x -a 'causal full same valid' -d 'Which frames to keep'
complete -c firbank -n '__fish_seen_subcommand_from filter live run' -l gain -x -d 'Gain in dB'
complete -c firbank -n '__fish_seen_subcommand_from filter live' -l normalize -d 'Bring the peak to full scale'
complete -c firbank -n '__fish_seen_subcommand_from filter run' -l output-format -x -a 'float32 float64 int16 int24 int32' -d 'Samples of the output'
complete -c firbank -n "$filter" -l dither -d 'Add dither to integer formats'
complete -c firbank -n "$filter" -l as-live -d 'Blocks and plan of a live run'
complete -c firbank -n "$filter" -l realtime -d 'As live, paced by the clock'
complete -c firbank -n "$filter" -l strict -d 'Missed deadlines fail too'

set -l run '__fish_seen_subcommand_from run'
complete -c firbank -n "$run" -l input -r -F -d 'File to filter'
complete -c firbank -n "$run" -l output -r -F -d 'File to write'
complete -c firbank -n '__fish_seen_subcommand_from run serve' -l preset -x -d 'One of the presets'
complete -c firbank -n "$run" -l check -d 'Load all, filter nothing, print the plan'
complete -c firbank -n "$run" -l channels -x -d 'Channels of the stream'
complete -c firbank -n "$run" -l eq-taps -x -d 'Taps of a filter made of a curve'
complete -c firbank -n "$run" -l eq-phase -x -a 'minimum linear' -d 'Phase of such filters'

complete -c firbank -n '__fish_seen_subcommand_from live' -f
set -l live '__fish_seen_subcommand_from live run'
complete -c firbank -n "$live" -l input-device -x -a '(__firbank_devices)' -d 'Where sound comes from'
complete -c firbank -n "$live" -l output-device -x -a '(__firbank_devices)' -d 'Where sound goes'
complete -c firbank -n "$live" -l input-channels -x -d 'Channels of the input device'
complete -c firbank -n "$live" -l output-channels -x -d 'Channels of the output device'
complete -c firbank -n "$live" -l device-block -x -d 'Frames a block of the device'
complete -c firbank -n "$live" -l latency -x -d 'Milliseconds to ask the device for'
complete -c firbank -n "$live" -l limiter -d 'Keep within full scale'
complete -c firbank -n "$live" -l bypass -d 'Begin bypassed'
complete -c firbank -n "$live" -l crossfade -x -d 'Milliseconds from filter to filter'
complete -c firbank -n '__fish_seen_subcommand_from live' -l max-peak -x -d 'Warn of louder filters, in dB'
complete -c firbank -n "$live" -l max-taps -x -d 'Room for later filters'
complete -c firbank -n "$live" -l watch -d 'Read changed files again'
complete -c firbank -n "$live" -l record -r -F -d 'Write input and output'
set -l monitored '__fish_seen_subcommand_from run live serve'
complete -c firbank -n "$monitored" -l monitor -x -d 'Show the run on a page, at this port'
complete -c firbank -n "$monitored" -l address -x -a '127.0.0.1 0.0.0.0' -d 'Of the monitor'
complete -c firbank -n "$monitored" -l token -x -d 'What changes need'
complete -c firbank -n "$live" -l keys -d 'Take keys from a pipe'

set -l bare '__fish_seen_subcommand_from plan verify throughput'
complete -c firbank -n "$bare" -f
complete -c firbank -n '__fish_seen_subcommand_from live plan verify throughput' -l channels -x -d 'Input channels'
complete -c firbank -n "$bare" -l filters -x -d 'How many noise filters'
complete -c firbank -n "$bare" -l taps -x -d 'Taps of the longest noise filter'
complete -c firbank -n '__fish_seen_subcommand_from plan' -l offline -d 'Plan for a file'
complete -c firbank -n '__fish_seen_subcommand_from plan' -l alternatives -x -d 'Plans to compare with'

complete -c firbank -n '__fish_seen_subcommand_from tune' -f
complete -c firbank -n '__fish_seen_subcommand_from tune' -l dry-run -d 'Keep nothing'
complete -c firbank -n '__fish_seen_subcommand_from live run verify throughput' -l seconds -x -d 'Length of the stream'
complete -c firbank -n '__fish_seen_subcommand_from verify' -l seed -x -d 'Seed'

set -l design '__fish_seen_subcommand_from design'
complete -c firbank -n "$design" -a 'lowpass highpass bandpass bandstop hilbert'
complete -c firbank -n "$design" -l cutoff -x -d 'Edge in Hz'
complete -c firbank -n "$design" -l low -x -d 'Lower edge in Hz'
complete -c firbank -n "$design" -l high -x -d 'Upper edge in Hz'
complete -c firbank -n "$design" -l transition -x -d 'Width of each transition in Hz'
complete -c firbank -n "$design" -l attenuation -x -d 'Of the stopbands in dB'
complete -c firbank -n "$design" -l taps -x -d 'An odd number of taps'
complete -c firbank -n "$design" -l output-format -x -a 'float64 float32' -d 'Samples'

set -l demo '__fish_seen_subcommand_from demo'
complete -c firbank -n "$demo" -f -a capacity -d 'Add filters until blocks come too late'
complete -c firbank -n "$demo" -l block -x -d 'Frames a block'
complete -c firbank -n "$demo" -l taps -x -d 'Taps of each filter'
complete -c firbank -n "$demo" -l rate -x -d 'Sample rate in Hz'
complete -c firbank -n "$demo" -l threads -x -d 'Threads that compute'
complete -c firbank -n "$demo" -l backend -x -a '(__firbank_backends)' -d 'What computes'
complete -c firbank -n "$demo" -l most -x -d 'Most filters to try'
complete -c firbank -n "$demo" -l seconds -x -d 'Seconds of blocks a step'
complete -c firbank -n "$demo" -l json -r -F -d 'Every step as JSON'

complete -c firbank -n '__fish_seen_subcommand_from filter run live plan verify design info' -l rate -x -d 'Sample rate in Hz'
complete -c firbank -n '__fish_seen_subcommand_from filter run live serve plan tune verify design info devices doctor' -l json -r -F -d 'Report as JSON'
complete -c firbank -n '__fish_seen_subcommand_from filter info' -l raw-format -x -a 'f32le:2:48000 s16le:2:44100' -d 'Layout of headerless samples'
complete -c firbank -n '__fish_seen_subcommand_from filter run live serve tune verify design doctor' -s q -l quiet -d 'Print less'
complete -c firbank -n '__fish_seen_subcommand_from backends devices doctor' -f
complete -c firbank -n '__fish_seen_subcommand_from doctor' -l quick -d 'Short trials'
complete -c firbank -n '__fish_seen_subcommand_from doctor' -l html -r -F -d 'Readings as a page'

set -l bench '__fish_seen_subcommand_from bench'
complete -c firbank -n "$bench" -f
set -l kinds latency capacity throughput loopback compare show
set -l unsaid "$bench; and not __fish_seen_subcommand_from $kinds"
complete -c firbank -n "$unsaid" -a latency -d 'How late is the output of a paced stream'
complete -c firbank -n "$unsaid" -a capacity -d 'How large a stream stays in time'
complete -c firbank -n "$unsaid" -a throughput -d 'Samples times taps a second'
complete -c firbank -n "$unsaid" -a compare -d 'Which of two builds or reports is slower'
complete -c firbank -n "$unsaid" -a show -d 'Show a report that was kept'
complete -c firbank -n "$unsaid" -a loopback -d 'Measure the round trip of a sound card'
set -l loopback "$bench; and __fish_seen_subcommand_from loopback"
complete -c firbank -n "$loopback" -l input-device -x -a '(__firbank_devices)' -d 'Where sound comes from'
complete -c firbank -n "$loopback" -l output-device -x -a '(__firbank_devices)' -d 'Where sound goes'
complete -c firbank -n "$loopback" -l input-channel -x -d 'Channel of the input device'
complete -c firbank -n "$loopback" -l output-channel -x -d 'Channel of the output device'
complete -c firbank -n "$loopback" -l rate -x -d 'Sample rate in Hz'
complete -c firbank -n "$loopback" -l block -x -d 'Frames a block of the device'
complete -c firbank -n "$loopback" -l latency -x -d 'Milliseconds to ask the device for'
complete -c firbank -n "$loopback" -l level -x -d 'Level of the noise in dBFS'
complete -c firbank -n "$loopback" -l order -x -d 'Of the sequence'
complete -c firbank -n "$loopback" -l repeats -x -d 'Times that it is measured'
complete -c firbank -n "$loopback" -l delay -x -d 'Frames by which to delay what is played'

set -l throughput "$bench; and __fish_seen_subcommand_from throughput"
complete -c firbank -n "$throughput" -l row -x -a 'channel reverb probe matrix bank files' -d 'Only this row'
complete -c firbank -n "$throughput" -l goal -x -a 'live offline' -d 'Calls of a stream or of files'
complete -c firbank -n "$throughput" -l repeats -x -d 'Stretches of each row'
complete -c firbank -n "$throughput" -l block -x -d 'Frames a block'
complete -c firbank -n "$throughput" -l precision -x -a 'float double' -d 'Of the arithmetic'
complete -c firbank -n "$throughput" -s f -l filter -r -F -d 'File with filters'
complete -c firbank -n "$throughput" -l no-resample -d 'Refuse filters of another rate'

set -l stream "$bench; and __fish_seen_subcommand_from latency capacity throughput"
complete -c firbank -n "$stream" -l routing -x -a 'rows bank matrix' -d 'What connects what'
complete -c firbank -n "$stream" -l outputs -x -d 'Output channels of a matrix'
complete -c firbank -n "$stream" -l channels -x -d 'Input channels'
complete -c firbank -n "$stream" -l filters -x -d 'Noise filters'
complete -c firbank -n "$stream" -l taps -x -d 'Taps of each noise filter'
complete -c firbank -n "$stream" -l rate -x -d 'Sample rate in Hz'
complete -c firbank -n "$stream" -l threads -x -d 'Threads that compute'
complete -c firbank -n "$stream" -l partitions -x -d 'Block sizes of the plan'
complete -c firbank -n "$stream" -l costs -r -F -d 'File of costs'
complete -c firbank -n "$stream" -l backend -x -a '(__firbank_backends)' -d 'What computes'
complete -c firbank -n "$stream" -l spectra -x -a 'full int16' -d 'How filters are kept'
complete -c firbank -n "$stream" -l csv -r -F -d 'Lines for a spreadsheet'
complete -c firbank -n "$stream" -l seconds -x -d 'Seconds to measure'
set -l latency "$bench; and __fish_seen_subcommand_from latency"
complete -c firbank -n "$latency" -s f -l filter -r -F -d 'File with filters'
complete -c firbank -n "$latency" -l no-resample -d 'Refuse filters of another rate'
complete -c firbank -n "$latency" -l block -x -d 'Frames a block'
complete -c firbank -n "$latency" -l precision -x -a 'float double' -d 'Of the arithmetic'
complete -c firbank -n "$latency" -l depth -x -d 'Blocks under way'
complete -c firbank -n "$latency" -l gpu-mode -x -a 'whole hybrid throughput' -d 'What a GPU computes'
complete -c firbank -n "$latency" -l drive -x -a 'process pipeline' -d 'How blocks go in and out'
complete -c firbank -n "$latency" -l priority -x -d 'Of SCHED_FIFO'
complete -c firbank -n "$latency" -l processor -x -d 'Processor to stay on'
complete -c firbank -n "$latency" -l no-pin -d 'Stay on no processor'
complete -c firbank -n "$latency" -l spin -x -d 'Microseconds not to sleep'
complete -c firbank -n "$latency" -l no-empty -d 'Without the empty loop'
complete -c firbank -n "$latency" -l unpaced -d 'Blocks follow one another'
complete -c firbank -n "$latency" -l inject-sleep -x -d 'A fault on purpose, in ms'
complete -c firbank -n "$latency" -l inject-every -x -d 'Blocks between faults'
complete -c firbank -n "$latency" -l inject-busy -x -d 'A fault in every block, in percent'
complete -c firbank -n "$latency" -l trace -r -F -d 'Blocks for ui.perfetto.dev'
set -l capacity "$bench; and __fish_seen_subcommand_from capacity"
complete -c firbank -n "$capacity" -l vary -x -a 'channels filters taps' -d 'What is made larger'
complete -c firbank -n "$capacity" -l blocks -x -d 'Frames a block to try'
complete -c firbank -n "$capacity" -l most -x -d 'Largest value to try'
complete -c firbank -n "$capacity" -l within -x -d 'Percent of the deadline'
set -l compare "$bench; and __fish_seen_subcommand_from compare"
complete -c firbank -n "$compare" -l interleave -r -F -d 'Programs to run in turn'
complete -c firbank -n "$compare" -l with -x -d 'What the programs are given'
complete -c firbank -n "$compare" -l rounds -x -d 'Turns that count'
complete -c firbank -n "$compare" -l confidence -x -d 'Percent'
complete -c firbank -n "$compare" -l least-change -x -d 'Percent below which a difference is none'
complete -c firbank -n "$compare" -l figure -x -d 'JSON pointer'
complete -c firbank -n "$compare" -l more-is-better -d 'Of the figure'
complete -c firbank -n "$compare" -F
set -l measured "$bench; and __fish_seen_subcommand_from latency capacity throughput loopback compare"
complete -c firbank -n "$bench; and __fish_seen_subcommand_from show" -F
complete -c firbank -n "$bench; and __fish_seen_subcommand_from $kinds" -l html -r -F -d 'Report as a page'
complete -c firbank -n "$measured" -l json -r -F -d 'Report as JSON'
complete -c firbank -n "$measured" -s q -l quiet -d 'Print less'
