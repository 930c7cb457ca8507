"""What people do in a RUN: each use a script that ends with 0 when it worked."""

from typing import NamedTuple


class Use(NamedTuple):
    """Something that people do: a script that ends with 0, or with `exit_code`, when it worked."""

    name: str
    script: str
    needs: str = "sh"  # a program, or a module of Python, without which there is nothing to try
    namespaces: bool = False  # the Landlock backend cannot: its gaps, and no network of its own
    again: bool = False  # run as two commands of one plan
    exit_code: int = 0


# Each command runs after `set -eu`, in an empty directory of its own below the root.
USES = [
    Use(
        "git: init, commit, diff, log",
        """
git init -q
git config user.email a@b.c
git config user.name A
echo one > file
git add file
git commit -qm first
echo two > file
git diff | grep -q '^+two'
git log --oneline | grep -q first
git checkout -q -b other
git stash -q
git status --short
""",
        needs="git",
    ),
    Use(
        "git: committing, branching and rebasing in a repository that was there",
        """
if [ ! -d .git ]; then
    git init -q -b main && git config user.email a@b.c && git config user.name A
    for n in 1 2 3; do echo $n > file; git add file; git commit -qm $n; done
    git branch side HEAD~1
else
    echo 4 > more && git add more && git commit -qm 4
    git checkout -q side && echo 5 > other && git add other && git commit -qm 5
    git rebase -q main && git checkout -q main && git merge -q side
    git tag v1 && git stash list && git gc -q
    test "$(git log --format=%s | tr '\\n' ,)" = 5,4,3,2,1,
fi
""",
        needs="git",
        again=True,
    ),
    Use(
        "a suite of unit tests",
        """
cat > sums.py <<'PY'
def add(a, b):
    return a + b
PY
cat > test_sums.py <<'PY'
import unittest
from sums import add
class Sums(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 2), 4)
PY
python3 -m unittest 2> report
grep -q OK report
""",
    ),
    Use("pipes", "test $(seq 100000 | grep 7 | sort -r | head -n 1) = 99997"),
    Use(
        "a here-document",
        """
cat > text <<END
a $((1 + 1)) b
END
test "$(cat text)" = "a 2 b"
""",
    ),
    Use(
        "TMPDIR is writable",
        """
file=$(mktemp)
echo text > "$file"
test "${file#"$TMPDIR"/}" != "$file"
python3 -c 'import os, tempfile; assert tempfile.gettempdir() == os.environ["TMPDIR"]'
""",
    ),
    Use(
        "/tmp is private and writable",
        """
test "$(ls -A /tmp | wc -l)" -le 4  # the way to the root, to HOME, and perhaps to Python
echo text > /tmp/mine && test "$(cat /tmp/mine)" = text
""",
        namespaces=True,
    ),
    Use(
        "HOME is fresh and writable",
        """
test -z "$(find "$HOME" -type f -not -path '*/.cache/*' | head -n 1)"
echo setting > ~/.config-of-mine && grep -q setting "$HOME/.config-of-mine"
""",
    ),
    Use(
        "HOME stays for the later commands of a plan",
        """
if test -e ../second; then test -e ~/.once; else touch ../second ~/.once; fi
""",
        again=True,
    ),
    Use(
        "multiprocessing: a pool and its locks",
        """
cat > pool.py <<'PY'
import multiprocessing
def square(x):
    with lock:
        counter.value += 1
    return x * x
if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    lock, counter = multiprocessing.Lock(), multiprocessing.Value("i", 0)
    with multiprocessing.Pool(2) as pool:
        assert sum(pool.map(square, range(50))) == 40425
    assert counter.value == 50
PY
python3 pool.py
""",
        namespaces=True,
    ),
    Use(
        "shared memory",
        """
python3 - <<'PY'
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(create=True, size=4096)
other = shared_memory.SharedMemory(memory.name)
memory.buf[0] = 7
assert other.buf[0] == 7
other.close(), memory.close(), memory.unlink()
PY
""",
        namespaces=True,
    ),
    Use(
        "subprocesses and threads of Python",
        """
python3 - <<'PY'
import concurrent.futures, subprocess, sys
def child(n):
    return int(subprocess.check_output([sys.executable, "-c", f"print({n} * 2)"]))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(child, range(6))) == [0, 2, 4, 6, 8, 10]
PY
""",
    ),
    Use(
        "asyncio and its child processes",
        """
python3 - <<'PY'
import asyncio
async def main():
    child = await asyncio.create_subprocess_exec("echo", "hi", stdout=asyncio.subprocess.PIPE)
    assert (await child.communicate())[0] == b"hi\\n"
asyncio.run(main())
PY
""",
        namespaces=True,
    ),
    Use(
        "NumPy with two threads",
        """
OPENBLAS_NUM_THREADS=2 python3 - <<'PY'
import numpy
a = numpy.random.default_rng(0).standard_normal((500, 500))
assert numpy.allclose(numpy.linalg.inv(a) @ a, numpy.eye(500), atol=1e-6)
PY
""",
        needs="numpy",
    ),
    Use(
        "compiling and running C",
        """
cat > main.c <<'C'
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { printf("%.0f\\n", sqrt(argc * 49.0)); return 3; }
C
cc -O1 -o main main.c -lm
code=0
./main > out || code=$?
test "$code $(cat out)" = "3 7"
""",
        needs="cc",
    ),
    Use(
        "a shared library of one's own",
        """
printf 'int twice(int x) { return 2 * x; }' > lib.c
cc -shared -fPIC -o lib.so lib.c
python3 -c 'import ctypes; assert ctypes.CDLL("./lib.so").twice(21) == 42'
""",
        needs="cc",
    ),
    Use(
        "make",
        """
printf 'all: out\\nout: in\\n\\tcp in out\\n' > Makefile
echo text > in
make -s
make -q
cmp in out
""",
        needs="make",
    ),
    Use(
        "unicode file names",
        """
echo text > 'Größe 漢字 🙂.txt'
ls | grep -q '漢字'
python3 -c 'import os; name, = os.listdir("."); assert name.startswith("Größe"), name'
""",
    ),
    Use(
        "two thousand small files",
        """
mkdir many
i=0
while [ $i -lt 2000 ]; do echo $i > many/$i; i=$((i + 1)); done
test "$(ls many | wc -l)" -eq 2000
test "$(cat many/* | sort -n | tail -n 1)" = 1999
rm -r many
""",
    ),
    Use(
        "python3 is the Python that runs the plan",
        """
test "$(python3 -c 'import sys; print(sys.prefix)')" = "$OPERATORS_PREFIX"
python3 -c 'import ssl, sqlite3, zlib, ctypes, json'
""",
    ),
    Use("the packages of that Python", "python3 -c 'import tisslang'", needs="tisslang"),
    Use(
        "a virtual environment",
        """
python3 -m venv --without-pip env
test "$(env/bin/python -c 'import sys; print(sys.prefix)')" = "$PWD/env"
""",
    ),
    Use(
        "a server and its client",
        """
cat > both.py <<'PY'
import http.server, threading, urllib.request
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://localhost:{server.server_port}/both.py"
assert b"urlopen" in urllib.request.urlopen(url, timeout=20).read()
server.shutdown()
PY
python3 both.py
""",
        namespaces=True,
    ),
    Use(
        "a socket pair",
        """
python3 - <<'PY'
import socket
one, two = socket.socketpair()
one.sendall(b"hi")
assert two.recv(9) == b"hi"
PY
""",
        namespaces=True,
    ),
    Use(
        "an executable script",
        """
printf '#!/bin/sh\\necho "$0 $1"\\n' > tool
chmod +x tool
test "$(./tool arg)" = "./tool arg"
printf '#!/usr/bin/env python3\\nprint(6 * 7)\\n' > answer
chmod 755 answer
test "$(./answer)" = 42
""",
    ),
    Use(
        "modes and times of one's own files",
        """
echo text > a
chmod 640 a
touch -d '2020-01-02 03:04:05 UTC' a
cp -p a b
cp -a a c
test "$(stat -c '%a %Y' b)" = "640 1577934245"
test "$(stat -c '%a %Y' c)" = "640 1577934245"
python3 -c 'import os, shutil; os.chmod("a", 0o600); os.utime("a"); shutil.copy2("b", "d")'
install -m 600 a e
umask 077
mkdir private
test "$(stat -c %a private)" = 700
""",
    ),
    Use(
        "tar",
        """
mkdir -p in/sub
echo text > in/sub/file
chmod 750 in/sub
ln -s file in/sub/link
tar czf out.tgz in
mkdir out
tar xzpf out.tgz -C out
test "$(cat out/in/sub/link) $(stat -c %a out/in/sub)" = "text 750"
""",
        needs="tar",
    ),
    Use(
        "zip and unzip by Python, gzip",
        """
python3 -m zipfile -c a.zip "$0" 2>/dev/null || { echo text > t; python3 -m zipfile -c a.zip t; }
python3 -m zipfile -t a.zip > out
seq 1000 > numbers
gzip numbers
test "$(gzip -dc numbers.gz | wc -l)" -eq 1000
""",
    ),
    Use("zip", "echo text > a; zip -q a.zip a; unzip -p a.zip a | grep -q text", needs="zip"),
    Use(
        "a FIFO",
        """
mkfifo pipe
seq 5 > pipe &
test "$(cat pipe | wc -l)" -eq 5
wait
""",
    ),
    Use(
        "find and xargs",
        """
mkdir -p a/b
touch a/1.txt 'a/b/2 3.txt' a/b/4.log
names=$(find . -name '*.txt' -print0 | xargs -0 -n 1 basename | sort | tr '\\n' ,)
test "$names" = "1.txt,2 3.txt,"
find . -name '*.log' -delete
test ! -e a/b/4.log
""",
    ),
    Use(
        "awk and sed -i",
        """
seq 10 > numbers
test "$(awk '{ sum += $1 } END { print sum }' numbers)" = 55
sed -i 's/^1$/eins/' numbers
test "$(head -n 1 numbers)" = eins
""",
    ),
    Use("date, uname, id, df, nproc", "date +%Y; uname -s; id -u; df . > /dev/null; nproc"),
    Use(
        "the user has a name, if there is one",
        """
if grep -q "^[^:]*:[^:]*:$(id -u):" /etc/passwd; then
    test -n "$(id -un)"
    python3 -c 'import getpass; getpass.getuser()'
fi
""",
    ),
    Use(
        "ps sees the command's own processes",
        """
sleep 30 &
for try in 1 2 3 4 5 6 7 8 9; do
    if ps -e -o pid,comm | grep -q "^ *$! sleep"; then kill $!; exit 0; fi
    sleep 0.1  # until then it is still a shell
done
exit 1
""",
        needs="ps",
        namespaces=True,
    ),
    Use(
        "/proc/self and /dev/null, zero, urandom, fd",
        """
test "$(readlink /proc/self/cwd)" = "$PWD"
test "$(head -c 3 /dev/zero | wc -c)" -eq 3
test "$(head -c 8 /dev/urandom | wc -c)" -eq 8
echo text > /dev/null
echo text | cat /dev/stdin | grep -q text
echo text > /dev/stderr
""",
    ),
    Use(
        "timeout ends a command",
        """
code=0
timeout 0.2 sleep 30 || code=$?
test $code -eq 124
""",
        needs="timeout",
    ),
    Use("nice", 'test "$(nice -n 5 nice)" -ge 5; nice -n 19 true'),
    Use("ulimit", 'ulimit -c 0; (ulimit -n 64; test "$(ulimit -n)" = 64)'),
    Use(
        "trap",
        """
sh -c 'trap "echo caught > got; exit 0" TERM; kill -TERM $$; sleep 5'
sh -c 'trap "echo left >> got" EXIT; true'
test "$(cat got | tr '\\n' ,)" = caught,left,
""",
    ),
    Use(
        "background jobs and wait",
        """
sh -c 'exit 7' &
first=$!
sh -c 'sleep 0.05; exit 8' &
second=$!
code=0; wait $first || code=$?
test $code -eq 7
code=0; wait $second || code=$?
test $code -eq 8
sleep 30 &
kill $!
code=0; wait $! || code=$?
test $code -eq 143
""",
    ),
    Use(
        "an orphan is reaped",
        """
sh -c 'sleep 0.1 & echo $! > pid'
sleep 0.5
if kill -0 "$(cat pid)" 2>/dev/null; then grep -q 'State:.*Z' "/proc/$(cat pid)/status"; fi
""",
    ),
    Use("killing itself is exit code 137", "kill -9 $$", exit_code=137),
    Use("SIGTERM is exit code 143", "kill -TERM $$", exit_code=143),
    Use("SIGSEGV is exit code 139", "ulimit -c 0; kill -SEGV $$", exit_code=139),
    Use("exit codes come through", "exit 255", exit_code=255),
    Use("a command that is not there", "no-such-command", exit_code=127),
    Use("a file that is no program", "echo > file; ./file", exit_code=126),
    Use("standard input is at its end", 'test -z "$(cat)"'),
    Use(
        "a long list of arguments",
        """
python3 - <<'PY'
import subprocess
words = ["x" * 100] * 10_000
assert len(subprocess.check_output(["echo", *words])) == 1_010_000
PY
""",
    ),
    Use("setsid", "test \"$(setsid sh -c 'echo text')\" = text; setsid -w true", needs="setsid"),
    Use(
        "a terminal of one's own",
        """
python3 - <<'PY'
import os, pty
pid, fd = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", "test -t 0 && stty size && echo in a tty"])
text = b""
while True:
    try:
        chunk = os.read(fd, 1000)
    except OSError:
        break
    if not chunk:
        break
    text += chunk
assert b"in a tty" in text, text
assert os.waitpid(pid, 0)[1] == 0
PY
""",
        namespaces=True,
    ),
    Use("script(1)", "script -qec 'test -t 1' /dev/null", needs="script", namespaces=True),
    Use(
        "symbolic links",
        """
mkdir target
echo text > target/file
ln -s target link
ln -sfn target/file direct
test "$(cat link/file)$(cat direct)" = texttext
test "$(readlink -f direct)" = "$PWD/target/file"
rm link
test -e target/file
""",
    ),
    Use(
        "hard links",
        """
echo text > a
ln a b
echo more >> b
test "$(stat -c %h a) $(wc -l < a)" = "2 2"
""",
    ),
    Use(
        "mv across directories",
        """
mkdir -p a/b c
echo text > a/b/file
mv a/b/file c/
mv a/b c/b
test -e c/file && test -d c/b
python3 -c 'import shutil; shutil.move("c", "d")'
""",
    ),
    Use(
        "rename and link across directories",
        """
mkdir -p a/b c
echo text > a/b/file
python3 -c '
import os
os.rename("a/b/file", "c/file")
os.link("c/file", "a/hard")
os.rename("a/b", "c/b")
os.replace("c/file", "a/hard")'
test "$(cat a/hard)" = text
""",
    ),
    Use(
        "moving from TMPDIR into the project",
        """
file=$(mktemp)
echo text > "$file"
mv "$file" here
test "$(cat here)" = text
""",
    ),
    Use(
        "flock",
        """
flock lock -c 'flock -n lock true || echo busy > state'
test "$(cat state)" = busy
python3 - <<'PY'
import fcntl
with open("lock") as file:
    fcntl.lockf(open("other", "w"), fcntl.LOCK_EX)
    fcntl.flock(file, fcntl.LOCK_EX)
PY
""",
        needs="flock",
    ),
    Use(
        "sqlite3 by Python",
        """
python3 - <<'PY'
import sqlite3
base = sqlite3.connect("base.db")
base.execute("PRAGMA journal_mode=WAL")
base.execute("CREATE TABLE t (x)")
base.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(100)])
base.commit()
assert base.execute("SELECT sum(x) FROM t").fetchone() == (4950,)
base.close()
PY
""",
    ),
    Use(
        "sqlite3",
        "test \"$(sqlite3 b.db 'create table t(x); insert into t values(3); "
        "select x*2 from t')\" = 6",
        needs="sqlite3",
    ),
    Use(
        "openssl",
        """
openssl rand -hex 8
test "$(printf a | openssl dgst -sha256 -r | cut -c 1-8)" = ca978112
""",
        needs="openssl",
    ),
    Use("perl", "test \"$(perl -e 'print 6 * 7')\" = 42", needs="perl"),
    Use(
        "bash: process substitution and arrays",
        """
bash -c 'diff <(seq 3) <(printf "1\\n2\\n3\\n") && a=(x y z) && [[ ${#a[@]} == 3 ]]'
""",
        needs="bash",
    ),
    Use(
        "the locale is UTF-8",
        """
python3 -c 'import locale, sys; assert sys.stdout.encoding.lower() == "utf-8"'
test "$(printf 'äöü' | wc -m)" -eq 3
""",
    ),
    Use("time zones", "TZ=UTC date +%Z | grep -q UTC; python3 -c 'import time; time.localtime()'"),
    Use(
        "large files and sparse ones",
        """
truncate -s 3G sparse
dd if=/dev/zero of=large bs=1M count=20 2> /dev/null
test "$(stat -c %s sparse) $(stat -c %s large)" = "3221225472 20971520"
rm sparse large
""",
    ),
    Use(
        "programs that ask for extended attributes do without them",
        """
echo text > file
cp -a file copy
ls -l copy > /dev/null
python3 -c 'import shutil; shutil.copy2("file", "third")'
tar --xattrs -cf all.tar file 2>/dev/null && tar --xattrs -xf all.tar
cat copy third > /dev/null
""",
    ),
    Use(
        "deep directories and a long name",
        """
python3 - <<'PY'
import os
os.makedirs("/".join(["d" * 50] * 20))
open("n" * 255, "w").close()
PY
rm -r d*
""",
    ),
    Use("memory within the limit", "python3 -c 'b = bytearray(300 << 20); b[::4096] = b[::4096]'"),
    Use(
        "deep recursion of the shell",
        """
f() { if [ $1 -gt 0 ]; then f $(($1 - 1)); fi; }
f 500
""",
    ),
    Use(
        "a coprocess through two pipes",
        """
python3 - <<'PY'
import subprocess
cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
assert cat.communicate(b"x" * 1_000_000)[0] == b"x" * 1_000_000
PY
""",
    ),
    Use(
        "signals among one's own processes",
        """
python3 - <<'PY'
import os, signal
pid = os.fork()
if pid == 0:
    signal.pause()
os.kill(pid, signal.SIGSTOP)
assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
os.kill(pid, signal.SIGCONT)
os.kill(pid, signal.SIGUSR1)
assert os.waitpid(pid, 0)[1] == signal.SIGUSR1
group = os.fork()
if group == 0:
    os.setpgid(0, 0)
    os.killpg(0, signal.SIGKILL)
assert os.waitpid(group, 0)[1] == signal.SIGKILL
PY
""",
    ),
    Use(
        "timers, events and polls",
        """
python3 - <<'PY'
import mmap, os, select, signal
r, w = os.pipe2(os.O_CLOEXEC)
poll = select.epoll()
poll.register(r, select.EPOLLIN)
os.write(w, b"x")
assert poll.poll(20)
event = os.eventfd(3)
assert os.eventfd_read(event) == 3
view = mmap.mmap(-1, 4096)
view[:2] = b"ab"
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
PY
""",
    ),
]
