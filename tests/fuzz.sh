#!/bin/sh
# tests/fuzz.sh SECONDS PROGRAM...: fuzzes with each, from what it found before; says "fuzzing: N passed, M failed".
set -u
seconds=$1
shift
passed=0 failed=0
for program in "$@"; do
    corpus="$program.corpus"
    mkdir -p "$corpus"
    if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -artifact_prefix="$program." "$corpus" >"$program.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $program: $(grep -a -o 'Done [0-9]* runs' "$program.log" | tail -n 1)"
    else
        failed=$((failed + 1))
        echo "FAIL $program"
        tail -n 40 "$program.log"
    fi
done
echo "fuzzing: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
