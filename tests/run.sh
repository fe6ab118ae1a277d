#!/bin/sh
# Runs each test program given, shows what failed, and closes with one line of totals.
set -u
passed=0 failed=0
for t in "$@"; do
    log="$t.log"
    if "$t" --jobs 2 >"$log" 2>&1; then status=0; else status=$?; fi
    # Criterion's last line: "[====] Synthesis: Tested: 7 | Passing: 7 | Failing: 0 | Crashing: 0"
    line=$(grep -a 'Synthesis: Tested' "$log" | tail -n 1)
    p=$(printf '%s' "$line" | sed -n 's/.*Passing: [^0-9]*\(\x1b\[[0-9;]*m\)\{0,1\}\([0-9]*\).*/\2/p')
    n=$(printf '%s' "$line" | sed -n 's/.*Tested: [^0-9]*\(\x1b\[[0-9;]*m\)\{0,1\}\([0-9]*\).*/\2/p')
    p=${p:-0} n=${n:-0}
    f=$((n - p))
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    passed=$((passed + p)) failed=$((failed + f))
    if [ "$f" -ne 0 ]; then
        echo "FAIL $t ($p of $n passed, exit $status)"
        tail -n 60 "$log"
    else
        echo "ok   $t ($p)"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
