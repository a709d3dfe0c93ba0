import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// Perl sends each signal that it has a name for, waits for a line, and goes on.
func perlsNamesMeanTheSame(_ words: [String]) throws {
  let script = """
    $| = 1;
    for (split ' ', $Config{sig_name}) {
      next if /^(ZERO|KILL|STOP|NUM32|NUM33|NUM64|RTMAX)$/;
      kill $_ => $ARGV[0] or die "kill $_: $!";
      print "$_ $Config{sig_num}\\n";
      <STDIN>;
    }
    """
  let set = SignalSet.all
  set.block()
  let told = try PipeEnds()
  let asked = try PipeEnds()
  let output = told.readEnd
  let input = asked.writeEnd
  let child = try Program(
    path: "/usr/bin/perl", arguments: ["-MConfig", "-e", script, String(getpid())]
  ).start(descriptors: [asked.readEnd.number, told.writeEnd.number, 2])
  _ = consume told.writeEnd
  _ = consume asked.readEnd
  var lines = LineSplit()
  var count = 0
  while let line = try lines.next(from: output) {
    let name = String(line.prefix { $0 != " " })
    let arrival = set.wait(until: .immediate)
    try expectEqual(arrival?.process, child, "sender of \(name)")
    // "NUM35" is what perl calls those without a name of their own.
    let expected = name.hasPrefix("NUM") ? Signal(name.dropFirst(3)) : Signal(name)
    try expectEqual(arrival?.signal, expected, "what perl calls \(name)")
    count += 1
    try input.writeAll("\n")
  }
  try expect(count >= 60, "perl sent \(count) signals only")
  _ = consume input
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "perl")
}

/// Lines of a descriptor, in the order of their coming.
private struct LineSplit {
  private var rest: [UInt8] = []

  mutating func next(from descriptor: borrowing Descriptor) throws -> String? {
    while true {
      if let end = rest.firstIndex(of: 10) {
        defer { rest.removeSubrange(...end) }
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      let byte = try readBytes(1, from: descriptor)
      if byte.isEmpty { return nil }
      rest += byte
    }
  }
}

func pythonsSignalsArrive(_ words: [String]) throws {
  let script = """
    import ctypes, os, signal, sys
    pid = int(sys.argv[1])
    os.kill(pid, signal.SIGTERM)
    signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGUSR1)
    for value in (7, -1, 2147483647):
        assert ctypes.CDLL(None).sigqueue(pid, signal.SIGRTMIN + 3, ctypes.c_void_p(value & 0xffffffff)) == 0
    """
  let set: SignalSet = [.terminate, .user1, .realTime(3)!]
  set.block()
  let child = try Program(
    path: "/usr/bin/env", arguments: ["python3", "-c", script, String(getpid())],
    environment: ["PATH=" + String(cString: getenv("PATH") ?? strdup("/usr/bin:/bin"))]
  ).start(descriptors: [0, 1, 2])
  try expectEqual(try Children.wait(for: child), .exited(code: 0), "python3")
  for (signal, value) in [
    (Signal.user1, nil), (.terminate, nil), (.realTime(3)!, 7), (.realTime(3)!, -1), (.realTime(3)!, .max),
  ] as [(Signal, CInt?)] {
    let arrival = try expectPending(set, signal, "\(signal)")
    try expectEqual(arrival.value, value, "value of \(signal)")
    try expectEqual(arrival.process, child, "sender of \(signal)")
  }
  try expect(SignalSet.pending.isEmpty, "something is left")
}

/// kill(1) of util-linux or procps.
func killProgramSendsValues(_ words: [String]) throws {
  let set = SignalSet(.realTime(5)!, .ioReady)
  set.block()
  for (arguments, signal, value) in [
    (["-q", "4711", "-s", "RTMIN+5"], Signal.realTime(5)!, 4711), (["-s", "POLL"], .ioReady, nil),
  ] as [([String], Signal, CInt?)] {
    let child = try Program(path: "/bin/kill", arguments: arguments + [String(getpid())])
      .start(descriptors: [0, 1, 2])
    try expectEqual(try Children.wait(for: child), .exited(code: 0), "kill \(arguments)")
    let arrival = try expectPending(set, signal, "kill \(arguments)")
    try expectEqual(arrival.value, value, "value")
  }
}
