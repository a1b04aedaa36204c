#!/usr/bin/env bash
# Plays the same trace with the same faults against a naive gateway and against one with Spillway's policies.
#
# The fleet takes the ports from FLEET_PORT (9100) to FLEET_PORT + 8, the gateway GATEWAY_PORT (8080). Results go to
# out. The exit status is 0 only if both runs were played to their end.
set -euo pipefail
cd "$(dirname "$0")/.."

fleet_port=${FLEET_PORT:-9100}
gateway_port=${GATEWAY_PORT:-8080}
speed=10
out=out
bin=
children=()

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Stops the programs that this script has started, and waits until they are gone and their ports are free.
stop_children() {
    local pid
    for pid in ${children[@]+"${children[@]}"}; do kill "$pid" 2>/dev/null || true; done
    for pid in ${children[@]+"${children[@]}"}; do wait "$pid" 2>/dev/null || true; done
    children=()
}
trap stop_children EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check_ports() {
    local port
    for port in $(seq "$fleet_port" $((fleet_port + 8))) "$gateway_port"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            fail "port $port is taken; set FLEET_PORT and GATEWAY_PORT to free ones"
        fi
    done
}

# start NAME LOG COMMAND…: runs a program in the background until it says in LOG that it is ready.
start() {
    local name=$1 log=$2 pid
    shift 2
    "$@" >"$log" 2>&1 &
    pid=$!
    children+=("$pid")
    for _ in $(seq 300); do
        if grep -q ': ready ' "$log"; then return; fi
        if ! kill -0 "$pid" 2>/dev/null; then
            cat "$log" >&2
            fail "$name did not start"
        fi
        sleep 0.1
    done
    fail "$name was not ready within 30 s; see $log"
}

# configure FILE: a gateway's configuration with the ports of this run.
configure() {
    local replica
    local -a edits=()
    for replica in 1 2 3 4 5 6 7 8; do
        edits+=(-e "s#127\\.0\\.0\\.1:910$replica#127.0.0.1:$((fleet_port + replica))#")
    done
    sed "${edits[@]}" "Examples/Data/$1" >"$out/$1"
}

# play LABEL: one run against a fresh fleet and a fresh gateway.
play() {
    local label=$1
    check_ports
    configure "gateway-$label.yaml"
    start FakeFleet "$out/$label-fleet.log" \
        "$bin/FakeFleet" --replicas 8 --port "$fleet_port" --speed "$speed" --seed 1
    start Gateway "$out/$label-gateway.log" \
        "$bin/Gateway" --config "$out/gateway-$label.yaml" --port "$gateway_port"
    "$bin/Replay" run --target "http://127.0.0.1:$gateway_port" --control "http://127.0.0.1:$fleet_port" \
        --trace Examples/Data/azure-conversation-slice.csv --faults Examples/Data/faults.json --speed "$speed" \
        --label "$label" --out "$out/$label.json"
    stop_children
}

[[ "$fleet_port" =~ ^[0-9]{1,5}$ && "$gateway_port" =~ ^[0-9]{1,5}$ ]] || fail "FLEET_PORT and GATEWAY_PORT are ports"
mkdir -p "$out"
check_ports
for product in FakeFleet Gateway Replay; do
    swift build -c release --package-path Examples --product "$product"
done
bin=$(swift build -c release --package-path Examples --show-bin-path)
play naive
play spillway
report=$("$bin/Replay" report "$out/naive.json" "$out/spillway.json" --html "$out/demo.html")
echo
echo "demo: the page is $PWD/$out/demo.html"
echo
echo "$report"
