# Sourced by the run scripts, with `root` set to the checkout: installing, configuring and building.

build_packages="meson ninja-build pkg-config cmake g++ libopenblas-dev libxtensor-dev libxsimd-dev
  nlohmann-json3-dev libcli11-dev libtomlplusplus-dev doctest-dev"

# Installs the Debian packages among the arguments that are missing, and says so before.
install_missing() {
  installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  missing=""
  for package in "$@"; do
    case "$installed" in
      *" installed:$package "*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  echo "installing Debian packages:$missing" >&2
  as_root=""
  [ "$(id -u)" -eq 0 ] || as_root="sudo"
  $as_root apt-get update -qq >&2 &&
    # shellcheck disable=SC2086 # the list is meant to be split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 || {
    echo "could not install:$missing; install them by hand and run this again" >&2
    return 1
  }
}

# Makes the folder $root/FOLDER, with these options of meson, unless this checkout has it already; then it only looks for
# packages again if some were installed since.
configure() {
  folder=$1
  shift
  # Without the file that meson writes last, or made for a checkout in another place, it is of no use.
  if [ -f "$root/$folder/build.ninja" ] && [ "$(readlink "$root/$folder/fjord")" = "$root" ]; then
    [ ! /var/lib/dpkg/status -nt "$root/$folder/build.ninja" ] || meson setup --reconfigure "$root/$folder" >&2
    return 0
  fi
  [ ! -d "$root/$folder/meson-private" ] || rm -rf "${root:?}/$folder"
  meson setup "$root/$folder" "$root" "$@" >&2
}

# Builds the targets in $root/FOLDER; says so, and shows the progress, only if there is something to do. A compiler a core:
# two more, as ninja starts by itself, push each other out of the caches and take longer.
build() {
  folder=$1
  shift
  case $(ninja -C "$root/$folder" -n "$@" 2>&1) in
    *"no work to do"*) return 0 ;;
  esac
  echo "building; the first time takes some minutes" >&2
  [ -t 2 ] || set -- --quiet "$@"
  ninja -C "$root/$folder" -j "$(nproc)" "$@" >&2
}
