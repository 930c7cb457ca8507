"""Files: reading what lies outside the root, changing it, and leaving traps inside it."""

import ctypes
import fcntl
import os
import subprocess
import time
from dataclasses import replace
from typing import Any

from attacks.attack import METADATA, Attack, script, shows
from attacks.world import OLD, Report, World


def command(name: str, text: str, **more: Any) -> Attack:
    return Attack(name, "files", text, **more)


def program(name: str, code: str, **more: Any) -> Attack:
    return script(name, "files", "import os\nfrom raw import *\n" + code, **more)


# ------------------------------------------------------------------------------ what sets up


def link_before(world: World) -> None:
    (world.project / "link").symlink_to(world.home / "secret.txt")


def folder_link_before(world: World) -> None:
    (world.project / "folder").symlink_to(world.home)


def handle_known(world: World) -> None:
    """The handle of the secret, as `open_by_handle_at` wants it: an attacker may guess it."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = ctypes.create_string_buffer(b"\x80\0\0\0\0\0\0\0", 8 + 128)
    mount = ctypes.c_int()
    path = os.fsencode(world.home / "secret.txt")
    libc.name_to_handle_at(-100, path, handle, ctypes.byref(mount), 0)
    world.values["handle"] = handle.raw.hex()


def in_shared_memory(world: World) -> None:
    world.plant(world.public("/dev/shm"), world.secret)


def in_temporary_folder(world: World) -> None:
    world.plant(world.public("/tmp"), world.secret)


def names_come_and_go(world: World, tiss: "subprocess.Popen[bytes]") -> None:
    """Somebody works outside, with a file whose name is the secret."""
    while tiss.poll() is None:
        path = world.watched / world.secret
        path.touch()
        path.unlink()
        time.sleep(0.02)


def locks(world: World) -> None:
    """Somebody outside has locked a file; the world's end closes it."""
    file = world.inherited
    fcntl.flock(file, fcntl.LOCK_SH)
    world.values["locked"] = f":{os.fstat(file).st_ino} "


def ran_outside_program(world: World, report: Report) -> str | None:
    return "a program outside was run" if "ran-outside" in report.output else None


# ----------------------------------------------------------------------------------- reading

VICTIM_MEMORY = """
for line in open("/proc/@victim@/maps"):
    if "[stack]" in line:
        start, end = (int(edge, 16) for edge in line.split()[0].split("-"))
        with open("/proc/@victim@/mem", "rb", buffering=0) as memory:
            memory.seek(start)
            data = memory.read(end - start)
        print(data[data.find(b"VICTIM_SECRET"):][:100])
"""

PARENTS_MEMORY = """
def look(process):
    for line in open(f"/proc/{process}/maps"):
        if "[stack]" in line or "[heap]" in line:
            start, end = (int(edge, 16) for edge in line.split()[0].split("-"))
            with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
                memory.seek(start)
                data = memory.read(min(end - start, 1 << 24))
            at = data.find(b"OPERATOR_SECRET=")
            if at >= 0:
                print(data[at:][:100])
attempt(*(lambda p=p: look(p) for p in parents()))
"""

PARENTS_FILES = """
def look(process):
    for name in os.listdir(f"/proc/{process}/fd"):
        path = f"/proc/{process}/fd/{name}"
        if os.readlink(path).endswith("secret.txt"):
            print(open(path).read())
attempt(*(lambda p=p: look(p) for p in parents()))
"""

