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
    needs /usr/include/hiredis/hiredis.h libhiredis-dev
    # The tests start one; Valkey's does as well.
    command -v valkey-server >/dev/null || needs /usr/bin/redis-server redis-server
    # For the tests of the gateway with the official OpenAI client.
    command -v python3 >/dev/null || missing+=(python3)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
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
    has() { for prefix in /opt/homebrew /usr/local; do [ -e "$prefix/$1" ] && return 0; done; return 1; }
    has include/xxhash.h || missing+=(xxhash)
    has include/hiredis/hiredis.h || missing+=(hiredis)
    command -v python3 >/dev/null || missing+=(python)
    has bin/redis-server || has bin/valkey-server || missing+=(redis)
    [ "${#missing[@]}" -eq 0 ] && exit 0
    command -v brew >/dev/null || { say "please install ${missing[*]} (there is no Homebrew here)"; exit 1; }
    say "installing ${missing[*]}"
    brew install "${missing[@]}"
    ;;
esac
