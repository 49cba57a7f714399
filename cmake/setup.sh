# shellcheck shell=bash
# What tests/run, tests/full, demos/run and .ci/run share; to be sourced by bash, not run.
#
# Sets `root` (the repository) and changes to it.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root" || exit

say() { printf '== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

# missing_packages PACKAGE...: those that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# install_packages LIST...: installs what is missing of cmake/packages/LIST.txt, with apt-get, as
# root or through sudo; does nothing, and needs neither, when all is there.
install_packages() {
  local list wanted=() missing=() as_root=()
  command -v dpkg-query >/dev/null ||
    die "this is not Debian: install what cmake/packages/*.txt name, then build with cmake (README)"
  for list in "$@"; do
    mapfile -t -O "${#wanted[@]}" wanted < <(grep -v '^#' "cmake/packages/$list.txt")
  done
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if [ ${#missing[@]} -eq 0 ]; then
    say "all ${#wanted[@]} Debian packages needed are installed"
    return
  fi
  say "installing ${#missing[@]} of ${#wanted[@]} Debian packages needed: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "not root and no sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=300 -q -y)
  local log
  log=$(mktemp)
  if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: ${missing[*]}"
  fi
  rm -f "$log"
}

# configure DIR [CMAKE OPTION...]: configures build/DIR, a release build unless told otherwise.
configure() {
  local dir=build/$1 launcher=()
  shift
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  say "configuring $dir"
  mkdir -p build
  cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Release "${launcher[@]}" "$@" \
    >"$dir.configure.log" 2>&1 || {
    cat "$dir.configure.log" >&2
    die "cmake could not configure $dir"
  }
  grep '^-- CUDA' "$dir.configure.log" || true
}

# python_environment NAME: a virtual environment in build/python-NAME with what
# python/requirements/NAME.txt names; made anew when that has changed. Sets `python`.
python_environment() {
  local folder=build/python-$1 wanted log
  python=$root/$folder/bin/python
  wanted=$(cat python/requirements/*.txt)
  if [ "$wanted" = "$(cat "$folder/installed.txt" 2>/dev/null)" ]; then
    say "all Python packages needed are in $folder"
    return
  fi
  say "installing Python packages into $folder (python/requirements/$1.txt)"
  rm -rf "$folder"
  mkdir -p build
  log=$(mktemp)
  if ! { /usr/bin/python3 -m venv "$folder" &&
    "$python" -m pip install --disable-pip-version-check -r "python/requirements/$1.txt"; } \
    </dev/null >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "pip could not install what python/requirements/$1.txt names"
  fi
  rm -f "$log"
  printf '%s\n' "$wanted" >"$folder/installed.txt"
}
