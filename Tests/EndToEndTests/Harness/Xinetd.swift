import Glibc
@_spi(Begat) import UnixCore

/// xinetd with services of its own, at one address.
final class Xinetd {
  private let program: RunningProgram
  private var ports: [String: String] = [:]

  /// - Parameter services: the kinds of sockets of each.
  init(_ services: [String: [String]], at host: String, in directory: TemporaryDirectory) throws {
    var text = "defaults\n{\n}\n"
    for (name, kinds) in services {
      // Over TCP and UDP alike: no address of this host is anybody else's.
      let port = try FreePorts.addresses(1)[0].split(separator: ":")[1]
      ports[name] = String(port)
      for kind in kinds {
        text += """
          service \(name)
          {
            id = \(name)-\(kind)
            type = INTERNAL UNLISTED
            socket_type = \(kind)
            protocol = \(kind == "stream" ? "tcp" : "udp")
            wait = \(kind == "stream" ? "no" : "yes")
            user = root
            port = \(port)
            bind = \(host)
          }

          """
      }
    }
    let file = try directory.write(text, to: "xinetd.conf")
    let log = directory.path("log")
    program = try RunningProgram(
      try Programs.tool("xinetd"),
      ["-dontfork", "-f", file, "-filelog", log, "-pidfile", directory.path("pid")])
    guard eventually(within: .seconds(10), { Self.hasStarted(log) || program.hasEnded }), !program.hasEnded else {
      throw HarnessFailure("xinetd did not start: \(program.errors.text)")
    }
  }

  private static func hasStarted(_ log: String) -> Bool {
    guard let file = try? Descriptor.open(log, .readOnly), let bytes = try? file.readPrefix(65_536) else {
      return false
    }
    return String(decoding: bytes, as: UTF8.self).contains("Started working")
  }

  func port(_ service: String) throws -> String {
    guard let port = ports[service] else { throw HarnessFailure("xinetd does not serve \(service)") }
    return port
  }
}
