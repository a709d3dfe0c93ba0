// The techniques of perlipc, one after the other: first Perl's line, then Swift's.
import Glibc
import NameService
import UnixIPC

let soon = Deadline(after: .seconds(20))
func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

// MARK: - Signals

// $SIG{INT} = sub { $count++ };
try Signal.interrupt.setDisposition(.counted)
try Signal.interrupt.raise()
print("SIGINT came \(Signal.interrupt.count) times")

// local $SIG{INT} = 'IGNORE';
try Signal.withDisposition(.ignored, for: .interrupt) { try Signal.interrupt.raise() }

// use Config; split(' ', $Config{sig_name})
print("signal 17 is SIG\(Signal("17")?.name ?? "?")")

// kill HUP => -$$;     in a copy that leads a group, so that it reaches nothing else
do {
  let group = try ForkedProcess.run(.init(leadsGroup: true)) {
    try Signal.hangUp.sendToOwnGroup()
    return 0
  }
  print("a group was", try group.waitForExit(until: soon))
}

// $SIG{TERM} = sub { $done = 1 };     and every wait ends, not the next one only
do {
  let end = try Cancellation(on: [.terminate])
  try Signal.terminate.raise()
  let ends = try PipeEnds()
  _ = try ends.readEnd.read(maxCount: 1, cancelledBy: end)
} catch { print("told to end: \(error)") }

// kill 0 => $pid       alive, gone, or another user's
print("this process is", try Liveness(of: getpid()))

// eval { local $SIG{ALRM} = sub { die "alarm" }; alarm 10; flock(FH, 2); alarm 0; };
do {
  let ends = try PipeEnds()
  try withDeadline(after: .milliseconds(50)) { _ = try ends.readEnd.readPrefix(1) }
} catch { print("too late: \(error)") }

// MARK: - Processes

// sub REAPER { while (($child = waitpid(-1, WNOHANG)) > 0) { $Kid_Status{$child} = $? } }
for code: CInt in 1...3 { _ = try ForkedProcess.run { code }.release() }
var reaped = 0
while reaped < 3 { reaped += try Children.reapAll(until: soon).count }
print("\(reaped) children reaped")

// system("grep", "-c", "root", "/etc/passwd") == 0 or die
let grep = try Program(named: "grep", arguments: ["-q", "root", "/etc/passwd"])
try grep.run(until: soon).checkSuccess(of: grep)

// system("cmd &");
try Program(path: "/bin/true").startDetached()

// chdir '/'; open STDIN, '/dev/null'; ... exit if fork; setsid;
func becomeDaemon() throws -> Daemon.Starter { try Daemon.detach() }

// Five workers that are always there.
do {
  var workers = ChildProcesses()
  let worker = Program(path: "/bin/sleep", arguments: ["60"])
  for _ in 0..<5 { workers.add(try worker.spawn()) }
  workers.send(.kill, to: workers.processes[2])
  if let ended = try workers.waitForAny(until: soon) {
    workers.add(try worker.spawn())
    print("one of 5 was \(ended.status), and there are \(workers.count) again")
  }
  workers.terminate()
}

// MARK: - open() for IPC

// open(SPOOLER, "| cat -v | lpr -h 2>/dev/null"); print SPOOLER "stuff\n"; close SPOOLER or die;
do {
  let lpr = Program(path: "/bin/sh", arguments: ["-c", "cat >/dev/null; exit 3"])
  var spooler = try Pipeline(Program(path: "/bin/cat", arguments: ["-v"]), lpr).openForWriting(errors: .null)
  try spooler.write("stuff\n", until: soon)
  print("spooled:", try spooler.closeStages(until: soon))
}

// open(STATUS, "netstat -an 2>&1 |"); while (<STATUS>) { ... } close STATUS or die;
do {
  let netstat = Program(path: "/bin/sh", arguments: ["-c", "echo tcp one; echo unix two"])
  var status = try netstat.openForReading(errors: .withOutput)
  while let line = try status.readLine(until: soon) { if text(line).hasPrefix("tcp") { print("status:", text(line)) } }
  try status.close(until: soon)
}

// my $date = `date`; die if $?;
let date = try Program(path: "/bin/date", environment: .inherited.updating(["TZ": "UTC"]))
  .capture(limit: 1000, until: soon).checkSuccess().string
print("it is", date, terminator: "")

