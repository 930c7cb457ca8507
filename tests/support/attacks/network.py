"""Network and IPC: reaching a program outside, or leaving something that one can find."""

import ctypes
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from attacks.attack import Attack, script
from attacks.world import Report, World


def _script(name: str, code: str, **more: object) -> Attack:
    return script(name, "network", "import os, socket, struct\nfrom raw import *\n" + code, **more)


# ------------------------------------------------------------------------ the test's own part


def own_address(world: World) -> None:
    """`@address@`: this machine's own address, or another one of its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks for a route
            world.values["address"] = probe.getsockname()[0]
        except OSError:
            world.values["address"] = "127.0.0.2"


def visit(world: World, process: "subprocess.Popen[bytes]") -> None:
    """Connect or send to what the command offers; it says where in the file `offer`."""
    offer = world.project / "offer"
    world.wait_for(offer)
    if not offer.exists():
        return
    where: Any
    kind, *address = offer.read_text().split()
    if kind == "unix":
        client, where = socket.socket(socket.AF_UNIX), address[0].replace("@", "\0", 1)
    else:
        datagram = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
        client, where = socket.socket(socket.AF_INET, datagram), ("127.0.0.1", int(address[0]))
    with client:
        try:
            client.connect(where)
            client.sendall(b"ping")
            client.settimeout(10)
            world.values["answer"] = client.recv(100).decode(errors="replace")
        except OSError:
            pass


def was_visited(world: World, report: Report) -> str | None:
    """Whether what the command offered could be reached from outside."""
    answer = world.values.get("answer")
    return f"a server of the command answered: {answer!r}" if answer == "pong" else None


def watch_for(*paths: str) -> dict[str, object]:
    """`during` and `succeeded`: something appears in a public place while the command runs."""

    def during(world: World, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None:
            if any(Path(world.fill(path)).exists() for path in paths):
                world.values["appeared"] = "yes"
            time.sleep(0.01)

    def succeeded(world: World, report: Report) -> str | None:
        return "it could be seen from outside" if "appeared" in world.values else None

    return {"during": during, "succeeded": succeeded}


libc = ctypes.CDLL(None, use_errno=True)
IPC_RMID, IPC_CREAT, MODE = 0, 0o1000, 0o666


def shared_memory_outside(world: World) -> None:
    """`@segment@`: shared memory of a program outside, which holds the secret."""
    segment = libc.shmget(int(world.values["ipckey"]) ^ 2, 4096, IPC_CREAT | MODE)
    assert segment >= 0
    world._stack.callback(libc.shmctl, segment, IPC_RMID, None)
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0)
    ctypes.memmove(address, world.secret.encode(), len(world.secret))
    libc.shmdt(ctypes.c_void_p(address))
    world.values["segment"] = str(segment)


def queue_outside(world: World) -> None:
    """`@queue@`: a message queue of a program outside, which holds the secret."""
    queue = libc.msgget(int(world.values["ipckey"]) ^ 2, IPC_CREAT | MODE)
    assert queue >= 0
    world._stack.callback(libc.msgctl, queue, IPC_RMID, None)
    message = (1).to_bytes(8, "little") + world.secret.encode()
    assert libc.msgsnd(queue, message, len(world.secret), 0) == 0
    world.values["queue"] = str(queue)


def file_in_public_memory(world: World) -> None:
    """`@public@`: a file of a program outside in /dev/shm, which holds the secret."""
    path = Path("/dev/shm", f"outside-{world.mark[::-1]}")
    path.write_text(world.secret)
    path.chmod(0o644)
    world._stack.callback(path.unlink)
    world.values["public"] = str(path)


def secret_on_the_loopback(world: World, process: "subprocess.Popen[bytes]") -> None:
    """Send the secret from one program outside to another, again and again."""
    world.wait_for(world.project / "listens")
    stop = threading.Event()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        while process.poll() is None and not stop.wait(0.02):
            sender.sendto(world.secret.encode(), receiver.getsockname())


def machine_is_named(world: World, report: Report) -> str | None:
    """Whether a name of the machine's own network devices is in the output."""
    names = {name for _, name in socket.if_nameindex()} - {"lo"}
    told = names & set(report.output.split())
    return f"the machine's network devices: {sorted(told)}" if told else None


