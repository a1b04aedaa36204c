#!/usr/bin/env bash
# Embeds this repository's own pages through a fake endpoint that limits tokens, kills the program in the middle, and starts it
# again; then once more without a kill, to compare.
#
# The fleet takes the ports FLEET_PORT (9100) and the next one. Results go to out/embed. CONFIGURATION (release) says which build.
# The exit status is 0 only if both results are the same, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."

fleet_port=${FLEET_PORT:-9100}
configuration=${CONFIGURATION:-release}
out=out/embed
bin=
fleet=

fail() {
    echo "embed: $*" >&2
    exit 1
}

stop_fleet() {
    [ -z "$fleet" ] || kill "$fleet" 2>/dev/null || true
    [ -z "$fleet" ] || wait "$fleet" 2>/dev/null || true
}
trap stop_fleet EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# embed NAME: one run of the program into out/embed/NAME.
embed() {
    exec "$bin/BatchEmbeddings" --input . --endpoint "http://127.0.0.1:$((fleet_port + 1))/v1/embeddings" \
        --model fake-embed --output "$out/$1" --passage-tokens 200 --overlap-tokens 30 --batch-tokens 1500 \
        --dollars-per-million-tokens 0.02 --progress-interval 2
}

# records: how many results are in the journal of the run that is killed.
records() {
    if [ -f "$out/killed/journal" ]; then wc -l <"$out/killed/journal"; else echo 0; fi
}

[[ "$fleet_port" =~ ^[0-9]{1,5}$ ]] || fail "FLEET_PORT is a port"
for port in "$fleet_port" $((fleet_port + 1)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is taken; set FLEET_PORT to a free one"; fi
done
for product in FakeFleet BatchEmbeddings; do
    swift build -c "$configuration" --package-path Examples --product "$product"
done
bin=$(swift build -c "$configuration" --package-path Examples --show-bin-path)
rm -rf "$out"
mkdir -p "$out"

# 4,000 tokens a second, 4,000 of them at once.
"$bin/FakeFleet" --replicas 1 --port "$fleet_port" --model fake-embed --token-limit 4000 --limit-window 1 \
    >"$out/fleet.log" 2>&1 &
fleet=$!
for _ in $(seq 300); do
    if grep -q ': ready ' "$out/fleet.log"; then break; fi
    kill -0 "$fleet" 2>/dev/null || { cat "$out/fleet.log" >&2; fail "the fleet did not start"; }
    sleep 0.1
done

echo "embed: the first run, which is killed when 100 passages are done"
(embed killed) >"$out/killed.log" &
run=$!
while kill -0 "$run" 2>/dev/null && [ "$(records)" -le 100 ]; do sleep 0.05; done
kill -KILL "$run" || fail "the run ended before it was killed"
wait "$run" 2>/dev/null || true
kept=$(($(records) - 1))
echo "embed: killed; the journal has $kept passages"
echo "embed: started again"
(embed killed)
echo "embed: without a kill, to compare"
(embed whole) >"$out/whole.log"
cmp "$out/killed/embeddings.jsonl" "$out/whole/embeddings.jsonl" || fail "the results differ"
echo "embed: both results are the same, byte for byte: $out/killed/embeddings.jsonl"