// open(FH, $ARGV[0]);  a file, "cmd |", "-": a command only if the caller allows it
do {
  var input = try MagicOpen.forReading("echo from a command |", allowsCommands: true)
  print("magic:", text(try input.readLine(until: soon)))
  _ = try MagicOpen.forReading("rm -rf / |")
} catch { print("refused:", error) }

// open(FH, "< $name"); while (<FH>) { print }
do {
  var input = try MagicOpen.forReading(file: "/etc/hostname")
  fflush(nil)
  try input.copyAll(to: StandardStreams.output)
}

// open(FH, "|bogus"); print FH "..."; close FH;     SIGPIPE, much later
do { _ = try Program(path: "/nowhere/bogus").openForWriting() } catch { print(error) }

// my $pid = open(KID, "-|"); unless ($pid) { ($EUID, $EGID) = ($UID, $GID); print ...; exit }
do {
  // In a set-user-ID program the real user is the one who has started it.
  let lesser = Identity.real.user == 0 ? Identity(user: 65534, group: 65534) : .real
  var kid = try ForkedProcess.openForReading(.init(identity: lesser)) { output in
    try output.writeAll("with less rights, \(setuid(0) == 0 ? "not" : "and") for good\n")
    return 0
  }
  print("kid:", text(try kid.readLine(until: soon)))
  try kid.close(until: soon).checkSuccess(of: "the kid")
}

// open2(\*Reader, \*Writer, "cat -u -n");
do {
  var cat = try Conversation(with: Program(path: "/bin/cat", arguments: ["-u", "-n"]))
  try cat.send("stuff\n", until: soon)
  print("cat:", text(try cat.readLine(until: soon)), try cat.close(until: soon))
}

// Comm.pl: open_proc('cat -n'); expect(...)
do {
  var shell = try TerminalConversation(
    Program(path: "/bin/sh", arguments: ["-c", "printf 'Name: '; read x; echo \"<$x>\""]))
  try shell.expect("Name: ", until: soon)
  try shell.sendLine("Larry", until: soon)
  print("expected:", text(try shell.expect(.regex(#/<\w+>/#), until: soon).bytes))
  try shell.waitForExit(until: soon)
}

// MARK: - Named pipes, sockets, System V

// system('mknod', $path, 'p'); open(FIFO, "> $FIFO"); print FIFO "John Smith\n"; close FIFO;
do {
  let fifo = try FIFO.make(at: "/tmp/coming-from-perl-\(getpid())")
  defer { _ = fifo.removeIfOurs() }
  var reader = try Program(path: "/bin/cat", argumentBytes: [fifo.path.bytes]).openForReading()
  do { try fifo.openForWriting(until: soon).writeAll("John Smith\n") }
  print("signature:", text(try reader.readLine(until: soon)))
  try reader.close(until: soon)
}

// socket(...); bind(...); listen(Server, SOMAXCONN); connect(...); while (defined($line = <SOCK>)) { print $line }
do {
  let listener = try ListeningSocket(port: 0)
  let port = try listener.descriptor.localAddress().address?.port ?? 0
  let client = try ConnectionTarget("localhost", port: "\(port)").connect(until: soon)
  print("connected to the listener: \(client.address.port == port)")
}

// my $time = unpack("N", $answer) - 2208988800;      of the UDP time client
if let seconds = UInt32(bigEndianBytes: [0x83, 0xaa, 0x7e, 0x80]) { print("1970 began at", seconds) }

// shmget(IPC_PRIVATE, $size, 0777); shmwrite($key, $message, 0, 60); shmread(...)
do {
  let memory = try SharedMemorySegment.createAttached(size: 2000, removal: .atLastDetach)
  try memory.writeCounted("Message #1")
  print("shared:", text(try memory.readCounted()))
}

// semop($key, pack("s3 s3", 0, 0, 0, 0, 1, 0))     take; and give in any case
do {
  let semaphore = try SemaphoreSet.create(values: [0])
  defer { try? semaphore.remove() }
  try semaphore.withTaken(until: soon) { print("the semaphore is taken") }
}

// die "$0: $!";      an error of the body is `NAME: ERROR` on standard error, and status 1; warn "$0: $text\n" goes on
CommandLineProgram.run {
  let memory = try SharedMemorySegment.createAttached(size: 100)
  CommandLineProgram.report("the end, and \(memory.count) bytes are let go of")
}
