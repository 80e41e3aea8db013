# What a shell asks of processes: subshells, pipelines, substitutions, traps, redirections, statuses.
# $SH is the shell itself, $DIR a folder to write to.
echo start; x=$(echo sub); echo "got $x"
(exit 3); echo "status $?"
for i in 1 2 3; do echo $i; done | while read a; do echo "line $a"; done
f() { echo "in f $1"; return 4; }; f arg; echo "f $?"
trap 'echo trapped' TERM
( kill -TERM $$ ) &
wait; echo "waited"
true && echo and || echo or
show() { while read l; do echo "show $l"; done; }
show <<X | while read l; do echo "here $l"; done
one
two
X
exec 3>$DIR/out; echo to3 >&3; exec 3>&-; read l <$DIR/out; echo "file $l"
$SH -c 'echo nested $0 $1; exit 9' zero one; echo "nested $?"
printf '%s\n' a b c >$DIR/list; n=0; while read q; do n=$((n+1)); done <$DIR/list; echo "lines $n"
/nonexistent 2>/dev/null; echo "not found $?"
$SH -c 'kill -KILL $$' 2>/dev/null; echo "killed $?"
i=0; while [ $i -lt 40 ]; do $SH -c 'exit 5' || i=$((i+1)); done; echo "ran $i"
yes() { while :; do echo y; done; }; yes | { read a; echo "pipe $a"; }
(cd /; pwd); [ "$(pwd)" = "$DIR" ] && echo "same folder"
(umask 027; umask); umask 022; umask
( sleeper() { while :; do :; done; }; sleeper & p=$!; kill $p; wait $p; echo "background $?" )
set -e; false; echo unreachable
