# guard.sh FOLDER SIGNAL [remove]
# Waits for the end of its standard input, then sends SIGNAL to every process whose working directory lies in FOLDER:
# PostgreSQL leaves its parent's session and group, but never its data directory. KILL is repeated until nobody is left,
# since a process may have been forked meanwhile.
cat >/dev/null
inhabitants() {
    find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null | cut -d/ -f3
}
pids=$(inhabitants "$1")
while [ -n "$pids" ]; do
    kill -s "$2" $pids 2>/dev/null
    [ "$2" = KILL ] || break
    pids=$(inhabitants "$1")
done
[ "${3:-}" != remove ] || rm -rf "$1"
