import Configuration
import Glibc
import Settings
@_spi(Begat) import UnixCore

@testable import Supervision

/// Configurations of texts, and what is in force after one of them.
enum Loaded {
  /// A configuration read from a file of its own.
  static func configuration(_ text: String) throws -> LoadedConfiguration {
    var name = Array("/tmp/begat-supervision-XXXXXX".utf8CString)
    let number = mkstemp(&name)
    guard number >= 0 else { throw SystemCallError("mkstemp", code: ErrorCode(rawValue: errno)) }
    let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    try Descriptor(owning: number).writeAll(text)
    return LoadedConfiguration(
      try Configuration.load(file: path, identities: .inMemory()), ConfigurationVersion(file: path))
  }

  static func service(_ name: String, _ lines: String...) -> String {
    "[service.\(name)]\nserve = \"time\"\n" + lines.map { "\($0)\n" }.joined()
  }

  /// The sockets of services that were started by a configuration, a port that the kernel chose being 40000 and more.
  static func open(_ loaded: LoadedConfiguration) -> [SocketAssignment.Open] {
    var port: UInt16 = 40_000
    return loaded.services.map(\.configuration).flatMap { service in
      [(service.streams, false), (service.datagrams, true)].flatMap { addresses, isDatagram in
        addresses.map { wanted in
          var open = SocketAssignment.Open(
            address: .unixUnnamed, isDatagram: isDatagram, device: service.settings.bindToDevice, wanted: wanted,
            service: service.name)
          switch wanted {
          case .passed(let name): open.passedName = name
          case .address(.ipv4(let host, port: 0), _):
            port += 1
            open.address = .ipv4(host, port: port)
          case .address(let address, _): open.address = address
          }
          return open
        }
      }
    }
  }

  /// The plan from one text to another.
  static func plan(from old: String, to new: String) throws -> ReloadPlan {
    let before = try configuration(old)
    return ReloadPlan(
      from: before.services.map { ReloadPlan.Running(configuration: $0.configuration, inputs: $0.inputs) },
      daemon: before.configuration.daemon, open: open(before), to: try configuration(new))
  }
}
