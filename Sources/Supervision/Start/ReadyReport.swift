import Configuration
import ControlProtocol
import UnixIPC

/// What is served where: for programs that wait, one line each; for people, a table.
enum ReadyReport {
  /// `SERVICE ADDRESS` for each address, datagram ones with `datagram` behind.
  static func lines(_ services: [ManagedService]) -> String {
    services.flatMap { service in
      service.sockets.map { "\(service.name) \($0.address)\($0.isDatagram ? " datagram" : "")\n" }
    }.joined()
  }

  /// A table of every service with its addresses and a command to try each.
  static func table(_ services: [ManagedService], source: String) -> String {
    var rows = [["SERVICE", "ADDRESS", "TRY"]]
    for service in services {
      for (index, socket) in service.sockets.enumerated() {
        let address = "\(socket.address)" + (socket.isDatagram ? " (datagram)" : "")
        rows.append([index == 0 ? service.name : "", address, command(service.configuration.builtIn, socket)])
      }
    }
    let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      (0..<2).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count + 2) }.joined() + row[2]
    }
    let count = services.count == 1 ? "1 service" : "\(services.count) services"
    let head = "begatd \(BegatVersion.text) is ready: \(count), configuration: \(source)"
    return "\(head)\n\n\(lines.joined(separator: "\n"))\n\nCtrl-C stops it.\n"
  }

  /// - Parameter service: nil for a program, which may want anything.
  private static func command(_ service: BuiltIn?, _ socket: HeldSocket) -> String {
    let target: String
    switch socket.address {
    case .ipv4(let host, let port): target = "\(host == .any ? .loopback : host) \(port)"
    case .ipv6(let host, let port, _): target = "\(host == .any ? .loopback : host) \(port)"
    case .unixPath(let path): target = "-U " + shellWord(path)
    case .unixAbstract: return "begat connect \(socket.address)"
    case .unixUnnamed: return ""
    }
    if socket.isDatagram { return datagramCommand(service, target) }
    switch service {
    case .hello, .fortune, .daytime, nil: return "nc \(target)"
    case .time: return "nc \(target) | od -An -tu4 --endian=big"
    case .echo: return "echo hello | nc -N \(target)"
    case .discard: return "echo gone | nc -N \(target)"
    case .chargen: return "nc \(target) | head"
    case .command: return socket.address.isUnix ? "nc \(target)" : "telnet \(target)"
    }
  }

  /// A path as a shell reads it; one with control characters is shown escaped, and is no command then.
  private static func shellWord(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
        || "/._-+,:@%".utf8.contains(byte)
    }
    if isPlain { return path }
    guard path.utf8.allSatisfy({ 0x20...0x7e ~= $0 }) else { return escaped(path.utf8) }
    return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func datagramCommand(_ service: BuiltIn?, _ target: String) -> String {
    switch service {
    case .time: "echo | nc -u -w1 \(target) | od -An -tu4 --endian=big"
    default: "echo | nc -u -w1 \(target)"
    }
  }
}