# ---------------------------------------------------------------------------- IP: going out

STREAM = """
with socket.create_connection(({0!r}, {1}), 5) as s:
    s.sendall(b"out")
"""
DATAGRAM = """
with socket.socket(socket.{0}, socket.SOCK_DGRAM) as s:
    s.sendto(b"out", ({1!r}, {2}))
"""
MULTIPATH = """
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(("127.0.0.1", @tcp@))
"""
FAST_OPEN = """
s = socket.socket()
s.sendto(b"out", 0x20000000, ("127.0.0.1", @tcp@))  # MSG_FASTOPEN: connects without connect
"""
MAPPED = """
s = socket.socket(socket.AF_INET6)
s.connect(("::ffff:127.0.0.1", @tcp@))
"""
NON_BLOCKING = """
s = socket.socket()
s.setblocking(False)
s.connect_ex(("127.0.0.1", @tcp@))
"""
BROADCAST = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(b"out", ("127.255.255.255", @udp@))
"""
MANY_MESSAGES = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", @udp@))
s.sendmsg([b"out ", b"there"])
os.write(s.fileno(), b"again")
"""
LITE = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)  # UDP-Lite
escaped("a socket of an unusual protocol")
"""
QUESTION = """
name = b"\\x07@mark@"[:8] + b"\\x07example\\x00"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(struct.pack(">6H", 7, 256, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1),
         ("127.0.0.1", @udp@))
"""
RAW_PACKET = """
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
loop = socket.inet_aton("127.0.0.1")
datagram = struct.pack(">4H", 4444, @udp@, 8 + 3, 0) + b"out"
header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, loop, loop)
s.sendto(header + datagram, ("127.0.0.1", 0))
"""
SNIFF = """
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("lo", 0))
s.settimeout(5)
open("listens", "w").close()
end = time.monotonic() + 5
while time.monotonic() < end:
    if b"canary-" in (packet := s.recv(2000)):
        print(packet[packet.index(b"canary-"):].decode())
        break
