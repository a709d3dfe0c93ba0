import ControlProtocol
import Glibc
import Settings
@_spi(Begat) import UnixCore

/// The commands of the ready table's TRY column: what a person can paste into a shell to try a service.
///
/// Each is a command of begat's own, which was built or installed together with begatd; which other clients a machine
/// has, and which options these know, differs. netcat is offered for datagrams only, and only the one that is OpenBSD's.
struct TryCommands {
  /// The word that starts begat in a shell.
  let begat: String
  let hasNetcat: Bool

  /// - Parameter service: nil for a program, whose protocol is unknown.
  /// - Returns: the command; empty if there is none.
  func command(for service: BuiltIn?, at address: SocketAddress, isDatagram: Bool) -> String {
    guard let (words, host) = Self.target(address) else { return "" }
    if isDatagram {
      switch service {
      case .time: return "\(begat) time --udp \(host)"
      case .daytime: return "\(begat) daytime --udp \(host)"
      case nil: return ""
      default: return hasNetcat && !address.isUnix ? "echo hello | nc -u -w1 \(words)" : ""
      }
    }
    switch service {
    case .time: return "\(begat) time \(host)"
    case .echo: return "echo hello | \(begat) connect \(words)"
    case .discard: return "echo gone | \(begat) connect \(words)"
    case .chargen: return "\(begat) connect \(words) | head"
    case .status: return address.isUnix ? "" : "\(begat) get \(host) /readyz"
    default: return "\(begat) connect \(words)"
    }
  }

  /// The words that lead to an address: two of a host and a port, and the single one that `time` and `daytime` take.
  private static func target(_ address: SocketAddress) -> (words: String, host: String)? {
    switch address {
    case .ipv4(let host, let port):
      let host = host == .any ? .loopback : host
      return ("\(host) \(port)", "\(host):\(port)")
    case .ipv6(let host, let port, let scope):
      let host = "\(host == .any ? .loopback : host)\(scope == 0 ? "" : "%\(scope)")"
      return ("\(host) \(port)", "'[\(host)]:\(port)'")
    case .unixPath(let path): return same(path.bytes)
    // No argument can contain a zero byte.
    case .unixAbstract(let name): return name.contains(0) ? nil : same([UInt8(ascii: "@")] + name)
    case .unixUnnamed: return nil
    }
  }

  private static func same(_ name: [UInt8]) -> (words: String, host: String) {
    let word = ShellWord.quoted(name)
    return (word, word)
  }
}

extension TryCommands {
  /// Looks for the programs on this machine; none of them is executed.
  static func ofThisMachine() -> TryCommands {
    let own = HeldProgram.ownPath.map(directory(of:)).flatMap { directory in
      ["\(directory)/begat", "\(directory)/../bin/begat"].first(where: isExecutable).flatMap(realPath)
    }
    // The shortest name that leads to it: in PATH, then the way on which this program was started.
    let begat: String
    if let own, inPath("begat").flatMap(realPath) != own {
      let near = startDirectory.map { "\($0)/begat" }
      begat = ShellWord.quoted(Array((near.flatMap(realPath) == own ? near ?? own : own).utf8))
    } else {
      begat = "begat"
    }
    let netcat = inPath("nc").flatMap(realPath)
    return TryCommands(begat: begat, hasNetcat: netcat?.hasSuffix("/nc.openbsd") ?? false)
  }

  /// The directory in which this program was found, as an absolute path; nil if PATH was searched for it.
  private static var startDirectory: String? {
    let name = CommandLine.arguments.first ?? ""
    guard name.contains("/") else { return nil }
    let directory = directory(of: name).absolutePath
    return directory.hasPrefix("/") ? directory : nil
  }

  private static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  private static func inPath(_ name: String) -> String? {
    guard let path = getenv("PATH") else { return nil }
    return String(cString: path).split(separator: ":").filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      .first(where: isExecutable)
  }

  private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
  }
}

/// A word as a shell reads it back, and a terminal shows it without obeying it.
enum ShellWord {
  /// - Returns: printable ASCII that bash, zsh and ksh take for exactly these bytes.
  static func quoted(_ bytes: [UInt8]) -> String {
    if !bytes.isEmpty, bytes.allSatisfy(isPlain) { return String(decoding: bytes, as: UTF8.self) }
    let quote = UInt8(ascii: "'")
    if bytes.allSatisfy({ (0x20...0x7e).contains($0) && $0 != quote }) {
      return "'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
    return bytes.reduce("$'") { text, byte in
      switch byte {
      case quote, UInt8(ascii: "\\"): text + "\\" + String(UnicodeScalar(byte))
      case 0x20...0x7e: text + String(UnicodeScalar(byte))
      // Three octal digits: what follows is never taken for one more.
      default: text + "\\" + octal(byte)
      }
    } + "'"
  }

  private static func octal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 8)
    return String(repeating: "0", count: 3 - digits.count) + digits
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "/._-+,:@%".utf8.contains(byte)
    }
  }
}
