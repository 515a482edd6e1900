# The runner: does what the driver asks, one request after the other. Read by bash on every system, with
# requests on descriptor 3 and replies on descriptor 4. A request is `put SIZE` and so many bytes, which
# become the file /tmp/line/put, or `do SIZE` and a script, which runs in a fresh folder. Before and after
# a script the runner waits for a line, so that the driver can look at its clocks while nothing runs.

export PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC TERM=dumb SHELL=/bin/bash
export PYTHONDONTWRITEBYTECODE=1
TIMEFORMAT='%3U %3S'
umask 022
ulimit -n 1024
ulimit -c 0
mkdir -p /tmp/line /tmp/cases
number=0
echo ready >&4
while read -r -u 3 verb size; do
    head -c "$size" <&3 >"/tmp/line/$verb"
    if [[ $verb == put ]]; then
        echo stored >&4
        continue
    fi
    # Files in memory outlive their case: what a case leaves must not fill the next one's memory.
    rm -rf "/tmp/cases/$number"
    number=$((number + 1))
    mkdir "/tmp/cases/$number"
    cd "/tmp/cases/$number" || exit
    echo begin >&4
    read -r -u 3 go
    {
        time { ( . /tmp/line/do ) </dev/null >/tmp/line/out 2>/tmp/line/err 3<&- 4>&-; }
        status=$?
    } 2>/tmp/line/times
    # A shell that was killed is told of before the times.
    while read -r first second; do user=$first system=$second; done </tmp/line/times
    echo "end $status $user $system" >&4
    read -r -u 3 go
    cd /
    sizes=$(stat -c %s /tmp/line/out /tmp/line/err)
    echo "${sizes/$'\n'/ }" >&4
    cat /tmp/line/out /tmp/line/err >&4
done
