# Sourced by the run scripts, with `root` set to the checkout: what they share, installing and configuring.

# Installs the Debian packages among the arguments that are missing, and says so before.
install_missing() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  echo "installing Debian packages:$missing" >&2
  as_root=""
  [ "$(id -u)" -eq 0 ] || as_root="sudo"
  # shellcheck disable=SC2086 # the list is meant to be split
  $as_root apt-get update -qq >&2 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 || {
    echo "could not install:$missing; install them by hand and run this again" >&2
    return 1
  }
}

build_packages="meson ninja-build pkg-config cmake g++ libopenblas-dev libxtensor-dev libxsimd-dev
  nlohmann-json3-dev libcli11-dev libtomlplusplus-dev doctest-dev"

# Makes the build folder once: a release build for this processor.
configure() {
  [ -f "$root/build/build.ninja" ] || meson setup "$root/build" "$root" -Dcpu=native >&2
}