"""
RING = '''
import mmap
parameters = ctypes.create_string_buffer(120)
ring = syscall("io_uring_setup", 8, parameters)
fields = struct.unpack("30I", parameters.raw)
submission, completion = fields[10:20], fields[20:30]  # struct io_sqring_offsets, io_cqring_offsets
queue = mmap.mmap(ring, submission[4] + 4 * 8 + 4096, offset=0)
entries = mmap.mmap(ring, 64 * fields[0], offset=0x10000000)
done = mmap.mmap(ring, completion[5] + 16 * fields[1], offset=0x8000000)
tail = 0

def ask(operation, descriptor, offset, address, length, flags=0):
    """One request, and its result."""
    global tail
    entries[0:64] = struct.pack("BBHiQQIIQ", operation, 0, 0, descriptor, offset, address, length,
                                flags, 0).ljust(64, b"\\0")
    struct.pack_into("I", queue, submission[6], 0)  # the array of indices
    for at in range(8):
        struct.pack_into("I", queue, submission[6] + 4 * at, 0)
    tail += 1
    struct.pack_into("I", queue, submission[1], tail)
    syscall("io_uring_enter", ring, 1, 1, 1, None, 0)
    where = completion[5] + 16 * ((tail - 1) % fields[1])
    return struct.unpack_from("Qi", done, where)[1]
'''
RING_CONNECT = """
port, loop = struct.pack(">H", @tcp@), socket.inet_aton("127.0.0.1")
target = ctypes.create_string_buffer(struct.pack("=H2s4s8x", 2, port, loop))
s = ask(45, socket.AF_INET, socket.SOCK_STREAM, 0, 0)  # IORING_OP_SOCKET
print("socket:", s)
print("connect:", ask(16, s, 16, ctypes.addressof(target), 0))
"""
RING_DAEMON = """
path = b"daemon.sock\\0"
target = ctypes.create_string_buffer(struct.pack("=H", 1) + path)
s = ask(45, socket.AF_UNIX, socket.SOCK_STREAM, 0, 0)
print("socket:", s)
print("connect:", ask(16, s, 2 + len(path), ctypes.addressof(target), 0))
"""

_OUT = [
    _script("TCP to 127.0.0.1", STREAM.format("127.0.0.1", "@tcp@")),
    _script("TCP to ::1", STREAM.format("::1", "@tcp6@")),
    _script("TCP to 0.0.0.0", STREAM.format("0.0.0.0", "@tcp@")),
    _script("TCP to the machine's address", STREAM.format("@address@", "@tcp@"), setup=own_address),
    _script("TCP to an IPv4 address in IPv6", MAPPED),
    _script("TCP, connecting without waiting", NON_BLOCKING),
    _script("TCP fast open", FAST_OPEN),
    _script("multipath TCP", MULTIPATH),
    _script("TCP by io_uring", RING + RING_CONNECT),
    Attack("TCP by bash", "network", "bash -c 'echo out > /dev/tcp/127.0.0.1/@tcp@'"),
    Attack("UDP by bash", "network", "bash -c 'echo out > /dev/udp/127.0.0.1/@udp@'"),
    _script("UDP to 127.0.0.1", DATAGRAM.format("AF_INET", "127.0.0.1", "@udp@")),
    _script("UDP to ::1", DATAGRAM.format("AF_INET6", "::1", "@udp6@")),
    _script(
        "UDP to the machine's address",
        DATAGRAM.format("AF_INET", "@address@", "@udp@"),
        setup=own_address,
    ),
    _script("UDP to all", BROADCAST),
    _script("UDP by sendmsg and write", MANY_MESSAGES),
    _script("UDP-Lite", LITE),
    _script("a question for a name server", QUESTION),
    _script("a raw packet", RAW_PACKET, needs_root=True),
    _script(
        "listening to all packets",
        "import time\n" + SNIFF,
        during=secret_on_the_loopback,
        needs_root=True,
    ),
]

# ---------------------------------------------------------------------------- IP: being found

SERVER = """
s = socket.socket()
s.bind(("0.0.0.0", 0))
s.listen()
s.settimeout(1)
with open("offer.new", "w") as file:
    file.write(f"tcp {s.getsockname()[1]}")
os.rename("offer.new", "offer")
client, _ = s.accept()
client.sendall(b"pong")
client.recv(9)
"""
IMPLICIT_SERVER = SERVER.replace('s.bind(("0.0.0.0", 0))\n', "")  # listen chooses a port itself
DATAGRAM_SERVER = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 0))
s.settimeout(1)
with open("offer.new", "w") as file:
    file.write(f"udp {s.getsockname()[1]}")
os.rename("offer.new", "offer")
_, client = s.recvfrom(9)
s.sendto(b"pong", client)
"""
UNIX_SERVER = """
s = socket.socket(socket.AF_UNIX)
s.bind({0!r}.replace("@", chr(0), 1))
if os.path.exists({0!r}):
    os.chmod({0!r}, 0o777)
s.listen()
s.settimeout(1)
with open("offer.new", "w") as file:
    file.write("unix {0}")
os.rename("offer.new", "offer")
client, _ = s.accept()
client.sendall(b"pong")
client.recv(9)
"""

_FOUND = [
    _script("a TCP server", SERVER, during=visit, succeeded=was_visited),
    _script("a TCP server without bind", IMPLICIT_SERVER, during=visit, succeeded=was_visited),
    _script("a UDP server", DATAGRAM_SERVER, during=visit, succeeded=was_visited),
    _script(
        "a UNIX server in the root",
        UNIX_SERVER.format("@root@/mine.sock"),
        during=visit,
        succeeded=was_visited,
    ),
    _script(
        "an abstract UNIX server",
        UNIX_SERVER.format("@@mark@-mine"),
        during=visit,
        succeeded=was_visited,
    ),
]