IO_URING = """
import ctypes, mmap, struct
LAYOUT = "I" * 10  # the fields of struct io_uring_params before the offsets
parameters = ctypes.create_string_buffer(120)
ring = syscall("io_uring_setup", 4, parameters)
sq = struct.unpack_from("10I", parameters, 40)  # head tail mask entries flags dropped array
cq = struct.unpack_from("10I", parameters, 80)  # head tail mask entries overflow cqes
queue = mmap.mmap(ring, 4096, offset=0)
done = mmap.mmap(ring, 4096, offset=0x8000000)
entries = mmap.mmap(ring, 4096, offset=0x10000000)

def submit(opcode, descriptor, address, length, flags, offset=0):
    tail = struct.unpack_from("I", queue, sq[1])[0]
    slot = tail & 3
    entry = struct.pack("BBHiQQIIQ", opcode, 0, 0, descriptor, offset, address, length, flags, 7)
    entries[slot * 64:slot * 64 + 64] = entry.ljust(64, b"\\0")
    struct.pack_into("I", queue, sq[6] + 4 * slot, slot)
    struct.pack_into("I", queue, sq[1], tail + 1)
    syscall("io_uring_enter", ring, 1, 1, 1, 0, 0)
    head = struct.unpack_from("I", done, cq[0])[0]
    result = struct.unpack_from("i", done, cq[5] + 16 * (head & cq_mask) + 8)[0]
    struct.pack_into("I", done, cq[0], head + 1)
    return result

cq_mask = struct.unpack_from("I", done, cq[2])[0]
path = ctypes.create_string_buffer(b"@secret@")
opened = submit(18, -100, ctypes.addressof(path), 0, 0)  # IORING_OP_OPENAT
print("opened", opened)
buffer = ctypes.create_string_buffer(100)
print(submit(22, opened, ctypes.addressof(buffer), 100, 0), buffer.value)  # IORING_OP_READ
"""

