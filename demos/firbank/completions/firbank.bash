# Completion of firbank for bash.

_firbank() {
  local current previous command kind i
  current=${COMP_WORDS[COMP_CWORD]}
  previous=${COMP_WORDS[COMP_CWORD-1]}
  command=
  kind=
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      filter | run | live | serve | demo | plan | tune | verify | design | info | backends | devices | bench | doctor) command=${COMP_WORDS[i]} && break ;;
    esac
  done
  # What bench is to measure, once it is typed.
  if [[ $command == bench ]] && ((i + 1 < COMP_CWORD)); then kind=${COMP_WORDS[i+1]}; fi

  case $previous in
    --goal) mapfile -t COMPREPLY < <(compgen -W 'live offline' -- "$current") && return ;;
    --row) mapfile -t COMPREPLY < <(compgen -W 'channel reverb probe matrix bank files' -- "$current") && return ;;
    --eq-phase) mapfile -t COMPREPLY < <(compgen -W 'minimum linear' -- "$current") && return ;;
    --address) mapfile -t COMPREPLY < <(compgen -W '127.0.0.1 0.0.0.0' -- "$current") && return ;;
    --routing) mapfile -t COMPREPLY < <(compgen -W 'rows bank matrix' -- "$current") && return ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W 'causal full same valid' -- "$current") && return ;;
    --gpu-mode) mapfile -t COMPREPLY < <(compgen -W 'whole hybrid throughput' -- "$current") && return ;;
    --on-overload) mapfile -t COMPREPLY < <(compgen -W 'truncate drop fail' -- "$current") && return ;;
    --drive) mapfile -t COMPREPLY < <(compgen -W 'process pipeline' -- "$current") && return ;;
    --vary) mapfile -t COMPREPLY < <(compgen -W 'channels filters taps' -- "$current") && return ;;
    --spectra) mapfile -t COMPREPLY < <(compgen -W 'full int16' -- "$current") && return ;;
    --precision) mapfile -t COMPREPLY < <(compgen -W 'float double' -- "$current") && return ;;
    --output-format)
      local formats='float32 float64 int16 int24 int32'
      [[ $command == design ]] && formats='float64 float32'
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
      return
      ;;
    --raw-format)
      mapfile -t COMPREPLY < <(compgen -W 's16le:2:48000 s24le:2:48000 s32le:2:48000 f32le:2:48000
        f64le:2:48000' -- "$current")
      return
      ;;
    --backend)
      local names
      # NAME INSTRUCTIONS yes: what can compute here, as the program being completed tells it.
      names=$("${COMP_WORDS[0]}" backends 2>/dev/null | awk '/ yes(,|$)/ { print $1 }')
      mapfile -t COMPREPLY < <(compgen -W "auto cpu $names" -- "$current")
      return
      ;;
    --costs)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -W 'cached default' -f -- "$current")
      return
      ;;
    -f | --filter | --json | --html | --csv | --trace | --record | --input | --output)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --input-device | --output-device)
      local devices
      # Numbers are all that need no quotes.
      devices=$("${COMP_WORDS[0]}" devices 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')
      mapfile -t COMPREPLY < <(compgen -W "$devices" -- "$current")
      return
      ;;
    --monitor | --token | --input-channels | --output-channels | --device-block | --latency | --crossfade | --max-peak | --max-taps | --most) return ;;
    --input-channel | --output-channel | --level | --order | --repeats | --delay) return ;;
    --preset | --eq-taps | --outputs | --block | --threads | --partitions | --alternatives | --depth | --rate | --gain | --channels | --filters | --taps | \
      --seconds | --repeats | --seed | --cutoff | --low | --high | --transition | --attenuation) return ;;
  esac

  local bank='--filter --routing --outputs --no-resample' options=
  local engine='--block --threads --partitions --costs' arithmetic='--precision --backend'
  local playing='--input-device --output-device --input-channels --output-channels --device-block
    --latency --gain --limiter --bypass --crossfade --max-taps --watch --record --seconds --keys
    --monitor --address --token'
  case $command in
    '') options='filter run live serve demo plan tune verify design info backends devices bench doctor --help --version' ;;
    filter)
      options="$bank $engine $arithmetic --spectra --mode --depth --gpu-mode --memory-limit --on-overload
        --gain --normalize --output-format --dither --rate --raw-format --json --quiet --as-live --realtime --strict --help"
      ;;
    live)
      options="$bank $engine $playing --backend --spectra --depth --channels --rate --max-peak
        --normalize --json --quiet --help"
      ;;
    run)
      options="$engine $arithmetic $playing --spectra --input --output --output-format --preset --check
        --channels --rate --eq-taps --eq-phase --json --quiet --help"
      ;;
    serve) options='--preset --monitor --address --token --json --quiet --help' ;;
    demo)
      options='capacity --block --taps --rate --threads --backend --most --seconds --json --help'
      ;;
    plan)
      options="$bank $engine $arithmetic --spectra --channels --filters --taps --rate --depth
        --gpu-mode --memory-limit --alternatives --offline --json --help"
      ;;
    tune) options="$arithmetic --dry-run --json --quiet --help" ;;
    verify)
      options="$bank $engine --channels --filters --taps --rate --seconds --seed --json --quiet
        --help"
      ;;
    design)
      options='--rate --cutoff --low --high --transition --attenuation --taps --output-format --json
        --quiet --help'
      if [[ $previous == design ]]; then
        options="lowpass highpass bandpass bandstop hilbert $options"
      fi
      ;;
    info) options='--raw-format --rate --json --help' ;;
    backends) options='--help' ;;
    devices) options='--json --help' ;;
    doctor) options='--quick --json --html --quiet --help' ;;
    bench)
      case $kind in
        '') options='latency capacity throughput loopback compare show --help' ;;
        latency)
          options='--filter --routing --outputs --no-resample --channels --filters --taps --rate --block
            --threads --partitions --costs --precision --backend --spectra --depth --gpu-mode --seconds
            --drive --priority --processor --no-pin --spin --no-empty --unpaced --inject-sleep --inject-every
            --inject-busy --json --html --csv --trace --quiet --help'
          ;;
        capacity)
          options='--routing --outputs --channels --filters --taps --rate --threads --partitions
            --costs --backend --spectra --vary --blocks --most --within --seconds
            --json --html --csv --quiet --help'
          ;;
        throughput)
          options="$bank $engine $arithmetic --spectra --row --goal --channels --filters --taps --rate
            --seconds --repeats --json --html --csv --quiet --help"
          ;;
        show) options='--html --help' ;;
        compare)
          options='--interleave --with --rounds --confidence --least-change --figure --more-is-better --json
            --html --quiet --help'
          ;;
        loopback)
          options='--input-device --output-device --input-channel --output-channel --rate --block
            --latency --level --order --repeats --delay --json --html --quiet --help'
          ;;
      esac
      ;;
  esac
  if [[ $current == -* || -z $command || ($command == bench && -z $kind) ||
    ($command == design && $previous == design) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif [[ $command == filter || $command == run || $command == serve || $command == design || $command == info || $kind == show || $kind == compare ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -F _firbank firbank