# ------------------------------------------------------------------------------ UNIX sockets

UNIX = """
s = socket.socket(socket.AF_UNIX, socket.{0})
s.connect({1!r}.replace("@", chr(0), 1))
s.send(b"out")
"""
PAIR = """
s, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
{0}
"""
BY_LINK = """
os.symlink("@stream@", "link.sock")
s = socket.socket(socket.AF_UNIX)
s.connect("link.sock")
"""
DESCRIPTOR = """
s = socket.socket(socket.AF_UNIX)
s.connect("@daemon@")
socket.send_fds(s, [b"take this"], [os.open(".", os.O_RDONLY)])
"""
SEVERAL = """
s, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
text = ctypes.create_string_buffer(b"out")
name = ctypes.create_string_buffer(struct.pack("=H", 1) + b"inbox.sock\\0")
vector = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(text), 3))
message = ctypes.create_string_buffer(struct.pack(
    "PIxxxxPNPNiIxxxx", ctypes.addressof(name), 13, ctypes.addressof(vector), 1, 0, 0, 0, 0))
print(libc.sendmmsg(s.fileno(), message, 1, 0))
"""
SEQUENCE = """
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    for s in socket.socketpair(socket.AF_UNIX, kind):
        attempt(lambda: libc.connect(s.fileno(), struct.pack("=H", 0), 2),
                lambda: s.connect("daemon.sock"), lambda: s.sendto(b"out", "inbox.sock"))
if os.fork() == 0:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(b"out", "inbox.sock")
"""

_UNIX = [
    _script("a UNIX stream outside", UNIX.format("SOCK_STREAM", "@stream@")),
    _script("a UNIX datagram outside", UNIX.format("SOCK_DGRAM", "@datagram@")),
    _script("a daemon's socket in the root", UNIX.format("SOCK_STREAM", "@daemon@")),
    _script("a daemon's inbox in the root", UNIX.format("SOCK_DGRAM", "@inbox@")),
    _script(
        "a daemon's socket through /proc", UNIX.format("SOCK_STREAM", "/proc/self/cwd/daemon.sock")
    ),
    _script("a UNIX socket behind a link", BY_LINK),
    _script("a socket pair and sendto", PAIR.format('s.sendto(b"out", "inbox.sock")')),
    _script(
        "a socket pair and connect",
        PAIR.format('s.connect("inbox.sock"); os.write(s.fileno(), b"out")'),
    ),
    _script("a socket pair and sendmsg", PAIR.format('s.sendmsg([b"out"], [], 0, "inbox.sock")')),
    _script("a socket pair and sendmmsg", SEVERAL),
    _script("stream pairs, parted and joined anew", SEQUENCE),
    _script("a UNIX socket by io_uring", RING + RING_DAEMON),
    _script("an abstract stream", UNIX.format("SOCK_STREAM", "@@abstract@")),
    _script("an abstract datagram", UNIX.format("SOCK_DGRAM", "@@abstract_inbox@")),
    _script("a descriptor handed out", DESCRIPTOR),
    Attack(
        "a daemon's socket by Perl",
        "network",
        """perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) || die $!;"""
        """ connect(S, sockaddr_un("daemon.sock")) || die $!'""",
    ),
]

# ---------------------------------------------------------------------------- other families