READING = [
    command("by its absolute path", "cat @secret@"),
    command("by a path with ..", "cat ../home/secret.txt"),
    command("through a link planted before", "cat link", setup=link_before),
    command("through a link to its folder", "cat folder/secret.txt", setup=folder_link_before),
    command("through a link made now", "ln -s @secret@ stolen; cat stolen"),
    command("through a link to /", "ln -s / top; cat top@secret@"),
    command("through a link with many ..", "ln -s ../../../../../../../@secret@ up; cat up"),
    command("a hard link, then the link", "ln @secret@ stolen; cat stolen"),
    command("copied into the root", "cp @secret@ stolen"),
    command("packed by tar", "tar cf stolen.tar @home@; cat stolen.tar"),
    command("after going there", "cd @home@ && cat secret.txt"),
    command("through /proc/self/root", "cat /proc/self/root@secret@"),
    command("through /proc/self/cwd", "cat /proc/self/cwd/../home/secret.txt"),
    command("through a thread's cwd", "cat /proc/thread-self/cwd/../home/secret.txt"),
    command("through the victim's root", "cat /proc/@victim@/root@secret@"),
    command("through the victim's cwd", "cat /proc/@victim@/cwd/canary.txt"),
    command("through the victim's thread", "cat /proc/@victim@/task/@victim@/cwd/canary.txt"),
    command("the victim's open file", "cat /proc/@victim@/fd/0"),
    command("the victim's environment", "cat /proc/@victim@/environ"),
    command("the victim's memory map", "cat /proc/@victim@/maps", succeeded=shows("[stack]")),
    program("the victim's memory", VICTIM_MEMORY),
    program(
        "the parents' environment",
        "attempt(*(lambda p=p: open(f'/proc/{p}/environ').read() for p in parents()))",
    ),
    program(
        "through the parents' root",
        "attempt(*(lambda p=p: open(f'/proc/{p}/root@secret@').read() for p in parents()))",
    ),
    program(
        "through the parents' cwd",
        "attempt(*(lambda p=p: open(f'/proc/{p}/cwd/../home/secret.txt').read()"
        " for p in parents()))",
    ),
    program("the parents' open files", PARENTS_FILES),
    program("the parents' memory", PARENTS_MEMORY),
    command("through the root of process 1", "cat /proc/1/root@secret@", needs_root=True),
    program(
        "what process 1 knows, where it is not the machine's",
        "if os.readlink('/proc/self/ns/pid') != '@pid_namespace@':\n"
        "    attempt(\n"
        "        lambda: open('/proc/1/environ').read(),\n"
        "        lambda: os.listdir('/proc/1/cwd'),\n"
        "        lambda: open('/proc/1/cwd/../home/secret.txt').read(),\n"
        "        *(lambda n=n: open(f'/proc/1/fd/{n}').read(100) for n in range(64)),\n"
        "        *(lambda n=n: os.listdir(f'/proc/1/fd/{n}/..') for n in range(64)))",
        guarded_by_none=True,  # there is no such process
    ),
    program(
        "inherited descriptors",
        "attempt(*(lambda n=n: os.pread(n, 100, 0) for n in range(3, 256)))",
        guarded_by_none=True,
    ),
    program(
        "by its handle",
        "import ctypes\n"
        "handle = ctypes.create_string_buffer(bytes.fromhex('@handle@'))\n"
        "folder = os.open('.', os.O_RDONLY)\n"
        "print(os.read(syscall('open_by_handle_at', folder, handle, 0), 100))",
        setup=handle_known,
        needs_root=True,
    ),
    program(
        "mapped into memory",
        "import mmap\n"
        "with open('@secret@', 'rb') as file:\n"
        "    print(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:])",
    ),
    program(
        "with sendfile",
        "source = os.open('@secret@', os.O_RDONLY)\n"
        "target = os.open('stolen', os.O_WRONLY | os.O_CREAT)\n"
        "os.sendfile(target, source, 0, 100)",
    ),
    program(
        "with splice",
        "source = os.open('@secret@', os.O_RDONLY)\n"
        "out, into = os.pipe()\n"
        "os.splice(source, into, 100)\n"
        "print(os.read(out, 100))",
    ),
    program(
        "with copy_file_range",
        "source = os.open('@secret@', os.O_RDONLY)\n"
        "target = os.open('stolen', os.O_WRONLY | os.O_CREAT)\n"
        "os.copy_file_range(source, target, 100)",
    ),
    program(
        "a path opened without rights, then again",
        "place = os.open('@secret@', os.O_PATH)\nprint(open(f'/proc/self/fd/{place}').read())",
    ),
    program(
        "relative to a folder opened without rights",
        "place = os.open('@home@', os.O_PATH)\n"
        "print(os.read(os.open('secret.txt', os.O_RDONLY, dir_fd=place), 100))",
    ),
    program(
        "with openat2",
        "import ctypes\n"
        "how = ctypes.create_string_buffer(24)\n"
        "print(os.read(syscall('openat2', -100, '@secret@', how, 24), 100))",
    ),
    program("with io_uring", IO_URING),
    command(
        "by the dynamic loader",
        "for loader in /lib64/ld-linux-*.so.? /lib/ld-linux-*.so.?; do"
        ' [ -e "$loader" ] && "$loader" "$(command -v cat)" @secret@; done',
    ),
    command(
        "by a library loaded first",
        "cc -shared -fPIC -o first.so first.c && LD_PRELOAD=$PWD/first.so /bin/true",
        files={
            "first.c": "#include <stdio.h>\n__attribute__((constructor)) void steal(void) {\n"
            ' char text[100] = {0}; FILE *file = fopen("@secret@", "r");\n'
            ' if (file) { fread(text, 1, 99, file); printf("%s", text); } }\n'
        },
    ),
    command("as an argument of the shell", "read -r line < @secret@; echo $line"),
    command("as a script of the shell", "sh @secret@ || sh -c '. @secret@'"),
    command("others' shared memory", "cat /dev/shm/*@mark@*", setup=in_shared_memory),
    command("others' temporary files", "cat /tmp/*@mark@*", setup=in_temporary_folder),
    program(
        "the passwords of the system",
        "data = open('/etc/shadow').read()\nescaped(f'{len(data)} characters of passwords')",
        needs_root=True,
    ),
    program(
        "the memory of the kernel",
        "attempt(*(lambda p=p: os.open(p, os.O_RDONLY) and escaped(f'{p} opens')\n"
        "    for p in ('/dev/mem', '/dev/kmem', '/proc/kcore', '/dev/port')))",
        needs_root=True,
    ),
    program(
        "the disk itself",
        "for entry in os.scandir('/dev'):\n"
        "    if entry.is_symlink() or entry.stat().st_rdev != os.stat('@root@').st_dev: continue\n"
        "    os.close(os.open(entry.path, os.O_RDONLY))\n"
        "    escaped('the disk opens')",
        needs_root=True,
    ),
    command("the names in the home", "ls -la @home@", succeeded=shows("secret.txt")),
    command("the names above the root", "ls -la ..", succeeded=shows("plan.tiss")),
    command(
        "what is known of a file", "stat -c %Y @secret@", succeeded=shows(str(OLD)), gap=METADATA
    ),
    command(
        "where a link outside leads",
        "readlink @outside@/link",
        succeeded=shows("canary.txt"),
        gap=METADATA,
    ),
    command(
        "the names of open sockets",
        "cat /proc/net/unix",
        succeeded=shows("@base@/outside.sock"),
        gap="process_list",
    ),
    command(
        "what is locked",
        "cat /proc/locks",
        setup=locks,
        succeeded=shows("@locked@"),
        gap="process_list",
    ),
    command(
        "which files exist",
        "test -e @secret@ && echo it-exists",
        succeeded=shows("it-exists"),
        gap=METADATA,
    ),
    program(
        "attributes of a file",
        "os.listxattr('@canary@')\nescaped(repr(os.getxattr('@canary@', 'user.planted')))",
        setup=lambda world: os.setxattr(world.outside / "canary.txt", "user.planted", b"x"),
    ),
    program(
        "names as they come, by inotify",
        "import select\n"
        "queue = syscall('inotify_init1', 0)\n"
        "if libc.inotify_add_watch(queue, b'@watched@', 0x100) < 0: raise OSError('refused')\n"
        "ready, _, _ = select.select([queue], [], [], 3)\n"
        "print(os.read(queue, 4096) if ready else 'nothing came')",
        during=names_come_and_go,
    ),
    program(
        "changes as they come, by fanotify",
        "probe('fanotify_init', 0, 0)  # FAN_CLASS_NOTIF",
        needs_root=True,
    ),
    program(
        "changes as they come, by fanotify for everybody",
        "queue = syscall('fanotify_init', 0x200, 0)  # FAN_REPORT_FID\n"
        "syscall('fanotify_mark', queue, 1, 0x100 | 0x08000000, -100, '@watched@')\n"
        "escaped('a folder outside is watched')",
    ),
    command(
        "a program outside, run",
        "@outside@/program && echo ran-outside",
        succeeded=ran_outside_program,
    ),
]

