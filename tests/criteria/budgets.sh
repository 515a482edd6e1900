#!/usr/bin/env bash
# What a spent budget does, shown with the real program, pi and the local model.
#
# An agent with `daily: $0.50` works through a task on a priced model that is played from a script, and
# runs out in the middle. With `degrade` the turn goes on with the local model, without an error and
# without anybody's help; with `pause` it waits until a second command raises the cap; with `stop` it
# ends with exit code 4. `budget explain` accounts for every cent.
#
#   cargo xtask test criteria     builds what it needs and runs it
#
# Takes the program from XPRESSCLAW_BINARY, harnesses and models from XPRESSCLAW_HARNESS_PATH and
# XPRESSCLAW_MODEL_PATH. Ends with 0 when everything was as said, and with 1 at the first thing that was not.
set -euo pipefail

: "${XPRESSCLAW_BINARY:?names the program}"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export NO_COLOR=1

fail() { echo "CRITERION NOT MET: $*" >&2; exit 1; }
has() { grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "no \`$2\` in $1"; }; }
hasnt() { ! grep -qF -- "$2" "$1" || { grep -F -- "$2" "$1" >&2; fail "there is \`$2\` in $1"; }; }
# Events of interest, without the words of the answer.
shown() { grep -vE '"type":"(message|thought|commands|call_update)"' "$1" | cut -c1-330; }

# Each answer costs 50,000 x $3 + 1,000 x $15 per million: $0.165. Three do not fit into $0.50 with what
# a fourth could cost; what is left after two pays for no third, since that may be long.
cat > "$place/task.jsonl" <<'SCRIPT'
{"price": {"input": "$3", "output": "$15"}}
{"thinking": "First I look.", "text": "I read the first file. ", "tool_calls": [{"name": "read", "arguments": {"path": "first.txt"}}], "usage": {"input": 50000, "output": 1000}}
{"text": "And now the second. ", "tool_calls": [{"name": "read", "arguments": {"path": "second.txt"}}], "usage": {"input": 50000, "output": 1000}}
{"text": "The first file greets and the second says goodbye.", "usage": {"input": 50000, "output": 1000}}
SCRIPT

prepare() { # on_exceeded
    home="$place/$1"
    mkdir -p "$home/workspace"
    echo "hello from the first file" > "$home/workspace/first.txt"
    # Long enough that reading it again costs more than what is left.
    for n in $(seq 1250); do echo "line $n: goodbye from the second file"; done > "$home/workspace/second.txt"
    cat > "$home/xpressclaw.yaml" <<CONFIG
agents:
  - name: pi
    harness: pi
    workspace: workspace
    settings: {defaultTools: [read]}
    budget: {daily: \$0.50, on_exceeded: $1}
local: {context_window: 4096}
CONFIG
    export XPRESSCLAW_DATA_DIR="$home/data" XPRESSCLAW_CONFIG="$home/xpressclaw.yaml"
}

run() {
    timeout 600 "$XPRESSCLAW_BINARY" run pi --model "script:$place/task.jsonl" --format json \
        "Read both files and say what is in them."
}

echo "== degrade: the turn goes on with the local model"
prepare degrade
run > "$home/events" 2> "$home/notes" || { cat "$home/events" "$home/notes"; fail "the run ended with $?"; }
shown "$home/events"
has "$home/events" '"type":"downgrade","from":"script:task.jsonl","to":"local"'
has "$home/events" '"type":"turn_finished"'
has "$home/events" '"model":"local/'
hasnt "$home/events" '"type":"step_failed"'
hasnt "$home/events" '"type":"turn_failed"'
hasnt "$home/events" '"type":"ask"'
hasnt "$home/events" 'The first file greets'
"$XPRESSCLAW_BINARY" budget explain --agent pi > "$home/explained"
cat "$home/explained"
has "$home/explained" '`script:task.jsonl` was asked for, and routed to `local`'
has "$home/explained" '$0.33'
"$XPRESSCLAW_BINARY" budget --agent pi | tee "$home/budget"
has "$home/budget" '$0.33'

echo
echo "== pause: the turn waits until a second command raises the cap"
prepare pause
run > "$home/events" 2> "$home/notes" &
running=$!
for _ in $(seq 600); do
    grep -qF 'waiting until it resets or is raised' "$home/events" && break
    kill -0 "$running" 2>/dev/null || { cat "$home/events" "$home/notes"; fail "it did not wait"; }
    sleep 0.1
done
has "$home/events" 'waiting until it resets or is raised'
hasnt "$home/events" '"type":"turn_finished"'
"$XPRESSCLAW_BINARY" budget set daily '$2' --agent pi
wait "$running" || fail "the run ended with $?"
shown "$home/events"
hasnt "$home/events" '"type":"downgrade"'
hasnt "$home/events" '"type":"step_failed"'
has "$home/events" '"stop":"end_turn"'
"$XPRESSCLAW_BINARY" budget explain --agent pi | tail -1 | tee "$home/explained"
has "$home/explained" '3 requests, $0.495'

echo
echo "== stop: the turn ends, and says which budget"
prepare stop
code=0
run > "$home/events" 2> "$home/notes" || code=$?
shown "$home/events"
[ "$code" = 4 ] || fail "it ended with $code and not with 4"
has "$home/events" 'the budget is spent: $0.17 of $0.50 (agent daily)'
"$XPRESSCLAW_BINARY" budget explain --agent pi | tail -1 | tee "$home/explained"
has "$home/explained" '2 requests, $0.33'

echo
echo "all criteria met"
