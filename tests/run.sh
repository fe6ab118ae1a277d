#!/bin/sh
# Runs the test programs given, then (without --unit) the simulator and the end-to-end scripts; shows what failed, and closes with one
# line of totals. Each part says "N passed, M failed" in its last lines.
set -u
unit_only=
[ "${1:-}" = --unit ] && unit_only=yes && shift
passed=0 failed=0

count() { # name, passed, failed, log
    passed=$((passed + $2)) failed=$((failed + $3))
    if [ "$3" -ne 0 ]; then
        echo "FAIL $1 ($2 passed, $3 failed)"
        tail -n 60 "$4"
    else
        echo "ok   $1 ($2)"
    fi
}

# Criterion's last line: "[====] Synthesis: Tested: 7 | Passing: 7 | Failing: 0 | Crashing: 0"
for t in "$@"; do
    log="$t.log"
    if "$t" --jobs 2 >"$log" 2>&1; then status=0; else status=$?; fi
    line=$(grep -a 'Synthesis: Tested' "$log" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*Passing: [^0-9]*\(\x1b\[[0-9;]*m\)\{0,1\}\([0-9]*\).*/\2/p')
    n=$(printf '%s' "$line" | sed -n 's/.*Tested: [^0-9]*\(\x1b\[[0-9;]*m\)\{0,1\}\([0-9]*\).*/\2/p')
    p=${p:-0} n=${n:-0}
    f=$((n - p))
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    count "$t" "$p" "$f" "$log"
done

# A script or program of ours: its last "N passed, M failed".
part() { # name, log, status
    line=$(grep -a -o '[0-9]* passed, [0-9]* failed' "$2" | tail -n 1)
    p=$(printf '%s' "$line" | cut -d' ' -f1)
    f=$(printf '%s' "$line" | cut -d' ' -f3)
    p=${p:-0} f=${f:-0}
    if [ "$3" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    grep -a '^NOT RUN' "$2"
    count "$1" "$p" "$f" "$2"
}

if [ -z "$unit_only" ]; then
    out=build/logs
    mkdir -p "$out"
    build/tests/sim/abgleich-sim --first 1 --seeds 1000 >"$out/sim1.log" 2>&1 &
    one=$!
    build/tests/sim/abgleich-sim --first 1001 --seeds 1000 >"$out/sim2.log" 2>&1 &
    two=$!
    wait "$one"; part "simulator, seeds 1-1000" "$out/sim1.log" $?
    wait "$two"; part "simulator, seeds 1001-2000" "$out/sim2.log" $?
    build/tests/sim/abgleich-sim --modes tests/modes/table.txt >"$out/modes.log" 2>&1
    part "the mode table in the simulator" "$out/modes.log" $?
    build/tests/sim/abgleich-sim --soak 50 >"$out/soak.log" 2>&1
    part "an hour of virtual time, 50 accounts" "$out/soak.log" $?
    /usr/bin/python3 tests/mutants/mutants.py --table >"$out/mutants.log" 2>&1
    part "the table of planted faults" "$out/mutants.log" $?
    for script in tests/e2e/test_*.py; do
        [ -e "$script" ] || continue
        log="$out/$(basename "$script" .py).log"
        /usr/bin/python3 "$script" >"$log" 2>&1
        part "$script" "$log" $?
    done
    tests/fuzz.sh 6 build-fuzz/fuzz_multistatus build-fuzz/fuzz_vcard build-fuzz/fuzz_merge build-fuzz/fuzz_people build-fuzz/fuzz_graph build-fuzz/fuzz_directory >"$out/fuzz.log" 2>&1
    part "fuzzing, some seconds each" "$out/fuzz.log" $?
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