# ---------------------------------------------------------------------------------- changing

# What is asked by notification is decided on what it names then; the call itself looks again. A
# second process exchanges the name, the link or the folder in between, for a while.
RACE = """
import ctypes, mmap, time
here, there = b"mine".ljust(200, b"\\0"), b"@canary@".ljust(200, b"\\0")
page = mmap.mmap(-1, 4096)
page[:200] = here
name = (ctypes.c_char * 200).from_buffer(page)
open("mine", "w").close()
os.mkdir("folder")
open("folder/canary.txt", "w").close()
end = time.monotonic() + 0.7

def race(exchange, act):
    child = os.fork()
    while time.monotonic() < end:
        try: (act if child else exchange)()
        except OSError: pass
    if child == 0: os._exit(0)
    os.waitpid(child, 0)

def names():
    page[:200] = there
    page[:200] = here

def links():
    for target in ("@canary@", "mine"):
        os.symlink(target, "new")
        os.rename("new", "link")

def folders():
    for target in ("@outside@", "folder"):
        os.symlink(target, "new")
        os.rename("new", "place")
"""


def race(name: str, code: str) -> Attack:
    return program(name, RACE + code)


CHANGING = [
    command("overwritten", "echo changed > @canary@"),
    command("appended to", "echo changed >> @canary@"),
    command("through a link made now", "ln -s @canary@ link; echo changed > link"),
    command("by cp through a link", "ln -s @outside@ link; echo x > new; cp new link/new"),
    command("its plan", "echo 'LOG \"changed\"' > @base@/plan.tiss"),
    program("cut off by its path", "os.truncate('@canary@', 0)"),
    program(
        "written through memory",
        "import mmap\n"
        "with open('@canary@', 'r+b') as file:\n"
        "    mmap.mmap(file.fileno(), 0)[:4] = b'past'",
    ),
    program(
        "written through a descriptor without rights",
        "place = os.open('@canary@', os.O_PATH)\n"
        "open(f'/proc/self/fd/{place}', 'w').write('changed')",
    ),
    program(
        "enlarged by fallocate",
        "file = os.open('@canary@', os.O_WRONLY)\nsyscall('fallocate', file, 0, 0, 10000)",
    ),
    command("renamed", "mv @canary@ @outside@/moved"),
    command("moved into the root", "mv @canary@ ."),
    command("a file moved out of the root", "echo x > new; mv new @outside@/new"),
    program("renamed out of the root", "open('new', 'w')\nos.rename('new', '@outside@/new')"),
    program(
        "exchanged with a file of the root",
        "import ctypes\nopen('new', 'w')\n"
        "print(libc.renameat2(-100, b'new', -100, b'@canary@', 2), ctypes.get_errno())",
    ),
    program("linked out of the root", "open('new', 'w')\nos.link('new', '@outside@/new')"),
    program("linked into the root", "os.link('@canary@', 'new')"),
    command("removed", "rm -f @canary@"),
    command("its folder removed", "rmdir @outside@/folder"),
    command("a new folder", "mkdir @outside@/new"),
    command("a new link", "ln -s x @outside@/new"),
    command("a new pipe", "mkfifo @outside@/new"),
    command("a new file", "touch @outside@/new"),
    command("a new file in the home", "touch @home@/.profile"),
    program(
        "a nameless file outside",
        "os.open('@outside@', os.O_TMPFILE | os.O_RDWR)\n"
        "escaped('a file outside, though without a name')",
    ),
    program("a new socket", "import socket\nsocket.socket(socket.AF_UNIX).bind('@outside@/new')"),
    command("its mode", "chmod 777 @canary@"),
    program("its mode, by a descriptor", "os.fchmod(os.open('@canary@', os.O_RDONLY), 0o777)"),
    program("its mode, by fchmodat2", "syscall('fchmodat2', -100, '@canary@', 0o777, 0)"),
    program(
        "its mode, by a folder's descriptor",
        "place = os.open('@outside@', os.O_PATH)\nos.chmod('canary.txt', 0o777, dir_fd=place)",
    ),
    race("its mode, while the name changes", "race(names, lambda: libc.chmod(name, 0o777))"),
    race("its mode, while a link changes", "race(links, lambda: os.chmod('link', 0o777))"),
    race(
        "its mode, while a folder changes",
        "race(folders, lambda: os.chmod('place/canary.txt', 0o777))",
    ),
    race(
        "its owner, while the name changes",
        "race(names, lambda: libc.chown(name, os.getuid(), os.getgid()))",
    ),
    race("its times, while the name changes", "race(names, lambda: libc.utime(name, 0))"),
    race("its times, while a link changes", "race(links, lambda: os.utime('link', (1, 1)))"),
    race(
        "its attributes, while the name changes",
        "race(names, lambda: libc.setxattr(name, b'user.planted', b'x', 1, 0))",
    ),
    program("its owner", "os.chown('@canary@', os.getuid(), os.getgid())"),
    program("a link's owner", "os.lchown('@outside@/link', os.getuid(), os.getgid())"),
    program(
        "its owner, by a descriptor without rights",
        "place = os.open('@canary@', os.O_PATH)\n"
        "syscall('fchownat', place, '', os.getuid(), os.getgid(), 0x1000)",
    ),
    command("its times", "touch -d 2001-01-01 @canary@"),
    program(
        "its times, by a descriptor without rights",
        "place = os.open('@canary@', os.O_PATH)\nos.utime(f'/proc/self/fd/{place}', (1, 1))",
    ),
    program("its attributes", "os.setxattr('@canary@', 'user.planted', b'x')"),
    program(
        "its attributes, by setxattrat",
        "import ctypes, struct\n"
        "value = ctypes.create_string_buffer(b'x')\n"
        "given = ctypes.create_string_buffer(struct.pack('QII', ctypes.addressof(value), 1, 0))\n"
        "syscall('setxattrat', -100, '@canary@', 0, 'user.planted', given, 16)",
    ),
    program(
        "its attributes, taken away",
        "os.removexattr('@canary@', 'user.planted')",
        setup=lambda world: os.setxattr(world.outside / "canary.txt", "user.planted", b"x"),
    ),
    program(
        "its flags",
        "import fcntl, struct\n"
        "file = os.open('@canary@', os.O_RDONLY)\n"
        "fcntl.ioctl(file, 0x40086602, struct.pack('l', 0x40))  # FS_IOC_SETFLAGS, no dump",
    ),
    program(
        "its flags, by a path",
        "import ctypes, struct\n"
        "given = ctypes.create_string_buffer(struct.pack('QIIII', 0x80, 0, 0, 0, 0))  # no dump\n"
        "syscall('file_setattr', -100, '@canary@', given, 24, 0)",
    ),
    program(
        "locked",
        "import fcntl\n"
        "fcntl.flock(open('@canary@'), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "escaped('a file outside is locked')",
    ),
    program(
        "leased",
        "import fcntl\n"
        "fcntl.fcntl(os.open('@canary@', os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)\n"
        "escaped('a file outside is leased')",
    ),
    program(
        "a file of tiss",
        "os.open('@repository@/tisslang/__init__.py', os.O_WRONLY | os.O_APPEND)\n"
        "escaped('tiss can be changed')",
        needs_root=True,
    ),
    program(
        "the library of the interpreter",
        "import json\n"
        "attempt(*(lambda p=p: os.open(p, os.O_TMPFILE | os.O_WRONLY)\n"
        "        and escaped(f'{p} takes a file')\n"
        "    for p in (os.path.dirname(json.__file__), '/usr/lib', '/usr/bin', '/etc')))",
        needs_root=True,
    ),
    program(
        "a program of the system",
        "import shutil\n"
        "os.open(os.path.realpath(shutil.which('sh')), os.O_RDONLY)\n"
        "os.open(os.path.realpath('/etc/hostname'), os.O_WRONLY | os.O_APPEND)\n"
        "escaped('a file of the system opens for writing')",
        needs_root=True,
    ),
    program(
        "settings of the kernel",
        "attempt(*(lambda p=p: os.open(p, os.O_WRONLY) and escaped(f'{p} opens for writing')\n"
        "    for p in ('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe',\n"
        "        '/proc/sys/vm/overcommit_memory', '/proc/sys/net/ipv4/ip_forward',\n"
        "        '/proc/sysrq-trigger', '/sys/kernel/mm/ksm/run', '/sys/power/state')))",
        needs_root=True,
    ),
    program(
        "the log of the kernel",
        "os.open('/dev/kmsg', os.O_WRONLY)\nescaped('/dev/kmsg opens for writing')",
        needs_root=True,
    ),
    program(
        "the mode and the times of a device",  # set to what they are
        "path = '/dev/full'\n"
        "s = os.stat(path)\n"
        "times = s.st_atime_ns, s.st_mtime_ns\n"
        "attempt(\n"
        "    lambda: os.chmod(path, s.st_mode & 0o7777) or escaped('its mode is set'),\n"
        "    lambda: os.chown(path, s.st_uid, s.st_gid) or escaped('its owner is set'),\n"
        "    lambda: os.utime(path, ns=times) or escaped('its times are set'))",
        needs_root=True,
    ),
    program(
        "the mode of the directory of devices",
        "os.chmod('/dev', os.stat('/dev').st_mode & 0o7777)\nescaped('its mode is set')",
        needs_root=True,
    ),
    command("left in /tmp", "echo x > /tmp/left-@mark@"),
    command("left in /var/tmp", "echo x > /var/tmp/left-@mark@"),
    command("left in /dev/shm", "echo x > /dev/shm/left-@mark@"),
    command(
        "left in its TMPDIR, unremovable",
        'touch "$TMPDIR/left" && chattr +i "$TMPDIR/left"',
        needs_root=True,
    ),
    command(
        "left in its HOME, too deep to remove",
        'cd "$HOME" && i=0; while [ $i -lt 110 ]; do'
        " d=deeep/deeep/deeep/deeep/deeep/deeep/deeep/deeep/deeep/deeep;"
        " mkdir -p $d && cd -P $d && i=$((i+1)) || break; done; echo went $i",
        guarded_by_none=True,
    ),
]

