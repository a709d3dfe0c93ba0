import Configuration
import ControlProtocol
import Settings
@_spi(Begat) import UnixCore

/// The services that are ready and their addresses: one line each for programs, a table for people.
enum ReadyReport {
  /// A line `SERVICE ADDRESS` for each address, followed by `datagram` if it is one of datagrams.
  static func lines(_ services: [ManagedService]) -> String {
    services.flatMap { service in
      service.sockets.map { "\(service.name) \($0.address)\($0.isDatagram ? " datagram" : "")\n" }
    }.joined()
  }

  /// One line: what is ready.
  static func head(_ services: [ManagedService], source: String) -> String {
    "\(BegatVersion.text) is ready: \(counted(services.count, "service", "services")), configuration: \(source)"
  }

  /// A table of every service with its addresses and a command to try each.
  static func table(_ services: [ManagedService], source: String) -> String {
    let commands = TryCommands.ofThisMachine()
    var rows = [["SERVICE", "ADDRESS", "TRY"]]
    for service in services {
      for (index, socket) in service.sockets.enumerated() {
        let address = "\(socket.address)" + (socket.isDatagram ? " (datagram)" : "")
        let command = commands.command(
          for: service.configuration.builtIn, at: socket.address, isDatagram: socket.isDatagram)
        rows.append([index == 0 ? service.name : "", address, command])
      }
    }
    let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      (0..<2).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count + 2) }.joined() + row[2]
    }
    return "begatd \(head(services, source: source))\n\n\(lines.joined(separator: "\n"))\n\nCtrl-C stops it.\n"
  }
}
