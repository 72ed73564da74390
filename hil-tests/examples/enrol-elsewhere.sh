#!/usr/bin/env bash
# A test rig in a shell: enrols a user at one terminal, waits until the user has come to another one on another line, and
# lets the same finger open the door there. Needs bash and curl; exits with 0 when it worked.
#
#   hil-tests/examples/enrol-elsewhere.sh                  starts an emulator and a gateway of its own, on pseudo-terminals
#   CONTROL=http://127.0.0.1:7480 FROM=terminal-1 TO=terminal-5 hil-tests/examples/enrol-elsewhere.sh
#                                                          takes those that run, with terminals that are paired
#
# WHORL and WHORL_EMULATOR say how the commands are called, PATIENCE how many seconds something may take, USER_ID who is
# enrolled: any number from 10000 on unless it says.
set -euo pipefail

read -ra whorl <<<"${WHORL:-npx whorl}"
read -ra emulator <<<"${WHORL_EMULATOR:-npx whorl-emulator}"
control=${CONTROL:-}
control=${control%/}
from=${FROM:-terminal-1}
to=${TO:-terminal-3}
user=${USER_ID:-$((10000 + RANDOM))}
patience=${PATIENCE:-60}
folder=$(mktemp -d)
started=()

# Each is ended with what it has started itself, which npx does not do.
set -m
end() {
  for process in ${started[@]+"${started[@]}"}; do
    { kill -- "-$process" && wait "$process"; } 2>/dev/null || true
    while kill -0 -- "-$process" 2>/dev/null; do sleep 0.1; done
  done
  rm -rf "$folder"
}
trap end EXIT

fail() {
  echo "$1" >&2
  for log in "$folder"/*.log; do [[ -s $log ]] && { echo "--- $log" && tail -n 20 "$log"; } >&2; done
  exit 1
}

# Does something again and again until it succeeds. until_done WHAT COMMAND...
until_done() {
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@" >"$folder/until" 2>"$folder/until.log"; do
    ((SECONDS < deadline)) || fail "$what: not within $patience s"
    sleep 0.2
  done
  rm -f "$folder/until.log"
}

# Does something at a terminal. act TERMINAL ACTION [JSON]
act() {
  ask "/terminals/$1/$2" -X POST -H 'content-type: application/json' -d "${3:-{\}}"
}

# What the emulator answers; what it refuses is told with its reason. ask PATH [CURL_OPTION...]
ask() {
  local answer path=$1
  shift
  answer=$(curl -sS --fail-with-body "$@" "$control$path") || fail "$control$path: ${answer:-no emulator answers}"
  echo "$answer"
}

# A member of a flat JSON object on standard input.
member() { sed -nE "s/.*\"$1\":\"?([^,\"}]*).*/\1/p" | head -n 1; }

start_emulator() {
  "${emulator[@]}" fleet --lines 2 --terminals 2 --users 20 --pty "$folder" --control-port 0 --json \
    >"$folder/emulator.json" 2>"$folder/emulator.log" &
  started+=($!)
  until_done 'the emulator starts' grep -q controlPort "$folder/emulator.json"
  control="http://127.0.0.1:$(member controlPort <"$folder/emulator.json")"
}

start_gateway() {
  cat >"$folder/whorl.yaml" <<EOF
gateway: { name: rig }
data: $folder/data
http: { host: 127.0.0.1, port: 0 }
lines:
  - name: line-1
    serial: { path: $folder/line-1.line, baud: 115200 }
    terminals: [{ name: terminal-1, address: 1 }, { name: terminal-2, address: 2 }]
  - name: line-2
    serial: { path: $folder/line-2.line, baud: 115200 }
    terminals: [{ name: terminal-3, address: 1 }, { name: terminal-4, address: 2 }]
EOF
  "${whorl[@]}" start --config "$folder/whorl.yaml" >"$folder/gateway.log" 2>&1 &
  started+=($!)
  until_done 'the gateway starts' "${whorl[@]}" --data "$folder/data" status
}

pair() {
  local code
  code=$(act "$1" pair | member code)
  "${whorl[@]}" --data "$folder/data" pair "$1" --code "$code"
}

if [[ -z $control ]]; then
  start_emulator
  start_gateway
  for terminal in "$from" "$to"; do until_done "$terminal is paired" pair "$terminal"; done
fi

for terminal in "$from" "$to"; do ask "/terminals/$terminal" >/dev/null; done
since=$(curl -sS -o /dev/null -D - "$control/lines" | tr -d '\r' | sed -n 's/^event-id: //p')
act "$from" enrol-begin "{\"user\":$user,\"name\":\"Ada\",\"finger\":3}" >"$folder/enrol.log"
for reading in 1 2 3; do result=$(act "$from" finger | member result); done
[[ $result == enrolled ]] || fail "$from: the enrolment ended as $result"
echo "$from: user $user is enrolled"

# What the gateway does at the other terminal is in that terminal's log.
grep -qm1 "\"origin\":\"gateway\",\"user\":$user," \
  <(curl -sN --max-time "$patience" "$control/events?terminal=$to&kind=log&after=$since") ||
  fail "$to: user $user has not come within $patience s; is it paired with a gateway, and so is $from?"
echo "$to: user $user has come"

result=$(act "$to" finger "{\"user\":$user,\"slot\":3}" | member result)
[[ $result == granted ]] || fail "$to: the finger was $result"
echo "$to: the finger opens the door"