# The next command of the plan works where the first one has led it.
WRITES_NEXT = """\
RUN <<'SH'
mv @root@ @base@/away
ln -s @outside@ @root@
SH
WRITE "canary.txt" <<W
changed
W
"""

LED_ASTRAY = [
    Attack("by WRITE, its root led away", "files", plan=WRITES_NEXT),
    command(
        "by the end of the run, its TMPDIR led away",
        'd=$(dirname "$TMPDIR"); mv "$d" "$d-" && ln -s @outside@ "$d"',
    ),
    command(
        "by the end of the run, a link in TMPDIR",
        'ln -s @outside@ "$TMPDIR/x"; rmdir "$HOME"; ln -s @outside@ "$HOME"',
        guarded_by_none=True,
    ),
]

# -------------------------------------------------------------------------- traps in the root

TRAPS = [
    command("a program that sets its user", "cp /bin/true trap; chmod u+s trap"),
    command("a program that sets its group", "cp /bin/true trap; chmod g+s trap"),
    program(
        "made setting its user", "os.umask(0)\nos.open('trap', os.O_CREAT | os.O_RDWR, 0o4755)"
    ),
    program(
        "made setting its user, by openat2",
        "import ctypes, struct\nos.umask(0)\n"
        "how = ctypes.create_string_buffer(struct.pack('QQQ', os.O_CREAT | os.O_RDWR, 0o4755, 0))\n"
        "syscall('openat2', -100, 'trap', how, 24)",
    ),
    program("made setting its user, by mknod", "os.umask(0)\nos.mknod('trap', 0o104755)"),
    program(
        "setting its user, by a descriptor",
        "os.fchmod(os.open('trap', os.O_CREAT | os.O_RDWR, 0o755), 0o4755)",
    ),
    program(
        "setting its user, by fchmodat2",
        "open('trap', 'w')\nsyscall('fchmodat2', -100, 'trap', 0o4755, 0)",
    ),
    program(
        "setting its user, by chmod through a link",
        "open('trap', 'w')\nos.symlink('trap', 'link')\nos.chmod('link', 0o6755)",
    ),
    program(
        "with the capabilities of root",
        "open('trap', 'w')\n"
        "data = bytes.fromhex('0000000201000000000000000000000000000000')  # CAP_CHOWN\n"
        "os.setxattr('trap', 'security.capability', data)\n"
        "escaped('a file has capabilities')",
        needs_root=True,
    ),
    program(
        "a device", "os.mknod('trap', 0o020666, os.makedev(1, 3))  # /dev/null", needs_root=True
    ),
    program("a disk", "os.mknod('trap', 0o060666, os.stat('@root@').st_dev)", needs_root=True),
]


def _named(prefix: str, attacks: list[Attack]) -> list[Attack]:
    return [replace(attack, name=f"{prefix}: {attack.name}") for attack in attacks]


ATTACKS = [
    *_named("read", READING),
    *_named("change", CHANGING + LED_ASTRAY),
    *_named("trap", TRAPS),
]
