import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let untrustedSubcommands: Subcommands = [
  "untrusted-peer": peersBytesAreJudgedAlike,
  "untrusted-tainted": perlTakesWhatIsRefused,
  "untrusted-descriptors": refusalsLeaveNoDescriptor,
]

/// The lines that a program sends from the other end of a pair of sockets.
private func lines(of path: String, _ arguments: [String]) throws -> [UntrustedBytes] {
  let pair = try SocketPair(kind: .stream)
  let ours = pair.first
  let theirs = pair.second
  let nothing = try Descriptor.open("/dev/null", .readOnly)
  let program = Program(path: path, arguments: arguments, environment: ["PATH=/usr/bin:/bin"])
  let child = try program.start(descriptors: [nothing.number, theirs.number, STDERR_FILENO])
  _ = consume theirs
  var buffer = LineBuffer(limit: 600)
  var lines: [UntrustedBytes] = []
  for byte in try readBytes(.max, from: ours) {
    switch buffer.append(byte) {
    case .complete(let line): lines.append(line)
    case .tooLong: throw Wrong(description: "a line is too long")
    case nil: break
    }
  }
  try expect(try Children.wait(for: child).isSuccess, "\(path) failed")
  return lines
}

/// Sends 3,000 texts of bytes, each with what perl's own rules say to it: UTF-8, a port, a word, an argument, a name.
private let judge = #"""
  use strict; use warnings; use Encode (); binmode STDOUT; srand(7);
  my @pieces = ((map { chr } 0..9, 11..255), ("..", "/", "-", ".", "65535", "65536", "x23y", "007", "quit", "5", "a_b",
    "\xc3\xa9", "\xe2\x82\xac", "\xed\xa0\x80", "\xc0\xaf", "\xf0\x9f\x90\xab", "\xf4\x90\x80\x80", "\xd9\xa3") x 12);
  for (1..3000) {
    my $bytes = join '', map { $pieces[rand @pieces] } 1..int(rand 5);
    my $copy = $bytes;
    my $text = eval { Encode::decode('UTF-8', $copy, Encode::FB_CROAK) };
    my $utf8 = defined $text ? 1 : 0;
    my $port = $bytes =~ /\A0*([0-9]{1,5})\z/ && $1 >= 1 && $1 <= 65535 ? $1 + 0 : 0;
    my $word = $bytes =~ /\A(?!-)[A-Za-z0-9_.-]+\z/ ? 1 : 0;
    my $argument = $utf8 && $bytes !~ /\A-|\0/ ? 1 : 0;
    my $name = $utf8 && $text !~ m{\A[.-]|/|\p{Cc}} && $bytes ne '' ? 1 : 0;
    print "$bytes\r\n$utf8 $port $word $argument $name\r\n";
  }
  """#

func peersBytesAreJudgedAlike(_ words: [String]) throws {
  let lines = try lines(of: "/usr/bin/perl", ["-e", judge])
  try expectEqual(lines.count, 6000, "lines")
  var sums = [0, 0, 0, 0, 0]
  for index in stride(from: 0, to: lines.count, by: 2) {
    let bytes = lines[index]
    let verdict = try lines[index + 1].words.map { (word) throws in try word.number(in: 0...65535) }
    let utf8 = bytes.withUncheckedBytes { String(validating: $0, as: UTF8.self) } != nil
    let found = [
      utf8 ? 1 : 0, (try? bytes.number(in: 1...65535)) ?? 0,
      (try? bytes.word(of: .wordCharacters.union(".-"))) == nil ? 0 : 1, (try? bytes.argument()) == nil ? 0 : 1,
      (try? bytes.fileName()) == nil ? 0 : 1,
    ]
    try expectEqual(found, verdict, bytes.escaped)
    for (check, value) in verdict.enumerated() where value > 0 { sums[check] += 1 }
  }
  // Each says yes to some and no to others.
  for sum in sums { try expect((50...2900).contains(sum), "perl took \(sums) of 3000") }
}

/// perlipc's server takes a number out of what its -T distrusts: `x23y` is 23 to it.
func perlTakesWhatIsRefused(_ words: [String]) throws {
  let server = #"""
    my $port = shift; $port = $1 if $port =~ /(\d+)/; print "x23y\n$port\n"; eval { open my $file, '>', shift }; print $@;
    """#
  let lines = try lines(of: "/usr/bin/perl", ["-T", "-e", server, "x23y", "/tmp/\u{1b}never"])
  try expectEqual(lines.count, 3, "lines")
  try expectEqual(try lines[1].number(in: 1...65535), 23, "what perl takes")
  let refusal = failure { () throws(UntrustedBytes.CheckError) in try lines[0].number(in: 1...65535) }
  try expectEqual(refusal?.description, "\"x23y\": not a number in digits", "refusal")
  try expect(lines[2].hasPrefix("Insecure dependency in open"), "perl -T said \(lines[2].escaped)")
}

func refusalsLeaveNoDescriptor(_ words: [String]) throws {
  let root = try Descriptor.open("/proc/self", [.readOnly, .directory])
  func open() throws {
    for (name, errno) in [("cwd", ELOOP), ("fd/0", ELOOP), ("../self", EXDEV), ("none", ENOENT)] {
      let found = failure { () throws(SystemCallError) in try root.open(beneath: name, .readOnly) }
      try expectEqual(found?.code.rawValue, errno, name)
    }
    _ = try root.open(beneath: "status", .readOnly)
  }
  try open()
  let before = try openDescriptors().count
  for _ in 0..<500 { try open() }
  try expectEqual(try openDescriptors().count, before, "descriptors")
}
