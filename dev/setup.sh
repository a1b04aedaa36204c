#!/usr/bin/env bash
# Installs the system packages that the build needs and that are missing. Says what it does; does nothing twice.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }

command -v swift >/dev/null || { say 'Swift is missing: see https://www.swift.org/install'; exit 1; }

missing=()
needs() { [ -e "$1" ] || missing+=("$2"); }

case "$(uname -s)" in
Linux)
    needs /usr/include/xxhash.h libxxhash-dev
    needs /usr/include/sqlite3.h libsqlite3-dev
    [ "${#missing[@]}" -eq 0 ] && exit 0
    command -v apt-get >/dev/null || { say "please install: ${missing[*]} (there is no apt-get here)"; exit 1; }
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { say "please install as root: ${missing[*]}"; exit 1; }
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
        "${as_root[@]}" apt-get update >/dev/null
        "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null
    }
    say 'done'
    ;;
Darwin)
    for prefix in /opt/homebrew /usr/local; do [ -e "$prefix/include/xxhash.h" ] && exit 0; done
    command -v brew >/dev/null || { say 'please install xxhash (there is no Homebrew here)'; exit 1; }
    say 'installing xxhash'
    brew install xxhash
    ;;
esac