ROUTES = """
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
s.settimeout(5)
s.send(struct.pack("=IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0))  # RTM_GETLINK, dump
while True:
    data = s.recv(65536)
    while data:
        length, kind = struct.unpack_from("=IH", data)
        if kind == 3:
            raise SystemExit
        at = 32
        while at + 4 <= length:
            size, attribute = struct.unpack_from("=HH", data, at)
            if attribute == 3:
                print(data[at + 4 : at + size].rstrip(b"\\0").decode())
            at += max(4, size + 3 & ~3)
        data = data[length + 3 & ~3 :]
"""
EVENTS = """
s = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 15)  # what devices come and go
s.bind((0, 1))
escaped("the kernel tells of the machine's devices")
"""
VSOCK = """
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
escaped("a socket to the host of this virtual machine")
"""
RARE = """
usual = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
for family in set(range(1, 46)) - usual:
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
        except OSError:
            continue
        escaped(f"a socket of family {family}")
"""
DEVICES = "print(*(name for _, name in socket.if_nameindex()))"
NAMESPACE = """
attempt(lambda: os.open("/proc/@victim@/ns/net", os.O_RDONLY),
        lambda: syscall("setns", os.open("/proc/@victim@/ns/net", os.O_RDONLY), 0x40000000))
socket.create_connection(("127.0.0.1", @tcp@), 5).close()
"""

_FAMILIES = [
    _script("the machine's network devices", DEVICES, succeeded=machine_is_named),
    _script("the machine's network devices by netlink", ROUTES, succeeded=machine_is_named),
    _script("netlink: the kernel's events", EVENTS),
    _script("VSOCK", VSOCK),
    _script("rare families", RARE),
    _script("the victim's network namespace", NAMESPACE),
]

# --------------------------------------------------------------------------------------- IPC

MEMORY_LEFT = "print(syscall('shmget', @ipckey@, 4096, 0o1666))"
SEMAPHORE_LEFT = "print(syscall('semget', @ipckey@, 1, 0o1666))"
QUEUE_LEFT = "print(syscall('msgget', @ipckey@, 0o1666))"
POSIX_QUEUE = """
print(syscall("mq_open", "@mark@", os.O_RDWR | os.O_CREAT, 0o666, None))
"""
MEMORY_READ = """
libc.shmat.restype = ctypes.c_void_p
address = libc.shmat(@segment@, None, 0)
if address != ctypes.c_void_p(-1).value:
    print(ctypes.string_at(address, 64))
"""
QUEUE_READ = """
message = ctypes.create_string_buffer(200)
print(syscall("msgrcv", @queue@, message, 100, 0, 0o4000), message.raw)
"""

_IPC = [
    _script("System V memory is left", MEMORY_LEFT),
    _script("a System V semaphore is left", SEMAPHORE_LEFT),
    _script("a System V queue is left", QUEUE_LEFT),
    _script("System V memory of others", MEMORY_READ, setup=shared_memory_outside),
    _script("a System V queue of others", QUEUE_READ, setup=queue_outside),
    _script("a POSIX queue is left", POSIX_QUEUE),
    Attack("a file is left in /dev/shm", "network", "echo out > /dev/shm/@mark@"),
    Attack("a file is left in /tmp", "network", "echo out > /tmp/left-@mark@"),
    Attack("a file is left in /var/tmp", "network", "echo out > /var/tmp/left-@mark@"),
    Attack(
        "a file in /dev/shm for a while",
        "network",
        "echo out > /dev/shm/@mark@; sleep 0.3; rm /dev/shm/@mark@",
        **watch_for("/dev/shm/@mark@"),  # type: ignore[arg-type]
    ),
    Attack(
        "a file in /tmp for a while",
        "network",
        "echo out > /tmp/@mark@; sleep 0.3; rm /tmp/@mark@",
        **watch_for("/tmp/@mark@"),  # type: ignore[arg-type]
    ),
    Attack(
        "a file of others in /dev/shm",
        "network",
        "cat /dev/shm/outside-*; cat @public@",
        setup=file_in_public_memory,
    ),
    Attack("a pipe outside", "network", "timeout 2 sh -c 'echo out > @fifo@'"),
    Attack(
        "the bus of the operator",
        "network",
        """python3 -c 'import os, socket
address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "unix:path=@stream@")
socket.socket(socket.AF_UNIX).connect(address.partition("=")[2])'""",
    ),
]

ATTACKS = [*_OUT, *_FOUND, *_UNIX, *_FAMILIES, *_IPC]
