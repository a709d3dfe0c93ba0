import Glibc
import Testing
@_spi(Begat) import UnixCore
import UnixIPC
import UnixIPCTestSupport

@Suite(.timeLimit(.minutes(30))) struct SignalNamesTests {
  @Test(
    "is what people mean by a text",
    arguments: [
      ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("Term", 15), ("15", 15), ("1", 1), ("64", 64), ("32", 32),
      ("33", 33), ("CLD", 17), ("SIGCLD", 17), ("CHLD", 17), ("IO", 29), ("POLL", 29), ("sigpoll", 29), ("IOT", 6),
      ("ABRT", 6), ("RTMIN", 34), ("SIGRTMIN", 34), ("RTMIN+0", 34), ("RTMIN+3", 37), ("rtmin+30", 64),
      ("RTMAX", 64), ("SIGRTMAX-2", 62), ("RTMAX-30", 34), ("sigrtmax-0", 64),
    ] as [(String, CInt)])
  func isWhatPeopleMean(text: String, number: CInt) {
    #expect(Signal(text)?.rawValue == number)
    #expect(Signal("[\(text)]".dropFirst().dropLast())?.rawValue == number)
  }

  @Test(
    "is nothing for anything else",
    arguments: [
      "", " ", "0", "00", "015", "65", "128", "999", "1000", "+15", "-15", "15 ", " 15", "15\n", "1٥", "4294967311",
      "18446744073709551631", "0x0f", "1e1", "SIG", "SIG15", "SIGSIGTERM", "TERM ", " TERM", "TERM\0", "TERM+1",
      "TERMS",
      "TER", "ZERO", "EXIT", "NUM32", "ſIGTERM", "sıgterm", "ＴＥＲＭ", "RTMIN+", "RTMIN-1", "RTMIN+31", "RTMIN+03",
      "RTMIN+-1",
      "RTMIN3", "RTMIN+4294967296", "RTMAX+1", "RTMAX-31", "RTMAX-", "RTMAX--1", "RTMINUS", "RT", "RTMID+1", "(null)",
    ])
  func isNothingElse(text: String) { #expect(Signal(text) == nil) }

  @Test("finds every signal by each of its names", arguments: Signal.all)
  func findsEach(signal: Signal) {
    for name in [signal.name] + signal.aliases {
      for form in [name, "SIG" + name, name.lowercased(), "sig" + name] { #expect(Signal(form) == signal) }
    }
    #expect(Signal(String(signal.rawValue)) == signal)
    #expect("\(signal)" == "SIG" + signal.name && Signal("\(signal)") == signal)
    #expect(signal.exists && !signal.text.isEmpty)
  }

  @Test("describes the numbers that programs cannot use")
  func describesOthers() {
    for number: CInt in [32, 33] {
      let signal = Signal(rawValue: number)
      #expect(!Signal.all.contains(signal) && signal.exists && !signal.isRealTime)
      #expect(signal.name == String(number) && Signal(signal.name) == signal && signal.aliases.isEmpty)
      #expect("\(signal)" == "signal \(number)" && signal.text == "Kept by the C library")
    }
    for number: CInt in [.min, -1, 0, 65, .max] {
      let signal = Signal(rawValue: number)
      #expect(!signal.exists && !signal.isRealTime && signal.text == "Unknown signal" && signal.aliases.isEmpty)
      #expect(signal.name == String(number) && Signal(signal.name) == nil)
    }
  }

  @Test("bears out what perlipc only asks: signal 17 is not SIGALRM")
  func seventeenIsNoAlarm() {
    #expect(Signal(rawValue: 17) != .alarm && Signal("17") == .child && Signal.alarm.name == "ALRM")
    #expect(Signal.child.aliases == ["CLD"] && Signal.abort.aliases == ["IOT"])
    #expect(Set(Signal.ioReady.aliases + [Signal.ioReady.name]) == ["IO", "POLL"])
    #expect(Signal.realTime(0)?.aliases == ["RTMAX-30"] && Signal(rawValue: 64).aliases == ["RTMAX"])
  }

  @Test("agrees with kill -l of bash")
  func agreesWithBash() throws {
    let words = try output(of: "/bin/bash", "-c", "kill -l").split { $0.isWhitespace }
    let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0].dropLast(), words[$0 + 1]) }
    let known = Signal.all + [Signal(rawValue: 64)]
    #expect(pairs.map { Signal($0.0) } == known)
    #expect(pairs.map { Signal($0.1) } == known)
    for (signal, (_, name)) in zip(Signal.all, pairs) {
      #expect(([signal.name] + signal.aliases).contains(String(name.dropFirst(3))))
    }
    // And bash knows what ours mean.
    let names = Signal.all.map { "SIG" + $0.name }.filter { $0 != "SIGPOLL" }
    let numbers = try output(of: "/bin/bash", "-c", "for name; do kill -l $name; done", "bash", names: names)
    #expect(numbers.split(separator: "\n").map { Signal($0).map { "\($0)" } } == names)
  }

  @Test("agrees with the program kill")
  func agreesWithKill() throws {
    let words = try output(of: "/bin/kill", "-L").split { $0.isWhitespace }
    #expect(words.count >= 62)
    for index in stride(from: 0, to: words.count - 1, by: 2) {
      let signal = try #require(Signal(words[index]))
      #expect(Signal(words[index + 1]) == signal && signal.name == words[index + 1])
    }
  }

  @Test("agrees with perl's table")
  func agreesWithPerl() throws {
    let text = try output(of: "/usr/bin/perl", "-MConfig", "-e", #"print "$Config{sig_name}\n$Config{sig_num}""#)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    try #require(lines.count == 2 && lines[0].count == lines[1].count && lines[0].count > 65)
    var numbers: Set<CInt> = []
    for (name, number) in zip(lines[0], lines[1]) {
      let signal = Signal(number)
      if name == "ZERO" {
        #expect(signal == nil)
        continue
      }
      numbers.insert(try #require(signal?.rawValue))
      #expect((name.hasPrefix("NUM") ? Signal(name.dropFirst(3)) : Signal(name)) == signal, "\(name) \(number)")
    }
    #expect(numbers.subtracting(Signal.all.map(\.rawValue)) == [32, 33, 64])
    #expect(numbers.isSuperset(of: Signal.all.map(\.rawValue)))
  }

  @Test("has the C library's words")
  func hasTheWords() throws {
    let script = "import signal\nfor i in range(1, 65): print(signal.strsignal(i))"
    let texts = try output(of: "/usr/bin/env", "python3", "-c", script).split(separator: "\n")
    try #require(texts.count == 64)
    for signal in Signal.all { #expect(signal.text == texts[Int(signal.rawValue) - 1]) }
    #expect(Signal.terminate.text == "Terminated" && Signal.realTime(3)!.text == "Real-time signal 3")
  }

  @Test("knows what the kernel does by default, cores and stops too")
  func knowsDefaultActions() throws {
    let directory = try TemporaryDirectory()
    try ProbeProgram.check("disposition-actions", directory.path)
  }
}

/// What a program prints; in the C locale.
private func output(of path: String, _ arguments: String..., names: [String] = []) throws -> String {
  let name = String(path.split(separator: "/").last ?? "")
  let ends = try PipeEnds()
  let reading = ends.readEnd
  let writing = ends.writeEnd
  let input = try Descriptor.open("/dev/null", .readOnly)
  let variables = ["LC_ALL=C", "PATH=" + (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin")]
  let program = Program(
    path: path, arguments: arguments + names,
    environment: Program.Environment(entries: variables.map { Array($0.utf8) }))
  let child = try program.spawn(descriptors: [input.number, writing.number, STDERR_FILENO])
  _ = consume writing
  let bytes = try reading.readToEnd()
  let status = try child.waitForExit()
  #expect(status.isSuccess, "\(name): \(status)")
  return String(decoding: bytes, as: UTF8.self)
}
