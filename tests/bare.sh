#!/bin/sh
# Runs the two commands of the README on clones of HEAD in fresh minimal installations of Debian 12, once as root and once
# as a user with sudo; the last line is "N passed, M failed". It takes half an hour, and must be started as root.
# Usage: bare.sh [MIRROR]; without one, the mirror is that of apt's sources.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$root/apps/build.sh"
. "$root/tests/suites.sh"
release=bookworm
user=visitor

mirror_of_apt() {
  # shellcheck disable=SC2016 # apt-get replaces these
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' | sed -n "s/^$release main //p" | head -n 1
}

# Prints the proxies that apt uses here, as lines of its configuration.
proxies() {
  apt-config dump | grep -E '^Acquire::(http|https)::Proxy' || true
}

# Makes $bare/debian an installation with only what Debian marks as required, and apt, from the mirror $1.
install_debian() {
  http_proxy=${http_proxy-$(proxies | sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p')}
  export http_proxy
  debootstrap --variant=minbase "$release" "$bare/debian" "$1" > "$bare/log" 2>&1 || {
    cat "$bare/log" >&2
    return 1
  }
  proxies > "$bare/debian/etc/apt/apt.conf.d/proxies"
  echo "127.0.0.1 localhost $(hostname)" > "$bare/debian/etc/hosts"
}

# Runs a command of the shell in the installation, without this machine's environment: inside ACCOUNT COMMAND
inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM-dumb}" \
    chroot "$system" setpriv --reuid "$1" --regid "$1" --init-groups --reset-env sh -c "cd && $2"
}

# Runs a command as an account would, and counts it: try ACCOUNT COMMAND
try() {
  echo "== $1: $2"
  if inside "$1" "cd fjord && $2"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# Everything for the account $1.
visit() {
  system=$bare/$1
  cp -a "$bare/debian" "$system"
  mount -t proc proc "$system/proc"
  mount --bind /dev "$system/dev"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$system/dev/pts"
  if [ "$1" != root ]; then
    inside root "apt-get update -qq && apt-get install -y -qq --no-install-recommends sudo > /dev/null 2>&1 &&
      useradd --create-home $1 && echo '$1 ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/$1"
  fi
  home=$system$(inside "$1" pwd)
  git -c safe.directory='*' clone --quiet --no-hardlinks "$root" "$home/fjord"
  chroot "$system" chown -R "$1:$1" "${home#"$system"}/fjord"
  try "$1" "sh apps/moons/run.sh"
  try "$1" "sh tests/run.sh"
  echo "$passed $failed" > "$bare/counts"
}

# Runs a function of this script in namespaces of its own: its mounts and processes end with it, however it ends. In the
# background and waited for, so that the traps run at once: apart FUNCTION ARGUMENT
apart() {
  FJORD_BARE=$bare unshare --mount --pid --fork --kill-child sh "$root/tests/bare.sh" "$@" &
  child=$!
  status=0
  wait "$child" || status=$?
  child=""
  return "$status"
}

# Removes a folder; processes in it that were killed are not gone at once.
remove() {
  for _ in 1 2 3 4 5; do
    rm -rf --one-file-system "$1" 2> /dev/null && return
    sleep 1
  done
  echo "bare.sh: could not remove $1" >&2
}

clean_up() {
  [ -z "${child-}" ] || kill -KILL "$child" 2> /dev/null || true
  remove "$bare"
}

case ${1-} in
  -*)
    sed -n '2,5s/^# //p' "$0"
    exit 0
    ;;
esac
if [ "${FJORD_BARE+set}" ]; then
  bare=$FJORD_BARE
  "$@"
  exit
fi
[ "$(id -u)" -eq 0 ] || { echo "bare.sh: only root can make installations" >&2; exit 2; }
install_missing debootstrap git util-linux
mirror=${1-$(mirror_of_apt)}
[ -n "$mirror" ] || { echo "bare.sh: apt's sources do not have $release; name a mirror" >&2; exit 2; }
bare=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
apart install_debian "$mirror"
for account in root "$user"; do
  echo "0 2" > "$bare/counts"
  apart visit "$account" || true
  read -r now_passed now_failed < "$bare/counts"
  passed=$((passed + now_passed))
  failed=$((failed + now_failed))
  remove "$bare/$account"
done
finish
