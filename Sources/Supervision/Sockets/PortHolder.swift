import Confinement
import Glibc
@_spi(Begat) import UnixCore

/// The process that has a port: for the message that says it is taken.
///
/// Source: proc_net_tcp(5), proc_pid_fd(5).
struct PortHolder: CustomStringConvertible {
  let process: String
  let command: String

  /// `nginx (process 4711)`
  var description: String {
    "\(escaped(command.utf8)) (process \(process)\(isLeftListener ? ", which a killed begatd has left" : ""))"
  }

  /// Whether it is a listener whose begatd is gone.
  var isLeftListener: Bool { command == "begat-listener" && PortHolder.command(PortHolder.parent(process)) != "begatd" }

  /// Whether there is any such listener.
  static var existsLeftListener: Bool {
    names(in: "/proc").contains { process in
      process.allSatisfy(\.isNumber) && PortHolder(process: process, command: command(process)).isLeftListener
    }
  }

  /// Nil when it cannot be found out, as for other users' processes without CAP_SYS_PTRACE, which a started begatd has not.
  ///
  /// - Throws: if the capabilities for the search cannot be taken into use or given back.
  static func find(port: UInt16, isDatagram: Bool) throws(SystemCallError) -> PortHolder? {
    try DaemonPrivileges.withAllPermitted { search(port: port, isDatagram: isDatagram) }
  }

  private static func search(port: UInt16, isDatagram: Bool) -> PortHolder? {
    let tables = isDatagram ? ["udp", "udp6"] : ["tcp", "tcp6"]
    let inodes = Set(tables.flatMap { sockets(in: "/proc/net/\($0)", port: port, isListening: !isDatagram) })
    guard !inodes.isEmpty else { return nil }
    for process in names(in: "/proc") where process.allSatisfy(\.isNumber) {
      for number in names(in: "/proc/\(process)/fd") {
        guard let target = link("/proc/\(process)/fd/\(number)"), inodes.contains(target) else { continue }
        return PortHolder(process: process, command: command(process))
      }
    }
    return nil
  }

  private static func command(_ process: String) -> String { firstLine("/proc/\(process)/comm") ?? "?" }

  /// Source: proc_pid_stat(5).
  private static func parent(_ process: String) -> String {
    let fields = firstLine("/proc/\(process)/stat")?.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 1 ? String(fields[1]) : "0"
  }

  /// The `socket:[INODE]` names of the sockets bound to the port.
  private static func sockets(in table: String, port: UInt16, isListening: Bool) -> [String] {
    var found: [String] = []
    forEachLine(of: table) { line in
      let fields = line.split(separator: " ")
      guard fields.count > 9, let colon = fields[1].lastIndex(of: ":") else { return true }
      // Listening sockets (0A) stand first; there may be many thousands of others behind them.
      guard !isListening || fields[3] == "0A" else { return false }
      if UInt16(fields[1][fields[1].index(after: colon)...], radix: 16) == port {
        found.append("socket:[\(fields[9])]")
      }
      return true
    }
    return found
  }

  /// Calls `body` for each line but the headline, until it returns false.
  private static func forEachLine(of path: String, _ body: (String) -> Bool) {
    guard let file = fopen(path, "re") else { return }
    defer { fclose(file) }
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { room in
      guard fgets(room.baseAddress, CInt(room.count), file) != nil else { return }
      while let line = fgets(room.baseAddress, CInt(room.count), file), body(String(cString: line)) {}
    }
  }

  private static func firstLine(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
      guard let line = fgets(room.baseAddress, CInt(room.count), file) else { return nil }
      return String(String(cString: line).prefix { $0 != "\n" })
    }
  }

  private static func names(in path: String) -> [String] { (try? DirectoryListing.names(in: path)) ?? [] }

  private static func link(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
      let count = readlink(path, room.baseAddress!, room.count)
      guard count > 0 else { return nil }
      return String(decoding: UnsafeRawBufferPointer(room)[..<count], as: UTF8.self)
    }
  }
}
